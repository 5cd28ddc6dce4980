"""Sandboxes: how a fork server is kept from the rest of the machine.

Two layers. A ``Sandbox`` here starts the fork server in a place with the project read-only, no network beyond its own
loopback, no home and no secrets. ``proof/inside/isolate.py`` then confines each run further.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, Protocol

from pennyproof.proof.sandbox.spec import WorkerSpec

Kind = Literal["auto", "bubblewrap", "landlock", "seatbelt", "off"]


@dataclass(frozen=True, slots=True)
class Launch:
    """A process to be started: nothing of our own environment is added to it."""

    argv: tuple[str, ...]
    environment: dict[str, str]
    scratch: Path | None = None
    """A folder of ours that is to be removed when the process has ended."""


@dataclass(frozen=True, slots=True)
class Finished:
    """A process that ended by itself."""

    code: int
    stdout: str
    stderr: str


class Sandbox(Protocol):
    """One way to confine a fork server."""

    @property
    def kind(self) -> str:
        """``bubblewrap``, ``landlock`` or ``off``."""

    def launch(self, spec: WorkerSpec) -> Launch:
        """How to start the fork server of ``spec``."""

    def run_once(self, argv: Sequence[str], spec: WorkerSpec, timeout: float) -> Finished:
        """Run a command to its end in the sandbox a worker of ``spec`` would have; used to probe an interpreter.

        Args:
            argv: The command; its first part is an absolute path, usually ``spec.python``.
            spec: What may be read.
            timeout: Seconds until it is killed.

        Raises:
            subprocess.TimeoutExpired: It was killed.
        """


def find_sandbox(kind: Kind = "auto") -> Sandbox:
    """The sandbox that ``proof.sandbox`` names, tried out once in each process.

    Args:
        kind: ``auto`` is the strongest that works here, and never ``off``.

    Raises:
        NoSandbox: It does not work here; the message says what is missing and what to do.
    """
    raise NotImplementedError
