"""Tries sandboxes out: a tiny worker, isolated for real."""

import os
import secrets
import shutil
import sys
import tempfile
from pathlib import Path

from pennyproof.core.work import Cancel
from pennyproof.errors import EnvironmentProblem, NoSandbox
from pennyproof.proof.nursery import Nursery
from pennyproof.proof.sandbox.bubblewrap import Bubblewrap
from pennyproof.proof.sandbox.landlock import Landlock
from pennyproof.proof.sandbox.launch import Sandbox
from pennyproof.proof.sandbox.off import Off
from pennyproof.proof.sandbox.spec import INSIDE, Limits, WorkerSpec
from pennyproof.proof.worker import Worker

_INSTEAD = "or set proof.sandbox to off to run the tests without one"


def find(kind: str) -> Sandbox:
    """The sandbox of a kind, if it works here.

    Raises:
        NoSandbox: It does not.
    """
    if kind == "seatbelt" or (kind != "off" and not sys.platform.startswith("linux")):
        raise NoSandbox(f"no sandbox here yet ({sys.platform}): set proof.sandbox to off to run the tests without one")
    if kind == "bubblewrap":
        return _bubblewrap()
    if kind == "landlock":
        return _landlock()
    if kind == "off":
        return _off()
    try:
        return _bubblewrap()
    except NoSandbox as first:
        try:
            return _landlock()
        except NoSandbox as second:
            raise NoSandbox(f"{first}. Nor is there another: {second}") from second


def likely(kind: str) -> Sandbox | None:
    """The sandbox that ``find`` tries out first, where it is there at all."""
    executable = shutil.which("bwrap")
    if kind in ("auto", "bubblewrap") and executable and sys.platform.startswith("linux"):
        return Bubblewrap(executable)
    return None


def _bubblewrap() -> Sandbox:
    executable = shutil.which("bwrap")
    if executable is None:
        raise NoSandbox(f"bubblewrap is missing: install the package bubblewrap (its command is bwrap), {_INSTEAD}")
    sandbox = Bubblewrap(executable)
    try:
        _try(sandbox)
    except EnvironmentProblem as error:
        raise NoSandbox(
            f"bubblewrap does not work here, likely since user namespaces are forbidden ({_last_line(error)}): "
            f"allow them (kernel.apparmor_restrict_unprivileged_userns=0 on Ubuntu), {_INSTEAD}"
        ) from error
    return sandbox


def _landlock() -> Sandbox:
    sandbox = Landlock()
    try:
        _try(sandbox)
    except EnvironmentProblem as error:
        raise NoSandbox(f"Landlock and seccomp do not work here ({_last_line(error)}): {_INSTEAD[3:]}") from error
    return sandbox


def _off() -> Sandbox:
    if not hasattr(os, "fork"):
        raise NoSandbox(f"running tests needs os.fork, which {sys.platform} does not have")
    return Off()


def _try(sandbox: Sandbox) -> None:
    """Run a job that looks at what it can do, with our own interpreter and nothing else.

    Raises:
        EnvironmentProblem: It could do too much, or nothing.
    """
    with tempfile.TemporaryDirectory(prefix="pennyproof-") as folder:
        root = Path(folder).resolve()
        spec = WorkerSpec(root=root, python=Path(sys.executable), plugins=False, jobs=INSIDE / "probe.py")
        nursery = Nursery(sandbox, spec)
        worker = Worker(nursery)
        try:
            try_out(worker, root, Cancel())
        finally:
            worker.close()
            nursery.close()


def try_out(worker: Worker, root: Path, cancel: Cancel) -> None:
    """Run a job that looks at what it can do where the tests of the project in ``root`` would run.

    Raises:
        EnvironmentProblem: It could do too much, or nothing.
        Cancelled: ``cancel`` was asked.
    """
    name = f".pennyproof-{secrets.token_hex(8)}"
    with tempfile.NamedTemporaryFile(prefix="pennyproof-") as secret:
        answer = worker.run(
            "probe",
            files={name: b"new"},
            params={"seen": name, "secret": secret.name},
            limits=Limits(wall=20),
            cancel=cancel,
        )
    if not answer.ok:
        raise NoSandbox(answer.detail)
    if answer.result != {"seen": "new", "secret": False, "namespace": False, "network": False}:
        raise NoSandbox(f"it does not confine: {answer.result}")
    if os.path.lexists(root / name):
        raise NoSandbox(f"it lets runs write to {root}")


def _last_line(error: Exception) -> str:
    return str(error).strip().rpartition("\n")[2]
