"""What tests depend on beside the code that runs in them: sources they read as files, other files and which sources
read them, modules loaded on their behalf, processes they start, in which what runs is not seen.

Told by an audit hook, which cannot be removed: it is for runs whose process ends with them.
"""

from __future__ import annotations

import os
import shutil
import sys
from types import FrameType
from typing import Any, Callable, Dict, Optional, Set, Tuple

from .failures import Places

PROCESS = ""
"""Stands for a started process where otherwise a file is named."""

_STARTING = frozenset(
    {"subprocess.Popen", "os.fork", "os.forkpty", "os.posix_spawn", "os.exec", "os.system", "os.spawn", "pty.spawn"}
)
_CACHE = "__pycache__"
_PLAIN = frozenset({"cat", "echo", "false", "less", "more", "sleep", "true"})
"""Programs that start no others."""
_SYSTEM = "/bin", "/usr/bin"
_UNSEEN = "multiprocessing.popen_forkserver", "multiprocessing.popen_spawn_posix"
"""Modules, imported when first used, that start processes without an event."""


class Listener:
    """Tells of what the interpreter does, from ``start`` until ``stop``.

    Args:
        places: Tells the project's files.
        note: Called with the file, and zero where its lines would be: the whole of it.
    """

    def __init__(self, places: Places, note: Callable[[Tuple[str, int]], None]) -> None:
        self._places = places
        self._note = note
        self._listening = False
        self.opened: Dict[str, Set[str]] = {}
        """The project's other files that were opened, and by code of which of its sources; "": of none of them."""

    def start(self) -> None:
        self._listening = True
        sys.addaudithook(self._heard)

    def stop(self) -> None:
        self._listening = False

    @property
    def deaf(self) -> bool:
        """Whether processes may have been started that were not told of."""
        return any(name in sys.modules for name in _UNSEEN)

    def _heard(self, event: str, args: Tuple[Any, ...]) -> None:
        if not self._listening:
            return
        if event == "open":
            path = args[0]
            if isinstance(path, (str, bytes)):
                self._opened(os.fsdecode(path))
        elif event in _STARTING and not (event == "subprocess.Popen" and self._is_plain(*args)):
            self._note((PROCESS, 0))

    def _is_plain(self, executable: Any, args: Any, cwd: Any, env: Any) -> bool:
        """Whether a program is started that runs no code but its own, and is told of no file of the project."""
        if os.path.basename(str(executable)) not in _PLAIN or not isinstance(args, (list, tuple)):
            return False
        program = shutil.which(str(executable), path=(os.environ if env is None else env).get("PATH", os.defpath))
        if program is None or os.path.dirname(os.path.realpath(program)) not in _SYSTEM:
            return False
        return not any(
            os.path.exists(path) and self._places.in_project(path) is not None
            for word in args[1:]
            for path in [os.path.join(os.fsdecode(cwd or os.curdir), os.fsdecode(word))]
        )

    def _opened(self, path: str) -> None:
        name = None if _CACHE in path else self._places.in_project(os.path.abspath(path))
        if name is None:
            return
        if name.endswith(".py"):
            self._note((name, 0))
        else:
            self.opened.setdefault(name, set()).add(self._opener())

    def _opener(self) -> str:
        """The innermost source of the project that is being run."""
        frame: Optional[FrameType] = sys._getframe(1)  # noqa: SLF001 - what it is there for
        while frame is not None:
            name = self._places.in_project(frame.f_code.co_filename)
            if name is not None:
                return name
            frame = frame.f_back
        return ""


def modules(places: Places) -> Set[str]:
    """The project's files that are imported now."""
    files = [getattr(module, "__dict__", {}).get("__file__") for module in list(sys.modules.values())]
    return {name for file in files if isinstance(file, str) for name in [places.in_project(file)] if name is not None}
