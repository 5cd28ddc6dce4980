"""Which lines an edit changes, which tests run them, and hence which tests have to run."""

import ast
from collections.abc import Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher

from pennyproof.core.candidates import Candidate, FileChange
from pennyproof.core.outcomes import Coverage
from pennyproof.core.snapshots import Snapshot
from pennyproof.proof.syntax import Function, Module, Narrowed, Scope, all_lines, equal_ends, lines_of, narrowed, parse

Span = tuple[range, range]
"""Lines before, and the lines after that stand in their place; either may be empty."""


@dataclass(frozen=True, slots=True)
class Hunk:
    """One place that an edit changes, as lines (from one) of the edited file."""

    path: str
    lines: frozenset[int] | None
    """Those that run: none where comments change only. ``None``: no Python, so that no run can show its use."""
    deletion: bool = False
    """The lines are what stands around deleted ones: where any of them ran, the place was reached."""


@dataclass(frozen=True, slots=True)
class Change:
    """What an edit means for the tests."""

    hunks: tuple[Hunk, ...]
    functions: tuple[tuple[str, range], ...] | None
    """Path and lines, in the unedited file, of the functions in which all changes lie. ``None``: some lie elsewhere."""
    parts: tuple[tuple[str, Narrowed], ...] = ()
    """Path, and what was narrowed to the one definition that holds all changes of the file."""

    def watch(self) -> dict[str, list[int]]:
        """The lines of which to learn whether they ran."""
        lines: dict[str, set[int]] = {}
        for hunk in self.hunks:
            lines.setdefault(hunk.path, set()).update(hunk.lines or ())
        return {path: sorted(found) for path, found in lines.items() if found}

    def within(self, snapshot: Snapshot) -> dict[str, dict[str, object]]:
        """What the runs are told of ``parts``: where they are, and by which bytecode the rest of the file is known."""
        return {
            path: {
                "lines": [narrow.part.start, narrow.part.stop],
                "header": [narrow.header.start, narrow.header.stop],
                "rest": _stamp(snapshot, path) if narrow.in_place else None,
            }
            for path, narrow in self.parts
            if narrow.part
        }


def analyse(candidate: Candidate) -> Change:
    """What the candidate changes."""
    hunks: list[Hunk] = []
    functions: list[tuple[str, range]] | None = []
    parts: list[tuple[str, Narrowed]] = []
    for change in candidate.changes:
        if change.before == change.after:
            continue
        found, inside = _analyse_file(change)
        hunks += found
        functions = None if functions is None or inside is None else functions + [(change.path, f) for f in inside]
        if change.before and change.after and change.path.endswith(".py"):
            parts.append((change.path, narrowed(change.before.text, change.after.text)))
    return Change(tuple(hunks), None if functions is None else tuple(dict.fromkeys(functions)), tuple(parts))


def seems_within_functions(candidate: Candidate) -> bool:
    """Whether the lines that change lie in bodies of functions, by a look at the unedited files alone.

    To analyse a candidate takes as long as many a test; this is for those who can do that while the test runs.
    """
    changed = [change for change in candidate.changes if change.before != change.after]
    return all(change.path.endswith(".py") and _seems_within_functions(change) for change in changed)


def _seems_within_functions(change: FileChange) -> bool:
    if not (change.before and change.after):
        return False
    try:
        unedited = parse(change.before.text)
    except (SyntaxError, ValueError, RecursionError):
        return False
    start, end = equal_ends(change.before.text, change.after.text)
    scopes = unedited.enclosing(start + 1, len(lines_of(change.before.text)) - end + 1)
    return bool(scopes) and isinstance(scopes[-1], Function)


def _stamp(snapshot: Snapshot, path: str) -> list[int] | None:
    """Time and size of a file on disk, as bytecode made from it records them; ``None``: what is edited is a buffer."""
    if path in snapshot.buffers:
        return None
    try:
        status = (snapshot.root / path).stat()
    except OSError:
        return None
    return [int(status.st_mtime) & 0xFFFFFFFF, status.st_size & 0xFFFFFFFF]


def select(change: Change, functions_run: Coverage, known: Sequence[str]) -> list[str] | None:
    """The tests known to run what changes, in the order of ``known``; ``None``: it takes the whole suite.

    A change outside functions acts when its module is imported, a changed signature on every caller, and no test that
    runs a function is known where only its import does: in these cases no map tells who is affected.

    Args:
        change: What the candidate changes.
        functions_run: For each test the first lines of the functions it ran in the unedited project.
        known: All tests.
    """
    if change.functions is None:
        return None
    chosen = set[str]()
    for path, lines in change.functions:
        # Inner functions, lambdas and comprehensions begin within these lines too, and may run without the outer one.
        running = functions_run.tests_running(path, frozenset(lines))
        if not running:
            return None
        chosen |= running
    return [test for test in known if test in chosen]


def _analyse_file(change: FileChange) -> tuple[list[Hunk], list[range] | None]:
    """The hunks of one file, and the functions of the unedited file that hold them, if all lie in some."""
    before = change.before.text if change.before else ""
    after = change.after.text if change.after else ""
    if not change.path.endswith(".py") or change.after is None:
        return [Hunk(change.path, None)], None
    spans = _spans(before, after)
    try:
        narrow = narrowed(before, after)
        unedited, edited = parse(narrow.before), parse(narrow.after)
    except (SyntaxError, ValueError, RecursionError):  # A grammar newer than ours, or an original that is broken.
        return [Hunk(change.path, frozenset(new)) for _, new in spans], None
    hunks = [
        Hunk(change.path, edited.showing(new)) if new else Hunk(change.path, edited.around(new.start), deletion=True)
        for _, new in spans
    ]
    functions = [_enclosing_function(unedited, old, edited, new) for old, new in spans]
    if change.before is None or None in functions:
        return hunks, None
    return hunks, [function for function in functions if function is not None]


def _spans(before: str, after: str) -> list[Span]:
    """The lines that differ. Equal lines at both ends go first: difflib takes long for what most edits leave alone."""
    start, end = equal_ends(before, after)
    old, new = lines_of(before), lines_of(after)
    middles = old[start : len(old) - end], new[start : len(new) - end]
    first = start + 1
    return [
        (range(a + first, b + first), range(c + first, d + first))
        for tag, a, b, c, d in SequenceMatcher(None, *middles, autojunk=False).get_opcodes()
        if tag != "equal"
    ]


def _enclosing_function(unedited: Module, old: range, edited: Module, new: range) -> range | None:
    """Where, in the unedited file, the innermost function lies in whose body a change lies, before and after."""
    before, after = unedited.enclosing(old.start, old.stop), edited.enclosing(new.start, new.stop)
    # The empty side of an insertion or deletion is a point, which may lie deeper than the change itself.
    while [scope.name for scope in before] != [scope.name for scope in after]:
        longest = max(len(before), len(after))
        before, after = before[: longest - 1], after[: longest - 1]
    if (
        not before
        or not isinstance(before[-1], Function)
        or _header(unedited, before[-1]) != _header(edited, after[-1])
    ):
        return None
    return all_lines(before[-1])


def _header(module: Module, scope: Scope) -> tuple[object, ...] | None:
    """Everything about a function that others can tell without running its body."""
    if not isinstance(scope, Function):
        return None
    decorators = [ast.dump(decorator) for decorator in scope.decorator_list]
    returns = ast.dump(scope.returns) if scope.returns else None
    docstring = ast.get_docstring(scope, clean=False)
    return type(scope), decorators, ast.dump(scope.args), returns, docstring, module.yields(scope)
