"""How long an edit waits for its verdict, against ``python -m pytest`` on the same test; and candidates a second.

The code has one of the bugs of ``seeds.json``. Three edits of it are judged by one quick test that the bug fails, each
with a comment that makes it a new text every time, each through all gates, after a pause as between two key strokes:

- *whole run*: the right edit, by a run from its beginning, as when nothing had been tried before.
- *re-imported*: the same by a run that had been begun, and waited where it first looks at the edited file.
- *body only*: an edit of the function's body that mends nothing, judged where the unchanged project stands.
- *confirmed*: the right edit by both, one after the other, which is what it takes in use.

The cold run has a copy of its own in which the text was just written, with bytecode caches as usual. All ways take
turns, so that they meet the same machine.
"""

import ast
import contextlib
import itertools
import shutil
import subprocess
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from pennyproof.assist.project import Project
from pennyproof.core.candidates import Candidate, FileChange
from pennyproof.core.problems import Problem
from pennyproof.core.snapshots import Snapshot
from pennyproof.core.sources import Source
from pennyproof.core.verdicts import Level, Verdict
from pennyproof.core.work import Cancel, Deadline, Silent
from pennyproof.proof.prover import ProofOptions, Prover
from pennyproof.tiers.free.repair import FreeTier
from tests.bench import Options, corpus, product, seeds
from tests.bench.results import progress
from tests.bench.tables import Cell, median, quantile, table

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
    "formulaic": ("formulaic/parser/utils.py", 224),
}
"""By project the bug whose lines are run by a typical number of tests: the median of its bugs."""
_ROUNDS = 15
_WARMING = 6
"""Verdicts before those that count: the second on the same state of a project makes what edits are tried in."""
_PAUSE = 0.3
"""Seconds between two key strokes that are not part of one word."""
_CANDIDATES = 300
_SCREEN_SECONDS = 10.0
_HEADINGS = ("project", "test ms", "cold ms", "whole run ms", "re-imported ms", "p95", "× faster", "body only ms",
             "p95", "× faster", "confirmed ms", "candidates/s", "tried")  # fmt: skip


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

    def text(self, *, mended: bool = True) -> str:
        """The code without the bug (or with it); every time another text."""
        tree = self.ready.pristine if mended else self.ready.tree
        lines = (tree / self.seed.path).read_text(encoding="utf-8").split("\n")
        lines[self.seed.line - 1] += f"  # attempt {next(self.numbers)}"
        return "\n".join(lines)

    def check(self) -> None:
        """See to it that the mended line ends where a comment can stand."""
        text = (self.ready.pristine / self.seed.path).read_text(encoding="utf-8")
        if ast.dump(ast.parse(self.text())) != ast.dump(ast.parse(text)):
            raise RuntimeError(f"{self.seed.path}:{self.seed.line} does not end where a comment can stand")


@dataclass(slots=True)
class Times:
    """Milliseconds of each way to learn what the test says."""

    cold: list[float] = field(default_factory=list)
    whole: list[float] = field(default_factory=list)
    imported: list[float] = field(default_factory=list)
    patched: list[float] = field(default_factory=list)
    confirmed: list[float] = field(default_factory=list)

    def cells(self) -> tuple[float | None, ...]:
        medians = map(median, (self.cold, self.whole, self.imported, self.patched, self.confirmed))
        cold, whole, imported, patched, confirmed = medians
        return (
            cold,
            whole,
            *(imported, quantile(self.imported, 0.95), _ratio(cold, imported)),
            *(patched, quantile(self.patched, 0.95), _ratio(cold, patched)),
            confirmed,
        )


def run(options: Options) -> str:
    """Measure project by project; returns the table."""
    rounds = 5 if options.quick else _ROUNDS
    rows: list[Sequence[Cell]] = []
    for project in corpus.projects(options.projects or _BUGS):
        case = seeded_case(corpus.prepare(project, options.cache))
        shutil.rmtree(case.cold, ignore_errors=True)
        shutil.copytree(case.ready.pristine, case.cold, symlinks=True)
        with case.ready.lease():
            rows.append(_measure(case, rounds))
        progress(table(_HEADINGS, rows[-1:]))
    return (
        f"Medians of {rounds}, in turns, each after a pause of {_PAUSE} s; "
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


def _measure(case: Case, rounds: int) -> Sequence[Cell]:
    case.check()
    root = case.ready.renew()
    product.git_apply(root, case.seed.diff)
    options = ProofOptions(python=str(case.ready.python))
    times, snapshot = Times(), Snapshot(root)
    with contextlib.ExitStack() as stack:
        variables = stack.enter_context(product.environment(case.ready.python))
        state = Path(variables["PENNYPROOF_HOME"])
        running, waiting, trying = (
            stack.enter_context(contextlib.closing(Prover(root, replace(options, **ways), state)))
            for ways in ({"patching": False, "waiting": False}, {"patching": False}, {})
        )
        baseline = trying.baseline(snapshot, cancel=Cancel(), progress=Silent())
        test = min(case.seed.failing, key=lambda test: baseline.outcomes[test].seconds)
        for number in range(-_WARMING, rounds):
            if number == 0:
                times = Times()
            times.cold.append(_cold(case, test, variables))
            times.whole.append(_warm(case, running, snapshot, test))
            times.imported.append(_warm(case, waiting, snapshot, test))
            times.patched.append(_warm(case, trying, snapshot, test, mended=False))
            times.confirmed.append(_warm(case, trying, snapshot, test))
        rate, tried = _screen(test, trying, snapshot)
    return case.ready.project.name, 1000 * baseline.outcomes[test].seconds, *times.cells(), rate, tried


def _warm(case: Case, prover: Prover, snapshot: Snapshot, test: str, *, mended: bool = True) -> float:
    """Milliseconds from a candidate's text to its verdict."""
    time.sleep(_PAUSE)
    text = case.text(mended=mended)
    started = time.perf_counter()
    candidate = Candidate((FileChange(case.seed.path, snapshot.read(case.seed.path), Source(text)),))
    verdict = prover.prove(snapshot, candidate, targets=[test], test_ids=[test], cancel=Cancel())
    milliseconds = 1000 * (time.perf_counter() - started)
    if (verdict.level is Level.FIXES) != mended:
        raise RuntimeError(f"{case.ready.project.name}: the verdict is wrong: {verdict}")
    return milliseconds


def prove(case: Case, project: Project, snapshot: Snapshot, asked: Sequence[str] | None, text: str) -> Verdict:
    """The verdict by the tests asked for, else by those that run the changed lines."""
    candidate = Candidate((FileChange(case.seed.path, snapshot.read(case.seed.path), Source(text)),))
    targets = asked or case.seed.failing
    return project.prover.prove(snapshot, candidate, targets=targets, test_ids=asked, cancel=Cancel())


def _cold(case: Case, test: str, variables: dict[str, str]) -> float:
    """Milliseconds of ``python -m pytest`` with the candidate's text written to the copy."""
    text = case.text()
    started = time.perf_counter()
    (case.cold / case.seed.path).write_text(text, encoding="utf-8")
    modules = case.cold / case.ready.project.modules[0]
    subprocess.run(
        [str(case.ready.python), "-m", "pytest", "-q", test],
        cwd=case.cold,
        env={"PATH": variables["PATH"], "HOME": variables["HOME"], "PYTHONPATH": str(modules.parent)},
        check=True,
        stdout=subprocess.DEVNULL,
    )
    return 1000 * (time.perf_counter() - started)


def _screen(test: str, prover: Prover, snapshot: Snapshot) -> tuple[float | None, int]:
    """Candidates of the free tier a second through the screen, and how many there were."""
    cancel = Cancel()
    baseline = prover.baseline(snapshot, test_ids=[test], cancel=cancel, progress=Silent())
    coverage = prover.coverage(snapshot, [test], cancel=cancel)
    problem = Problem(snapshot, baseline.failing, baseline, coverage)
    candidates = list(itertools.islice(FreeTier().propose(problem, cancel=cancel), _CANDIDATES))
    started = time.perf_counter()
    screened = list(
        prover.screen(snapshot, iter(candidates), [test], cancel=cancel, deadline=Deadline(_SCREEN_SECONDS))
    )
    seconds = time.perf_counter() - started
    return (len(screened) / seconds if screened else None), len(screened)


def _ratio(cold: float | None, warm: float | None) -> float | None:
    return cold / warm if cold and warm else None
