"""The job ``wait``: a run that goes as far as it would go whatever comes, before it is known what comes.

It is told which files will be exchanged, and runs like any other until anything is about to look at one of them: an
import, an open file, or something that cannot be watched, such as another process. There it waits for their new
content, puts it in place, and goes on. No code can tell that from a run which had the files from the beginning, but by
the clock: what ran before has not seen them.
"""

from __future__ import annotations

import importlib.machinery
import os
import sys
import traceback
from typing import Any, Callable, Dict, FrozenSet, Iterable, List, Tuple

from . import guard, run, wire
from .child_setup import write_files
from .held import HELD
from .wire import Context

_UNSEEN = frozenset(
    (
        "_posixsubprocess.fork_exec", "_thread.start_joinable_thread", "_thread.start_new_thread", "ctypes.dlopen",
        "os.exec", "os.fork", "os.forkpty", "os.posix_spawn", "os.spawn", "os.system", "pty.spawn", "socket.bind",
        "socket.connect", "subprocess.Popen",
    )
)  # fmt: skip
"""Audit events after which something may look at files without a word."""
_FINDERS = ("_distutils_hack", "_frozen_importlib", "_frozen_importlib_external", "_pytest", "importlib", "six")
"""Packages whose finders either do not look at files, or open them with the interpreter's own loader."""


class Waiting(run.Run):
    """The work of one such run, as ``session.Work``; see ``jobs`` for the shapes."""

    def __init__(self, params: Dict[str, Any], context: Context) -> None:
        super().__init__({**params, "watch": {}}, context)
        self._context = context
        self._heed = HELD.looked = _waits(frozenset(params["awaited"]), self._go_on)

    def _go_on(self) -> None:
        """Wait for the files, and go on with them."""
        try:
            with wire.telling(self._context), self._limit.paused():
                self._take(self._files())
        except BaseException:  # noqa: BLE001 - whoever looks at a file gets nothing to see that is not in it
            traceback.print_exc()
            os._exit(1)

    def _files(self) -> Dict[str, Any]:
        if not _plain_imports():
            self._context.reply({})
            os._exit(0)
        asked = self._context.wait()
        if asked is None:
            os._exit(0)
        return asked

    def _take(self, asked: Dict[str, Any]) -> None:
        write_files(self._context.root, asked["files"])
        self._watch_lines(asked)
        guard.stand(self._context.root, self._context.scratch, asked["changed"])


def _waits(paths: FrozenSet[str], go_on: Callable[[], None]) -> Callable[[str], None]:
    """Have ``go_on`` called once, before anybody looks at one of these; what is returned says that a file is read."""
    names, modules = _names(paths)
    basename, realpath, decode, text = os.path.basename, os.path.realpath, os.fsdecode, (str, bytes)
    waiting: List[bool] = [True]

    def is_awaited(path: Any) -> bool:
        if not isinstance(path, text):
            return False
        name = decode(path)
        return _source(basename(name)) in names or _source(basename(realpath(name))) in names

    def leads_there(event: str, arguments: Tuple[Any, ...]) -> bool:
        if event == "import":
            return arguments[0].rpartition(".")[2] in modules
        if event == "open" or event.startswith(("os.", "shutil.")):
            return event in _UNSEEN or any(map(is_awaited, arguments))
        return event in _UNSEEN

    def heard(event: str, arguments: Tuple[Any, ...]) -> None:
        if waiting and leads_there(event, arguments):
            waiting.clear()
            go_on()

    def looked(path: str) -> None:
        if waiting and is_awaited(path):
            waiting.clear()
            go_on()

    sys.addaudithook(heard)
    return looked


def _names(paths: Iterable[str]) -> "Tuple[FrozenSet[str], FrozenSet[str]]":
    """The files' names, and the last parts of the names of the modules in them."""
    parts = [path.split("/") for path in paths]
    modules = [names[-2:-1] if names[-1] == "__init__.py" else [names[-1].partition(".")[0]] for names in parts]
    return frozenset(names[-1] for names in parts), frozenset(name for found in modules for name in found)


def _source(name: str) -> str:
    """The name of a source file for that of its bytecode; others stay as they are."""
    return name.partition(".")[0] + ".py" if name.endswith((".pyc", ".pyo")) else name


def _plain_imports() -> bool:
    """Whether modules are found by nothing that could look at a file's time and take bytecode of its own for it."""
    finders = [*sys.meta_path, *sys.path_hooks]
    loader = importlib.machinery.SourceFileLoader
    return loader.path_stats.__module__.startswith("_frozen") and all(map(_is_known, finders))


def _is_known(finder: object) -> bool:
    module = getattr(finder, "__module__", None) or type(finder).__module__
    return module.partition(".")[0] in _FINDERS or module.startswith(("__editable__", "zipimport"))
