"""Runs without namespaces: in a private copy of the project, confined by Landlock and seccomp, or not at all.

The second is for ``proof.sandbox: off``. What the methods are for is said in ``isolate.Isolation``.
"""

from __future__ import annotations

import os
import shutil
import signal
import sys
import time
import traceback
from typing import Any, Callable, Dict, Iterator, NamedTuple, NoReturn, Set

from . import landlock, libc, seccomp
from .child_setup import Files, set_limits, use_home, write_files
from .overlay import CopyFinder, PrivateCopy

_LINUX = sys.platform.startswith("linux")


class Copied:
    """Runs as plain children of the fork server, in a copy."""

    def __init__(self, setup: Dict[str, Any]) -> None:
        """Remember where things are.

        Args:
            setup: ``kind`` (``landlock`` or ``off``), ``root``, ``scratch`` (an empty folder), ``readable`` and
                ``writable`` (for Landlock).
        """
        self._confined = setup["kind"] == "landlock"
        self._original = setup["root"]
        self.root = os.path.join(setup["scratch"], "copy", os.path.basename(setup["root"]) or "root")
        self.scratch = os.path.join(setup["scratch"], "run")
        self._everything = setup["scratch"]
        self._readable = setup["readable"]
        self._writable = setup["writable"]
        self._started: Set[int] = set()
        self._ended: Dict[int, int] = {}
        self._processes_now = 0
        self._copy = PrivateCopy(self._original, self.root)
        os.makedirs(self.scratch)

    def enter(self) -> None:
        """Become the parent of whatever loses its own; ``confine.py`` has confined this process already."""
        if _LINUX:
            libc.prctl(libc.PR_SET_CHILD_SUBREAPER, 1)
            libc.prctl(libc.PR_SET_DUMPABLE, 0)

    def start(self, main: Callable[[], NoReturn], log: int) -> int:
        """Fork a child that calls ``main``; returns the process to ``end``."""
        process = os.fork()
        if process == 0:
            try:
                os.dup2(log, 2)
                os.setsid()
                main()
            except BaseException:  # noqa: BLE001 - the fork server's own code must never go on in here
                traceback.print_exc()
            finally:
                os._exit(1)
        self._started.add(process)
        return process

    def settle(self) -> None:
        """Give up everything but the copy."""
        os.chdir(self.root)
        CopyFinder(self._original, self.root).install()
        self._processes_now = _threads_of_user() if _LINUX else 0
        if self._confined:
            landlock.restrict(self._readable, [*self._writable, self.root, self.scratch])
            # Where Landlock does not stop signals to the user's other processes, there are none.
            seccomp.install(sockets=False, signals=landlock.version() >= landlock.SIGNALS)

    def prepare(self) -> None:
        """Make the copy equal to the project, and the scratch folder empty."""
        self._copy.refresh()
        # The folder itself stays: it is what Landlock knows.
        for entry in os.scandir(self.scratch):
            if entry.is_dir(follow_symlinks=False):
                shutil.rmtree(entry.path)
            else:
                os.unlink(entry.path)

    def begin(self, limits: Dict[str, Any], files: Files) -> None:
        """Put the changed files in place, and set the limits."""
        write_files(self.root, files)
        use_home(os.path.join(self.scratch, "home"), os.path.join(self.scratch, "tmp"))
        set_limits(limits, self._processes_now)

    def count(self, process: int) -> int:
        """How many processes the run of ``process`` has."""
        return len(self._of_run(process))

    def ended(self, process: int) -> bool:
        """Whether the run's first process has ended by itself; what it started may live on until ``end``."""
        self._reap()
        return process in self._ended

    def kill(self, process: int) -> None:
        """Nothing: it takes ``end`` to find all that the run started."""

    def end(self, process: int) -> int:
        """Kill whatever the run started and wait for its end; returns the status ``os.waitpid`` gives."""
        if not _LINUX:
            _signal_group(process)
        while True:
            members = self._of_run(process)
            if not members and process in self._ended:
                return self._ended.pop(process)
            for member in members:
                _kill(member)
            time.sleep(0.001)
            self._reap()

    def leave(self) -> None:
        """Empty the scratch folder, for the case that nobody else is left to do so."""
        shutil.rmtree(self._everything, ignore_errors=True)

    def _reap(self) -> None:
        """Take note of what has ended; whatever lost its parent has become a child of the fork server."""
        while True:
            try:
                finished, status = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                return
            if not finished:
                return
            if finished in self._started:
                self._started.discard(finished)
                self._ended[finished] = status

    def _of_run(self, process: int) -> Set[int]:
        """Everything that descends from a run: its process, and all children of the fork server that it did not start.

        Of two runs at a time one only waits for its request, and has no children.
        """
        if not _LINUX:
            return {process} & self._started
        others = self._started - {process}
        children: Dict[int, Set[int]] = {}
        for found in _processes():
            if found.process not in others:
                children.setdefault(found.parent, set()).add(found.process)
        members: Set[int] = set()
        ahead = [os.getpid()]
        while ahead:
            new = children.get(ahead.pop(), set()) - members
            members |= new
            ahead += new
        return members


class _Process(NamedTuple):
    process: int
    parent: int
    threads: int
    user: int


def _processes() -> Iterator[_Process]:
    for name in os.listdir("/proc"):
        if name.isdigit():
            try:
                with open("/proc/%s/stat" % name, "rb") as file:
                    # The command, in parentheses, may hold anything.
                    fields = file.read().rpartition(b")")[2].split()
                    yield _Process(int(name), int(fields[1]), int(fields[17]), os.fstat(file.fileno()).st_uid)
            except (FileNotFoundError, ProcessLookupError):  # it has ended
                continue


def _threads_of_user() -> int:
    user = os.getuid()
    return sum(found.threads for found in _processes() if found.user == user)


def _kill(process: int) -> None:
    try:
        os.kill(process, signal.SIGKILL)
    except ProcessLookupError:  # it has ended
        return


def _signal_group(process: int) -> None:
    try:
        os.killpg(process, signal.SIGKILL)
    except (ProcessLookupError, PermissionError):  # it has ended
        return
