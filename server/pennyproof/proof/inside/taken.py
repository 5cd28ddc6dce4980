"""What a run takes of the machine altogether: limits of the kernel hold for each process and file alone."""

from __future__ import annotations

import os
from typing import Any, Callable, Collection, Dict, Mapping, Optional, Sequence

from .processes import Process

_FILES = 4
"""Files of the largest size allowed that a run may leave on a disk."""
_MEMORY = ("MemAvailable", "Shmem")


class Taken:
    """Compares the machine with what it was when a run began.

    Args:
        folders: Where the run writes, if that is on a disk.
        before: Tells how many bytes were in there already.
    """

    def __init__(self, folders: Sequence[str] = (), before: Callable[[], int] = int) -> None:
        self._folders = folders
        self._before = before
        self._memory: Dict[str, int] = {}
        self._free = 0

    def begin(self) -> None:
        """A run begins; what it is compared with is looked at as soon as somebody wants to know."""
        self._memory = {}
        if self._folders:
            self._free = _free(self._folders[0])

    def excess(self, members: Collection[Process], limits: Mapping[str, Any], own: int = 0) -> Optional[str]:
        """Why a run is to be ended, if it takes more than it may.

        Args:
            members: All of its processes.
            limits: ``processes``, and, in bytes, ``memory`` and ``file_size``.
            own: How many of the processes are the sandbox's own.
        """
        # Quick runs are over before anybody asks: they shall not pay for this.
        self._memory = self._memory or _memory()
        if len(members) > limits["processes"] + own:
            return "it started more than %d processes" % limits["processes"]
        if self._memory_taken(members) > limits["memory"]:
            return "its processes took more than %d MB of memory together" % (limits["memory"] >> 20)
        most = _FILES * limits["file_size"]
        if self._folders and self._disk_taken(most) > most:
            return "it wrote more than %d MB to the disk" % (most >> 20)
        return None

    def _memory_taken(self, members: Collection[Process]) -> int:
        """What processes share counts for each of them, so that the machine has to be short of it, too."""
        now = _memory()
        fallen, risen = (self._memory[name] - now[name] for name in _MEMORY)
        # Files in memory are no process's: what has come of them since is taken for the run's.
        return max(min(fallen, sum(member.resident for member in members)), -risen)

    def _disk_taken(self, most: int) -> int:
        """Adding up files takes long, and others write to the disk, too: either alone would not do."""
        if self._free - _free(self._folders[0]) <= most:
            return 0
        return sum(map(_size, self._folders)) - self._before()


def _memory() -> Dict[str, int]:
    """Bytes, by name."""
    with open("/proc/meminfo", encoding="ascii") as file:
        told = dict(line.split(":", 1) for line in file)
    return {name: int(told[name].split()[0]) << 10 for name in _MEMORY}


def _free(folder: str) -> int:
    status = os.statvfs(folder)
    return status.f_bfree * status.f_frsize


def _size(folder: str) -> int:
    """Bytes on the disk, of all files below a folder."""
    total = 0
    ahead = [folder]
    while ahead:
        try:
            entries = os.scandir(ahead.pop())
        except OSError:  # it has gone, or cannot be entered, and nothing be written to it
            continue
        with entries:
            for entry in entries:
                total += entry.stat(follow_symlinks=False).st_blocks * 512
                if entry.is_dir(follow_symlinks=False):
                    ahead.append(entry.path)
    return total
