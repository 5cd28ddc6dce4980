"""The requests of a fork server, as lines of a descriptor."""

from __future__ import annotations

import os
from typing import Optional


class Lines:
    """The lines of a descriptor, read without a buffer that a forked child could see twice."""

    def __init__(self, descriptor: int) -> None:
        self.descriptor = descriptor
        self._rest = bytearray()

    def next(self) -> Optional[bytes]:
        """The next line without its end, or None at the end of all."""
        searched = 0
        while True:
            end = self._rest.find(b"\n", searched)
            if end >= 0:
                line = bytes(self._rest[:end])
                del self._rest[: end + 1]
                return line
            searched = len(self._rest)
            data = os.read(self.descriptor, 1 << 20)
            if not data:
                return None
            self._rest += data

    @property
    def more(self) -> bool:
        """Whether something was read beyond the last line."""
        return bool(self._rest)

    def put_back(self, line: bytes) -> None:
        """Have ``next`` return this line again."""
        self._rest[:0] = line + b"\n"
