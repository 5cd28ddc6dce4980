"""Folders of another owner, once more as our own: a layer between the project and what a run writes.

Before overlayfs makes anything in a folder, it copies the folder up with its owner, which it cannot where that owner is
not mapped in the run's user namespace. A folder that a higher layer has, too, is merged with it, and is as it is there.

What stays as it is without: files of another owner can be replaced, but not opened for writing or given another mode,
and what only their owner may read cannot be read.
"""

from __future__ import annotations

import os
import stat
from collections import deque
from typing import Dict, List, NamedTuple

from . import libc

_NOT_ENTERED = {".git", ".hg", ".svn", ".tox", ".nox", "node_modules", "__pycache__"}
"""Folders with many others, or with none, in which no run needs to write: what is in them has no twins."""
_MOST = 10_000
"""Folders that are looked at, those near the root first; a worker spends about a tenth of a second on twins of all."""


class Folder(NamedTuple):
    """What there is to know of a folder."""

    mode: int
    """The permission bits of its twin."""
    changed: int
    """When anything about it changed last, an entry of it included, in nanoseconds."""


Folders = Dict[str, Folder]
"""By path, relative to the project's folder."""


def find_folders(root: str) -> Folders:
    """The folders of another owner or group, usually none, and those on the way to them."""
    found: Folders = {}
    seen: Folders = {}
    waiting = deque([""])
    device = os.lstat(root).st_dev
    while waiting and len(seen) < _MOST:
        path = waiting.popleft()
        try:
            status = os.lstat(os.path.join(root, path))
            below = _below(root, path)
        except (FileNotFoundError, NotADirectoryError, PermissionError):  # it went away, or is not for us to read
            continue
        if status.st_dev != device:  # the overlay does not show what is mounted there
            continue
        seen[path] = _folder(status)
        if (status.st_uid, status.st_gid) != (os.getuid(), os.getgid()):
            above = path
            while above not in found:
                found[above] = seen[above]
                above = os.path.dirname(above)
        waiting.extend(below)
    return found


def _below(root: str, path: str) -> List[str]:
    """The folders in a folder, unless it is one that is not entered."""
    if os.path.basename(path) in _NOT_ENTERED:
        return []
    folders = []
    with os.scandir(os.path.join(root, path)) as entries:
        for entry in entries:
            if entry.is_dir(follow_symlinks=False):
                folders.append(os.path.join(path, entry.name))
            elif entry.name == "pyvenv.cfg":
                return []
    return folders


def _folder(status: os.stat_result) -> Folder:
    mode = status.st_mode & (stat.S_IRWXU | stat.S_IRWXG | stat.S_IRWXO)
    if status.st_uid != os.getuid():
        # Its owner's bits say nothing of what we may do there; a change has to be put in place in any case.
        mode |= stat.S_IRWXU
    return Folder(mode, status.st_ctime_ns)


class Twins:
    """The layer, in a file system of its own, which lasts as long as any run has it.

    Args:
        root: The project's folder.
        place: An empty folder to mount on; the layer is ``layer`` in there, beside an empty folder ``run``.
        folders: What ``find_folders`` found some time ago.
    """

    def __init__(self, root: str, place: str, folders: Folders) -> None:
        self._root = root
        self._place = place
        self._folders = folders
        self.layer = os.path.join(place, "layer")
        self.run = os.path.join(place, "run")

    def mount(self) -> None:
        """Make the layer, which is for the runs that start from now on."""
        libc.mount("tmpfs", self._place, "tmpfs", libc.MS_NOSUID | libc.MS_NODEV, "mode=0700")
        mask = os.umask(0)
        os.mkdir(self.run)
        os.mkdir(self.layer)
        for path in sorted(self._folders):
            if path:
                os.mkdir(os.path.join(self.layer, path), self._folders[path].mode)
        os.umask(mask)

    def renew(self) -> bool:
        """Make the layer anew if the folders are not what they were; whether it was so."""
        if all(self._is_unchanged(path, folder) for path, folder in self._folders.items()):
            return False
        before, self._folders = self._folders, find_folders(self._root)
        if _modes(before) == _modes(self._folders):
            return False
        libc.unmount(self._place)
        self.mount()
        return True

    def _is_unchanged(self, path: str, folder: Folder) -> bool:
        try:
            return os.lstat(os.path.join(self._root, path)).st_ctime_ns == folder.changed
        except (FileNotFoundError, NotADirectoryError, PermissionError):
            return False


def _modes(folders: Folders) -> Dict[str, int]:
    return {path: folder.mode for path, folder in folders.items()}
