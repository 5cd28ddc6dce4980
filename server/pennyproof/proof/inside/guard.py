"""Ends a run in which code that came with it reaches into the interpreter, before it gets hold of anything.

Code that can see the frames or the objects of its own process, or its memory, can learn how an answer is signed, or
change what was seen of a test. Python announces almost all ways to do so (PEP 578) before it does anything. Whoever
announces one from a file that was changed, or written by the run itself, is stopped there and then: an end cannot be
taken back, as a mark could be. What the project's other files and what is installed do is left alone.

Everything here is held by closures that nothing but the interpreter itself refers to.
"""

from __future__ import annotations

import os
import sys
from types import CodeType
from typing import Any, Callable, FrozenSet, List, Mapping, NamedTuple, Optional, Sequence, Tuple


class Reach(NamedTuple):
    """One way into the interpreter."""

    events: Tuple[str, ...]
    """Audit events that announce it."""
    words: Tuple[str, ...]
    """A file in which one of these stands goes this way already, so that it says nothing of a change."""


REACHES = {
    "frames": Reach(
        ("sys._getframe", "sys._current_frames", "sys._current_exceptions"),
        ("_getframe", "inspect", "traceback", "tb_frame", "gi_frame", "cr_frame", "ag_frame", "_current_frames"),
    ),
    "objects": Reach(("gc.get_objects", "gc.get_referrers", "gc.get_referents"), ("gc",)),
    "memory": Reach(
        ("ctypes.dlopen", "ctypes.dlsym", "ctypes.dlsym/handle", "ctypes.call_function", "ctypes.cdata",
         "ctypes.cdata/buffer", "ctypes.string_at", "ctypes.wstring_at", "ctypes.addressof", "ctypes.PyObj_FromPtr"),
        ("ctypes", "cffi"),
    ),
    "code": Reach(
        ("exec", "compile", "code.__new__", "function.__new__", "marshal.loads"),
        ("exec", "eval", "compile", "marshal", "CodeType", "FunctionType", "__code__"),
    ),
    "execution": Reach(
        ("sys.settrace", "sys.setprofile", "sys.monitoring.register_callback", "sys.addaudithook"),
        ("settrace", "setprofile", "monitoring", "addaudithook"),
    ),
}  # fmt: skip
_ATTRIBUTES = frozenset(("tb_frame", "gi_frame", "cr_frame", "ag_frame"))
"""Lead to frames, and are announced as they are read."""
_FILES_OF_MEMORY = ("/mem", "/maps", "/smaps", "/pagemap", "/syscall", "/auxv")
_PASS_ON = {
    "inspect.py": None,
    "traceback.py": frozenset(("walk_tb", "walk_stack")),
    os.path.join("ctypes", "__init__.py"): None,
    os.path.join("ctypes", "util.py"): None,
}
"""Files of the standard library, and functions there (None: all), that give what they get to whoever calls them."""
REACHED = 70
"""Exit code of a run that was ended."""


def stand(root: str, scratch: str, changed: Mapping[str, Sequence[str]]) -> None:
    """Stand guard for as long as this process lives.

    Args:
        root: The project's folder.
        scratch: Where files can be made.
        changed: The files that came with the run, relative to it, and which of ``REACHES`` each of them had before.
    """
    allowed = {os.path.join(root, path): frozenset(kinds) for path, kinds in changed.items()}
    sys.addaudithook(_guard(_suspicion(allowed, _time_of_files(scratch)), os.dup(2)))


def _guard(is_suspect: Callable[[str, str], bool], log: int) -> Callable[[str, Tuple[Any, ...]], None]:
    kind_of, passes_on = _kinds(), _passing_on()
    frame_here, write, leave = sys._getframe, os.write, os._exit  # noqa: SLF001 - that is the point
    own: List[CodeType] = []

    def heard(event: str, arguments: Tuple[Any, ...]) -> None:
        kind = kind_of(event, arguments)
        if kind is None or (event == "sys._getframe" and arguments[0].f_code is own[0]):
            return  # The second is this very function, which asks below.
        frame = frame_here().f_back
        while frame is not None and passes_on(frame.f_code):
            frame = frame.f_back
        if frame is not None and is_suspect(frame.f_code.co_filename, kind):
            said = "%s reached into the interpreter (%s)" % (frame.f_code.co_filename, event)
            write(log, said.encode("utf-8", "replace"))
            leave(REACHED)

    own.append(heard.__code__)
    return heard


def _kinds() -> Callable[[str, Tuple[Any, ...]], Optional[str]]:
    """Which of ``REACHES`` an audit event announces, if any."""
    announced = {event: kind for kind, reach in REACHES.items() for event in reach.events}
    attributes, memory, text = _ATTRIBUTES, _FILES_OF_MEMORY, str

    def kind_of(event: str, arguments: Tuple[Any, ...]) -> Optional[str]:
        if event == "object.__getattr__":
            return "frames" if arguments[1] in attributes else None
        if event == "object.__setattr__":
            return "code" if arguments[1] == "__code__" else None
        if event == "open":
            path = arguments[0]
            mine = path.__class__ is text and path.startswith("/proc/") and path.endswith(memory)
            return "memory" if mine else None
        return announced.get(event)

    return kind_of


def _time_of_files(scratch: str) -> int:
    """What time it is for a file that changes now: its clock is not the one that programs are told."""
    path = os.path.join(scratch, ".began")
    descriptor = os.open(path, os.O_CREAT | os.O_WRONLY, 0o600)
    try:
        return os.fstat(descriptor).st_ctime_ns
    finally:
        os.close(descriptor)
        os.unlink(path)


def _suspicion(allowed: Mapping[str, FrozenSet[str]], began: int) -> Callable[[str, str], bool]:
    """Whether code of a file may have come with the run, and had no business with this before."""
    stat = os.stat

    def is_suspect(path: str, kind: str) -> bool:
        if path in allowed:
            return kind not in allowed[path]
        if path.startswith("<frozen "):
            return False
        try:
            return stat(path).st_ctime_ns >= began
        except (OSError, ValueError):  # Code that was made up.
            return True

    return is_suspect


def _passing_on() -> Callable[[CodeType], bool]:
    library = os.path.dirname(os.__file__)
    functions = {os.path.join(library, path): names for path, names in _PASS_ON.items()}

    def passes_on(code: CodeType) -> bool:
        path = code.co_filename
        if path not in functions:
            return False
        names = functions[path]
        return names is None or code.co_name in names

    return passes_on
