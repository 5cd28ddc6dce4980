"""What each kind of sandbox protects, and what it does not: for people, by ``pennyproof doctor``."""

import os
from dataclasses import dataclass

from pennyproof.proof.inside import landlock


@dataclass(frozen=True, slots=True)
class Protection:
    """One thing that tests could do harm to."""

    what: str
    how: str
    whole: bool = True
    """Whether nothing more could be wished for."""


def protections(
    kind: str, *, limits: bool = True, landlock_version: int | None = None, root: bool | None = None
) -> tuple[Protection, ...]:
    """What protects, in a sandbox of this kind.

    Args:
        kind: As ``Sandbox.kind``.
        limits: Whether the system bounds what a process takes, which it does for those that were forked.
        landlock_version: Instead of asking the kernel.
        root: Whether Pennyproof runs as root, instead of asking.
    """
    version = landlock.version() if landlock_version is None else landlock_version
    as_root = os.geteuid() == 0 if root is None and hasattr(os, "geteuid") else bool(root)
    told = _KINDS[kind](version, as_root)
    return told if limits else tuple(_UNLIMITED if one.what == "memory" else one for one in told)


_MEMORY = "each process is limited by the kernel; all together are looked at every tenth of a second"
_UNLIMITED = Protection("memory", "not limited", whole=False)
_ENVIRONMENT = Protection("environment", "tests start with one of their own: no variable of yours, no key")


def _bubblewrap(_: int, root: bool) -> tuple[Protection, ...]:
    seen = "; run as root, numbers of others can be seen" if root else ""
    return (
        Protection("filesystem", "what tests write goes to a layer of their own; home and the rest are not there"),
        Protection("network", "a loopback of its own, and nothing beyond it"),
        Protection("processes", f"a namespace for each run, which ends with it{seen}", whole=not root),
        Protection("memory", _MEMORY),
        _ENVIRONMENT,
        Protection("signals", "reach processes of the same run only"),
    )


def _landlock(version: int, _: bool) -> tuple[Protection, ...]:
    scoped = version >= landlock.SIGNALS
    signals = "reach processes of the same run only" if scoped else "none can be sent: this kernel cannot confine them"
    return (
        Protection("filesystem", "tests work on a copy; home and the rest cannot be opened"),
        Protection("network", "none, not even a loopback: tests with local servers fail", whole=False),
        Protection("processes", "ended with their run; that others exist can be seen by number", whole=False),
        Protection("memory", _MEMORY),
        _ENVIRONMENT,
        Protection("signals", signals, whole=scoped),
    )


def _seatbelt(_: int, __: bool) -> tuple[Protection, ...]:
    return (
        Protection(
            "filesystem", "tests work on a copy; names and sizes elsewhere can be seen, not what is in them", False
        ),
        Protection("network", "nothing but this machine's own loopback, with all that listens there", whole=False),
        Protection("processes", "those that leave their group outlive the run", whole=False),
        Protection("memory", "not limited: macOS offers no way", whole=False),
        _ENVIRONMENT,
        Protection("signals", "reach processes of the same sandbox only"),
    )


def _off(_: int, __: bool) -> tuple[Protection, ...]:
    return (
        Protection("filesystem", "tests work on a copy, and can read and write all that you can", whole=False),
        Protection("network", "open", whole=False),
        Protection("processes", "tests can see yours, and leave some behind", whole=False),
        Protection("memory", "each process is limited where the kernel can do that", whole=False),
        _ENVIRONMENT,
        Protection("signals", "reach all of your processes", whole=False),
    )


_KINDS = {"bubblewrap": _bubblewrap, "landlock": _landlock, "seatbelt": _seatbelt, "off": _off}
