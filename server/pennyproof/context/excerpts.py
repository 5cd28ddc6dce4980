"""Which lines of which files a model gets to see: what is most suspicious first, within a budget."""

import ast
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

from pennyproof.core.sources import Source
from pennyproof.errors import OutsideRoot, UnreadableSource

BYTES_PER_TOKEN = 3
"""Few enough to err towards too many tokens, for code in any language."""

_WHOLE_FILE = 1500
"""Tokens: files up to this size are shown whole, since what is around a fault often explains it."""
_AROUND = 8
"""Lines shown before and after a place that lies in no function."""
_LONGEST_FUNCTION = 120
"""Lines: of longer functions only what is around the place is shown."""
_JOINED = 3
"""Lines between two excerpts which are shown rather than left out."""
_HEAD_LINES = 40
"""Lines at most that the imports of a file take."""


@dataclass(frozen=True, slots=True)
class Place:
    """Lines, from one, that somebody should look at."""

    path: str
    first: int
    last: int
    suspicion: float = 0.0


@dataclass(frozen=True, slots=True)
class Excerpt:
    """Some lines of a file, as they are."""

    path: str
    first: int
    last: int
    text: str
    whole: bool = False


def tokens(text: str) -> int:
    """About how many tokens a text takes; rather too many."""
    return -(-len(text.encode("utf-8", "replace")) // BYTES_PER_TOKEN)


def excerpts(
    places: Iterable[Place],
    read: Callable[[str], Source | None],
    hidden: Callable[[str], bool],
    most_tokens: int,
) -> list[Excerpt]:
    """What is around the places, ordered by file and line, so that it stays the same from prompt to prompt.

    Args:
        places: Where to look, the most important first; what comes last is left out where the budget ends.
        read: Gives a file by its path.
        hidden: Which files are never shown.
        most_tokens: The budget.
    """
    files: dict[str, _File | None] = {}
    shown: dict[str, list[tuple[int, int]]] = defaultdict(list)
    left = most_tokens
    for place in places:
        if place.path not in files:
            files[place.path] = None if hidden(place.path) else _opened(place.path, read)
        file = files[place.path]
        if file is None:
            continue
        wanted = file.around(place)
        if not shown[place.path]:
            wanted += [] if wanted == [file.all] else file.head
        for first, last in wanted:
            cost = file.cost(first, last)
            if cost <= left and not any(a <= first and last <= b for a, b in shown[place.path]):
                shown[place.path].append((first, last))
                left -= cost
    return [
        excerpt
        for path, file in sorted(files.items(), key=lambda item: item[0])
        if file is not None
        for excerpt in file.excerpts(shown[path])
    ]


class _File:
    """A file as text and, where it parses, as functions."""

    def __init__(self, path: str, text: str) -> None:
        self._path = path
        self._lines = text.split("\n")
        if self._lines[-1] == "":
            self._lines.pop()
        self.all = (1, len(self._lines))
        self._tree = _parsed(text)

    @property
    def head(self) -> list[tuple[int, int]]:
        """The imports at its beginning."""
        body = self._tree.body if self._tree else []
        ends = [node.end_lineno or node.lineno for node in body if isinstance(node, (ast.Import, ast.ImportFrom))]
        return [(1, max(ends))] if ends and max(ends) <= _HEAD_LINES else []

    def around(self, place: Place) -> list[tuple[int, int]]:
        """The whole file where it is short, else the function that a place lies in, else some lines."""
        if tokens("\n".join(self._lines)) <= _WHOLE_FILE:
            return [self.all]
        functions = [
            (first, last)
            for first, last in self._functions()
            if first <= place.first and place.last <= last and last - first < _LONGEST_FUNCTION
        ]
        if functions:
            return [min(functions)]  # The outermost: what is nested needs what is around it.
        return [(max(1, place.first - _AROUND), min(len(self._lines), min(place.last, place.first + 40) + _AROUND))]

    def cost(self, first: int, last: int) -> int:
        """Tokens that some lines take."""
        return tokens("\n".join(self._lines[first - 1 : last]))

    def excerpts(self, ranges: Sequence[tuple[int, int]]) -> Iterator[Excerpt]:
        """The lines of all ranges, those that touch each other as one."""
        joined: list[list[int]] = []
        for first, last in sorted(ranges):
            if joined and first <= joined[-1][1] + _JOINED + 1:
                joined[-1][1] = max(joined[-1][1], last)
            else:
                joined.append([first, last])
        for first, last in joined:
            text = "\n".join(line.removesuffix("\r") for line in self._lines[first - 1 : last])
            yield Excerpt(self._path, first, last, text, whole=(first, last) == self.all)

    def _functions(self) -> Iterator[tuple[int, int]]:
        for node in ast.walk(self._tree) if self._tree else ():
            if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
                first = min([node.lineno, *(decorator.lineno for decorator in node.decorator_list)])
                yield first, node.end_lineno or node.lineno


def _opened(path: str, read: Callable[[str], Source | None]) -> _File | None:
    try:
        source = read(path)
    except (OutsideRoot, UnreadableSource):
        return None  # What cannot be read cannot be shown, nor changed.
    return _File(path, source.text) if source is not None and source.text.strip() else None


def _parsed(text: str) -> ast.Module | None:
    try:
        return ast.parse(text)
    except (SyntaxError, ValueError, RecursionError):
        return None
