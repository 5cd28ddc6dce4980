"""Gathers what is known about a subject: from the last run, the sources, installed libraries and git."""

import ast
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from pennyproof.assist.explain.definitions import Definition, Resolver
from pennyproof.assist.explain.expectations import Comparison, comparison
from pennyproof.assist.explain.history import Commit, recent_changes
from pennyproof.assist.explain.libraries import LibraryDoc, library_doc
from pennyproof.assist.explain.modules import Module, Modules
from pennyproof.assist.explain.names import definition_at
from pennyproof.assist.explain.scopes import FUNCTIONS, function_starts, scopes_at
from pennyproof.assist.explain.subjects import FailingTest, Selection, Subject
from pennyproof.core.outcomes import Baseline, Frame, TestOutcome
from pennyproof.core.snapshots import Snapshot
from pennyproof.errors import UnknownTest

_MOST_DEFINITIONS = 4
_MOST_LIBRARY = 3


@dataclass(frozen=True, slots=True)
class Facts:
    """Everything gathered; what could not be had is empty."""

    subject: Subject
    test: TestOutcome | None = None
    """The test that is asked about, or one that fails in the lines asked about."""
    frame: Frame | None = None
    """Where it failed: the deepest frame in the project, or the one in the lines asked about."""
    excerpt: tuple[Module, range, range] | None = None
    """A module, the lines to show of it, and those of them to mark."""
    comparison: Comparison | None = None
    symbol: Definition | None = None
    definitions: tuple[Definition, ...] = ()
    library: tuple[LibraryDoc, ...] = ()
    changed: str = ""
    """What ``commits`` changed, for a heading."""
    commits: tuple[Commit, ...] = ()
    runners: tuple[TestOutcome, ...] = ()
    """Tests that run the lines in question, failing ones first."""
    ran: bool = False
    """Whether the tests were run at all."""


def gather(snapshot: Snapshot, subject: Subject, baseline: Baseline | None, search_paths: Sequence[Path]) -> Facts:
    """Gather the facts about a subject.

    Args:
        snapshot: The workspace.
        subject: What is asked about.
        baseline: What the tests did, where they were run.
        search_paths: Folders of installed packages.

    Raises:
        UnknownTest: The baseline has no such test.
        OutsideRoot: A path leads out of the root.
    """
    facts = _Gatherer(snapshot, baseline, Modules(snapshot, search_paths)).about(subject)
    return replace(facts, ran=baseline is not None)


class _Gatherer:
    def __init__(self, snapshot: Snapshot, baseline: Baseline | None, modules: Modules) -> None:
        self._snapshot = snapshot
        self._baseline = baseline
        self._modules = modules
        self._resolver = Resolver(modules)

    def about(self, subject: Subject) -> Facts:
        if isinstance(subject, FailingTest):
            return self._about_test(subject)
        module = self._modules.at(self._snapshot.relative(subject.path))
        if isinstance(subject, Selection):
            return self._about_lines(subject, module, range(subject.first, subject.last + 1))
        definition = definition_at(self._resolver, module, subject.offset) if module else None
        if module is None or definition is None:
            source = self._snapshot.read(subject.path)
            line = source.text.count("\n", 0, subject.offset) + 1 if source else 1
            return self._about_lines(subject, module, range(line, line + 1))
        return self._about_symbol(subject, definition)

    def _about_test(self, subject: FailingTest) -> Facts:
        test = self._baseline.outcomes.get(subject.id) if self._baseline else None
        if test is None:
            raise UnknownTest(f"there is no test {subject.id}")
        frames = [frame for frame in test.failure.frames if frame.in_project] if test.failure else []
        frame = frames[-1] if frames else Frame(test.path, max(test.line, 1), "")
        module = self._modules.at(frame.path)
        if module is None:
            return Facts(subject, test, frame)
        in_test = next((frame for frame in reversed(frames) if frame.path == test.path), None)
        found = self._used([(module, _statement_at(module, frame.line)), *self._lines_of(in_test, frame)])
        own, library = _sorted(found, exclude=_around(module, frame.line))
        compared = comparison(test.failure, module.tree, frame.line) if test.failure else None
        # What an assertion checks is more telling than the assertion: there the fault will lie.
        culprit = own[0] if frame.path == test.path and own else None
        place, lines = (culprit.module, _span(culprit)) if culprit else (module, _around(module, frame.line))
        return Facts(
            subject, test, frame, _excerpt(module, range(frame.line, frame.line + 1)), compared, None, own, library,
            *self._changes(place, lines), self._runners(place, lines),
        )  # fmt: skip

    def _about_lines(self, subject: Subject, module: Module | None, lines: range) -> Facts:
        if module is None:
            return Facts(subject)
        test, frame = self._failing_in(module.path, lines)
        own, library = _sorted(self._used([(module, lines)]), exclude=lines)
        return Facts(
            subject, test, frame, _excerpt(module, lines), None, None, own, library,
            *self._changes(module, lines), self._runners(module, lines),
        )  # fmt: skip

    def _about_symbol(self, subject: Subject, definition: Definition) -> Facts:
        module, lines = definition.module, _span(definition)
        if not module.in_project:
            doc = library_doc(definition)
            return Facts(subject, symbol=definition, library=(doc,) if doc else ())
        test, frame = self._failing_in(module.path, lines)
        own, library = _sorted(self._used([(module, lines)]), exclude=lines)
        return Facts(
            subject, test, frame, None, None, definition, own, library,
            *self._changes(module, lines), self._runners(module, lines),
        )  # fmt: skip

    def _lines_of(self, in_test: Frame | None, frame: Frame) -> list[tuple[Module, range]]:
        module = self._modules.at(in_test.path) if in_test and in_test is not frame else None
        return [(module, _statement_at(module, in_test.line))] if module and in_test else []

    def _used(self, places: Iterable[tuple[Module, range]]) -> list[Definition]:
        found: dict[int, Definition] = {}
        for module, lines in places:
            for definition in self._resolver.used_in(module, lines.start, lines.stop - 1):
                found.setdefault(id(definition.node), definition)
        return list(found.values())

    def _failing_in(self, path: str, lines: range) -> tuple[TestOutcome | None, Frame | None]:
        """A test that failed in these lines, and the frame there: the deepest frames first."""
        hits = [
            (-at, test, frame)
            for test in (self._baseline.failing if self._baseline else ())
            for at, frame in enumerate(test.failure.frames if test.failure else ())
            if frame.path == path and frame.line in lines
        ]
        _, test, frame = min(hits, key=lambda hit: hit[0], default=(0, None, None))
        return test, frame

    def _changes(self, module: Module, lines: range) -> tuple[str, tuple[Commit, ...]]:
        if not module.in_project:
            return "", ()
        span = f"{lines.start}" if len(lines) == 1 else f"{lines.start}–{lines.stop - 1}"
        commits = recent_changes(self._snapshot.root, module.path, module.text, lines)
        return f"{module.path}:{span}", commits

    def _runners(self, module: Module, lines: range) -> tuple[TestOutcome, ...]:
        if self._baseline is None or not module.in_project:
            return ()
        starts = {start for line in (lines.start, lines.stop - 1) for start in _function_starts(module, line)}
        starts |= {start for node in ast.walk(module.tree) if isinstance(node, FUNCTIONS) and node.lineno in lines
                   for start in function_starts(node)}  # fmt: skip
        found = self._baseline.functions.tests_running(module.path, frozenset(starts))
        outcomes = [test for test in self._baseline.outcomes.values() if test.id in found]
        return tuple(sorted(outcomes, key=lambda test: not test.failed))


def _sorted(found: list[Definition], exclude: range) -> tuple[tuple[Definition, ...], tuple[LibraryDoc, ...]]:
    """The workspace's own definitions and the libraries' documentation, as many as a person reads."""
    own, library = [], []
    for definition in found:
        if not definition.module.in_project:
            doc = library_doc(definition)
            library += [doc] if doc else []
        elif _is_telling(definition) and definition.line not in exclude:
            own.append(definition)
    own.sort(key=lambda definition: not isinstance(definition.node, (*FUNCTIONS, ast.ClassDef)))
    return tuple(own[:_MOST_DEFINITIONS]), tuple(library[:_MOST_LIBRARY])


def _is_telling(definition: Definition) -> bool:
    """Whether a definition says something that the excerpt does not: local variables stand there already."""
    if isinstance(definition.node, (*FUNCTIONS, ast.ClassDef)):
        return True
    return bool(definition.scopes) and not isinstance(definition.scopes[0], FUNCTIONS)


def _span(definition: Definition) -> range:
    return range(definition.line, definition.end + 1)


def _around(module: Module, line: int) -> range:
    """The function around a line, or the line alone."""
    for scope in scopes_at(module.tree, line):
        if isinstance(scope, FUNCTIONS):
            return range(scope.lineno, (scope.end_lineno or scope.lineno) + 1)
    return range(line, line + 1)


def _excerpt(module: Module, marked: range) -> tuple[Module, range, range]:
    """The function around the marked lines where that is short, else a few lines before and after."""
    around = _around(module, marked.start)
    if len(around) > 24 or marked.stop > around.stop or len(around) == 1:
        around = range(max(1, marked.start - 4), min(len(module.lines), marked.stop + 3) + 1)
    return module, around, marked


def _statement_at(module: Module, line: int) -> range:
    """The lines of the smallest statement around a line; only its first line where it has a body."""
    best = range(line, line + 1)
    for node in ast.walk(module.tree):
        if isinstance(node, ast.stmt) and not hasattr(node, "body"):
            span = range(node.lineno, (node.end_lineno or node.lineno) + 1)
            if line in span:
                best = span
    return best


def _function_starts(module: Module, line: int) -> set[int]:
    inner = next((scope for scope in scopes_at(module.tree, line) if isinstance(scope, FUNCTIONS)), None)
    return function_starts(inner) if inner else set()
