"""Which tests are chosen for an edit, against all that full cold runs show to notice it.

The edits are those of ``mutants``: in functions, in constants outside of them, in fixtures and tables of tests. Five
ways choose:

- *map*: the tests for a candidate;
- *baseline*: those that run again when the edit is made in a buffer, as for the next baseline;
- *imports*: those whose files import the changed one, as for a diff before any run;
- *testmon*: what pytest-testmon would run, by its database;
- *contexts*: those that ran a changed line, by coverage.py's contexts; all where one ran at import.

*recall*: of the tests that notice, how many are chosen; where one is not, a second full run tells those that failed by
chance, which then count for no way. *precision*: of the tests chosen, how many notice. Where a way
says that it takes the whole suite, all are chosen; how often it does is told. The time is that of the question alone,
processor time, for text that was not seen before; what others take to start says nothing, and is left out.
"""

import hashlib
import time
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from pennyproof.core.candidates import FileChange
from pennyproof.core.snapshots import Snapshot
from pennyproof.core.sources import Source
from pennyproof.proof import collecting
from pennyproof.proof.basis import Basis, file_of, rests_on
from pennyproof.proof.edits import Edits
from pennyproof.proof.imports import Scans
from pennyproof.proof.mapping import SuiteMap
from pennyproof.proof.records import Recorded, Records
from tests.bench import Options, corpus, mutants, others, plain, product
from tests.bench.mutants import Mutant
from tests.bench.results import Results, product_version, progress
from tests.bench.tables import Cell, median, percent, quantile, table

NAME = "selection"
ABOUT = "tests chosen for an edit, against full cold runs"

_PROJECTS = ("boltons", "sqlparse")
"""Measured where no project is named."""
_OTHERS = ("testmon", "contexts")
_HEADINGS = ("project", "edit of", "way", "mutants", "noticed", "whole suite", "recall", "missed", "precision",
             "chosen of all %", "ms", "p95 ms")  # fmt: skip


@dataclass(frozen=True, slots=True)
class Choice:
    """What one way chose for one mutant."""

    project: str
    kind: str
    way: str
    path: str
    line: int
    whole: bool
    """It said that it takes the whole suite."""
    chosen: int
    of: int
    failing: int
    found: int
    """Tests that notice, among those chosen."""
    missed: tuple[str, ...]
    chance: tuple[str, ...]
    """Those that were not chosen either, and passed in a second full run."""
    alone: tuple[str, ...]
    """Those of the missed ones that notice it, too, when they run by themselves: the others need what ran before."""
    milliseconds: float


@dataclass(frozen=True, slots=True)
class Choices:
    """What several ways chose for one mutant."""

    choices: tuple[Choice, ...]


Way = Callable[[Mutant], frozenset[str] | None]


def run(options: Options) -> str:
    """Measure project by project; returns the tables, and what was missed."""
    ours = Results(NAME, Choices, options, product_version())
    theirs = Results(f"{NAME}-others", Choices, options, "pytest-testmon 2.2.0, coverage 7.17.3")
    keys: list[str] = []
    for project in corpus.projects(options.projects or (_PROJECTS[1:] if options.quick else _PROJECTS)):
        ready = corpus.prepare(project, options.cache)
        with ready.lease():
            found = [mutant for mutant in mutants.mutants(ready, options, few=options.quick) if mutant.finished]
            keys += _measure(ready, found, options, ours, theirs)
        progress(_table([*ours.of(keys), *theirs.of(keys)]))
    measured = [*ours.of(keys), *theirs.of(keys)]
    return f"{_table(measured)}\n\n{_misses(measured)}\n\n{ours.note(keys)}; {theirs.note(keys)}"


def _measure(
    ready: corpus.Ready,
    found: Sequence[Mutant],
    options: Options,
    ours: Results[Choices],
    theirs: Results[Choices],
) -> list[str]:
    """Have every way choose for every mutant; returns the keys of the results."""
    stable = mutants.stable(ready, options)
    keys = {mutant.key: mutant for mutant in found}
    if ours.missing(keys):
        recorded = _recorded(ready)
        if recorded.basis is not None:
            ways = _ways(Snapshot(ready.tree), recorded, recorded.basis)
            for way in ways.values():  # What is edited has been asked about before.
                for path in {mutant.path for mutant in found}:
                    way(Mutant("", "", path, 0, recorded.basis.sources[path] + "\n", (), True, 0.0))
            every = frozenset(recorded.baseline.outcomes)
            for key, mutant in keys.items():
                ours.get(key, lambda mutant=mutant: _choices(ready, mutant, ways, every, options))
    if stable and theirs.missing(keys) and not theirs.time_is_up:
        python = others.environment(ready)
        root = ready.renew()
        testmon = others.Testmon(python, root, ready.folder / "others/testmondata")
        contexts = others.Contexts(python, ready.renew(), ready.folder / "others/contexts.json")

        def by_testmon(mutant: Mutant) -> frozenset[str]:
            (ready.renew() / mutant.path).write_text(mutant.text, encoding="utf-8")
            return testmon.choose()

        def by_contexts(mutant: Mutant) -> frozenset[str] | None:
            before = (ready.pristine / mutant.path).read_text(encoding="utf-8")
            return contexts.choose(mutant.path, before, mutant.text)

        foreign: Mapping[str, Way] = {"testmon": by_testmon, "contexts": by_contexts}
        for key, mutant in keys.items():
            theirs.get(key, lambda mutant=mutant: _choices(ready, mutant, foreign, frozenset(stable.tests), options))
    return list(keys)


def _recorded(ready: corpus.Ready) -> Recorded:
    root = ready.renew()
    with product.environment(ready.python) as variables:
        project = product.open_project(root, variables)
        try:
            project.run_tests(project.snapshot())
        finally:
            project.close()
        recorded = Records(root, Path(variables["PENNYPROOF_HOME"])).latest("")
    if recorded is None or recorded.basis is None:
        raise corpus.Unavailable(f"nothing is known of the tests of {ready.project.name} after they have run")
    return recorded


def _ways(snapshot: Snapshot, recorded: Recorded, basis: Basis) -> Mapping[str, Way]:
    baseline, scans = recorded.baseline, Scans()
    known = list(baseline.outcomes)
    suite_map = SuiteMap(baseline, basis, scans.graph)

    def by_map(mutant: Mutant) -> frozenset[str] | None:
        change = FileChange(mutant.path, Source(basis.sources[mutant.path]), Source(mutant.text))
        choice = suite_map.choose([change])
        return None if choice is None else frozenset(choice.tests)

    def by_baseline(mutant: Mutant) -> frozenset[str] | None:
        contents = {**basis.contents, mutant.path: hashlib.sha256(mutant.text.encode()).digest()}
        affected = Edits(basis, contents, lambda _: mutant.text, scans.graph).affected(baseline, ())
        return None if affected is None else frozenset(test for test in known if test in affected)

    def by_imports(mutant: Mutant) -> frozenset[str] | None:
        files = collecting.test_files(basis.contents, lambda path: (snapshot.root / path).read_text("utf-8"), ())
        if files is None:
            return None
        sources = {path: basis.contents[path] for path in basis.sources}
        reached = scans.graph(sources, basis.sources.__getitem__).reaching([mutant.path])
        importing = {file for file in files if rests_on(file, reached)}
        return frozenset(test for test in known if file_of(test) in importing)

    return {"map": by_map, "baseline": by_baseline, "imports": by_imports}


def _choices(
    ready: corpus.Ready, mutant: Mutant, ways: Mapping[str, Way], every: frozenset[str], options: Options
) -> Choices:
    noticing = every.intersection(mutant.failing)
    answers: dict[str, tuple[frozenset[str] | None, float]] = {}
    for name, way in ways.items():
        started = time.thread_time()
        found = way(mutant)
        answers[name] = found, 1000 * (time.thread_time() - started)
    overlooked = any(found is not None and not noticing <= found for found, _ in answers.values())
    failing = noticing & mutants.confirmed(ready, mutant, options) if overlooked else noticing
    made: list[Choice] = []
    for name, (found, milliseconds) in answers.items():
        chosen = every if found is None else found
        missed = tuple(sorted(failing - chosen))
        made.append(
            Choice(
                project=ready.project.name,
                kind=mutant.kind,
                way=name,
                path=mutant.path,
                line=mutant.line,
                whole=found is None,
                chosen=len(chosen),
                of=len(every),
                failing=len(failing),
                found=len(failing & chosen),
                missed=missed,
                chance=tuple(sorted(noticing - chosen - failing)),
                alone=_noticing_alone(ready, mutant, missed) if missed and name not in _OTHERS else (),
                milliseconds=milliseconds,
            )
        )
    return Choices(tuple(made))


def _noticing_alone(ready: corpus.Ready, mutant: Mutant, tests: Sequence[str]) -> tuple[str, ...]:
    root = ready.renew()
    (root / mutant.path).write_text(mutant.text, encoding="utf-8")
    passing = plain.run(ready.python, root, arguments=tests).passing
    return tuple(test for test in tests if test not in passing)


def _table(measured: Sequence[Choices]) -> str:
    by_way: dict[tuple[str, str, str], list[Choice]] = defaultdict(list)
    for choices in measured:
        for choice in choices.choices:
            by_way[choice.project, choice.kind, choice.way].append(choice)
            by_way[choice.project, "all", choice.way].append(choice)
    return table(_HEADINGS, [_row(*group, choices) for group, choices in sorted(by_way.items())])


def _row(project: str, kind: str, way: str, choices: Sequence[Choice]) -> Sequence[Cell]:
    failing, found = sum(choice.failing for choice in choices), sum(choice.found for choice in choices)
    milliseconds = [choice.milliseconds for choice in choices]
    timed = way not in _OTHERS
    return (
        project,
        kind,
        way,
        len(choices),
        sum(choice.failing > 0 for choice in choices),
        sum(choice.whole for choice in choices),
        f"{found}/{failing} {100 * found / failing:.2f} %" if failing else "0/0",
        failing - found,
        percent(found, sum(choice.chosen for choice in choices)),
        median([100 * choice.chosen / choice.of for choice in choices]),
        median(milliseconds) if timed else None,
        quantile(milliseconds, 0.95) if timed else None,
    )


def _misses(measured: Sequence[Choices]) -> str:
    """Each edit of which our own ways missed a test that notices, and whether that notices it by itself."""
    lines = ["Missed by our own ways:"]
    ours = [choice for choices in measured for choice in choices.choices if choice.way not in _OTHERS]
    for choice in ours:
        where = f"- {choice.project} {choice.path}:{choice.line}, {choice.way}"
        if choice.chance:
            lines.append(f"{where}: not counted, since they pass in a second full run: {', '.join(choice.chance)}")
        if choice.missed:
            alone = ", ".join(choice.alone[:3]) or "none, so that it is what other tests leave behind"
            lines.append(f"{where}: {len(choice.missed)} tests; of these notice it by themselves: {alone}")
    return "\n".join(lines if len(lines) > 1 else [*lines, "- none"])
