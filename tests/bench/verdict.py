"""How long an edit waits for its verdict, against running its deciding test by ``python -m pytest``; and candidates a
second.

The bug is one of ``seeds.json`` that a single test catches, the candidate is the code without it. Both sides get
the same candidate text, a new one in every round, in turns: the warm prover through all its gates in a fresh
process, as for any offer; the cold run in a copy of its own in which the text was just written, with bytecode
caches as usual.
"""

import itertools
import shutil
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path

from pennyproof.assist.project import Project
from pennyproof.core.candidates import Candidate, FileChange
from pennyproof.core.problems import Problem
from pennyproof.core.snapshots import Snapshot
from pennyproof.core.sources import Source
from pennyproof.core.verdicts import Level
from pennyproof.core.work import Cancel, Deadline, Silent
from pennyproof.tiers.free.repair import FreeTier
from tests.bench import Options, corpus, product, seeds
from tests.bench.tables import median, table

NAME = "verdict"
ABOUT = "candidate → verdict, warm, against cold pytest"

_PROJECTS = ("boltons", "click", "sqlparse", "uncertainties")
_CANDIDATES = 400
_SCREEN_SECONDS = 20.0


@dataclass(frozen=True, slots=True)
class Case:
    """A project with a bug in it, and the test that catches it."""

    ready: corpus.Ready
    seed: seeds.Seed
    cold: Path
    """A copy for the cold runs."""

    @property
    def test(self) -> str:
        return self.seed.failing[0]

    def candidate(self, snapshot: Snapshot, number: int) -> Candidate:
        """The code without the bug; each number gives another text."""
        after = Source(self.text(number))
        return Candidate((FileChange(self.seed.path, snapshot.read(self.seed.path), after),))

    def text(self, number: int) -> str:
        return (self.ready.pristine / self.seed.path).read_text(encoding="utf-8") + f"\n# attempt {number}\n"


def run(options: Options) -> str:
    """Measure project by project; returns the table."""
    rounds = 5 if options.quick else 21
    seeded = seeds.read()
    rows = []
    for project in corpus.projects(options.projects or _PROJECTS):
        ready = corpus.prepare(project, options.cache)
        seed = min(seeded[project.name].seeds, key=lambda seed: len(seed.failing))
        cold_copy = ready.folder / "cold"
        shutil.rmtree(cold_copy, ignore_errors=True)
        shutil.copytree(ready.pristine, cold_copy, symlinks=True)
        with ready.lease():
            rows.append(_measure(Case(ready, seed, cold_copy), rounds))
    headings = ("project", "deciding test", "cold ms", "verdict ms", "× faster", "candidates/s", "tried")
    return f"Medians of {rounds}, in turns; candidates a second through the screen, on all cores.\n\n" + table(
        headings, rows
    )


def _measure(case: Case, rounds: int) -> tuple[str, str, float | None, float | None, float | None, float | None, int]:
    root = case.ready.renew()
    product.git_apply(root, case.seed.diff)
    with product.environment(case.ready.python) as variables:
        project = product.open_project(root, variables)
        try:
            snapshot = project.snapshot()
            project.run_tests(snapshot, [case.test])
            _warm(case, project, snapshot, 0)
            _cold(case, 0, variables)
            colds, warms = [], []
            for number in range(1, rounds + 1):
                colds.append(_cold(case, number, variables))
                warms.append(_warm(case, project, snapshot, number))
            rate, tried = _screen(case, project, snapshot)
        finally:
            project.close()
    ratio = median([cold / warm for cold, warm in zip(colds, warms, strict=True)])
    return case.ready.project.name, case.test, median(colds), median(warms), ratio, rate, tried


def _warm(case: Case, project: Project, snapshot: Snapshot, number: int) -> float:
    """Milliseconds from a candidate's text to its verdict."""
    started = time.perf_counter()
    candidate = case.candidate(snapshot, number)
    verdict = project.prover.prove(snapshot, candidate, targets=[case.test], test_ids=[case.test], cancel=Cancel())
    seconds = time.perf_counter() - started
    if verdict.level is not Level.FIXES:
        raise RuntimeError(f"{case.ready.project.name}: the right edit was not held for right: {verdict}")
    return 1000 * seconds


def _cold(case: Case, number: int, variables: dict[str, str]) -> float:
    """Milliseconds of ``python -m pytest`` with the candidate's text written to the copy."""
    started = time.perf_counter()
    (case.cold / case.seed.path).write_text(case.text(number), encoding="utf-8")
    modules = case.cold / case.ready.project.modules[0]
    subprocess.run(
        [str(case.ready.python), "-m", "pytest", "-q", case.test],
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
