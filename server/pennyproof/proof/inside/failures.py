"""What is told of an exception: its kind, message and frames, with the values of locals."""

from __future__ import annotations

import os
import sys
from types import CodeType, FrameType, TracebackType
from typing import Any, Dict, List, Optional

from .values import Brief, guarded, shorten

MAX_MESSAGE = 2000
"""Characters."""
MAX_TEXT = 8000
"""Characters."""
MAX_FRAMES = 60
MAX_LOCALS = 25

_brief = Brief()
_THIRD_PARTY = (os.sep + "site-packages" + os.sep, os.sep + "dist-packages" + os.sep)


class Places:
    """Which files belong to the project, and how they are called."""

    def __init__(self, root: str) -> None:
        self._root = os.path.join(os.path.realpath(root), "")
        self._names: Dict[str, Optional[str]] = {}

    def in_project(self, filename: str) -> Optional[str]:
        """The path relative to the root, with forward slashes; None for files that are not the project's own."""
        if filename not in self._names:
            self._names[filename] = self._relative(filename)
        return self._names[filename]

    def name(self, filename: str) -> str:
        """The relative path of a file of the project, the absolute one of others."""
        return self.in_project(filename) or filename

    def beginning(self, traceback: Optional[TracebackType]) -> Optional[TracebackType]:
        """The part of a traceback that begins in the project; None if nothing of it lies there."""
        while traceback is not None and self.in_project(traceback.tb_frame.f_code.co_filename) is None:
            traceback = traceback.tb_next
        return traceback

    def _relative(self, filename: str) -> Optional[str]:
        if filename.startswith("<"):
            return None
        path = os.path.realpath(filename)
        # An environment kept in the project's folder is not the project's code.
        if not path.startswith(self._root) or any(part in path for part in _THIRD_PARTY):
            return None
        relative = path[len(self._root) :]
        inner = os.path.join(os.path.realpath(sys.prefix), "")
        return None if inner.startswith(self._root) and path.startswith(inner) else relative.replace(os.sep, "/")


def describe(
    error: BaseException, traceback: Optional[TracebackType], text: str, places: Places, with_locals: bool
) -> Dict[str, Any]:
    """A failure as ``jobs`` lays it out.

    Args:
        error: What was raised.
        traceback: Where its frames are taken from.
        text: pytest's own report.
        places: What belongs to the project.
        with_locals: Record the locals of project frames.
    """
    return {
        "kind": type(error).__name__,
        "message": message(error),
        "text": shorten(text, MAX_TEXT),
        "frames": _frames(traceback, places, with_locals),
    }


def message(error: BaseException) -> str:
    """What an exception says, shortened."""
    return shorten(guarded(lambda: str(error)), MAX_MESSAGE)


def bare(kind: str, text: str) -> Dict[str, Any]:
    """A failure of which there is no more than a text."""
    return {"kind": kind, "message": shorten(text, MAX_MESSAGE), "text": shorten(text, MAX_TEXT), "frames": []}


def _frames(traceback: Optional[TracebackType], places: Places, with_locals: bool) -> List[Dict[str, Any]]:
    entries = []
    while traceback is not None:
        if not _internal(traceback.tb_frame):
            entries.append(traceback)
        traceback = traceback.tb_next
    if len(entries) > MAX_FRAMES:
        entries = entries[: MAX_FRAMES // 2] + entries[-MAX_FRAMES // 2 :]
    return [_frame(entry, places, with_locals) for entry in entries]


def _frame(entry: TracebackType, places: Places, with_locals: bool) -> Dict[str, Any]:
    code: CodeType = entry.tb_frame.f_code
    own = places.in_project(code.co_filename)
    return {
        "path": own or code.co_filename,
        "line": entry.tb_lineno or 0,
        "function": code.co_name,
        "in_project": own is not None,
        "variables": _variables(entry.tb_frame) if with_locals and own else [],
    }


def _variables(frame: FrameType) -> List[List[str]]:
    held = frame.f_locals
    if frame.f_code.co_name == "<module>":
        return []
    # Names with an at sign are made by pytest's rewriting of assert statements.
    names = [name for name in list(held) if not name.startswith(("@", "__"))]
    return [[name, _brief(held[name])] for name in names[:MAX_LOCALS]]


def _internal(frame: FrameType) -> bool:
    """Whether a frame belongs to what runs the tests rather than to what they test."""
    module = str(frame.f_globals.get("__name__", ""))
    package = module.split(".", 1)[0]
    return package in ("_pytest", "pluggy", "pytest") or module == "unittest.case" or module.startswith(__package__)
