"""Bytecode kept in memory: a fork server reads it once, and the runs that are forked from it share it.

To read the bytecode of a large test module takes longer than most tests do. A run takes code from here only where it
would have read the same from the file: the file is the one that was read, and the source has the time and size it was
compiled from. Code is given away once, so that a module that is imported twice has code objects of its own each time,
as it has otherwise.
"""

from __future__ import annotations

import contextlib
import importlib.util
import marshal
import os
import struct
import sys
from importlib.machinery import SourceFileLoader
from importlib.util import MAGIC_NUMBER
from types import CodeType
from typing import Any, Callable, Dict, Iterable, Iterator, List, NamedTuple, Optional, Tuple

_HEAD = 16
"""Bytes before the code itself: a magic number, flags, and eight bytes that go by the flags."""
_BY_TIME, _BY_HASH = bytes(4), bytes((3, 0, 0, 0))
"""Flags: the time and the size of the source follow, or its hash, which is to be compared (as by pytest since 9.1)."""
_MOST = 8 << 20
"""Bytes of files that are kept at most: each run that waits has a copy of what was made of them."""

Identity = Tuple[int, int, int]


class _Code(NamedTuple):
    identity: Identity
    """Of the file that it was read from."""
    stamp: bytes
    """What the source has to be like: flags, and the bytes that go with them."""
    code: CodeType


class Held:
    """The code that is kept, by the path of its bytecode."""

    def __init__(self) -> None:
        self._codes: Dict[str, _Code] = {}
        self._identities: Dict[str, Identity] = {}
        self._missed: Dict[str, None] = {}
        self.looked: Callable[[str], None] = lambda _source: None
        """Called before anything is asked of a source."""

    def install(self) -> None:
        """Have the import system, and pytest where it rewrites asserts, look here before they read a file."""
        from _pytest.assertion import rewrite  # noqa: PLC0415 - the project's own, which is known only now

        get_code, read = SourceFileLoader.get_code, rewrite._read_pyc  # noqa: SLF001 - pytest offers no other way

        def get_held_code(loader: SourceFileLoader, name: str) -> Optional[CodeType]:
            filename = loader.get_filename(name)
            try:
                cached = importlib.util.cache_from_source(filename)
            except NotImplementedError:
                return get_code(loader, name)
            return self._fresh(cached, filename, _times) or get_code(loader, name)

        def read_held(source: Any, cached: Any, *rest: Any) -> Optional[CodeType]:
            return self._fresh(str(cached), str(source), _contents) or read(source, cached, *rest)

        setattr(SourceFileLoader, "get_code", get_held_code)  # noqa: B010 - a method is not assigned to in passing
        setattr(rewrite, "_read_pyc", read_held)  # noqa: B010 - as above

    def take(self, paths: Iterable[str]) -> None:
        """Read files below the cache of bytecode, as far as there is room; what is no bytecode is left out.

        Only runs of the unmodified project write there, and whoever runs this is confined as they are.
        """
        for path in paths:
            with contextlib.suppress(OSError, ValueError, EOFError, TypeError):
                self._read(path)

    def give(self, path: str, stamps: Iterable[bytes]) -> Optional[CodeType]:
        """The code of the file at ``path``, if it is kept and has one of these stamps; only once."""
        try:
            identity = _identity(path)
        except OSError:
            return None
        if self._identities.get(path) != identity:
            if sys.pycache_prefix:
                self._missed[path] = None
            return None
        kept = self._codes.pop(path, None)
        return kept.code if kept and kept.stamp in stamps else None

    @property
    def missed(self) -> List[str]:
        """The files that were read because they are not kept."""
        return list(self._missed)

    def _fresh(self, path: str, source: str, stamps: Callable[[str], Iterable[bytes]]) -> Optional[CodeType]:
        self.looked(source)
        try:
            code = self.give(path, stamps(source))
        except OSError:  # whoever reads the source will tell
            return None
        # Code that was compiled for another name is renamed by whoever reads it.
        return code if code and code.co_filename == source else None

    def _read(self, path: str) -> None:
        if not sys.pycache_prefix:
            return
        cache = os.path.realpath(sys.pycache_prefix)
        if not os.path.realpath(path).startswith(os.path.join(cache, "")):
            return
        with open(path, "rb") as file:
            identity = _identity(file.fileno())
            self._codes.pop(path, None)
            room = _MOST - sum(kept.identity[1] for kept in self._codes.values())
            data = file.read() if identity[1] <= room else b""
        self._identities[path] = identity
        magic, stamp = data[: len(MAGIC_NUMBER)], data[len(MAGIC_NUMBER) : _HEAD]
        code = marshal.loads(data[_HEAD:]) if magic == MAGIC_NUMBER else None  # noqa: S302 - see ``take``
        if isinstance(code, CodeType):
            self._codes[path] = _Code(identity, stamp, code)


def by_time(time: int, size: int) -> bytes:
    """The stamp of bytecode that goes by its source's time (whole seconds) and size (bytes)."""
    return _BY_TIME + struct.pack("<II", time & 0xFFFFFFFF, size & 0xFFFFFFFF)


def _times(source: str) -> Iterator[bytes]:
    status = os.stat(source)
    yield by_time(int(status.st_mtime), status.st_size)


def _contents(source: str) -> Iterator[bytes]:
    yield from _times(source)
    with open(source, "rb") as file:
        yield _BY_HASH + importlib.util.source_hash(file.read())


def _identity(file: Any) -> Identity:
    status = os.stat(file)
    return status.st_ino, status.st_size, status.st_mtime_ns


HELD = Held()
"""This process's."""
