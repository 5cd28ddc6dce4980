r"""Offsets and line/character positions, in the three encodings LSP knows.

An *offset* counts code points from the start of the text. A *position* is a line and a character
within it, both from zero, the character counted in UTF-8, UTF-16 or UTF-32 code units.
Lines end at ``\n``, ``\r\n`` and ``\r`` only, as LSP says; ``str.splitlines`` knows more endings.
"""

import bisect
import re
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property

_CONTINUATION = bytes(range(0x80, 0xC0))
"""The bytes of UTF-8 that begin no character."""
_HIGH, _LOW = bytes(range(0xD8, 0xDC)), bytes(range(0xDC, 0xE0))
"""The upper bytes of the first and second unit of a surrogate pair in UTF-16."""
_LINE_END = re.compile(r"\r\n|\n|\r")


class Encoding(StrEnum):
    """How characters within a line are counted."""

    UTF8 = "utf-8"
    UTF16 = "utf-16"
    UTF32 = "utf-32"


@dataclass(frozen=True, slots=True, order=True)
class Position:
    """A line and a character within it, both from zero."""

    line: int
    character: int


@dataclass(frozen=True, slots=True)
class Range:
    """From ``start`` up to, not including, ``end``."""

    start: Position
    end: Position


def units(text: str, encoding: Encoding) -> int:
    """The length of ``text`` in code units of ``encoding``."""
    if encoding is Encoding.UTF32 or text.isascii():
        return len(text)
    if encoding is Encoding.UTF8:
        return len(text.encode("utf-8", "surrogatepass"))
    return len(text.encode("utf-16-le", "surrogatepass")) // 2


class LineIndex:
    """Where the lines of one text begin; conversions both ways."""

    def __init__(self, text: str) -> None:
        self.text = text

    @cached_property
    def starts(self) -> list[int]:
        """Offsets at which the lines begin; a text that ends in a line ending has an empty last line."""
        return [0, *_ends(self.text, 0, len(self.text))]

    def replaced(self, start: int, end: int, replacement: str) -> "LineIndex":
        """The index of the text with ``text[start:end]`` replaced; only the lines around the edit are looked at."""
        edited = LineIndex(self.text[:start] + replacement + self.text[end:])
        # A line that begins right at the edit is looked at again: the "\r" before it may meet a "\n".
        first = max(1, bisect.bisect_left(self.starts, start))
        last = bisect.bisect_right(self.starts, end)
        shift = len(replacement) - (end - start)
        begin = self.starts[first - 1]
        until = self.starts[last] + shift if last < len(self.starts) else len(edited.text)
        edited.starts = [
            *self.starts[:first],
            *_ends(edited.text, begin, until),
            *([offset + shift for offset in self.starts[last + 1 :]] if shift else self.starts[last + 1 :]),
        ]
        return edited

    def __len__(self) -> int:
        return len(self.starts)

    def line(self, number: int) -> str:
        """The text of a line without its ending, or an empty string past the end."""
        if not 0 <= number < len(self.starts):
            return ""
        end = self.starts[number + 1] if number + 1 < len(self.starts) else len(self.text)
        text = self.text[self.starts[number] : end]
        return text.removesuffix("\n").removesuffix("\r")

    def position(self, offset: int, encoding: Encoding = Encoding.UTF16) -> Position:
        """The position of ``offset``, which is clamped to the text."""
        offset = min(max(offset, 0), len(self.text))
        line = bisect.bisect_right(self.starts, offset) - 1
        return Position(line, units(self.text[self.starts[line] : offset], encoding))

    def offset(self, position: Position, encoding: Encoding = Encoding.UTF16) -> int:
        """The offset of ``position``.

        A character past the end of its line means the line's end, as LSP says; a line past the end
        means the end of the text; one that falls inside a character means that character's start.
        """
        if position.line < 0:
            return 0
        if position.line >= len(self.starts):
            return len(self.text)
        start, line = self.starts[position.line], self.line(position.line)
        if encoding is Encoding.UTF32 or line.isascii():
            return start + min(max(position.character, 0), len(line))
        return start + _fitting(line, max(position.character, 0), encoding)


def _ends(text: str, start: int, end: int) -> list[int]:
    """Where the line endings within ``text[start:end]`` end."""
    return [match.end() for match in _LINE_END.finditer(text, start, end)]


def _fitting(line: str, count: int, encoding: Encoding) -> int:
    """How many whole characters of ``line`` fit into ``count`` code units; done by encoding, since loops are slow."""
    if encoding is Encoding.UTF8:
        data = line.encode("utf-8", "surrogatepass")
        inside = count < len(data) and data[count] in _CONTINUATION
        return len(data[:count].translate(None, _CONTINUATION)) - inside
    data = line.encode("utf-16-le", "surrogatepass")
    inside = 0 < 2 * count < len(data) and data[2 * count - 1] in _HIGH and data[2 * count + 1] in _LOW
    return len(data[: 2 * (count - inside)].decode("utf-16-le", "surrogatepass"))
