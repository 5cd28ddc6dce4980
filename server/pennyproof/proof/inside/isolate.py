"""How each run is kept from every other, from the project's files and from the fork server.

``Namespaces`` is the strong way, within bubblewrap: each run has processes, mounts and IPC of its own, and ends with
the first of its processes. ``copied.Copied`` is for places without namespaces. A fork server uses one of them so::

    enter()                   once, before anything of the project's environment is imported
    start(main, log)          fork; ``main`` is called in the child
    settle()                  in the child, which then waits for its request
    prepare()                 in the fork server, before it passes a request on
    begin(limits, files)      in the child, before any code of the project runs
    count(process)            how many processes has the run?
    ended(process)            has it ended by itself?
    kill(process)             quickly, before the answer is passed on
    end(process)              kill and reap everything that the run started
"""

from __future__ import annotations

import base64
import hashlib
import os
import resource
import signal
import stat
import traceback
from typing import Any, Callable, Dict, List, Mapping, NoReturn, Optional

from . import libc, seccomp

Files = Mapping[str, Optional[str]]
"""Relative path → base64 of the bytes, or None for a file that is to be missing."""

TMP, SHARED_MEMORY = "/tmp", "/dev/shm"  # noqa: S108 - each run has its own
_SCRATCH_BYTES = 512 << 20
_SCRATCH_INODES = 100_000
_MS_PRIVATE = 1 << 18


class Namespaces:
    """Runs as processes of a namespace of their own, over the project's folder as a private overlay."""

    def __init__(self, root: str, scratch: str, keep: List[str]) -> None:
        """Remember where things are.

        Args:
            root: The project's folder.
            scratch: An empty folder to mount on.
            keep: What bubblewrap mounted, beside the root, below the folders that are made afresh for each run.
        """
        self.root = root
        self.scratch = scratch
        self._keep = sorted(keep)
        self._own_processes = -1

    def enter(self) -> None:
        """Go on as the first process of a namespace in which this process, alone, may make further ones."""
        user, group = os.getuid(), os.getgid()
        libc.unshare(libc.CLONE_NEWUSER | libc.CLONE_NEWNS | libc.CLONE_NEWPID)
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
        self._own_processes = os.open("/proc/self/ns/pid", os.O_RDONLY)

    def start(self, main: Callable[[], NoReturn], log: int) -> int:
        """Fork a child that calls ``main`` in its own namespaces; returns the process to ``end``.

        Args:
            main: Never returns.
            log: The descriptor of a file for what goes wrong before ``main``.
        """
        libc.unshare(libc.CLONE_NEWPID)
        first = os.fork()
        if first == 0:
            try:
                os.dup2(log, 2)
                self._first_process(main)
            except BaseException:  # noqa: BLE001 - the fork server's own code must never go on in here
                traceback.print_exc()
            finally:
                os._exit(1)
        libc.setns(self._own_processes, libc.CLONE_NEWPID)
        return first

    def _first_process(self, main: Callable[[], NoReturn]) -> NoReturn:
        """Make the mounts, then wait for the child proper; as this process ends, the kernel kills all the others."""
        libc.unshare(libc.CLONE_NEWNS | libc.CLONE_NEWIPC)
        self._mount()
        child = os.fork()
        if child == 0:
            os.setsid()
            main()
        close_all_but([])
        while True:
            process, status = os.waitpid(-1, 0)
            if process == child:
                os._exit(_exit_code(status))

    def _mount(self) -> None:
        private = libc.MS_NOSUID | libc.MS_NODEV
        options = "size=%d,nr_inodes=%d,mode=0700" % (_SCRATCH_BYTES, _SCRATCH_INODES)
        libc.mount("tmpfs", self.scratch, "tmpfs", private, options)
        lower, upper, work, merged, temporary, shared, own, kept = (
            self._folder(name) for name in ("lower", "upper", "work", "merged", "tmp", "shm", "own", "kept")
        )
        # Through a bind, since a path with a comma or a colon in it cannot be named in the options.
        libc.mount(self.root, lower, flags=libc.MS_BIND)
        layers = "lowerdir=%s,upperdir=%s,workdir=%s,userxattr" % (lower, upper, work)
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

    def _folder(self, name: str) -> str:
        path = os.path.join(self.scratch, name)
        os.mkdir(path)
        return path

    def _mount_proc(self) -> None:
        flags = libc.MS_NOSUID | libc.MS_NODEV | libc.MS_NOEXEC
        try:
            libc.mount("proc", "/proc", "proc", flags)
        except OSError:
            # Where bubblewrap had to cover parts of /proc (it runs as root), the kernel allows no fresh one: the outer
            # one then stays, which shows the fork server's processes but gives no access to them.
            flags |= libc.MS_BIND
        libc.mount("none", "/proc", flags=flags | libc.MS_REMOUNT | libc.MS_BIND | libc.MS_RDONLY)

    def settle(self) -> None:
        """Give up every power to undo this."""
        os.chdir(self.root)
        use_home(os.path.join(self.scratch, "home"), TMP)
        libc.prctl(libc.PR_SET_NO_NEW_PRIVS, 1)
        libc.drop_capabilities()
        seccomp.install()

    def prepare(self) -> None:
        """Nothing: each run has its own view already."""

    def begin(self, limits: Dict[str, Any], files: Files) -> None:
        """Put the changed files in place, and set the limits."""
        write_files(self.root, files)
        set_limits(limits, processes_now=8)

    def count(self, process: int) -> int:  # noqa: ARG002 - there is one run at a time
        """How many processes the run of ``process`` has, about."""
        return sum(name.isdigit() for name in os.listdir("/proc")) - 4

    def ended(self, process: int) -> bool:
        """Whether the run has ended by itself; ``end`` is still to be called."""
        return os.waitid(os.P_PID, process, os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None

    def kill(self, process: int) -> None:
        """Kill whatever the run started."""
        os.kill(process, signal.SIGKILL)

    def end(self, process: int) -> int:
        """Kill whatever the run started and wait for it; returns the status that ``os.waitpid`` gives for ``process``."""
        self.kill(process)
        return os.waitpid(process, 0)[1]


def bind(source: str, target: str) -> None:
    """Show ``source``, and what is mounted in it, at ``target`` too, which is made if it is missing."""
    if not os.path.lexists(target):
        if os.path.isdir(source):
            os.makedirs(target)
        else:
            os.makedirs(os.path.dirname(target), exist_ok=True)
            os.close(os.open(target, os.O_CREAT | os.O_WRONLY, 0o600))
    libc.mount(source, target, flags=libc.MS_BIND | libc.MS_REC)


def write_files(root: str, files: Files) -> None:
    """Put the changed files in place, where a file becomes a new one of the same mode.

    Their modification time is made from their bytes and lies in the seventies, so that bytecode of another text is
    never taken for theirs: Python matches it by time (whole seconds) and size.

    Raises:
        ValueError: A path leads out of the root.
    """
    top = os.path.realpath(root)
    for relative, data in files.items():
        path = os.path.realpath(os.path.join(top, relative))
        if os.path.commonpath([path, top]) != top or path == top:
            raise ValueError(relative + " leads out of the root")
        mode = stat.S_IMODE(os.stat(path).st_mode) if os.path.exists(path) else 0o644
        if os.path.exists(path):
            os.unlink(path)
        if data is not None:
            content = base64.b64decode(data)
            os.makedirs(os.path.dirname(path), exist_ok=True)
            with open(path, "wb") as file:
                file.write(content)
            os.chmod(path, mode)
            seconds = 1 + int.from_bytes(hashlib.blake2b(content, digest_size=4).digest(), "big") % (1 << 28)
            os.utime(path, (seconds, seconds))


def use_home(home: str, temporary: str) -> None:
    """Make the folders that programs expect to write to, and name them in the environment."""
    os.makedirs(home, exist_ok=True)
    os.makedirs(temporary, exist_ok=True)
    os.environ.update(HOME=home, TMPDIR=temporary)


def set_limits(limits: Dict[str, Any], processes_now: int) -> None:
    """Bound what this process and those it starts may use.

    Args:
        limits: ``cpu``, ``memory``, ``processes``, ``file_size``.
        processes_now: How many processes count against the same user already.
    """
    bounds = [
        (resource.RLIMIT_CPU, int(limits["cpu"]) + 1),
        (resource.RLIMIT_AS, limits["memory"]),
        (resource.RLIMIT_FSIZE, limits["file_size"]),
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_NOFILE, 4096),
    ]
    if hasattr(resource, "RLIMIT_NPROC"):
        bounds.append((resource.RLIMIT_NPROC, limits["processes"] + processes_now))
    for kind, wanted in bounds:
        hard = resource.getrlimit(kind)[1]
        bound = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
        resource.setrlimit(kind, (bound, bound))


def close_all_but(keep: List[int]) -> None:
    """Close every descriptor except those in ``keep``."""
    for name in os.listdir("/dev/fd" if os.path.isdir("/dev/fd") else "/proc/self/fd"):
        descriptor = int(name)
        if descriptor not in keep:
            try:
                os.close(descriptor)
            except OSError:  # the one that listed the folder
                continue


def _exit_code(status: int) -> int:
    """As a shell gives it: 128 + the signal for a process that was killed."""
    return os.WEXITSTATUS(status) if os.WIFEXITED(status) else 128 + os.WTERMSIG(status)
