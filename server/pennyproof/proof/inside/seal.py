"""Whether an answer is our own: made by our functions and classes as they were, and at the request of nobody else.

Whoever wants a lie told could change the teller, or have it tell one.

``integrity`` compares, too, and could itself be changed; what compares here is held by closures alone, and asked by
the one function that can sign an answer. Code that was exchanged is heard of (``guard``).
"""

from __future__ import annotations

import builtins
import os
import runpy
import sys
from operator import is_
from types import FunctionType
from typing import Any, Callable, List, Mapping, NamedTuple, Tuple

_KEPT = (FunctionType, type, staticmethod, classmethod, property)
_seals: List["Seal"] = []


class Seal(NamedTuple):
    """Two questions that an answer depends on."""

    intact: Callable[[], bool]
    """Whether our functions and classes are what they were."""
    ours: Callable[[], bool]
    """Whether whoever called the caller, and all that led there, is code of ours or starts programs."""


def seal() -> None:
    """Remember what is: before any code of the project runs, and early, since it takes as long as a quick test."""
    _seals[:] = [Seal(_intact(), _only_ours())]


def take_seal() -> Seal:
    """What was remembered; nobody else can get at it from now on."""
    if not _seals:
        seal()
    return _seals.pop()


def _intact() -> Callable[[], bool]:
    package = __name__.rpartition(".")[0]
    spaces: List[Mapping[str, Any]] = []
    kept: List[Tuple[Mapping[str, Any], Tuple[str, ...], Tuple[Any, ...]]] = []
    for name, module in list(sys.modules.items()):
        if name.startswith(package + "."):
            spaces.append(vars(module))
            kept.append(_callables(vars(module)))
            own = [value for value in vars(module).values() if isinstance(value, type) and value.__module__ == name]
            kept += [_callables(value.__dict__) for value in own]
    # None of these is looked up by its name later, under which it could be exchanged.
    every, each, same = all, map, is_
    hides_none = frozenset(name for name in vars(builtins) if not name.startswith("_")).isdisjoint

    def intact() -> bool:
        for names, known, values in kept:
            if not every(each(same, each(names.get, known), values)):
                return False
        return every(each(hides_none, spaces))

    return intact


def _only_ours() -> Callable[[], bool]:
    package = __name__.rpartition(".")[0]
    files = {
        getattr(module, "__file__", None) for name, module in sys.modules.items() if name.startswith(package + ".")
    }
    files |= {os.path.join(os.path.dirname(__file__), "__main__.py"), runpy.run_path.__code__.co_filename}
    own, frame_here = frozenset(files), sys._getframe  # noqa: SLF001 - there is no other way to ask

    def ours() -> bool:
        frame = frame_here(2)
        while frame is not None:
            if frame.f_code.co_filename not in own:
                return False
            frame = frame.f_back  # type: ignore[assignment]
        return True

    return ours


def _callables(names: Mapping[str, Any]) -> Tuple[Mapping[str, Any], Tuple[str, ...], Tuple[Any, ...]]:
    own = {name: value for name, value in names.items() if isinstance(value, _KEPT)}
    return names, tuple(own), tuple(own.values())
