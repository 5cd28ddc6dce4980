"""Tries sandboxes out: a tiny worker, isolated for real."""

import os
import secrets
import shutil
import sys
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path

from pennyproof.core.work import Cancel
from pennyproof.errors import EnvironmentProblem, NoSandbox
from pennyproof.proof.nursery import Nursery
from pennyproof.proof.sandbox import KINDS, named
from pennyproof.proof.sandbox.bubblewrap import Bubblewrap
from pennyproof.proof.sandbox.kernel import no_landlock, no_namespaces
from pennyproof.proof.sandbox.landlock import Landlock
from pennyproof.proof.sandbox.launch import Sandbox
from pennyproof.proof.sandbox.off import Off
from pennyproof.proof.sandbox.seatbelt import COMMAND, Seatbelt
from pennyproof.proof.sandbox.spec import INSIDE, Limits, WorkerSpec
from pennyproof.proof.worker import Worker

_INSTEAD = "or set proof.sandbox to off to run the tests without one, with all your rights"


def find(kind: str, platform: str = sys.platform) -> Sandbox:
    """The sandbox of a kind, if it works here.

    Where there is none, nothing runs: to run tests bare is for the user to say, by ``off``.

    Raises:
        NoSandbox: It does not work.
    """
    if kind == "off":
        return Off(forks=platform != "win32" and hasattr(os, "fork"))
    kinds = KINDS.get(platform, ())
    if not kinds:
        raise NoSandbox(f"there is no sandbox for {named(platform)}: {_elsewhere(platform)}")
    if kind != "auto" and kind not in kinds:
        raise NoSandbox(f"there is no {kind} on {named(platform)}: set proof.sandbox to auto, {_INSTEAD}")
    reasons: list[str] = []
    for each in kinds if kind == "auto" else (kind,):
        try:
            return _FINDERS[each]()
        except NoSandbox as error:
            reasons.append(str(error))
    raise NoSandbox(f"{'; nor is there another: '.join(reasons)}; {_INSTEAD}")


def _elsewhere(platform: str) -> str:
    instead = _INSTEAD.removeprefix("or ")
    return f"use Pennyproof within WSL 2, where there is one, or {instead}" if platform == "win32" else instead


def likely(kind: str) -> Sandbox | None:
    """The sandbox that ``find`` tries out first, where it is there at all."""
    executable = shutil.which("bwrap")
    if kind in ("auto", "bubblewrap") and executable and sys.platform.startswith("linux"):
        return Bubblewrap(executable)
    return None


def _bubblewrap() -> Sandbox:
    executable = shutil.which("bwrap")
    if executable is None:
        raise NoSandbox("bubblewrap is missing: install the package bubblewrap, whose command is bwrap")
    sandbox = Bubblewrap(executable)
    try:
        _try(sandbox)
    except EnvironmentProblem as error:
        obstacle = no_namespaces()
        because = str(obstacle) if obstacle else f"it said: {_last_line(error)}"
        raise NoSandbox(f"bubblewrap does not work here: {because}") from error
    return sandbox


def _landlock() -> Sandbox:
    obstacle = no_landlock()
    if obstacle:
        raise NoSandbox(str(obstacle))
    sandbox = Landlock()
    try:
        _try(sandbox)
    except EnvironmentProblem as error:
        raise NoSandbox(f"Landlock and seccomp do not work here: {_last_line(error)}") from error
    return sandbox


def _seatbelt() -> Sandbox:
    if not COMMAND.exists():
        raise NoSandbox(f"{COMMAND} is missing, which macOS has by default")
    sandbox = Seatbelt()
    try:
        _try(sandbox)
    except EnvironmentProblem as error:
        raise NoSandbox(f"sandbox-exec does not work here, as within another sandbox: {_last_line(error)}") from error
    return sandbox


_FINDERS: Mapping[str, Callable[[], Sandbox]] = {
    "bubblewrap": _bubblewrap,
    "landlock": _landlock,
    "seatbelt": _seatbelt,
}


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
