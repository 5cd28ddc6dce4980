"""What the kernel, and whoever set it up, allows here: which step towards a sandbox is refused, and by whom."""

import errno
import json
import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from pennyproof.proof.inside import landlock, seccomp

_SCRIPT = Path(__file__).with_name("unsharing.py")
_SECONDS = 20.0
_ENOUGH_LANDLOCK = "Linux 6.2 or later, with landlock among the modules that the boot option lsm= names"


@dataclass(frozen=True, slots=True)
class Obstacle:
    """Why a kind of sandbox cannot be had, and what to do about it."""

    what: str
    remedy: str

    def __str__(self) -> str:
        return f"{self.what}: {self.remedy}"


@dataclass(frozen=True, slots=True)
class Refusal:
    """The first step that did not work."""

    step: str
    """As ``unsharing`` names them: ``user``, ``map``, ``others``, ``mount``, ``proc``; ``start``: nothing ran."""
    error: int


@dataclass(frozen=True, slots=True)
class Facts:
    """What the system tells of its settings."""

    apparmor: bool = False
    """AppArmor takes the powers away that a program has in its own namespace (Ubuntu since 23.10)."""
    clone_forbidden: bool = False
    """Debian's own switch says no."""
    none_left: bool = False
    """The number of user namespaces is limited to zero."""
    container: bool = False
    chroot: bool = False
    filtered: bool = False
    """A seccomp filter is in force."""
    root: bool = False

    @classmethod
    def read(cls, top: Path = Path("/")) -> "Facts":
        """Read them below ``top``; what cannot be read is as it usually is."""
        status = _text(top / "proc/self/status")
        mounts = _text(top / "proc/self/mountinfo").splitlines()
        return cls(
            apparmor=_text(top / "proc/sys/kernel/apparmor_restrict_unprivileged_userns") == "1",
            clone_forbidden=_text(top / "proc/sys/kernel/unprivileged_userns_clone") == "0",
            none_left=_text(top / "proc/sys/user/max_user_namespaces") == "0",
            container=any((top / name).exists() for name in (".dockerenv", "run/.containerenv")),
            chroot=bool(mounts) and not any(line.split()[4:5] == ["/"] for line in mounts),
            filtered="Seccomp:\t2" in status,
            root=os.geteuid() == 0,
        )


def refusal() -> Refusal | None:
    """Try it, in a process of its own; ``None``: namespaces, and all that is done in them, work here."""
    command = [sys.executable, "-I", "-S", str(_SCRIPT)]
    try:
        told = subprocess.run(command, capture_output=True, env={}, timeout=_SECONDS, check=True).stdout
        found = json.loads(told)
    except (OSError, subprocess.SubprocessError, ValueError):
        return Refusal("start", 0)
    return Refusal(found["step"], found["error"]) if found else None


def explain(refused: Refusal, facts: Facts) -> Obstacle:
    """Whose doing it is, as far as can be told, and the remedy."""
    why = f"{_STEPS[refused.step]} ({errno.errorcode.get(refused.error, 'no error')})"
    cause = next(cause for cause in _CAUSES if cause.applies(refused, facts))
    return Obstacle(f"{why}{cause.whose}", cause.remedy)


@dataclass(frozen=True, slots=True)
class _Cause:
    whose: str
    remedy: str
    applies: Callable[[Refusal, Facts], bool]


_CAUSES = (  # The most particular first.
    _Cause("", "install Pennyproof where this user may run it", lambda refused, _: refused.step == "start"),
    _Cause(
        ", as always in a chroot",
        "start Pennyproof outside of it",
        lambda refused, facts: facts.chroot and refused.step == "user",
    ),
    _Cause(
        ", since their number is limited",
        "sysctl user.max_user_namespaces=15000",
        lambda refused, facts: refused.error == errno.ENOSPC or (facts.none_left and refused.step == "user"),
    ),
    _Cause(
        " to all but root",
        "sysctl kernel.unprivileged_userns_clone=1",
        lambda refused, facts: facts.clone_forbidden and refused.step == "user",
    ),
    _Cause(
        " by AppArmor, as on Ubuntu by default",
        "install an AppArmor profile for bwrap, or sysctl kernel.apparmor_restrict_unprivileged_userns=0",
        lambda _, facts: facts.apparmor and not facts.root,
    ),
    _Cause(
        ", since parts of /proc are hidden, as in most containers",
        "start the container with --security-opt systempaths=unconfined (podman: unmask=ALL)",
        lambda refused, _: refused.step == "proc",
    ),
    _Cause(
        " in this container",
        "start the container with --security-opt seccomp=unconfined --security-opt apparmor=unconfined",
        lambda _, facts: facts.container,
    ),
    _Cause(
        " by a seccomp filter",
        "start Pennyproof where there is none: not in another sandbox",
        lambda _, facts: facts.filtered,
    ),
    _Cause("", "ask whoever runs this machine for unprivileged user namespaces", lambda *_: True),
)
_STEPS = {
    "start": "a program that looks at the kernel cannot be started",
    "user": "user namespaces are refused",
    "map": "users cannot be mapped into a namespace",
    "others": "namespaces of mounts, processes and the network are refused",
    "mount": "nothing can be mounted in a namespace",
    "proc": "no /proc can be mounted in a namespace",
}


def no_namespaces() -> Obstacle | None:
    """Why there is no sandbox by namespaces here; ``None``: the kernel is not to blame."""
    refused = refusal()
    return explain(refused, Facts.read()) if refused else None


def no_landlock(version: int | None = None) -> Obstacle | None:
    """Why there is no sandbox by Landlock here; ``None``: the kernel is not to blame.

    Args:
        version: That of Landlock's interface, instead of asking.
    """
    known = landlock.version() if version is None else version
    if not known:
        return Obstacle("this kernel has no Landlock, or has it switched off", f"use {_ENOUGH_LANDLOCK}")
    if known < landlock.TRUNCATES:
        return Obstacle(f"this kernel's Landlock is too old (version {known})", f"use {_ENOUGH_LANDLOCK}")
    if not seccomp.available():
        return Obstacle("there is no seccomp filter for this kind of processor", "use x86_64 or aarch64")
    return None


def _text(path: Path) -> str:
    try:
        return path.read_text("utf-8", errors="replace").strip()
    except OSError:
        return ""
