"""Which code of the project ran, told apart by test.

A tracer adds what runs to a set, its *sink*, exchanged when a test begins and ends. Before Python 3.12 it hangs on
 ``sys.settrace``: only code of the project gets line events, and none once all its lines were seen. From 3.12 on
``sys.monitoring`` reports each place once for each sink, which costs next to nothing.
"""

from __future__ import annotations

import ast
import dis
import inspect
import sys
import threading
from array import array
from types import CodeType, FrameType
from typing import Any, Callable, Dict, Iterator, List, Mapping, Optional, Sequence, Set, Tuple

from .failures import Places

Hits = Set[Tuple[str, int]]
Wanted = Callable[[CodeType], Optional[str]]
"""The path of code that is to be traced, None for other code."""


class Tracer:
    """Reports what runs from ``start`` to ``stop``.

    Args:
        wanted: Which code to trace.
        lines: Report lines; otherwise only the first lines of functions that are called.
    """

    def __init__(self, wanted: Wanted, lines: bool) -> None:
        self._wanted = wanted
        self._with_lines = lines
        self._sink: Hits = set()
        self._left: Dict[int, Set[int]] = {}
        self._done: Set[int] = set()
        self._foreign: Set[int] = set()
        self._known: Dict[int, Tuple[CodeType, Optional[str]]] = {}

    def start(self) -> None:
        threading.settrace(self._on_call)
        sys.settrace(self._on_call)

    def stop(self) -> None:
        threading.settrace(None)
        sys.settrace(None)

    def into(self, sink: Hits) -> Hits:
        """Report into another set from now on; returns the one used before."""
        before, self._sink = self._sink, sink
        self._left.clear()
        self._done = set(self._foreign)
        # A test may have set a trace function of its own and left it there.
        self.start()
        return before

    def _path(self, code: CodeType) -> Optional[str]:
        # By identity: code objects compare and hash by value, slowly. Kept, so that no id is used twice.
        known = self._known.get(id(code))
        if known is None:
            known = self._known[id(code)] = (code, self._wanted(code))
        return known[1]

    def _on_call(self, frame: FrameType, _event: str, _arg: Any) -> Optional[Callable[..., Any]]:
        code = frame.f_code
        key = id(code)
        if key in self._done:
            return None
        path = self._path(code)
        if path is None:
            self._foreign.add(key)
            self._done.add(key)
            return None
        if key not in self._left:
            self._sink.add((path, code.co_firstlineno))
            self._left[key] = lines_of(code) if self._with_lines else set()
        if not self._left[key]:
            self._done.add(key)
            return None
        frame.f_trace_lines = True
        return self._on_line

    def _on_line(self, frame: FrameType, event: str, _arg: Any) -> Callable[..., Any]:
        if event == "line":
            code = frame.f_code
            path = self._path(code)
            left = self._left.get(id(code))
            if path is not None:
                self._sink.add((path, frame.f_lineno))
            if left is not None:
                left.discard(frame.f_lineno)
                if not left:
                    self._done.add(id(code))
                    frame.f_trace_lines = False
        return self._on_line


class MonitoringTracer(Tracer):
    """The same by ``sys.monitoring``."""

    def __init__(self, wanted: Wanted, lines: bool, tool: int) -> None:
        super().__init__(wanted, lines)
        self._monitoring: Any = sys.monitoring  # type: ignore[attr-defined,unused-ignore]
        self._tool = tool
        self._started = False

    def start(self) -> None:
        if self._started:
            return
        self._started = True
        events = self._monitoring.events
        self._monitoring.use_tool_id(self._tool, "pennyproof")
        self._monitoring.register_callback(self._tool, events.PY_START, self._on_start)
        self._monitoring.register_callback(self._tool, events.LINE, self._on_new_line)
        self._monitoring.set_events(self._tool, events.PY_START)

    def stop(self) -> None:
        if self._started:
            self._monitoring.set_events(self._tool, 0)
            self._monitoring.free_tool_id(self._tool)
            self._started = False

    def into(self, sink: Hits) -> Hits:
        before, self._sink = self._sink, sink
        self._monitoring.restart_events()
        return before

    def _on_start(self, code: CodeType, _offset: int) -> Any:
        path = self._path(code)
        if path is not None:
            self._sink.add((path, code.co_firstlineno))
            if self._with_lines:
                self._monitoring.set_local_events(self._tool, code, self._monitoring.events.LINE)
        return self._monitoring.DISABLE

    def _on_new_line(self, code: CodeType, line: int) -> Any:
        path = self._path(code)
        if path is not None:
            self._sink.add((path, line))
        return self._monitoring.DISABLE


def tracer(wanted: Wanted, lines: bool) -> Tracer:
    """The cheapest tracer this interpreter has."""
    monitoring = getattr(sys, "monitoring", None)
    if monitoring is not None:
        # 0 to 2 are set aside for debuggers, coverage and profilers.
        for tool in (3, 4, 5):
            if monitoring.get_tool(tool) is None:
                return MonitoringTracer(wanted, lines, tool)
    return Tracer(wanted, lines)


class Recorder:
    """Keeps apart what each test ran, fixtures of wider scope included for every test that uses them."""

    def __init__(self, traced: Tracer) -> None:
        self._traced = traced
        self._tests: Dict[str, Dict[str, array[int]]] = {}
        self._fixtures: Dict[int, Tuple[object, Hits]] = {}
        self.outside: Hits = set()
        """What ran outside of any test: imports and collection."""
        traced.start()
        traced.into(self.outside)

    def begin(self) -> None:
        self._traced.into(set())

    def end(self, test: str, fixtures: Sequence[object]) -> Hits:
        """The test is over; returns what it ran."""
        hits = self._traced.into(self.outside)
        for fixture in fixtures:
            hits |= self._fixtures.get(id(fixture), (None, set()))[1]
        files: Dict[str, array[int]] = {}
        for path, line in sorted(hits):
            files.setdefault(path, array("l")).append(line)
        self._tests[test] = files
        return hits

    def fixture(self, fixture: object) -> Iterator[None]:
        """A generator that runs around the set-up of a fixture of wider scope than one test."""
        around = self._traced.into(set())
        try:
            yield
        finally:
            hits = self._traced.into(around)
            around |= hits
            self._fixtures[id(fixture)] = (fixture, hits)

    def stop(self) -> None:
        self._traced.stop()

    def coverage(self) -> Dict[str, Dict[str, List[int]]]:
        return {test: {path: list(lines) for path, lines in files.items()} for test, files in self._tests.items()}


class Watched:
    """Lines of which it is to be told whether they ran.

    A line counts as run when any part of its own statement did; the header of a function, and comments in it, when the
    function was called.
    """

    def __init__(self, lines: Mapping[str, Sequence[int]], sources: Callable[[str], str]) -> None:
        self._spans = {path: spans(sources(path), wanted) for path, wanted in lines.items()}
        self._tests: Set[str] = set()
        self._passed: Hits = set()

    def overlaps(self, path: str, code: CodeType) -> bool:
        """Whether code contains anything that is watched."""
        own = lines_of(code) | {code.co_firstlineno}
        return any(not own.isdisjoint(range(first, last + 1)) for first, last in self._spans.get(path, {}).values())

    def test(self, test: str, passed: bool, hits: Hits) -> None:
        ran = self.of(hits)
        if ran:
            self._tests.add(test)
        if passed:
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


def lines_of(code: CodeType) -> Set[int]:
    """The lines on which something of the code object itself happens."""
    lines = {line for _, line in dis.findlinestarts(code) if line}
    if len(lines) > 1:
        # From 3.11 on the table begins with the header, for which there is no event.
        lines.discard(code.co_firstlineno)
    return lines


def spans(text: str, lines: Sequence[int]) -> Dict[int, Tuple[int, int]]:
    """For each line, the first and last of the innermost statement it lies in (of a compound one: of its header)."""
    found = {line: (line, line) for line in lines}
    sizes = dict.fromkeys(lines, sys.maxsize)
    for node in ast.walk(ast.parse(text)):
        if not isinstance(node, (ast.stmt, ast.ExceptHandler)):
            continue
        first = min([node.lineno] + [mark.lineno for mark in getattr(node, "decorator_list", ())])
        last = node.end_lineno or node.lineno
        body = getattr(node, "body", None)
        header = body[0].lineno - 1 if body else last
        for line in lines:
            if first <= line <= last and last - first < sizes[line]:
                sizes[line] = last - first
                found[line] = (first, max(first, header))
    return found


def functions_of(places: Places) -> Wanted:
    """Tells the project's functions from bodies of modules and classes, which run at import and belong to no test."""

    def wanted(code: CodeType) -> Optional[str]:
        is_body = not code.co_flags & inspect.CO_OPTIMIZED and "<locals>" not in getattr(code, "co_qualname", "")
        return None if is_body else places.in_project(code.co_filename)

    return wanted
