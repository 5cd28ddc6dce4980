"""Removes what a run left behind, however deep it is nested and whatever its modes are."""

from __future__ import annotations

import contextlib
import itertools
import os
import stat


def remove_tree(top: str) -> None:
    """Remove a folder and all that is in it, as far as that is possible; links are not followed.

    Nothing may be changing it meanwhile.
    """
    with contextlib.suppress(FileNotFoundError):
        empty_folder(top)
        with contextlib.suppress(OSError):
            os.rmdir(top)


def empty_folder(top: str) -> None:
    """Remove all that is in a folder, as far as that is possible.

    Folders within folders are moved up before they are emptied: a recursion would end at the thousandth, and a path at
    some thousand bytes.
    """
    numbers = itertools.count()
    os.chmod(top, 0o700)
    ahead = _entries(top)
    while ahead:
        path = ahead.pop()
        with contextlib.suppress(OSError):  # Of another owner, or in use: it stays.
            if not stat.S_ISDIR(os.lstat(path).st_mode):
                os.unlink(path)
                continue
            os.chmod(path, 0o700)
            for entry in _entries(path):
                if stat.S_ISDIR(os.lstat(entry).st_mode):
                    os.chmod(entry, 0o700)
                    above = _unused(top, numbers)
                    os.rename(entry, above)
                    ahead.append(above)
                else:
                    os.unlink(entry)
            os.rmdir(path)


def _entries(folder: str) -> "list[str]":
    return [os.path.join(folder, name) for name in os.listdir(folder)]


def _unused(folder: str, numbers: "itertools.count[int]") -> str:
    while True:
        path = os.path.join(folder, ".removing-%d" % next(numbers))
        if not os.path.lexists(path):
            return path
