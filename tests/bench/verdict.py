"""How long an edit waits for its verdict, against running the same tests by ``python -m pytest``; and candidates a
second.

The candidate is the code without one of the bugs of ``seeds.json``, with a comment on the mended line that makes it a
new text every time. It goes through all gates, in a fresh process, as for any offer: once with the one test that
decides it, once with all tests that run the changed lines. Both *after a pause*, as between two key strokes, and
*back to back*, as in a search. The cold run has a copy of its own in which the text was just written, with
bytecode caches as usual. All ways take turns, so that they meet the same machine.
"""

import ast
import itertools
import shutil
import subprocess
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from pennyproof.assist.project import Project
from pennyproof.core.candidates import Candidate, FileChange
from pennyproof.core.problems import Problem
from pennyproof.core.snapshots import Snapshot
from pennyproof.core.sources import Source
from pennyproof.core.verdicts import Level, Verdict
from pennyproof.core.work import Cancel, Deadline, Silent
from pennyproof.tiers.free.repair import FreeTier
from tests.bench import Options, corpus, product, seeds
from tests.bench.results import progress
from tests.bench.tables import Cell, median, table

NAME = "verdict"
ABOUT = "candidate → verdict, warm, against cold pytest"

_BUGS = {
    "boltons": ("boltons/iterutils.py", 650),
    "click": ("src/click/core.py", 3458),
    "toolz": ("toolz/functoolz.py", 255),
    "uncertainties": ("uncertainties/formatting.py", 999),
    "sqlparse": ("sqlparse/engine/statement_splitter.py", 121),
    "humanize": ("src/humanize/filesize.py", 87),
    "parse": ("parse.py", 372),
}
"""By project the bug whose lines are run by a typical number of tests: the median of its bugs."""
_PROJECTS = ("boltons", "click", "toolz")
"""Measured where no project is named. Suites that take longer make the whole take more than a few minutes."""
_ROUNDS = 15
_BURST = 3
"""Candidates back to back; the first of them finds the worker rested, so it is not counted."""
_PAUSE = 0.3
"""Seconds between two key strokes that are not part of one word."""
_CANDIDATES = 200
_SCREEN_SECONDS = 10.0
_HEADINGS = ("project", "tests", "cold ms", "after a pause ms", "× faster", "back to back ms", "× faster",
             "candidates/s", "tried")  # fmt: skip


@dataclass(frozen=True, slots=True)
class Case:
    """A project with a bug in it."""

    ready: corpus.Ready
    seed: seeds.Seed
    numbers: Iterator[int] = field(default_factory=itertools.count)

    @property
    def cold(self) -> Path:
        """A copy for the cold runs."""
        return self.ready.folder / "cold"

    @property
    def test(self) -> str:
        return self.seed.failing[0]

    def text(self) -> str:
        """The code without the bug; every time another text."""
        lines = (self.ready.pristine / self.seed.path).read_text(encoding="utf-8").split("\n")
        lines[self.seed.line - 1] += f"  # attempt {next(self.numbers)}"
        return "\n".join(lines)

    def check(self) -> None:
        """See to it that the mended line ends where a comment can stand."""
        text = (self.ready.pristine / self.seed.path).read_text(encoding="utf-8")
        if ast.dump(ast.parse(self.text())) != ast.dump(ast.parse(text)):
            raise RuntimeError(f"{self.seed.path}:{self.seed.line} does not end where a comment can stand")


@dataclass(slots=True)
class Times:
    """Milliseconds of each way to learn what the same tests say."""

    cold: list[float] = field(default_factory=list)
    paused: list[float] = field(default_factory=list)
    burst: list[float] = field(default_factory=list)

    def cells(self) -> tuple[float | None, ...]:
        cold, paused, burst = (median(times) for times in (self.cold, self.paused, self.burst))
        return cold, paused, _ratio(cold, paused), burst, _ratio(cold, burst)


def run(options: Options) -> str:
    """Measure project by project; returns the table."""
    rounds = 5 if options.quick else _ROUNDS
    rows: list[Sequence[Cell]] = []
    for project in corpus.projects(options.projects or _PROJECTS):
        case = seeded_case(corpus.prepare(project, options.cache))
        shutil.rmtree(case.cold, ignore_errors=True)
        shutil.copytree(case.ready.pristine, case.cold, symlinks=True)
        with case.ready.lease():
            found = _measure(case, rounds)
        progress(table(_HEADINGS, found))
        rows += found
    return (
        f"Medians of {rounds} (back to back: of {rounds * (_BURST - 1)}), in turns; a pause is {_PAUSE} s; "
        f"candidates a second through the screen, on all cores.\n\n{table(_HEADINGS, rows)}"
    )


def seeded_case(ready: corpus.Ready) -> Case:
    """A project with the bug that was chosen for it.

    Raises:
        Unavailable: None was.
    """
    name = ready.project.name
    if name not in _BUGS:
        raise corpus.Unavailable(f"there is no bug chosen for {name}; there is for {', '.join(_BUGS)}")
    (seed,) = (seed for seed in seeds.read()[name].seeds if (seed.path, seed.line) == _BUGS[name])
    return Case(ready, seed)


def _measure(case: Case, rounds: int) -> list[Sequence[Cell]]:
    case.check()
    root = case.ready.renew()
    product.git_apply(root, case.seed.diff)
    with product.environment(case.ready.python) as variables:
        project = product.open_project(root, variables)
        try:
            snapshot = project.snapshot()
            project.run_tests(snapshot)
            running = prove(case, project, snapshot, None, case.text()).ran
            one, those_that_run = Times(), Times()
            for tests, asked in (([case.test], [case.test]), (running, None)):
                _cold(case, tests, variables)
                _warm(case, project, snapshot, asked)
            for _ in range(rounds):
                _round(case, project, snapshot, variables, [case.test], [case.test], one)
                _round(case, project, snapshot, variables, running, None, those_that_run)
            rate, tried = _screen(case, project, snapshot)
        finally:
            project.close()
    name = case.ready.project.name
    return [
        (name, "1", *one.cells(), rate, tried),
        (name, f"{len(running)}, all that run the lines", *those_that_run.cells(), None, None),
    ]


def _round(
    case: Case,
    project: Project,
    snapshot: Snapshot,
    variables: dict[str, str],
    tests: Sequence[str],
    asked: Sequence[str] | None,
    times: Times,
) -> None:
    times.cold.append(_cold(case, tests, variables))
    time.sleep(_PAUSE)
    times.paused.append(_warm(case, project, snapshot, asked))
    times.burst += [_warm(case, project, snapshot, asked) for _ in range(_BURST)][1:]


def _warm(case: Case, project: Project, snapshot: Snapshot, asked: Sequence[str] | None) -> float:
    """Milliseconds from a candidate's text to its verdict."""
    text = case.text()
    started = time.perf_counter()
    verdict = prove(case, project, snapshot, asked, text)
    milliseconds = 1000 * (time.perf_counter() - started)
    if verdict.level is not Level.FIXES:
        raise RuntimeError(f"{case.ready.project.name}: the right edit was not held for right: {verdict}")
    return milliseconds


def prove(case: Case, project: Project, snapshot: Snapshot, asked: Sequence[str] | None, text: str) -> Verdict:
    """The verdict by the tests asked for, else by those that run the changed lines."""
    candidate = Candidate((FileChange(case.seed.path, snapshot.read(case.seed.path), Source(text)),))
    targets = asked or case.seed.failing
    return project.prover.prove(snapshot, candidate, targets=targets, test_ids=asked, cancel=Cancel())


def _cold(case: Case, tests: Sequence[str], variables: dict[str, str]) -> float:
    """Milliseconds of ``python -m pytest`` with the candidate's text written to the copy."""
    text = case.text()
    started = time.perf_counter()
    (case.cold / case.seed.path).write_text(text, encoding="utf-8")
    modules = case.cold / case.ready.project.modules[0]
    subprocess.run(
        [str(case.ready.python), "-m", "pytest", "-q", *tests],
        cwd=case.cold,
        env={"PATH": variables["PATH"], "HOME": variables["HOME"], "PYTHONPATH": str(modules.parent)},
        check=True,
        stdout=subprocess.DEVNULL,
    )
    return 1000 * (time.perf_counter() - started)


def _screen(case: Case, project: Project, snapshot: Snapshot) -> tuple[float | None, int]:
    """Candidates of the free tier a second through the screen, and how many there were."""
    cancel, prover = Cancel(), project.prover
    baseline = prover.baseline(snapshot, test_ids=[case.test], cancel=cancel, progress=Silent())
    coverage = prover.coverage(snapshot, [case.test], cancel=cancel)
    problem = Problem(snapshot, baseline.failing, baseline, coverage)
    candidates = list(itertools.islice(FreeTier().propose(problem, cancel=cancel), _CANDIDATES))
    started = time.perf_counter()
    screened = list(
        prover.screen(snapshot, iter(candidates), [case.test], cancel=cancel, deadline=Deadline(_SCREEN_SECONDS))
    )
    seconds = time.perf_counter() - started
    return (len(screened) / seconds if screened else None), len(screened)


def _ratio(cold: float | None, warm: float | None) -> float | None:
    return cold / warm if cold and warm else None
