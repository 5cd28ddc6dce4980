"""What a model gets to see of a file in which it is to fill a gap.

Providers keep the prompts they have read, and bill what they find again at a fraction of the price, as long as it is
the same from its first byte on. So the text before the gap begins where typing does not move it.
"""

import bisect
from collections.abc import Sequence
from dataclasses import dataclass

from pennyproof.core.positions import LineIndex

_BEFORE, _AFTER = 12 * 1024, 3 * 1024
"""Characters before and after the gap: some 3,500 and 900 tokens, four to one, as the gap depends most on what is
before it."""
_STEP = 4 * 1024
"""Characters: the beginning of the prompt moves by so many at once, and else stays where it is."""


@dataclass(frozen=True, slots=True)
class FimPrompt:
    """The text around a gap."""

    prefix: str
    suffix: str


def fim_prompt(path: str, index: LineIndex, offset: int) -> FimPrompt:
    """The text around a gap, under a comment that names the file.

    Args:
        path: Relative to the root.
        index: The file's text.
        offset: Where the gap is.
    """
    text = index.text
    start, end = _start(index.starts, offset), _end(index.starts, offset, len(text))
    return FimPrompt(f"# {path}\n{_unified(text[start:offset])}", _unified(text[offset:end]))


def _unified(text: str) -> str:
    """The text with the line endings that stop sequences know."""
    return text.replace("\r\n", "\n").replace("\r", "\n") if "\r" in text else text


def _start(starts: Sequence[int], offset: int) -> int:
    """The beginning of the first line behind a point that only moves in steps; the point, where no line begins."""
    point = -(-max(0, offset - _BEFORE) // _STEP) * _STEP
    line = bisect.bisect_left(starts, point)
    return starts[line] if line < len(starts) and starts[line] <= offset else point


def _end(starts: Sequence[int], offset: int, length: int) -> int:
    """The end of the last whole line that fits; of what is all one line, as much as does."""
    point = offset + _AFTER
    if point >= length:
        return length
    line = starts[bisect.bisect_right(starts, point) - 1]
    return line if line > offset else point
