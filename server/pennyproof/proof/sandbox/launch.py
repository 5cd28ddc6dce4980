"""How a sandboxed process is started."""

import os
import signal
import subprocess
import sys
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from pennyproof.proof.inside.removing import remove_tree
from pennyproof.proof.sandbox.spec import WorkerSpec

# The kernel ends a bubblewrap with the *thread* that started it, so one thread that lasts starts them all.
_starter = ThreadPoolExecutor(1, "sandbox-starter")


@dataclass(frozen=True, slots=True)
class Launch:
    """A process to be started, with exactly this environment."""

    argv: tuple[str, ...]
    environment: dict[str, str]
    setup: dict[str, Any] = field(default_factory=dict)
    """The first message to a zygote."""
    scratch: Path | None = None
    """A folder made for the process, to be removed when it has ended."""

    def start(self, *, stdin: int, stdout: int = subprocess.DEVNULL, stderr: int) -> subprocess.Popen[bytes]:
        """Start it in a session of its own.

        Args:
            stdin: A descriptor, or what ``subprocess`` has instead.
            stdout: As ``stdin``.
            stderr: As ``stdin``.

        Raises:
            OSError: It cannot be started.
        """
        return _starter.submit(self._start, stdin, stdout, stderr).result()

    def _start(self, stdin: int, stdout: int, stderr: int) -> subprocess.Popen[bytes]:
        return subprocess.Popen(
            self.argv,
            env=self.environment,
            cwd="/",
            stdin=stdin,
            stdout=stdout,
            stderr=stderr,
            bufsize=0,
            start_new_session=True,
        )

    def clean(self) -> None:
        """Remove what was made for the process."""
        if self.scratch:
            remove_tree(str(self.scratch))


@dataclass(frozen=True, slots=True)
class Finished:
    """A process that ended by itself."""

    code: int
    stdout: str
    stderr: str


def run_to_end(launch: Launch, timeout: float) -> Finished:
    """Start a process that reads nothing, and wait for its end.

    Raises:
        subprocess.TimeoutExpired: It was killed after ``timeout`` seconds.
    """
    process = launch.start(stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    try:
        stdout, stderr = process.communicate(timeout=timeout)
    except BaseException:
        kill_group(process)
        process.communicate()
        raise
    finally:
        launch.clean()
    return Finished(process.returncode, stdout.decode("utf-8", "replace"), stderr.decode("utf-8", "replace"))


def kill_group(process: subprocess.Popen[bytes]) -> None:
    """Kill a process and its group; on Windows, which has none, the process alone."""
    if sys.platform == "win32":
        process.kill()
        return
    try:
        os.killpg(process.pid, signal.SIGKILL)
    except (ProcessLookupError, PermissionError):  # it has ended; macOS says the second of zombies
        process.kill()


class Sandbox(Protocol):
    """One way to confine a fork server."""

    @property
    def kind(self) -> str:
        """``bubblewrap``, ``landlock``, ``seatbelt`` or ``off``."""

    @property
    def forks(self) -> bool:
        """Whether runs are forked from a process that has imported what they need; else each starts an interpreter."""

    def launch(self, spec: WorkerSpec) -> Launch:
        """How to start the fork server of ``spec``, or one run."""

    def run_once(self, argv: Sequence[str], spec: WorkerSpec, timeout: float) -> Finished:
        """Run a command to its end in the sandbox a worker of ``spec`` would have; used to probe an interpreter.

        Args:
            argv: The command; its first part is an absolute path, usually ``spec.python``.
            spec: What may be read.
            timeout: Seconds until it is killed.

        Raises:
            subprocess.TimeoutExpired: It was killed.
            OSError: It could not be started.
        """
