"""A worker in each kind of sandbox, over a small project with a secret beside it."""

import hashlib
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from pennyproof.core.work import Cancel
from pennyproof.proof.sandbox import Kind, Sandbox, find_sandbox
from pennyproof.proof.worker import Answer, Limits, Nursery, Worker, WorkerSpec

KEY = "sk-a-key-that-must-not-be-seen"
JOBS = Path(__file__).with_name("snippet_jobs.py")

PREAMBLE = """
import ctypes, os, pathlib, signal, socket, subprocess, sys, time
libc = ctypes.CDLL(None, use_errno=True)

def attempt(action):
    try:
        return action() or "done"
    except OSError:
        return "refused"

def processes():
    try:
        return [name for name in os.listdir('/proc') if name.isdigit()]
    except OSError:
        return []
"""


@dataclass
class Yard:
    """Where attacks happen."""

    kind: str
    nursery: Nursery
    worker: Worker
    root: Path
    secret: Path
    pycache: Path

    def run(
        self,
        code: str,
        *,
        files: dict[str, bytes | None] | None = None,
        limits: Limits | None = None,
        cancel: Cancel | None = None,
    ) -> Answer:
        """Run a snippet, which finds the paths of the yard under their names."""
        names = {name: str(getattr(self, name)) for name in ("root", "secret", "pycache")}
        return self.worker.run(
            "snippet",
            files=files or {},
            params={"code": PREAMBLE + code, **names},
            limits=limits or Limits(wall=60),
            cancel=cancel or Cancel(),
        )

    def digest(self) -> str:
        """Of every byte of the project, the secret's folder and the bytecode."""
        found = hashlib.sha256()
        for path in sorted(self.root.parent.rglob("*")):
            found.update(str(path).encode() + (path.read_bytes() if path.is_file() else b""))
        return found.hexdigest()


@contextmanager
def yard_of(kind: Kind | Sandbox, folder: Path) -> Iterator[Yard]:
    """A project, a secret and a worker, which is ended."""
    sandbox = find_sandbox(kind) if isinstance(kind, str) else kind
    root, secret, pycache = folder / "project", folder / "private" / "secret", folder / "pycache"
    for place in (root / "package", secret.parent, pycache):
        place.mkdir(parents=True)
    (root / "module.py").write_text("value = 'original'\n")
    (root / "package" / "__init__.py").write_text("")
    secret.write_text("secret")
    (pycache / "present").write_text("bytecode")
    spec = WorkerSpec(root=root, python=Path(sys.executable), plugins=False, pycache=pycache, jobs=JOBS)
    nursery = Nursery(sandbox, spec)
    worker = Worker(nursery)
    try:
        yield Yard(sandbox.kind, nursery, worker, root, secret, pycache)
    finally:
        worker.close()
        nursery.close()


def processes_with(token: str) -> list[int]:
    """The processes of this machine that have ``token`` in their command line."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            command = (process / "cmdline").read_bytes()
        except OSError:  # it has ended
            continue
        if token.encode() in command and process.name != str(os.getpid()):
            found.append(int(process.name))
    return found
