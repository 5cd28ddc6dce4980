"""Runs without namespaces: in a private copy of the project, confined by Landlock and seccomp, or not at all.

The second is for ``proof.sandbox: off``. What the methods are for is said in ``isolate.Isolation``.
"""

from __future__ import annotations

import os
import signal
import sys
import time
from typing import Any, Dict, Optional, Set

from . import landlock, libc, processes, removing, seccomp
from .child_setup import Files, set_limits, use_home, write_files
from .overlay import CopyFinder, PrivateCopy
from .taken import Taken

_LINUX = sys.platform.startswith("linux")


class Copied:
    """Runs as plain children of the fork server, in a copy."""

    overlapping = False
    """There is one copy."""

    def __init__(self, setup: Dict[str, Any], number: int, warming: bool) -> None:
        """Remember where things are.

        Args:
            setup: ``kind`` (``landlock`` or ``off``), ``root``, ``scratch`` (a folder of the zygote's), ``pycache``,
                ``readable`` and ``writable`` (for Landlock).
            number: The fork server's.
            warming: Whether runs write bytecode.
        """
        everything = os.path.join(setup["scratch"], str(number))
        self._confined = setup["kind"] == "landlock"
        self._original = setup["root"]
        self.root = os.path.join(everything, "copy", os.path.basename(setup["root"]) or "root")
        self.scratch = os.path.join(everything, "run")
        self._everything = everything
        self._readable = setup["readable"]
        self._writable = [*setup["writable"], *([setup["pycache"]] if warming and setup["pycache"] else [])]
        self._started: Set[int] = set()
        self._ended: Dict[int, int] = {}
        self._processes_now = 0
        self._copy = PrivateCopy(self._original, self.root)
        os.makedirs(self.scratch)
        self._taken = Taken((self.scratch, self.root), self._copy.size)

    def enter(self) -> None:
        """Become the parent of whatever loses its own; ``confine.py`` has confined this process already."""
        if _LINUX:
            libc.prctl(libc.PR_SET_CHILD_SUBREAPER, 1)
            libc.prctl(libc.PR_SET_DUMPABLE, 0)

    def start(self, log: int) -> int:
        """Fork a child; returns the process to ``end``, and in the child itself zero."""
        process = os.fork()
        if process == 0:
            os.dup2(log, 2)
            os.setsid()
            return 0
        self._started.add(process)
        return process

    def settle(self) -> None:
        """Give up everything but the copy."""
        os.chdir(self.root)
        CopyFinder(self._original, self.root).install()
        self._processes_now = _threads_of_user() if _LINUX else 0
        if self._confined:
            libc.drop_capabilities()
            landlock.restrict(self._readable, [*self._writable, self.root, self.scratch])
            # Where Landlock does not stop signals to the user's other processes, there are none.
            seccomp.install(sockets=False, signals=landlock.version() >= landlock.SIGNALS, lasting=False)

    def prepare(self) -> bool:
        """Make the copy equal to the project, and the scratch folder empty, which serves a child that waits as well."""
        self._copy.refresh()
        # The folder itself stays: it is what Landlock knows.
        removing.empty_folder(self.scratch)
        self._taken.begin()
        return False

    def begin(self, limits: Dict[str, Any], files: Files) -> None:
        """Put the changed files in place, and set the limits."""
        write_files(self.root, files)
        use_home(os.path.join(self.scratch, "home"), os.path.join(self.scratch, "tmp"))
        set_limits(limits, self._processes_now)

    def excess(self, process: int, limits: Dict[str, Any]) -> Optional[str]:
        """Why the run is to be ended, if it takes more of the machine than it may."""
        if not _LINUX:
            return None
        return self._taken.excess(self._of_run(process).values(), limits)

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
            members = self._of_run(process) if _LINUX else self._started & {process}
            if not members and process in self._ended:
                return self._ended.pop(process)
            for member in members:
                _kill(member)
            time.sleep(0.001)
            self._reap()

    def leave(self) -> None:
        """Remove the copy and the scratch folder."""
        removing.remove_tree(self._everything)

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

    def _of_run(self, process: int) -> Dict[int, processes.Process]:
        """Everything that descends from a run: its process, and all children of the fork server that it did not start.

        Of two runs at a time one only waits for its request, and has no children.
        """
        return processes.descendants(os.getpid(), without=self._started - {process})


def _threads_of_user() -> int:
    user = os.getuid()
    return sum(found.threads for found in processes.all_processes() if found.user == user)


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
