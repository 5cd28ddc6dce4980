"""How long the full affected verdict on a one-function edit takes, against the whole suite run cold.

Functions of the project are drawn with a fixed seed from those that some test runs. Each is edited so that nothing
should break (a statement that does nothing comes first in its body), and proved by the tests that the map names, as
the user's own edit would be: a fresh child, pytest, a signed result. The cold run is ``python -m pytest``.

Few tests run most functions, and most tests run some: where nearly all do, nearly all have to run, and the verdict
takes what they take. So the ratio is told function by function.
"""

import ast
import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from pennyproof.assist.project import Project
from pennyproof.core.candidates import Candidate, FileChange
from pennyproof.core.snapshots import Snapshot
from pennyproof.core.sources import Source
from pennyproof.core.work import Cancel
from tests.bench import Options, corpus, plain, product
from tests.bench.results import Results, product_version, progress
from tests.bench.tables import Cell, median, table

NAME = "affected"
ABOUT = "the affected verdict on a one-function edit, against the whole suite cold"

_PROJECTS = ("click",)
"""Those of the corpus with more than 2,000 tests."""
_FUNCTIONS = 20
_RUNS = 3
_RANDOM_SEED = 20241118
_HEADINGS = ("project", "function", "tests", "selected", "by", "verdict", "verdict ms", "cold s", "ratio")


@dataclass(frozen=True, slots=True)
class Cold:
    """The whole suite by plain pytest."""

    tests: int
    seconds: float


@dataclass(frozen=True, slots=True)
class Measured:
    """The verdict on an edit of one function."""

    function: str
    selected: int
    selection: str
    level: str
    seconds: float
    """The median of several."""


@dataclass(frozen=True, slots=True)
class _Function:
    path: str
    name: str
    line: int
    """Of the first statement of its body."""
    indent: int

    def edited(self, text: str) -> str:
        lines = text.split("\n")
        return "\n".join([*lines[: self.line - 1], " " * self.indent + "pass", *lines[self.line - 1 :]])


def run(options: Options) -> str:
    """Measure project by project; returns the table."""
    rows: list[Sequence[Cell]] = []
    notes: list[str] = []
    for project in corpus.projects(options.projects or _PROJECTS):
        ready = corpus.prepare(project, options.cache)
        results = Results(NAME, Measured, options, product_version())
        with ready.lease():
            cold = _cold(ready, options)
            keys = [f"{project.name} {number}" for number in range(3 if options.quick else _FUNCTIONS)]
            if results.missing(keys):
                _measure(ready, keys, results)
        if cold is not None:
            rows += _rows(project.name, cold, results.of(keys))
        notes.append(results.note(keys))
        progress(table(_HEADINGS, rows))
    return f"{table(_HEADINGS, rows)}\n\n{'; '.join(notes)}"


def _cold(ready: corpus.Ready, options: Options) -> Cold | None:
    def measure() -> Cold:
        runs = [plain.run(ready.python, ready.renew()) for _ in range(1 if options.quick else 2)]
        return Cold(len(runs[-1].outcomes), min(run.seconds for run in runs))

    return Results(f"{NAME}-cold", Cold, options, ready.folder.name).get(ready.project.name, measure)


def _measure(ready: corpus.Ready, keys: Sequence[str], results: Results[Measured]) -> None:
    root = ready.renew()
    with product.environment(ready.python) as variables:
        project = product.open_project(root, variables)
        try:
            snapshot = project.snapshot()
            ran = project.run_tests(snapshot).functions
            functions = [
                function
                for function in _functions(ready)
                if ran.tests_running(function.path, frozenset(_first_lines(root / function.path, function)))
            ]
            random.Random(_RANDOM_SEED).shuffle(functions)  # noqa: S311 - drawing lots, not keys
            for key, function in zip(keys, functions, strict=False):
                results.get(key, lambda function=function: _verdicts(project, snapshot, function))
        finally:
            project.close()


def _verdicts(project: Project, snapshot: Snapshot, function: _Function) -> Measured:
    before = Source((snapshot.root / function.path).read_text(encoding="utf-8"))
    candidate = Candidate((FileChange(function.path, before, Source(function.edited(before.text))),))
    verdicts = [project.prover.prove(snapshot, candidate, afresh=True, cancel=Cancel()) for _ in range(_RUNS)]
    seconds = median([verdict.seconds for verdict in verdicts]) or 0.0
    last = verdicts[-1]
    progress(f"{function.path}:{function.name}: {len(last.ran)} tests in {seconds:.2f} s")
    return Measured(
        f"{function.path}:{function.name}", len(last.ran), last.selection or "none", last.level.word, seconds
    )


def _functions(ready: corpus.Ready) -> Iterator[_Function]:
    for name in ready.project.modules:
        whole = ready.pristine / name
        for path in [whole] if whole.is_file() else sorted(whole.rglob("*.py")):
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                if isinstance(node, ast.FunctionDef) and node.body[0].lineno > node.lineno:
                    documented = ast.get_docstring(node) is not None
                    first = node.body[1 if documented and len(node.body) > 1 else 0]
                    if not isinstance(first, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
                        where = path.relative_to(ready.pristine).as_posix()
                        yield _Function(where, node.name, first.lineno, first.col_offset)


def _first_lines(path: Path, function: _Function) -> Iterator[int]:
    """The line by which the function is known: its own, or that of its first decorator."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.FunctionDef) and any(function.line == statement.lineno for statement in node.body[:2]):
            yield min([node.lineno, *(mark.lineno for mark in node.decorator_list)])


def _rows(project: str, cold: Cold, measured: Sequence[Measured]) -> list[Sequence[Cell]]:
    rows: list[Sequence[Cell]] = [
        (
            project,
            one.function,
            cold.tests,
            one.selected,
            one.selection,
            one.level,
            1000 * one.seconds,
            cold.seconds,
            cold.seconds / one.seconds,
        )
        for one in sorted(measured, key=lambda one: one.selected)
    ]
    ratios = [cold.seconds / one.seconds for one in measured]
    held = sum(ratio >= 20 for ratio in ratios)
    selected = median([float(one.selected) for one in measured])
    milliseconds = median([1000 * one.seconds for one in measured])
    summary = f"median of {len(measured)}; {held} of them 20 times or more"
    return [*rows, (project, summary, cold.tests, selected, "", "", milliseconds, cold.seconds, median(ratios))]
