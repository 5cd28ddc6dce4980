"""The sandbox by Landlock and seccomp, for machines without user namespaces or bubblewrap.

Runs happen in a private copy of the project, in a fresh folder for each worker. What cannot be had this way: other
processes of the machine can be seen to exist by number, and tests can open no sockets at all.
"""

import json
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from pennyproof.proof.sandbox.launch import Finished, Launch, run_to_end
from pennyproof.proof.sandbox.places import SYNTHESISED, environment, project_places, system_places
from pennyproof.proof.sandbox.spec import INSIDE, WorkerSpec

_DEVICES = ("/dev/null", "/dev/zero", "/dev/full", "/dev/random", "/dev/urandom")


class Landlock:
    """Workers that have given up what they do not need."""

    kind = "landlock"
    forks = True

    def launch(self, spec: WorkerSpec) -> Launch:
        return self._launch(spec, (str(spec.python), str(INSIDE)))

    def run_once(self, argv: Sequence[str], spec: WorkerSpec, timeout: float) -> Finished:
        return run_to_end(self._launch(spec, argv), timeout)

    def _launch(self, spec: WorkerSpec, argv: Sequence[str]) -> Launch:
        scratch = Path(tempfile.mkdtemp(prefix="pennyproof-"))
        shared = [str(spec.pycache)] if spec.pycache else []
        etc = [f"/etc/{name}" for name in SYNTHESISED]
        readable = [*map(str, (*system_places(), *project_places(spec))), *etc, *shared]
        confinement = {
            # The fork server reads the project in order to copy it, and /proc in order to find what a run started.
            "readable": [*readable, str(spec.root), "/proc"],
            "writable": [*_DEVICES, *shared, str(scratch)],
        }
        # Our own interpreter, which imports nothing of the project's environment, gives up first and then executes the
        # project's.
        confine = (sys.executable, "-I", "-S", str(INSIDE), json.dumps(confinement))
        setup = setup_in_copy(self.kind, spec, scratch, readable, _DEVICES)
        return Launch((*confine, *argv), environment(spec, str(scratch)) | {"TMPDIR": str(scratch)}, setup, scratch)


def setup_in_copy(
    kind: str, spec: WorkerSpec, scratch: Path, readable: Sequence[str] = (), writable: Sequence[str] = ()
) -> dict[str, object]:
    """What a fork server is told that runs in a copy of the project.

    Args:
        kind: ``landlock`` or ``off``.
        spec: The worker's.
        scratch: The folder for the copy and for what runs write.
        readable: What runs may read besides.
        writable: What runs may write besides; those that warm, the bytecode too.
    """
    return {
        "kind": kind,
        "root": str(spec.root),
        "scratch": str(scratch),
        "readable": list(readable),
        "writable": list(writable),
        "preload": list(spec.preload),
        "plugins": spec.plugins,
        "pycache": str(spec.pycache) if spec.pycache else None,
        "jobs": str(spec.jobs),
    }
