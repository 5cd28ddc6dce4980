"""What code keeps from one call to the next, as far as a glance shows: what names stand for, and the sizes of that."""

from __future__ import annotations

import gc
import operator
import os
import sys
from collections import deque
from typing import Any, Callable, List, Mapping, Tuple

from .failures import Places

_SIZED = (bytearray, deque, dict, list, set)
_CACHE = "_lru_cache_wrapper"
"""What the type is called of what ``functools.lru_cache`` makes."""

Look = Tuple[List[Any], List[int]]
"""What names stand for, and sizes."""


class State:
    """What the project's modules and their classes hold, and a little of what all programs share.

    Args:
        places: Tells the project's files.
    """

    def __init__(self, places: Places) -> None:
        modules = [
            module
            for module in list(sys.modules.values())
            if places.in_project(getattr(module, "__file__", None) or "<none>") is not None
        ]
        self._spaces: "List[Mapping[str, Any]]" = [vars(module) for module in modules]
        for module in modules:
            held = list(vars(module).values())
            self._spaces += [
                vars(each) for each in held if isinstance(each, type) and each.__module__ == module.__name__
            ]
        self._sized: List[Any] = [sys.modules, sys.path, sys.meta_path, os.environ]
        self._sized += [each for space in self._spaces for each in space.values() if isinstance(each, _SIZED)]
        self._caches: "List[Callable[[], None]]" = [
            each.cache_clear
            for each in gc.get_objects()
            if type(each).__name__ == _CACHE and _is_in(places, getattr(each, "__wrapped__", None))
        ]

    def look(self) -> Look:
        """Keep what there is now, to compare it later."""
        return [each for space in self._spaces for each in space.values()], [len(each) for each in self._sized]

    def is_as(self, before: Look) -> bool:
        """Whether nothing is seen to have changed; what functions remember does not count."""
        held, sizes = self.look()
        return sizes == before[1] and len(held) == len(before[0]) and all(map(operator.is_, held, before[0]))

    def forget(self) -> None:
        """Have functions forget what they remember of earlier calls."""
        for clear in self._caches:
            clear()


def _is_in(places: Places, function: object) -> bool:
    code = getattr(function, "__code__", None)
    return code is not None and places.in_project(code.co_filename) is not None
