"""The memory a fork shares with its parent, copied before it is in use: all at once takes a fraction of the time."""

from __future__ import annotations

import ctypes
from typing import Callable, Iterable, Iterator, Tuple

_MADV_POPULATE_WRITE = 23
_MOST = 96 << 20
"""Bytes; what is beyond them stays shared until it is written to."""
_AT_ONCE = 2 << 20
"""Bytes, which take about a millisecond."""

_ROOM = 6 << 20
"""Bytes."""
_PIECE = 448
"""Bytes; Python gives objects of more than 512 to another allocator."""


def make_own(wanted: Callable[[], bool] = lambda: False) -> None:
    """Copy this process's share of its parent's writable memory, where the system can do that (Linux 5.14).

    Args:
        wanted: Whether there is something better to do by now; asked every millisecond or so.
    """
    try:
        areas = list(_writable())
    except OSError:  # no Linux, or hidden by Landlock
        return
    madvise = ctypes.CDLL(None).madvise
    left = _MOST
    for start, end in _pieces(areas):
        left -= end - start
        if left < 0 or wanted() or madvise(ctypes.c_void_p(start), ctypes.c_size_t(end - start), _MADV_POPULATE_WRITE):
            return


def make_room() -> "list[bytes]":
    """Have memory in hand for what a run allocates.

    Returns:
        What keeps it from being given back.
    """
    # One object in each stretch that Python's allocator takes from the system at a time, the least being 256 KiB.
    return [bytes(_PIECE) for _ in range(_ROOM // _PIECE)][:: (128 << 10) // _PIECE]


def _pieces(areas: Iterable[Tuple[int, int]]) -> Iterator[Tuple[int, int]]:
    for start, end in areas:
        for at in range(start, end, _AT_ONCE):
            yield at, min(at + _AT_ONCE, end)


def _writable() -> Iterator[Tuple[int, int]]:
    """Where the memory is that this process may write to and shares with no other on purpose, its stack aside."""
    with open("/proc/self/maps", encoding="ascii", errors="replace") as file:
        for line in file:
            addresses, access, *rest = line.split()
            if access.startswith("rw") and access.endswith("p") and not rest[-1].startswith("[stack"):
                start, _, end = addresses.partition("-")
                yield int(start, 16), int(end, 16)
