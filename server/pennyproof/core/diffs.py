r"""Unified diffs: written for people and ``git apply``, read from whatever makes them, applied strictly.

Lines end at ``\n`` only, as for git, so a carriage return stays part of its line and CRLF files keep theirs.
A byte order mark is the first character of the first line, since a diff describes what lies on disk.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from pathlib import PurePosixPath

from pennyproof.core.candidates import FileChange
from pennyproof.core.sources import Source
from pennyproof.errors import BadDiff, OutsideRoot

_NOWHERE = "/dev/null"
_NO_NEWLINE = "\\ No newline at end of file\n"
_CONTEXT = 3
_BOM = "\ufeff"

_HUNK = re.compile(r"@@ -(\d+)(?:,(\d+))? \+(\d+)(?:,(\d+))? @@")
_PREFIXES = frozenset({("a/", "b/"), ("i/", "w/"), ("c/", "i/"), ("c/", "w/"), ("o/", "w/")})
"""What git puts before old and new paths: the default, and ``diff.mnemonicPrefix``."""

_REFUSED = {
    "rename from ": "renames are not supported; write it as one deleted and one new file",
    "copy from ": "copies are not supported; write it as a new file",
    "GIT binary patch": "binary files are not supported",
    "Binary files ": "binary files are not supported",
    "new file mode 120000": "symbolic links are not supported",
    "new mode 120000": "symbolic links are not supported",
}

_ESCAPE = re.compile(r'\\([abfnrtv"\\]|[0-7]{3})')
_ESCAPED = {"a": 7, "b": 8, "t": 9, "n": 10, "v": 11, "f": 12, "r": 13, '"': 34, "\\": 92}
_UNSAFE = re.compile(r'[\x00-\x1f\x7f"\\]')


@dataclass(frozen=True, slots=True)
class Hunk:
    """One run of changed lines with their context; lines keep their endings."""

    start: int
    """Index from zero, in the old file, of the first line of ``old`` (or where to insert, if that is empty)."""
    old: tuple[str, ...]
    new: tuple[str, ...]
    line: int
    """The line of the diff, from one, that holds its header."""


@dataclass(frozen=True, slots=True)
class FileDiff:
    """What a diff does to one file."""

    path: str
    hunks: tuple[Hunk, ...]
    created: bool = False
    deleted: bool = False


def write(changes: Iterable[FileChange]) -> str:
    """The changes as one unified diff; files that stay the same are left out."""
    return "".join(_write_file(change) for change in changes if change.before != change.after)


def read(text: str) -> list[FileDiff]:
    """Read a unified diff, of git or of ``diff -u``, with or without ``a/`` and ``b/``.

    Raises:
        BadDiff: It is none, it contradicts itself, or it does what is not supported (renames, binary files).
        OutsideRoot: A path is absolute or leads out of the root.
    """
    files = _Reader(text).files()
    if not files:
        raise BadDiff("no unified diff found: expected lines that begin with '--- ', '+++ ' and '@@ '")
    seen = set[str]()
    for file in files:
        if file.path in seen:
            raise BadDiff(f"{file.path}: appears twice in the diff")
        seen.add(file.path)
    return files


def apply(diff: Iterable[FileDiff], read_source: Callable[[str], Source | None]) -> tuple[FileChange, ...]:
    """The changes that a diff makes to the files as they are.

    Context has to match exactly. A hunk whose lines are not where it says may lie elsewhere, if they occur only once.

    Args:
        diff: What to apply.
        read_source: Gives a file's text by its path, ``None`` where there is no such file.

    Raises:
        BadDiff: A hunk does not apply.
    """
    return tuple(_apply_file(file, read_source(file.path)) for file in diff)


def _write_file(change: FileChange) -> str:
    before, after = _lines(_on_disk(change.before)), _lines(_on_disk(change.after))
    old = _NOWHERE if change.before is None else _quote(f"a/{change.path}")
    new = _NOWHERE if change.after is None else _quote(f"b/{change.path}")
    hunks = "".join(_write_hunks(before, after))
    if hunks:
        return f"--- {old}\n+++ {new}\n{hunks}"
    if change.before is None or change.after is None:  # An empty file has no lines to show; git says it in its header.
        kind = "new" if change.before is None else "deleted"
        return f"diff --git {_quote(f'a/{change.path}')} {_quote(f'b/{change.path}')}\n{kind} file mode 100644\n"
    return ""


def _write_hunks(before: list[str], after: list[str]) -> Iterator[str]:
    for group in SequenceMatcher(None, before, after, autojunk=False).get_grouped_opcodes(_CONTEXT):
        old, new = range(group[0][1], group[-1][2]), range(group[0][3], group[-1][4])
        yield f"@@ -{_span(old)} +{_span(new)} @@\n"
        for tag, a, b, c, d in group:
            if tag == "equal":
                yield from (_write_line(" ", line) for line in before[a:b])
            else:
                yield from (_write_line("-", line) for line in before[a:b])
                yield from (_write_line("+", line) for line in after[c:d])


def _write_line(mark: str, line: str) -> str:
    return mark + line if line.endswith("\n") else f"{mark}{line}\n{_NO_NEWLINE}"


def _span(lines: range) -> str:
    """Where a hunk lies; by convention an empty one names the line before it."""
    start = lines.start + 1 if lines else lines.start
    return str(start) if len(lines) == 1 else f"{start},{len(lines)}"


def _quote(path: str) -> str:
    if _UNSAFE.search(path):
        return '"' + _UNSAFE.sub(lambda match: f"\\{ord(match[0]):03o}", path) + '"'
    return path + "\t" if " " in path else path  # The tab tells readers where a name with spaces ends, as git does.


class _Reader:
    """Goes through the lines of one diff."""

    def __init__(self, text: str) -> None:
        self._lines = text.split("\n")
        self._at = 0

    def files(self) -> list[FileDiff]:
        files: list[FileDiff] = []
        header: tuple[str, str] | None = None  # Paths of a `diff --git` line whose file has no hunks so far.
        while (line := self._peek()) is not None:
            self._refuse(line)
            if line.startswith("diff --git "):
                header = _git_paths(line.removeprefix("diff --git "))
                self._at += 1
            elif header and line.startswith(("new file mode ", "deleted file mode ")):
                created = line.startswith("new")
                files.append(FileDiff(_common_path(*header), (), created=created, deleted=not created))
                self._at += 1
            elif line.startswith("--- ") and (self._peek(1) or "").startswith("+++ "):
                file, header = self._file(), None
                if files and files[-1].path == file.path and not files[-1].hunks:
                    files.pop()  # It was made by git's header of the same file, which its hunks now tell in full.
                files.append(file)
            elif line.startswith("@@ -"):
                raise BadDiff(f"line {self._at + 1}: a hunk without '--- ' and '+++ ' lines before it")
            elif files and header is None and line[:1] in ("+", "-", " ") and line != "-- ":
                raise BadDiff(f"{files[-1].path}: line {self._at + 1}: more lines than the hunk's header says")
            else:
                self._at += 1
        return files

    def _file(self) -> FileDiff:
        old, new = (_path(self._lines[self._at + step][4:]) for step in range(2))
        self._at += 2
        created, deleted = old == _NOWHERE, new == _NOWHERE
        path = _common_path(old, new)
        hunks = []
        while (line := self._peek()) is not None and (match := _HUNK.match(line)):
            hunks.append(self._hunk(path, match))
        if not hunks:
            raise BadDiff(f"{path}: line {self._at + 1}: no hunk follows the file's header")
        return FileDiff(path, tuple(hunks), created=created, deleted=deleted)

    def _hunk(self, path: str, header: re.Match[str]) -> Hunk:
        at = self._at + 1
        start, want_old, want_new = int(header[1]), int(header[2] or 1), int(header[4] or 1)
        old: list[str] = []
        new: list[str] = []
        self._at += 1
        while len(old) < want_old or len(new) < want_new:
            line = self._peek()
            if line is None or (line == "" and self._at == len(self._lines) - 1):
                raise BadDiff(f"{path}: hunk at line {at}: the diff ends before the hunk does")
            mark, text = (line[0], line[1:] + "\n") if line.strip("\r") else (" ", line + "\n")
            self._at += 1
            if (self._peek() or "").startswith("\\"):
                text = text.removesuffix("\n")
                self._at += 1
            if mark not in " -+":
                raise BadDiff(f"{path}: line {self._at}: a hunk's line has to begin with ' ', '-' or '+'")
            old += [text] if mark in " -" else []
            new += [text] if mark in " +" else []
        if (len(old), len(new)) != (want_old, want_new):
            raise BadDiff(f"{path}: hunk at line {at}: its lines do not add up to what its header says")
        return Hunk(start - 1 if want_old else start, tuple(old), tuple(new), at)

    def _peek(self, ahead: int = 0) -> str | None:
        at = self._at + ahead
        return self._lines[at] if at < len(self._lines) else None

    def _refuse(self, line: str) -> None:
        for beginning, why in _REFUSED.items():
            if line.startswith(beginning):
                raise BadDiff(f"line {self._at + 1}: {why}")


def _path(field: str) -> str:
    """A path as it stands in a header: maybe quoted, maybe with a timestamp after a tab."""
    if field.startswith('"') and (end := field.rfind('"')) > 0:
        return _unquote(field[1:end])
    return field.split("\t", maxsplit=1)[0].rstrip("\r")


def _unquote(path: str) -> str:
    """Undo git's C-like escapes, in which characters beyond ASCII are the octal bytes of their UTF-8."""

    def byte(match: re.Match[str]) -> str:
        escape = match[1]
        return chr(_ESCAPED[escape] if escape in _ESCAPED else int(escape, 8) & 0xFF)

    raw = "".join(chr(value) for value in path.encode("utf-8"))
    return _ESCAPE.sub(byte, raw).encode("latin-1").decode("utf-8", "replace")


def _git_paths(field: str) -> tuple[str, str]:
    """Both paths of a ``diff --git`` line, which are the same but for their prefix."""
    field = field.rstrip("\r")
    if field.startswith('"'):
        old, _, new = field[1:].removesuffix('"').partition('" "')
        return _unquote(old), _unquote(new)
    field = field.rstrip("\t").replace("\t ", " ", 1)
    middle = len(field) // 2
    return field[:middle], field[middle + 1 :]


def _common_path(old: str, new: str) -> str:
    if old == _NOWHERE == new:
        raise BadDiff("a file cannot be both created and deleted")
    if _NOWHERE in (old, new):
        prefixes = {pair[0] if new == _NOWHERE else pair[1] for pair in _PREFIXES}
        path = old if new == _NOWHERE else new
        path = path[2:] if path[:2] in prefixes else path
    elif (old[:2], new[:2]) in _PREFIXES and old[2:] == new[2:]:
        path = old[2:]
    elif old == new:
        path = old
    else:
        raise BadDiff(f"{old} → {new}: {_REFUSED['rename from ']}")
    return _inside(path)


def _inside(path: str) -> str:
    pure = PurePosixPath(path)
    if pure.is_absolute() or ".." in pure.parts or ".git" in pure.parts or not pure.parts:
        raise OutsideRoot(f"{path!r} is no file of the project: paths are relative to its root")
    return pure.as_posix()


def _apply_file(file: FileDiff, before: Source | None) -> FileChange:
    if file.created and before is not None:
        raise BadDiff(f"{file.path}: the diff creates it, but it exists")
    if before is None and not file.created:
        raise BadDiff(f"{file.path}: no such file")
    text = _on_disk(before)
    if not any(line.startswith(_BOM) for hunk in file.hunks for line in (*hunk.old, *hunk.new)):
        text = text.removeprefix(_BOM)  # The diff was made by something that does not show the mark.
        marked = before is not None and before.encoding == "utf-8-sig"
    else:
        marked = False
    result = "".join(_apply_hunks(file, _lines(text)))
    if file.deleted:
        if result:
            raise BadDiff(f"{file.path}: the diff deletes it, but it has lines that the diff does not know")
        return FileChange(file.path, before, None)
    marked |= result.startswith(_BOM)
    encoding = before.encoding if before is not None else "utf-8"
    if encoding in ("utf-8", "utf-8-sig"):
        encoding = "utf-8-sig" if marked else "utf-8"
        result = result.removeprefix(_BOM)
    return FileChange(file.path, before, Source(result, encoding))


def _apply_hunks(file: FileDiff, lines: list[str]) -> Iterator[str]:
    done = shift = 0
    for number, hunk in enumerate(file.hunks, 1):
        at = _place(hunk, lines, done, hunk.start + shift, f"{file.path}: hunk {number} (line {hunk.line} of the diff)")
        yield from lines[done:at]
        yield from hunk.new
        done, shift = at + len(hunk.old), at - hunk.start
    yield from lines[done:]


def _place(hunk: Hunk, lines: list[str], done: int, expected: int, name: str) -> int:
    """The index at which a hunk's old lines are found, at or after ``done``."""

    def fits(at: int) -> bool:
        return tuple(lines[at : at + len(hunk.old)]) == hunk.old

    if done <= expected <= len(lines) and fits(expected):
        return expected
    if not hunk.old:
        raise BadDiff(f"{name} inserts at line {expected + 1}, which the file does not have")
    found = [at for at in range(done, len(lines) - len(hunk.old) + 1) if fits(at)]
    if len(found) == 1:
        return found[0]
    if found:
        raise BadDiff(f"{name} could go to lines {', '.join(str(at + 1) for at in found)}: add context")
    raise BadDiff(f"{name} does not apply: {_difference(hunk.old, lines, expected)}")


def _difference(old: Sequence[str], lines: list[str], start: int) -> str:
    for at, want in enumerate(old, max(start, 0)):
        if at >= len(lines):
            return f"the file ends before line {at + 1}"
        if lines[at] != want:
            return f"line {at + 1} is {lines[at]!r}, the diff expects {want!r}"
    return "its lines overlap those of the hunk before it"


def _lines(text: str) -> list[str]:
    lines = [line + "\n" for line in text.split("\n")]
    last = lines.pop().removesuffix("\n")
    return [*lines, last] if last else lines


def _on_disk(source: Source | None) -> str:
    if source is None:
        return ""
    return _BOM + source.text if source.encoding == "utf-8-sig" else source.text
