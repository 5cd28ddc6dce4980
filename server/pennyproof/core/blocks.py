"""SEARCH/REPLACE blocks, the form in which models write edits: read tolerantly, applied strictly.

The path on a line of its own, then a fence with the old lines and the new ones between marks; one fence may hold
several blocks. Old lines have to be found at exactly one place of the file, so that no edit lands where it was not
meant; an empty SEARCH makes a new file. All blocks refer to the files as they were before the first of them.
"""

import difflib
import itertools
import re
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath

from pennyproof.core import edits
from pennyproof.core.candidates import FileChange
from pennyproof.core.edits import Edit
from pennyproof.core.protected import is_protected
from pennyproof.core.sources import Source
from pennyproof.errors import BlockError, OutsideRoot, UnreadableSource

SEARCH, DIVIDER, REPLACE = "<<<<<<< SEARCH", "=======", ">>>>>>> REPLACE"

_SEARCH = re.compile(r"\s*<{5,9} ?SEARCH\b:?[ \t]*(.*)")
_DIVIDER = re.compile(r"\s*={7}\s*")
_REPLACE = re.compile(r"\s*>{5,9} ?REPLACE\b.*")
_FENCE = re.compile(r"\s*(?:`{3,}|~{3,})[ \t]*(.*)")
_LINE = re.compile(r"([^\r\n]*)(\r\n|\n|\r|\Z)")
_QUOTED = re.compile(r"`([^`]+)`|\"([^\"]+)\"|'([^']+)'")
_AROUND_PATH = "`*#\"'<>()[],:; "
_PATH_IS_NEAR = 3
"""How many lines above a block, blank ones and fences left out, may hold its path."""

_MOST_SHOWN = 12
_MOST_COMPARED = 5000


@dataclass(frozen=True, slots=True)
class Block:
    """One edit as it was written."""

    path: str
    """As written, but for quotes and the like; empty where none was found."""
    lines: tuple[str, ...]
    """Everything between the marks SEARCH and REPLACE, without line ends."""
    dividers: tuple[int, ...]
    """Which of ``lines`` may divide old from new: more than one where the code itself has such a line."""
    line: int
    """The line of the answer, from one, that holds the mark SEARCH."""

    @property
    def readings(self) -> list[tuple[tuple[str, ...], tuple[str, ...]]]:
        """Old and new lines, in each way that the block may be read."""
        return [(self.lines[:at], self.lines[at + 1 :]) for at in self.dividers]


def write_block(path: str, search: Sequence[str], replace: Sequence[str]) -> str:
    """A block as models are asked to write it; lines come without their ends."""
    return "\n".join([path, "```", SEARCH, *search, DIVIDER, *replace, REPLACE, "```", ""])


def read_blocks(text: str, path: str = "") -> list[Block]:
    """The blocks of an answer; whatever stands around them is left out.

    Args:
        text: The answer.
        path: The file that blocks without a path belong to.

    Raises:
        BlockError: A block has no end, or nothing that divides old from new.
    """
    lines = [match[1] for match in _LINE.finditer(text)]
    blocks: list[Block] = []
    at = done = 0
    while at < len(lines):
        if not (mark := _SEARCH.fullmatch(lines[at])):
            at += 1
            continue
        end = _end(lines, at)
        body = tuple(lines[at + 1 : end])
        dividers = tuple(index for index, line in enumerate(body) if _DIVIDER.fullmatch(line))
        if not dividers:
            raise BlockError(f"line {at + 1} of your answer begins a block that has no line {DIVIDER}")
        found = _as_path(mark[1]) or _path_above(lines[done:at]) or path
        blocks.append(Block(found, body, dividers, at + 1))
        at = done = end + 1
        path = found
    return blocks


def apply_blocks(
    blocks: Iterable[Block],
    read: Callable[[str], Source | None],
    *,
    protected: Callable[[str], bool] = is_protected,
) -> tuple[FileChange, ...]:
    """The changes that the blocks make; line ends, byte order mark and encoding of the files are kept.

    Args:
        blocks: What to apply.
        read: Gives a file by its path relative to the root, ``None`` where there is no such file.
        protected: Which files may not be changed.

    Raises:
        BlockError: The blocks do not apply, or change nothing; the message tells the model why.
    """
    sources: dict[str, Source | None] = {}
    by_path: dict[str, list[Block]] = {}
    for block in blocks:
        wanted = _inside(block)
        path = _existing(wanted, read, sources)
        if protected(path):
            raise BlockError(
                f"{path}: tests and configuration must not be changed; mend the code that they check instead"
            )
        by_path.setdefault(path, []).append(block)
    changes = [_change(path, sources[path], mine) for path, mine in by_path.items()]
    changes = [change for change in changes if change.before != change.after]
    if not changes:
        raise BlockError("your blocks change nothing" if by_path else f"there is no block {SEARCH} in your answer")
    return tuple(changes)


def _end(lines: Sequence[str], start: int) -> int:
    """The index of the mark that ends the block which begins at ``start``."""
    for at in range(start + 1, len(lines)):
        if _REPLACE.fullmatch(lines[at]):
            return at
        if _SEARCH.fullmatch(lines[at]):
            break
    raise BlockError(f"line {start + 1} of your answer begins a block that has no line {REPLACE}")


def _path_above(lines: Sequence[str]) -> str:
    """The path nearest above a block: a line that is one, else one that a line mentions."""
    near: list[str] = []
    for line in reversed(lines):
        fence = _FENCE.fullmatch(line)
        if fence:  # "```python pkg/a.py" names the language, then the file.
            if found := next(filter(None, map(_as_path, fence[1].split())), ""):
                return found
        elif line.strip():
            near.append(line)
            if len(near) == _PATH_IS_NEAR:
                break
    return next(filter(None, (*map(_as_path, near), *map(_mentioned, near))), "")


def _as_path(text: str) -> str:
    """The text as a path, without what stands around one in prose, or nothing where it is none."""
    text = text.strip()
    path = text.strip(_AROUND_PATH).rstrip(".").replace("\\", "/")
    pure = PurePosixPath(path)
    is_path = pure.suffix[1:].isidentifier() or ("/" in path and pure.name.isidentifier())
    # A path with blanks in it is one only where quotes say so.
    return path if is_path and (" " not in path or text[0] in "`\"'") else ""


def _mentioned(line: str) -> str:
    """The Python file that a line speaks of."""
    quoted = (next(filter(None, groups)) for groups in _QUOTED.findall(line))
    paths = map(_as_path, (*quoted, *line.split()))
    return next((path for path in paths if path.endswith((".py", ".pyi"))), "")


def _inside(block: Block) -> str:
    pure = PurePosixPath(block.path)
    if not pure.parts:
        raise BlockError(
            f"the block at line {block.line} of your answer has no path: write it on a line of its own before the block"
        )
    if pure.is_absolute() or ".." in pure.parts or ".git" in pure.parts or re.match("[A-Za-z]:", block.path):
        raise BlockError(f"{block.path} is no file of the project: paths are relative to its root")
    return pure.as_posix()


def _existing(path: str, read: Callable[[str], Source | None], sources: dict[str, Source | None]) -> str:
    """The file that a path means, which is read into ``sources``; diffs taught models to write ``a/`` before paths."""
    alternatives = [path, path[2:]] if path.startswith(("a/", "b/")) else [path]
    for name in alternatives:
        if name not in sources:
            try:
                sources[name] = read(name)
            except (OutsideRoot, UnreadableSource) as error:
                raise BlockError(f"{name} cannot be changed: {error}") from error
        if sources[name] is not None:
            return name
    return path


def _change(path: str, source: Source | None, blocks: Sequence[Block]) -> FileChange:
    if source is None or not source.text:
        after = Source(_new_text(path, blocks), source.encoding if source else "utf-8")
    else:
        file = _File(path, source.text)
        replacements = sorted({edit for block in blocks for edit in file.edits(block)})
        for first, second in itertools.pairwise(replacements):
            if second.start < first.end or second.start == first.start:
                number = source.text.count("\n", 0, second.start) + 1
                raise BlockError(f"{path}: two of your blocks change line {number}: write them as one")
        after = Source(edits.apply(source.text, replacements), source.encoding)
    try:
        after.data()
    except UnreadableSource as error:
        raise BlockError(f"{path}: {error}") from error
    return FileChange(path, source, after)


def _new_text(path: str, blocks: Sequence[Block]) -> str:
    block = blocks[0]
    search, replace = block.readings[0]
    if any(search):
        raise BlockError(f"{path}: there is no such file, or it is empty, so its SEARCH has to be empty")
    if len(blocks) > 1:
        raise BlockError(f"{path}: write a new file as one block")
    return "".join(line + "\n" for line in replace)


class _File:
    """The lines of a file, in which blocks are looked up."""

    def __init__(self, path: str, text: str) -> None:
        self._path = path
        self._found = [match for match in _LINE.finditer(text) if match[0]]
        # Blanks at the end of a line are seen by nobody, and models leave them out.
        self._lines = [match[1].rstrip() for match in self._found]
        self._newline = self._found[0][2] or "\n"
        self._ends_open = not self._found[-1][2]

    def edits(self, block: Block) -> list[Edit]:
        """What a block replaces; nothing where old and new are the same.

        Raises:
            BlockError: Its old lines are not found at exactly one place.
        """
        readings = [(search, replace) for search, replace in block.readings if any(search)]
        if not readings:
            raise BlockError(f"{self._path}: the file exists, so SEARCH has to hold the lines that are to be replaced")
        places = [(search, replace, self._places(search)) for search, replace in readings]
        for search, replace, found in reversed(places):  # Of two that fit, the longer one agrees with more.
            if len(found) == 1:
                return self._replaced(found[0], search, replace)
        search, _, found = next((place for place in places if place[2]), places[0])
        where = f"{self._path}: the SEARCH lines of the block at line {block.line} of your answer"
        if found:
            numbers = ", ".join(str(at + 1) for at in found[:_MOST_SHOWN])
            raise BlockError(f"{where} are in the file more than once, at lines {numbers}: add lines around them")
        raise BlockError(f"{where} are not in the file. {self._nearest(search)}")

    def _places(self, search: Sequence[str]) -> list[int]:
        wanted = [line.rstrip() for line in search]
        last = len(self._lines) - len(wanted)
        return [
            at for at in range(last + 1) if self._lines[at] == wanted[0] and self._lines[at:][: len(wanted)] == wanted
        ]

    def _replaced(self, start: int, search: Sequence[str], replace: Sequence[str]) -> list[Edit]:
        """The edit of the lines that differ; the others stay as they are in the file, blanks and line ends included."""
        while search and replace and search[0].rstrip() == replace[0].rstrip():
            search, replace, start = search[1:], replace[1:], start + 1
        while search and replace and search[-1].rstrip() == replace[-1].rstrip():
            search, replace = search[:-1], replace[:-1]
        if not search and not replace:
            return []
        end = start + len(search)
        text = "".join(line + self._newline for line in replace)
        if self._ends_open and end == len(self._found) and text:
            text = text.removesuffix(self._newline)
            if start == end:  # Lines after a last one without an end.
                text = self._newline + text
        return [Edit(self._offset(start), self._offset(end), text)]

    def _offset(self, line: int) -> int:
        return self._found[line].start() if line < len(self._found) else self._found[-1].end()

    def _nearest(self, search: Sequence[str]) -> str:
        """The lines that were probably meant, as they are."""
        stripped = [line.strip() for line in self._lines]
        wanted = [line.strip() for line in search]
        votes: Counter[int] = Counter()
        places: dict[str, list[int]] = {}
        for at, line in enumerate(stripped[:_MOST_COMPARED]):
            places.setdefault(line, []).append(at)
        for index, line in enumerate(wanted[:_MOST_COMPARED]):
            votes.update(at - index for at in places.get(line, ())[:_MOST_SHOWN] if line)
        if votes:
            start = max(0, votes.most_common(1)[0][0])
        else:
            longest = max(wanted[:_MOST_COMPARED], key=len)[:200]
            close = difflib.get_close_matches(longest, list(places), n=1)
            if not close:
                return "Nothing there is like them: copy the lines exactly, without their numbers."
            start = max(0, places[close[0]][0] - wanted.index(longest) if longest in wanted else places[close[0]][0])
        end = min(start + min(len(wanted), _MOST_SHOWN), len(self._found))
        shown = "\n".join(match[1] for match in self._found[start:end])
        return f"The nearest there, at lines {start + 1} to {end}, are:\n{shown}\nCopy the lines exactly."
