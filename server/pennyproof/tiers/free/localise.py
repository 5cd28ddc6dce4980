"""Which statements are to blame: spectrum-based fault localisation, with what the tracebacks add.

The suspicion of a statement is Ochiai's coefficient of its lines (``core.spectrum``), raised where a traceback names
it; what no test of a function ran, and what runs at import, is suspected a little: more where suspicious code reads
the name that it defines.
"""

import ast
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property

from pennyproof.core.outcomes import Frame
from pennyproof.core.problems import Problem
from pennyproof.core.protected import is_protected
from pennyproof.core.sources import Source
from pennyproof.core.spectrum import ochiai
from pennyproof.errors import OutsideRoot, UnreadableSource
from pennyproof.rewrite.module import Function, Module

_AT_IMPORT = 0.1
"""Suspicion of what runs at import, against the most suspicious statement of its file."""
_READ = 0.3
"""Suspicion of what runs at import, or of a function that was not run, against the most suspicious statement that reads
its name: a table with a wrong entry, a method that lacks its ``@property``."""
_NOT_RUN = 0.1
"""Suspicion of what no target ran in a function that one ran, against that function's most suspicious statement."""
_IN_TRACEBACK = 0.6
"""What being named by a traceback adds at most; less for frames farther from where the test failed."""


@dataclass(frozen=True, slots=True)
class File:
    """A file that candidates may change."""

    path: str
    source: Source
    module: Module


@dataclass(frozen=True, slots=True)
class Suspect:
    """A statement, and how likely it is to be at fault."""

    file: File
    statement: ast.stmt
    suspicion: float


class Localiser:
    """Finds the suspects of one problem."""

    def __init__(self, problem: Problem) -> None:
        self._problem = problem
        self._targets = [target.id for target in problem.targets]
        self._test_files = {test.path or test.id.partition("::")[0] for test in problem.baseline.outcomes.values()}

    def suspects(self) -> list[Suspect]:
        """The statements that may be at fault, the most suspicious first."""
        found = [suspect for file in self._files() for suspect in self._in_file(file)]
        return sorted(found, key=lambda suspect: -suspect.suspicion)

    def _files(self) -> Iterator[File]:
        """The files that the targets ran, or that their tracebacks name; none that belong to the tests."""
        covered = (path for target in self._targets for path in self._problem.coverage.lines.get(target, ()))
        for path in dict.fromkeys([*covered, *(frame.path for frame in self._frames)]):
            if path.endswith(".py") and not is_protected(path, self._test_files):
                try:
                    source = self._problem.snapshot.read(path)
                    if source is not None:
                        yield File(path, source, Module(source.text))
                except (OutsideRoot, UnreadableSource, SyntaxError, ValueError, RecursionError):
                    continue  # what cannot be read or parsed cannot be rewritten; other files still can

    @cached_property
    def _frames(self) -> list[Frame]:
        """The project's frames of all failures, outermost first."""
        return [
            frame
            for target in self._problem.targets
            if target.failure
            for frame in target.failure.frames
            if frame.in_project
        ]

    def _in_file(self, file: File) -> Iterator[Suspect]:
        lines = self._by_line(file.path)
        blamed = self._by_traceback(file.path)
        most = max(lines.values(), default=0.0) or (1.0 if blamed else 0.0)
        reached = self._reached(file, lines)
        read = self._read(file, lines, blamed)
        for statement in file.module.statements:
            if file.module.is_docstring(statement) or isinstance(statement, (ast.Import, ast.ImportFrom)):
                continue
            suspicion = _own(file.module, statement, lines, blamed)
            if isinstance(statement, Function):
                inner = statement.body[0].lineno, statement.end_lineno or statement.lineno
                within = [score for line, score in lines.items() if inner[0] <= line <= inner[1]]
                suspicion = 0.8 * max(within) if within else _READ * read.get(statement.name, 0.0)
            elif file.module.function(statement) is None:
                least = max([_AT_IMPORT * most, *(_READ * read.get(name, 0.0) for name in _bound(statement))])
                suspicion = max(least, min(suspicion, 0.5 * most))
            elif suspicion == 0.0:
                suspicion = _NOT_RUN * reached.get(file.module.function(statement), 0.0)
            if suspicion > 0:
                yield Suspect(file, statement, suspicion)

    def _read(self, file: File, lines: Mapping[int, float], blamed: Mapping[int, float]) -> Mapping[str, float]:
        """Names and attributes that statements of functions read → the suspicion of the most suspicious of these."""
        found: dict[str, float] = {}
        for statement in file.module.statements:
            score = _own(file.module, statement, lines, blamed) if file.module.function(statement) else 0.0
            for node in file.module.own_nodes(statement) if score else ():
                if isinstance(node, (ast.Name, ast.Attribute)) and isinstance(node.ctx, ast.Load):
                    name = node.id if isinstance(node, ast.Name) else node.attr
                    found[name] = max(found.get(name, 0.0), score)
        return found

    def _reached(self, file: File, lines: Mapping[int, float]) -> Mapping[Function | None, float]:
        """Functions that a failing test ran a part of → the suspicion of their most suspicious line."""
        found: dict[Function | None, float] = {}
        for statement in file.module.statements:
            function = file.module.function(statement)
            if function is not None:
                score = max((lines.get(line, 0.0) for line in file.module.header_lines(statement)), default=0.0)
                found[function] = max(found.get(function, 0.0), score)
        return found

    def _by_line(self, path: str) -> Mapping[int, float]:
        """Ochiai's coefficient of each line that the first target runs: an edit elsewhere cannot mend it."""
        failed: Counter[int] = Counter()
        passed: Counter[int] = Counter()
        targets = frozenset(self._targets)
        passing = {test.id for test in self._problem.baseline.passing}
        for test, files in self._problem.coverage.lines.items():
            if test in targets:
                failed.update(files.get(path, ()))
            elif test in passing:
                passed.update(files.get(path, ()))
        total = len(targets)
        first = self._problem.coverage.lines.get(self._targets[0])
        reached = failed.keys() if first is None else first.get(path, frozenset())
        return {line: ochiai(failed[line], passed[line], total) for line in reached}

    def _by_traceback(self, path: str) -> Mapping[int, float]:
        """Lines that tracebacks name → how near they are to where the test failed, up to one."""
        found: dict[int, float] = {}
        for target in self._problem.targets:
            frames = [frame for frame in target.failure.frames if frame.in_project] if target.failure else []
            for distance, frame in enumerate(reversed(frames)):
                if frame.path == path:
                    found[frame.line] = max(found.get(frame.line, 0.0), 1.0 / (1 + distance))
        return found


def _own(module: Module, statement: ast.stmt, lines: Mapping[int, float], blamed: Mapping[int, float]) -> float:
    """The suspicion of a statement's own lines, raised where a traceback names them."""
    header = list(module.header_lines(statement))
    if isinstance(statement, ast.Try):
        header += [handler.lineno for handler in statement.handlers]
    nearest = max(blamed.get(line, 0.0) for line in header)
    return max(_IN_TRACEBACK * nearest, *(lines.get(line, 0.0) for line in header)) * (1.0 + nearest)


def _bound(statement: ast.stmt) -> Iterator[str]:
    """The names that an assignment binds."""
    match statement:
        case ast.Assign(targets=targets):
            yield from (part.id for target in targets for part in ast.walk(target) if isinstance(part, ast.Name))
        case ast.AnnAssign(target=ast.Name(id=name)) | ast.AugAssign(target=ast.Name(id=name)):
            yield name
