"""How each run is kept from every other, from the project's files and from the fork server.

``Namespaces`` is the strong way, within bubblewrap: each run has processes, mounts and IPC of its own, and ends with
the first of its processes. ``copied.Copied`` is for places without namespaces.
"""

from __future__ import annotations

import os
import signal
import traceback
from typing import Any, Dict, List, Optional, Protocol

from . import libc, processes, seccomp
from .child_setup import Files, close_all_but, set_limits, use_home, write_files
from .taken import Taken
from .twins import Folders, Twins

TMP, SHARED_MEMORY = "/tmp", "/dev/shm"  # noqa: S108 - each run has its own
_OF_CHILD = 2
"""Processes that belong to each child, of which there are two: one at work, and one that waits."""
_OWN_PROCESSES = 2 + 2 * _OF_CHILD
"""The fork server, the one that waits for it, and its children's."""
_SCRATCH_BYTES = 512 << 20
_SCRATCH_INODES = 100_000
_MS_PRIVATE = 1 << 18
_READ_ONLY = libc.MS_REMOUNT | libc.MS_BIND | libc.MS_RDONLY
_LOCKED = {os.ST_NOSUID: libc.MS_NOSUID, os.ST_NODEV: libc.MS_NODEV, os.ST_NOEXEC: libc.MS_NOEXEC}
"""What statvfs tells of a mount → the flag without which it cannot be mounted again."""


class Isolation(Protocol):
    """How the fork server starts, confines and ends its children."""

    root: str
    """The project's folder as runs see it."""
    scratch: str
    """A folder that each run finds empty, and may write to."""
    overlapping: bool
    """Whether a child may get ready while another is at work."""

    def enter(self) -> None:
        """In the fork server, once."""

    def start(self, log: int) -> int:
        """Fork a child; returns the process by which the run is known, and in the child itself zero.

        Args:
            log: The descriptor of a file for what goes wrong before that.
        """

    def settle(self) -> None:
        """In the child, before it waits for its request: give up whatever it does not need."""

    def prepare(self) -> bool:
        """In the fork server, before it passes a request on; whether the child that waits is of no use any more."""

    def begin(self, limits: Dict[str, Any], files: Files) -> None:
        """In the child, before any code of the project runs: put changed files in place, set the limits."""

    def excess(self, process: int, limits: Dict[str, Any]) -> Optional[str]:
        """Why the run is to be ended, if it takes more of the machine than it may."""

    def ended(self, process: int) -> bool:
        """Whether the run's first process has ended by itself; ``end`` is still to be called."""

    def kill(self, process: int) -> None:
        """Stop the run quickly, if there is a quick way, before its answer is passed on."""

    def end(self, process: int) -> int:
        """Kill whatever the run started and wait for its end; returns the status ``os.waitpid`` gives."""

    def leave(self) -> None:
        """In the fork server, as it ends."""


class Namespaces:
    """Runs as processes of a namespace of their own, over the project's folder as a private overlay."""

    overlapping = True

    def __init__(
        self, root: str, scratch: str, keep: List[str], folders: Folders, read_only: Optional[str] = None
    ) -> None:
        """Remember where things are.

        Args:
            root: The project's folder.
            scratch: An empty folder to mount on.
            keep: What bubblewrap mounted, beside the root, below the folders that are made afresh for each run.
            folders: Those of the project that belong to another owner.
            read_only: A folder that bubblewrap left writable, and runs are not to write to.
        """
        self.root = root
        self.scratch = scratch
        self._keep = sorted(keep)
        self._twins = Twins(root, scratch, folders) if folders else None
        self._read_only = read_only
        self._own_processes = -1
        self._taken = Taken()

    def enter(self) -> None:
        """Go on as the first process of a namespace in which this process, alone, may make further ones."""
        user, group = os.getuid(), os.getgid()
        libc.unshare(libc.CLONE_NEWUSER | libc.CLONE_NEWNS | libc.CLONE_NEWPID)
        libc.prctl(libc.PR_SET_PDEATHSIG, signal.SIGKILL)
        for name, text in (
            ("setgroups", "deny"),
            ("uid_map", "%d %d 1" % (user, user)),
            ("gid_map", "%d %d 1" % (group, group)),
        ):
            with open("/proc/self/" + name, "w") as file:
                file.write(text)
        process = os.fork()
        if process:
            # Only the new process may hold the channel, or its end would not be seen.
            close_all_but([2])
            os._exit(_exit_code(os.waitpid(process, 0)[1]))
        libc.prctl(libc.PR_SET_PDEATHSIG, signal.SIGKILL)
        libc.prctl(libc.PR_SET_DUMPABLE, 0)
        libc.mount("none", "/", flags=libc.MS_REC | _MS_PRIVATE)
        if self._read_only:
            bind(self._read_only, self._read_only)
            libc.mount("none", self._read_only, flags=_flags(self._read_only) | _READ_ONLY)
        if self._twins:
            self._twins.mount()
        self._own_processes = os.open("/proc/self/ns/pid", os.O_RDONLY)

    def start(self, log: int) -> int:
        libc.unshare(libc.CLONE_NEWPID)
        first = os.fork()
        if first == 0:
            try:
                os.dup2(log, 2)
                if self._become_run():
                    return 0
            except BaseException:  # noqa: BLE001 - the fork server's own code must never go on in here
                traceback.print_exc()
            os._exit(1)
        libc.setns(self._own_processes, libc.CLONE_NEWPID)
        return first

    def _become_run(self) -> bool:
        """Make the mounts, then wait for the child proper (true in that one); when this process ends, all others do."""
        libc.unshare(libc.CLONE_NEWNS | libc.CLONE_NEWIPC)
        self._mount()
        child = os.fork()
        if child == 0:
            os.setsid()
            return True
        close_all_but([])
        while True:
            process, status = os.waitpid(-1, 0)
            if process == child:
                os._exit(_exit_code(status))

    def _mount(self) -> None:
        private = libc.MS_NOSUID | libc.MS_NODEV
        options = "size=%d,nr_inodes=%d,mode=0700" % (_SCRATCH_BYTES, _SCRATCH_INODES)
        place = self._twins.run if self._twins else self.scratch
        libc.mount("tmpfs", place, "tmpfs", private, options)
        lower, upper, work, merged, temporary, shared, own, kept = (
            _folder(place, name) for name in ("lower", "upper", "work", "merged", "tmp", "shm", "own", "kept")
        )
        # Through a bind, since a path with a comma or a colon in it cannot be named in the options.
        libc.mount(self.root, lower, flags=libc.MS_BIND)
        lowers = "%s:%s" % (self._twins.layer, lower) if self._twins else lower
        layers = "lowerdir=%s,upperdir=%s,workdir=%s,userxattr" % (lowers, upper, work)
        libc.mount("overlay", merged, "overlay", private, layers)
        for index, path in enumerate(self._keep):
            bind(path, os.path.join(kept, str(index)))
        bind(temporary, TMP)
        bind(shared, SHARED_MEMORY)
        for index, path in enumerate(self._keep):
            bind(os.path.join(kept, str(index)), path)
        bind(merged, self.root)
        bind(own, self.scratch)
        self._mount_proc()

    def _mount_proc(self) -> None:
        flags = libc.MS_NOSUID | libc.MS_NODEV | libc.MS_NOEXEC
        try:
            libc.mount("proc", "/proc", "proc", flags)
        except OSError:
            # Where bubblewrap had to cover parts of /proc (it runs as root), the kernel allows no fresh one: the outer
            # one then stays, which shows the fork server's processes but gives no access to them.
            flags |= libc.MS_BIND
        libc.mount("none", "/proc", flags=flags | _READ_ONLY)

    def settle(self) -> None:
        """Give up every power to undo this."""
        os.chdir(self.root)
        use_home(os.path.join(self.scratch, "home"), TMP)
        libc.prctl(libc.PR_SET_NO_NEW_PRIVS, 1)
        libc.drop_capabilities()
        seccomp.install()

    def prepare(self) -> bool:
        """See whether the view that a run has already is still of the project's folders."""
        self._taken.begin()
        return self._twins is not None and self._twins.renew()

    def begin(self, limits: Dict[str, Any], files: Files) -> None:
        """Put the changed files in place, and set the limits."""
        write_files(self.root, files)
        set_limits(limits, processes_now=_OWN_PROCESSES)

    def excess(self, process: int, limits: Dict[str, Any]) -> Optional[str]:  # noqa: ARG002 - there is one run
        """Why the run is to be ended, if it takes more of the machine than it may."""
        # What /proc shows has the numbers of bubblewrap's namespace, not of this one, so that the child that waits
        # cannot be told from the one at work.
        members = processes.descendants(int(os.readlink("/proc/self")))
        return self._taken.excess(members.values(), limits, own=2 * _OF_CHILD)

    def ended(self, process: int) -> bool:
        """Whether the run has ended by itself; ``end`` is still to be called."""
        return os.waitid(os.P_PID, process, os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None

    def kill(self, process: int) -> None:
        """Kill whatever the run started."""
        os.kill(process, signal.SIGKILL)

    def end(self, process: int) -> int:
        """Kill whatever the run started and wait for its end; returns the status ``os.waitpid`` gives."""
        self.kill(process)
        return os.waitpid(process, 0)[1]

    def leave(self) -> None:
        """Nothing: what was mounted ends with its namespace."""


def _folder(place: str, name: str) -> str:
    path = os.path.join(place, name)
    os.mkdir(path)
    return path


def bind(source: str, target: str) -> None:
    """Show ``source``, and what is mounted in it, at ``target`` too, which is made if it is missing."""
    if not os.path.lexists(target):
        if os.path.isdir(source):
            os.makedirs(target)
        else:
            os.makedirs(os.path.dirname(target), exist_ok=True)
            os.close(os.open(target, os.O_CREAT | os.O_WRONLY, 0o600))
    libc.mount(source, target, flags=libc.MS_BIND | libc.MS_REC)


def _flags(path: str) -> int:
    told = os.statvfs(path).f_flag
    return sum(flag for shown, flag in _LOCKED.items() if told & shown)


def _exit_code(status: int) -> int:
    """As a shell gives it: 128 + the signal for a process that was killed."""
    return os.WEXITSTATUS(status) if os.WIFEXITED(status) else 128 + os.WTERMSIG(status)
