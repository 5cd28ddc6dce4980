"""What each test ran: hits told apart by test, and lines of which it is to be told whether they ran."""

from __future__ import annotations

import ast
import contextlib
import linecache
import os
import re
from array import array
from types import MappingProxyType
from typing import Any, Dict, FrozenSet, Iterator, List, Mapping, Optional, Sequence, Set, Tuple

from .probes import Hits, Part, Probes, Probing
from .values import read_source

_LINE_END = re.compile(r"\r\n|\n|\r")
_CASE: Any = getattr(ast, "match_case", ())
"""Came with Python 3.10."""


class Recorder:
    """Keeps apart what each test ran, fixtures of wider scope included for every test that uses them."""

    def __init__(self, probes: Probes) -> None:
        self._probes = probes
        self._begun = False
        self._tests: Dict[str, Dict[str, array[int]]] = {}
        self._fixtures: Dict[int, Tuple[object, Hits]] = {}
        self.outside: Hits = set()
        """What ran outside of any test: imports and collection."""
        self.before: Hits = set()
        """What ran before the first test, or in a test that was the first to import something."""
        self._loads = 0
        probes.into(self.outside)
        probes.start()

    def begin(self) -> None:
        if not self._begun:
            self._begun, self.before = True, set(self.outside)
        linecache.clearcache()  # What another test read would not be seen to be read by this one.
        self._loads = self._probes.loads
        self._probes.into(set())

    def end(self, test: str, fixtures: Sequence[object]) -> Hits:
        """The test is over; returns what it ran."""
        hits = self._probes.into(self.outside)
        for fixture in fixtures:
            hits |= self._fixtures.get(id(fixture), (None, set()))[1]
        if self._probes.loads != self._loads:  # Some of it ran at import, and on behalf of later tests, too.
            self.before |= {(path, line) for path, line in hits if line}
        files: Dict[str, array[int]] = {}
        for path, line in sorted(hits):
            files.setdefault(path, array("l")).append(line)
        self._tests[test] = files
        return hits

    def fixture(self, fixture: object) -> Iterator[None]:
        """A generator that runs around the set-up of a fixture of wider scope than one test."""
        around = self._probes.into(set())
        try:
            yield
        finally:
            hits = self._probes.into(around)
            around |= hits
            self._fixtures[id(fixture)] = (fixture, hits)

    @contextlib.contextmanager
    def showing(self) -> Iterator[None]:
        """While a failure is described, for which sources are read that the test itself does not look at."""
        loading, self._probes.loading = self._probes.loading, True
        try:
            yield
        finally:
            self._probes.loading = loading

    def stop(self) -> None:
        self._probes.stop()
        if not self._begun:
            self.before = self.outside

    def coverage(self) -> Dict[str, Dict[str, List[int]]]:
        return {
            test: {path: found for path, lines in files.items() if (found := [line for line in lines if line])}
            for test, files in self._tests.items()
        }

    def touched(self) -> Dict[str, List[str]]:
        """The files that each test touched as a whole (``touched``)."""
        whole = {test: [path for path, lines in files.items() if 0 in lines] for test, files in self._tests.items()}
        return {test: paths for test, paths in whole.items() if paths}

    def at_import(self) -> Dict[str, List[int]]:
        """What ran before the first test or at a later import, with line zero for files touched as a whole."""
        files: Dict[str, List[int]] = {}
        for path, line in sorted(self.before):
            files.setdefault(path, []).append(line)
        return files


class Watched:
    """Lines of which it is to be told whether they ran.

    A line counts as run when any part of its own statement did; the header of a function, and comments in it, when the
    function was called.
    """

    def __init__(self, root: str) -> None:
        """Watch nothing yet.

        Args:
            root: The folder that paths are relative to.
        """
        self._root = root
        self._uncounted: FrozenSet[str] = frozenset()
        self._trees: Dict[str, ast.Module] = {}
        self._parts: Dict[str, Part] = {}
        self._spans: Dict[str, Dict[int, Tuple[int, int]]] = {}
        self._tests: Set[str] = set()
        self._passed: Hits = set()

    def watch(
        self,
        lines: Mapping[str, Sequence[int]],
        within: Mapping[str, Mapping[str, Any]] = MappingProxyType({}),
        uncounted: Sequence[str] = (),
    ) -> None:
        """Parse the files.

        Args:
            lines: Path → the lines.
            within: Path → the part of the file that is enough to parse (``jobs``).
            uncounted: Tests that count as if they never passed.
        """
        self._uncounted = frozenset(uncounted)
        for path, wanted in lines.items():
            text = read_source(os.path.join(self._root, path))
            part = _part(text, within[path], wanted) if path in within else None
            if part:
                self._parts[path] = part
            self._trees[path] = part.tree if part else ast.parse(text)
            self._spans[path] = spans(self._trees[path], wanted)

    def probing(self, path: str) -> Optional[Probing]:
        """Where a file gets probes; None if no line of it is watched."""
        if path not in self._spans:
            return None
        return Probing(
            path, lines=True, only=set(self._spans[path]), tree=self._trees[path], part=self._parts.get(path)
        )

    def test(self, test: str, passed: bool, hits: Hits) -> None:
        ran = self.of(hits)
        if ran:
            self._tests.add(test)
        if passed and test not in self._uncounted:
            self._passed.update((path, line) for path, lines in ran.items() for line in lines)

    def of(self, hits: Hits) -> Dict[str, List[int]]:
        """The watched lines among what ran."""
        ran: Dict[str, List[int]] = {}
        for path, wanted in self._spans.items():
            seen = {line for hit, line in hits if hit == path}
            for line, (first, last) in sorted(wanted.items()):
                if not seen.isdisjoint(range(first, last + 1)):
                    ran.setdefault(path, []).append(line)
        return ran

    def result(self) -> Tuple[Dict[str, List[int]], List[str]]:
        """Lines run in tests that passed, and the tests of any outcome that ran some."""
        lines: Dict[str, List[int]] = {}
        for path, line in sorted(self._passed):
            lines.setdefault(path, []).append(line)
        return lines, sorted(self._tests)


def _part(text: str, narrow: Mapping[str, Any], lines: Sequence[int]) -> Optional[Part]:
    """A definition by itself, where that is all there is, and where the lines lie in its body."""
    header, whole = range(*narrow["header"]), range(*narrow["lines"])
    every = _LINE_END.split(text) if "\r" in text else text.split("\n")
    alone = [""] * (whole.stop - 1)
    for kept in (header, whole):
        alone[kept.start - 1 : kept.stop - 1] = every[kept.start - 1 : kept.stop - 1]
    tree = ast.parse("\n".join(alone) + "\n")
    path: List[ast.stmt] = []
    body = tree.body
    for _ in (header, whole) if header else (whole,):
        if len(body) != 1:
            return None
        path += body
        body = getattr(path[-1], "body", [])
    within = body and all(_first(body[0]) <= line <= _last(body[-1]) for line in lines)
    return Part(tree, path, narrow["rest"]) if within else None


def spans(tree: ast.Module, lines: Sequence[int]) -> Dict[int, Tuple[int, int]]:
    """For each line, the first and last of the innermost statement it lies in (of a compound one: of its header)."""
    return {line: _span(tree, line) for line in lines}


def _span(tree: ast.Module, line: int) -> Tuple[int, int]:
    found = (line, line)
    around: Optional[ast.AST] = tree
    while around is not None:
        around = next((node for node in _inner(around) if _first(node) <= line <= _last(node)), None)
        if around is not None and not isinstance(around, _CASE):
            body = getattr(around, "body", None)
            header = body[0].lineno - 1 if body else _last(around)
            found = (_first(around), max(_first(around), header))
    return found


def _inner(node: ast.AST) -> Iterator[Any]:
    """The statements, handlers and cases that lie directly in a node."""
    for name in ("body", "handlers", "orelse", "finalbody", "cases"):
        block = getattr(node, name, None)
        if isinstance(block, list):
            yield from block


def _first(node: Any) -> int:
    if isinstance(node, _CASE):
        node = node.pattern
    first: int = min([node.lineno] + [mark.lineno for mark in getattr(node, "decorator_list", ())])
    return first


def _last(node: Any) -> int:
    if isinstance(node, _CASE):
        node = node.body[-1]
    last: int = node.end_lineno or node.lineno
    return last
