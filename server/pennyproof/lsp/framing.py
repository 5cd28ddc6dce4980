"""The base protocol's framing: bytes in, message bodies out; no I/O."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

_HEADER_END = b"\r\n\r\n"
_LENGTH = re.compile(rb"content-length[ \t]*:[ \t]*(\d{1,10})[ \t]*\r\n", re.IGNORECASE)
_LONGEST_HEADER = 4096
LONGEST_BODY = 256 * 1024 * 1024
"""Bytes; a longer body is taken for a broken header."""


@dataclass(frozen=True, slots=True)
class BadFrame:
    """Bytes that are no message; what follows is searched for the next header."""

    reason: str


class Framer:
    """Cuts a stream of bytes into message bodies.

    After a header that cannot be read it looks for the next ``Content-Length:``, so that a session survives one
    broken message.
    """

    def __init__(self) -> None:
        self._buffer = bytearray()
        self._length: int | None = None
        self._lost = False

    def feed(self, data: bytes) -> Iterator[bytes | BadFrame]:
        """The messages that are complete with ``data``."""
        self._buffer += data
        while (frame := self._next()) is not None:
            yield frame

    def _next(self) -> bytes | BadFrame | None:
        if self._lost and not self._found_again():
            return None
        if self._length is None:
            bad = self._read_header()
            if bad or self._length is None:
                return bad
        if len(self._buffer) < self._length:
            return None
        body = bytes(self._buffer[: self._length])
        del self._buffer[: self._length]
        self._length = None
        return body

    def _read_header(self) -> BadFrame | None:
        end = self._buffer.find(_HEADER_END, 0, _LONGEST_HEADER)
        if end < 0:
            return self._lose("a header without end") if len(self._buffer) >= _LONGEST_HEADER else None
        header = bytes(self._buffer[: end + 2])
        length = next((match for line in header.splitlines(keepends=True) if (match := _LENGTH.fullmatch(line))), None)
        if length is None:
            return self._lose("a header without a Content-Length that is a number")
        if int(length[1]) > LONGEST_BODY:
            return self._lose(f"a Content-Length of {int(length[1])}, more than {LONGEST_BODY} bytes")
        del self._buffer[: end + len(_HEADER_END)]
        self._length = int(length[1])
        return None

    def _lose(self, reason: str) -> BadFrame:
        del self._buffer[0]
        self._lost = True
        return BadFrame(reason)

    def _found_again(self) -> bool:
        lengths = _LENGTH.finditer(bytes(self._buffer))
        start = next((match.start() for match in lengths if int(match[1]) <= LONGEST_BODY), None)
        if start is None:
            # A header may have begun at the very end.
            del self._buffer[:-64]
            return False
        del self._buffer[:start]
        self._lost = False
        return True
