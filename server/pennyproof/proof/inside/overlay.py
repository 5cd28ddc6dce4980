"""Without mounts: a private copy of the project for runs to write to, and imports that find the copy.

The copy leaves out what no run needs (version control, environments, caches). Between runs it is made equal to the
project again, whatever was written to it, by comparing what ``stat`` tells of each file with what it told before.
"""

from __future__ import annotations

import importlib.util
import os
import shutil
import stat
import sys
from typing import Any, Dict, Iterator, Optional, Tuple

from . import removing
from .preload import Project

_LEFT_OUT = {
    ".git", ".hg", ".svn", ".tox", ".nox", "node_modules", "__pycache__", ".mypy_cache", ".ruff_cache", ".pytest_cache",
    ".hypothesis",
}  # fmt: skip

_Mark = Tuple[int, ...]


class PrivateCopy:
    """A copy of a folder that is made equal to it again on demand."""

    def __init__(self, original: str, copy: str) -> None:
        self.original = original
        self.copy = copy
        self._known: Dict[str, Tuple[_Mark, _Mark]] = {}
        os.makedirs(copy, exist_ok=True)

    def refresh(self) -> None:
        """Undo whatever was written to the copy, and take over whatever changed in the original."""
        wanted = dict(_entries(self.original))
        try:
            present = dict(_entries(self.copy, own=True))
        except OSError:  # A run left folders too deep to name.
            removing.empty_folder(self.copy)
            present = {}
        fine = {
            path
            for path, mark in present.items()
            if path in wanted and self._known.get(path) == (_mark(wanted[path]), _mark(mark, with_change=True))
        }
        for path in sorted(present.keys() - fine, reverse=True):
            self._remove(path, present[path], keep=path in wanted and stat.S_ISDIR(wanted[path].st_mode))
        for path in sorted(wanted.keys() - fine):
            self._copy(path, wanted[path])

    def size(self) -> int:
        """Bytes of all files, as they were copied."""
        return sum(mark[1] for _, mark in self._known.values() if len(mark) > 1)

    def _remove(self, path: str, found: os.stat_result, keep: bool) -> None:
        whole = os.path.join(self.copy, path)
        if not stat.S_ISDIR(found.st_mode):
            os.unlink(whole)
        elif not keep:
            removing.remove_tree(whole)

    def _copy(self, path: str, found: os.stat_result) -> None:
        source, target = os.path.join(self.original, path), os.path.join(self.copy, path)
        try:
            if stat.S_ISDIR(found.st_mode):
                os.makedirs(target, exist_ok=True)
                os.chmod(target, stat.S_IMODE(found.st_mode) | stat.S_IRWXU)
            elif stat.S_ISLNK(found.st_mode):
                self._link(source, target)
            else:
                shutil.copy2(source, target)
        except (FileNotFoundError, PermissionError):  # it went away just now, or is not for us to read
            return
        self._known[path] = (_mark(found), _mark(os.lstat(target), with_change=True))

    def _link(self, source: str, target: str) -> None:
        try:
            os.symlink(self._moved(os.readlink(source)), target)
        except OSError:
            # On Windows few may make links, so that what they lead to is copied; elsewhere that is no reason.
            if sys.platform != "win32" or not os.path.isfile(source):
                raise
            shutil.copy2(source, target)

    def _moved(self, link: str) -> str:
        """An absolute link into the original, as one into the copy."""
        inside = os.path.isabs(link) and os.path.join(link, "").startswith(os.path.join(self.original, ""))
        return os.path.join(self.copy, os.path.relpath(link, self.original)) if inside else link


def _mark(found: os.stat_result, with_change: bool = False) -> _Mark:
    """What tells whether a file is as it was; of a folder, only that it is one (its content has marks of its own)."""
    if stat.S_ISDIR(found.st_mode):
        return (found.st_mode,)
    mark = (found.st_mode, found.st_size, found.st_mtime_ns)
    return (*mark, found.st_ctime_ns, found.st_ino) if with_change else mark


def _entries(top: str, own: bool = False) -> Iterator[Tuple[str, os.stat_result]]:
    """Folders, files and links below ``top``, by relative path.

    Args:
        top: The project, or the copy.
        own: It is the copy, of which everything counts, also what a run may have tried to hide.
    """
    folders = [""]
    while folders:
        relative = folders.pop()
        place = os.path.join(top, relative)
        if own:
            os.chmod(place, stat.S_IMODE(os.stat(place).st_mode) | stat.S_IRWXU)
        try:
            found = os.scandir(place)
        except (FileNotFoundError, PermissionError):  # it went away just now, or is not for us to read
            continue
        with found:
            for entry in found:
                path = os.path.join(relative, entry.name)
                if entry.is_dir(follow_symlinks=False):
                    if not own and _left_out(entry):
                        continue
                    folders.append(path)
                elif not (entry.is_symlink() or entry.is_file() or own):
                    continue
                yield path, entry.stat(follow_symlinks=False)


def _left_out(folder: "os.DirEntry[str]") -> bool:
    return folder.name in _LEFT_OUT or os.path.exists(os.path.join(folder.path, "pyvenv.cfg"))


class CopyFinder:
    """Lets the other finders find a module, and takes it from the copy if it lies in the project."""

    def __init__(self, original: str, copy: str) -> None:
        self._original = original
        self._copy = copy
        self._project = Project(original)

    def install(self) -> None:
        """Import from the copy from now on."""
        sys.path[:] = [self.moved(entry) for entry in sys.path]
        sys.path_importer_cache.clear()
        sys.meta_path.insert(0, self)

    def moved(self, path: str) -> str:
        """Where in the copy a path of the project is; any other path as it is."""
        if not path or not self._project.holds(path):
            return path
        there = os.path.join(self._copy, os.path.relpath(os.path.realpath(path), os.path.realpath(self._original)))
        return os.path.normpath(there)

    def find_spec(self, name: str, path: Any = None, target: Any = None) -> Optional[Any]:
        """As ``importlib.abc.MetaPathFinder`` says."""
        for finder in sys.meta_path:
            find = None if finder is self else getattr(finder, "find_spec", None)
            spec = find(name, path, target) if find else None
            if spec is not None:
                return self._moved_spec(name, spec)
        return None

    def _moved_spec(self, name: str, spec: Any) -> Any:
        folders = spec.submodule_search_locations
        moved = None if folders is None else [self.moved(folder) for folder in folders]
        if not spec.has_location or not isinstance(spec.origin, str):
            if moved is not None and moved != list(folders):
                spec.submodule_search_locations = moved
            return spec
        origin = self.moved(spec.origin)
        if origin == spec.origin:
            return spec
        return importlib.util.spec_from_file_location(name, origin, submodule_search_locations=moved)
