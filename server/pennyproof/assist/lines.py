"""Where the lines of a text went when it was edited."""

from bisect import bisect_right
from difflib import SequenceMatcher


class LineMap:
    """Lines (from one) of one text, found again in another.

    Args:
        before: The text whose lines are known.
        after: The text in which they are wanted.
    """

    def __init__(self, before: str, after: str) -> None:
        old, new = before.splitlines(), after.splitlines()
        shortest = min(len(old), len(new))
        head = next((at for at in range(shortest) if old[at] != new[at]), shortest)
        limit = shortest - head
        tail = next((at for at in range(limit) if old[-1 - at] != new[-1 - at]), limit)
        # difflib is quadratic at worst, so it sees only what lies between the first and last change.
        middle = SequenceMatcher(None, old[head : len(old) - tail], new[head : len(new) - tail], autojunk=False)
        self._blocks = [
            (0, 0, head),
            *((a + head, b + head, size) for a, b, size in middle.get_matching_blocks() if size),
            (len(old) - tail, len(new) - tail, tail),
        ]

    def find(self, line: int) -> int | None:
        """The line's number in the other text, or ``None`` if it was changed or removed."""
        at = bisect_right(self._blocks, line - 1, key=lambda block: block[0]) - 1
        start, moved, size = self._blocks[at] if at >= 0 else (0, 0, 0)
        within = line - 1 - start
        return moved + within + 1 if 0 <= within < size else None
