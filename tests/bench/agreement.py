"""Whether verdicts say what a full cold run says, over edits of many kinds of projects with a bug.

Each edit (``edits``) is proved as a user's would be, by the tests that the product chooses itself; and the whole suite
is run by plain ``python -m pytest`` with the edit written to disk. Three such runs without it tell which tests always
pass, and which always fail.

- *false favour*: the verdict is ``passes`` or ``fixes``, and a test that always passed does not pass in the cold run,
  or one that it counts as fixed does not. Two further cold runs tell what failed by chance, which is told apart.
- *false rejection*: the edit was rejected, and the cold run breaks nothing. What ``names`` and ``lint`` object to is
  wrong whatever tests say, and counted beside.

``parses`` and ``unchecked`` claim nothing, either way.
"""

import contextlib
import math
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from pennyproof.core.snapshots import Snapshot
from pennyproof.core.verdicts import Gate, Level
from pennyproof.core.work import Cancel, Deadline, Silent
from pennyproof.proof.prover import ProofOptions, Prover
from tests.bench import Options, corpus, plain, product, seeds, verdict
from tests.bench.edits import Edit, Maker
from tests.bench.results import Results, product_version, progress
from tests.bench.tables import Cell, median, table

NAME = "agreement"
ABOUT = "verdicts against full cold runs"

_PROJECTS = ("parse", "toolz", "sqlparse", "humanize", "boltons", "uncertainties")
"""Measured where no project is named: those with the quickest suites."""
_WANTED, _FEW = 55, 8
_RUNS = 3
"""Cold runs without an edit, and of an edit about which there is disagreement."""
_HEADINGS = ("project", "edits", "fixes", "passes", "parses", "rejected", "false favour", "by chance",
             "false rejection", "by names, lint", "verdict ms", "cold ms", "× faster")  # fmt: skip


@dataclass(frozen=True, slots=True)
class Before:
    """What the tests do without an edit, in several cold runs."""

    passing: tuple[str, ...]
    """In all of them."""
    failing: tuple[str, ...]
    cpu_seconds: float


@dataclass(frozen=True, slots=True)
class Cold:
    """What a full cold run says of an edit."""

    lost: tuple[str, ...]
    """Tests that always passed without it and do not now."""
    mended: tuple[str, ...]
    """Tests that always failed without it and pass now."""
    finished: bool
    seconds: float


@dataclass(frozen=True, slots=True)
class Told:
    """What the product says of an edit."""

    level: str
    gate: str
    reason: str
    fixed: tuple[str, ...]
    ran: int
    selection: str
    route: str
    seconds: float

    @property
    def favourable(self) -> bool:
        return self.level in (Level.PASSES.word, Level.FIXES.word)

    @property
    def rejected(self) -> bool:
        return self.level == Level.REJECTED.word


@dataclass(frozen=True, slots=True)
class Compared:
    """One edit, and both answers."""

    project: str
    kind: str
    digest: str
    told: Told
    cold: Cold
    chance: bool = False
    """Whether what speaks against a favourable verdict does not do so in every cold run."""

    @property
    def against(self) -> tuple[str, ...]:
        """The tests by which a favourable verdict would be false."""
        return _against(self.told, self.cold)

    @property
    def false_favour(self) -> bool:
        return bool(self.against) and not self.chance

    @property
    def false_rejection(self) -> bool:
        return self.told.rejected and self.cold.finished and not self.cold.lost

    @property
    def by_text(self) -> bool:
        """Whether what rejected it needs no run."""
        return self.told.gate in (Gate.NAMES, Gate.LINT)


def run(options: Options) -> str:
    """Compare project by project; returns the table, and every disagreement."""
    deadline = Deadline(options.seconds)
    told = Results(NAME, Told, options, product_version())
    compared: list[Compared] = []
    asked: list[str] = []
    for project in corpus.projects(options.projects or _PROJECTS):
        ready = corpus.prepare(project, options.cache)
        with ready.lease():
            case = Case(ready, verdict.seeded_case(ready).seed, options, deadline)
            edits = case.ask(told, _FEW if options.quick else _WANTED)
            asked += [case.key(edit) for edit in edits]
            compared += case.compare(edits, told)
        progress(table(_HEADINGS, [_row(project.name, [one for one in compared if one.project == project.name])]))
    rows = [_row(name, [one for one in compared if one.project == name]) for name in _names(compared)]
    rows.append(_row("**all**", compared))
    return "\n\n".join([table(_HEADINGS, rows), _kinds(compared), disagreements(compared), told.note(asked)])


@dataclass(frozen=True, slots=True)
class Case:
    """A project with a bug."""

    ready: corpus.Ready
    seed: seeds.Seed
    options: Options
    deadline: Deadline

    def key(self, edit: Edit) -> str:
        """Names an edit of this project with this bug."""
        return f"{self.ready.folder.name} {self.seed.path}:{self.seed.line} {edit.digest}"

    def ask(self, told: Results[Told], wanted: int) -> list[Edit]:
        """Make edits, and have the product prove them, as far as there is time."""
        root = self._with_bug()
        with contextlib.ExitStack() as stack:
            variables = stack.enter_context(product.environment(self.ready.python))
            prover = stack.enter_context(
                contextlib.closing(
                    Prover(root, ProofOptions(python=str(self.ready.python)), Path(variables["PENNYPROOF_HOME"]))
                )
            )
            snapshot = Snapshot(root)
            baseline = prover.baseline(snapshot, cancel=Cancel(), progress=Silent())
            failing = {test.id for test in baseline.failing}
            targets = [test for test in self.seed.failing if test in failing]
            edits = Maker(self.ready, self.seed).edits(prover, snapshot, targets, wanted)
            progress(f"{self.ready.project.name}: {dict(Counter(edit.kind for edit in edits))}")
            for edit in edits:
                told.get(self.key(edit), partial(_prove, prover, snapshot, edit, targets))
        return edits

    def compare(self, edits: Sequence[Edit], told: Results[Told]) -> list[Compared]:
        """Run the whole suite on edits that have a verdict, as far as there is time."""
        version, options = self.ready.folder.name, replace(self.options, seconds=self.deadline.left)
        before = Results(f"{NAME}-before", Before, options, version).get(str(self.seed), self._before)
        cold = Results(f"{NAME}-cold", Cold, options, version)
        again = Results(f"{NAME}-again", Cold, options, version)
        compared: list[Compared] = []
        for number, edit in enumerate(edits if before else (), 1):
            key = self.key(edit)
            said = next(iter(told.of([key])), None)
            ran = cold.get(key, partial(self._cold, edit, before)) if before and said else None
            if before is None or said is None or ran is None:
                continue
            against = set(_against(said, ran))
            for further in range(1, _RUNS if against else 1):
                once_more = again.get(f"{key} {further}", partial(self._cold, edit, before))
                against &= set(_against(said, once_more)) if once_more else against
            chance = not against and bool(_against(said, ran))
            compared.append(Compared(self.ready.project.name, edit.kind, edit.digest, said, ran, chance))
            progress(
                f"{number}/{len(edits)} {edit.kind}: {said.level}; cold: {len(ran.lost)} lost, {ran.seconds:.1f} s"
            )
        return compared

    def _with_bug(self) -> Path:
        root = self.ready.renew()
        product.git_apply(root, self.seed.diff)
        return root

    def _before(self) -> Before:
        runs = [plain.run(self.ready.python, self._with_bug()) for _ in range(_RUNS)]
        return Before(
            tuple(sorted(frozenset.intersection(*(run.passing for run in runs)))),
            tuple(sorted(frozenset.intersection(*(run.failing for run in runs)))),
            max(run.cpu_seconds for run in runs),
        )

    def _cold(self, edit: Edit, before: Before) -> Cold:
        root = self._with_bug()
        for path, text in edit.files.items():
            (root / path).write_text(text, encoding="utf-8")
        run = plain.run(self.ready.python, root, cpu_limit=math.ceil(3 * before.cpu_seconds + 10))
        return Cold(
            tuple(sorted(set(before.passing) - run.passing)),
            tuple(sorted(set(before.failing) & run.passing)),
            run.finished,
            run.seconds,
        )


def _prove(prover: Prover, snapshot: Snapshot, edit: Edit, targets: Sequence[str]) -> Told:
    started = time.perf_counter()
    verdict = prover.prove(snapshot, edit.candidate(snapshot), targets=targets, cancel=Cancel())
    return Told(
        level=verdict.level.word,
        gate=verdict.gate or "",
        reason=verdict.reason or "",
        fixed=verdict.fixed,
        ran=len(verdict.ran),
        selection=verdict.selection or "",
        route=verdict.route or "",
        seconds=time.perf_counter() - started,
    )


def _against(told: Told, cold: Cold) -> tuple[str, ...]:
    if not told.favourable:
        return ()
    return tuple(sorted({*cold.lost, *(set(told.fixed) - set(cold.mended))}))


def _names(compared: Sequence[Compared]) -> list[str]:
    return list(dict.fromkeys(one.project for one in compared))


def _row(name: str, compared: Sequence[Compared]) -> Sequence[Cell]:
    levels = Counter(one.told.level for one in compared)
    rejections = [one for one in compared if one.false_rejection]
    warm = median([1000 * one.told.seconds for one in compared])
    cold = median([1000 * one.cold.seconds for one in compared])
    return (
        name,
        len(compared),
        *(levels[level.word] for level in (Level.FIXES, Level.PASSES, Level.PARSES, Level.REJECTED)),
        sum(one.false_favour for one in compared),
        sum(one.chance for one in compared),
        sum(not one.by_text for one in rejections),
        sum(one.by_text for one in rejections),
        *(warm, cold),
        cold / warm if warm and cold else None,
    )


def _kinds(compared: Sequence[Compared]) -> str:
    rows = [
        (kind, len(group), sum(one.told.favourable for one in group), sum(not one.cold.lost for one in group))
        for kind in dict.fromkeys(one.kind for one in compared)
        for group in [[one for one in compared if one.kind == kind]]
    ]
    return table(("kind of edit", "edits", "passes or fixes", "breaks nothing cold"), rows)


def disagreements(compared: Sequence[Compared]) -> str:
    """Every edit on which the answers differ, and by which tests."""
    lines: list[str] = []
    for one in compared:
        where = f"- {one.project} {one.digest} ({one.kind}), {one.told.level} by {one.told.selection or one.told.gate}"
        if one.against:
            what = "by chance" if one.chance else "FALSE FAVOUR"
            lines.append(f"{where}: {what}: {len(one.against)} tests, {', '.join(one.against[:3])}")
        elif one.false_rejection:
            lines.append(f"{where}: the cold run breaks nothing: {one.told.reason}")
    return "\n".join(["Disagreements:", *(lines or ["- none"])])
