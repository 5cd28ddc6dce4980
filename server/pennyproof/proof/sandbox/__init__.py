"""Sandboxes: how a fork server is kept from the rest of the machine.

Two layers. A ``Sandbox`` here starts the fork server in a place with the project read-only, no network beyond its own
loopback, no home and no secrets. ``proof/inside/isolate.py`` then confines each run further.
"""

import sys
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from pennyproof.core.work import Cancel
from pennyproof.proof.sandbox.launch import Finished, Launch, Sandbox
from pennyproof.proof.sandbox.spec import Limits, WorkerSpec

if TYPE_CHECKING:
    from pennyproof.proof.worker import Worker

__all__ = [
    "KINDS",
    "Finished",
    "Kind",
    "Launch",
    "Limits",
    "Sandbox",
    "WorkerSpec",
    "find_sandbox",
    "has_none",
    "likely_sandbox",
    "named",
    "try_out",
]

Kind = Literal["auto", "bubblewrap", "landlock", "seatbelt", "off"]
KINDS: Mapping[str, tuple[str, ...]] = {"linux": ("bubblewrap", "landlock"), "darwin": ("seatbelt",)}
"""Platform → the kinds of sandbox there, the strongest first."""


def has_none(kind: str, platform: str = sys.platform) -> bool:
    """Whether ``proof.sandbox`` asks for whatever there is on a platform that has nothing.

    Tests run there only for users who agreed to just that; ``find_sandbox`` takes no part in it, and refuses.
    """
    return kind == "auto" and platform not in KINDS


def named(platform: str = sys.platform) -> str:
    """What people call a platform."""
    return {"win32": "Windows", "darwin": "macOS", "linux": "Linux"}.get(platform, platform)


@cache
def find_sandbox(kind: Kind = "auto") -> Sandbox:
    """The sandbox that ``proof.sandbox`` names, tried out when first asked for.

    Args:
        kind: ``auto`` is the strongest that works here, and never ``off``.

    Raises:
        NoSandbox: It does not work here; the message says what is missing and what to do.
    """
    from pennyproof.proof.sandbox import probe  # noqa: PLC0415 - trying one out takes a worker, which takes this package

    return probe.find(kind)


def try_out(worker: "Worker", root: Path, cancel: Cancel) -> None:
    """Make sure that what a worker runs is confined.

    Raises:
        EnvironmentProblem: It is not, or nothing runs at all.
        Cancelled: ``cancel`` was asked.
    """
    from pennyproof.proof.sandbox import probe  # noqa: PLC0415 - as above

    probe.try_out(worker, root, cancel)


def likely_sandbox(kind: Kind = "auto") -> Sandbox | None:
    """The sandbox that ``find_sandbox`` tries out first; ``None``: it is of no use to start anything in it before."""
    from pennyproof.proof.sandbox import probe  # noqa: PLC0415 - as above

    return probe.likely(kind)
