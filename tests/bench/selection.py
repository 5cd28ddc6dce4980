"""Which tests are chosen for an edit, against all that full runs show to notice it.

Every mutant is one edit of a project whose tests have run: the bugs of ``seeds.json``, of which it is known which tests
catch them, and as many more, drawn by ``seeding``'s tool with another seed and put to the whole suite by plain
pytest here; those that no test notices count, too, as far as they are chosen for. Three ways choose:

- *map*: the tests known to run the changed functions, as for a candidate;
- *baseline*: those that run again when the edit is made in a buffer, as for the next baseline;
- *imports*: those whose files import the changed one, as for a diff before any run.

*recall*: of the tests that fail, how many are chosen. *precision*: of the tests chosen, how many fail. Where a way says
that it takes the whole suite, all are chosen; how often it does is told. The time is that of the question alone, for
text that was not seen before.
"""

import functools
import hashlib
import random
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from pennyproof.core.candidates import Candidate, FileChange
from pennyproof.core.snapshots import Snapshot
from pennyproof.core.sources import Source
from pennyproof.proof import collecting
from pennyproof.proof.basis import Basis, file_of, rests_on
from pennyproof.proof.edits import Edits
from pennyproof.proof.imports import Scans
from pennyproof.proof.records import Recorded, Records
from pennyproof.proof.selection import analyse, select
from tests.bench import Options, corpus, plain, product, seeds
from tests.bench.results import Results, product_version, progress
from tests.bench.tables import Cell, median, percent, quantile, table

NAME = "selection"
ABOUT = "tests chosen for an edit, against full runs"

_PROJECTS = ("humanize", "boltons")
"""Measured where no project is named."""
_MORE = 20
"""Mutants of a project, beside those of ``seeds.json``."""
_RANDOM_SEED = 20241117
_HEADINGS = ("project", "way", "mutants", "whole suite", "recall", "missed", "precision", "chosen of all %", "ms",
             "p95 ms")  # fmt: skip


@dataclass(frozen=True, slots=True)
class Mutant:
    """One edit, and what full runs say of it."""

    path: str
    line: int
    text: str
    failing: frozenset[str]


@dataclass(frozen=True, slots=True)
class Edit:
    """How to come by a mutant."""

    key: str
    path: str
    make: Callable[[], Mutant]


@dataclass(frozen=True, slots=True)
class Choice:
    """What one way chose for one mutant."""

    project: str
    way: str
    path: str
    line: int
    whole: bool
    """It said that it takes the whole suite."""
    chosen: int
    of: int
    failing: int
    found: int
    """Failing tests among those chosen."""
    missed: tuple[str, ...]
    milliseconds: float


@dataclass(frozen=True, slots=True)
class Choices:
    """What all ways chose for one mutant."""

    choices: tuple[Choice, ...]


Way = Callable[[Mutant], frozenset[str] | None]


def run(options: Options) -> str:
    """Measure project by project; returns the table, and what was missed."""
    results = Results(NAME, Choices, options, product_version())
    keys: list[str] = []
    for project in corpus.projects(options.projects or (_PROJECTS[:1] if options.quick else _PROJECTS)):
        ready = corpus.prepare(project, options.cache)
        with ready.lease():
            keys += _measure(ready, results, quick=options.quick)
        progress(_table(results.of(keys)))
    return f"{_table(results.of(keys))}\n\n{_misses(results.of(keys))}\n\n{results.note(keys)}"


def _measure(ready: corpus.Ready, results: Results[Choices], *, quick: bool) -> list[str]:
    """Have every way choose for every mutant; returns the keys of the results."""
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
        ways = _ways(Snapshot(root), recorded, recorded.basis)
        edits = [*_seeded(ready), *([] if quick else _drawn(ready))]
        for way in ways.values():  # What is edited has been asked about before.
            for path in {edit.path for edit in edits}:
                way(Mutant(path, 0, recorded.basis.sources[path] + "\n", frozenset()))
        for edit in edits:
            results.get(edit.key, lambda edit=edit: _choices(ready.project.name, edit.make(), ways, recorded))
    return [edit.key for edit in edits]


def _ways(snapshot: Snapshot, recorded: Recorded, basis: Basis) -> Mapping[str, Way]:
    baseline, scans = recorded.baseline, Scans()
    known = list(baseline.outcomes)

    def by_map(mutant: Mutant) -> frozenset[str] | None:
        change = FileChange(mutant.path, Source(basis.sources[mutant.path]), Source(mutant.text))
        chosen = select(analyse(Candidate((change,))), baseline.functions, known)
        return None if chosen is None else frozenset(chosen)

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


def _choices(project: str, mutant: Mutant, ways: Mapping[str, Way], recorded: Recorded) -> Choices:
    every = frozenset(recorded.baseline.outcomes)
    failing = mutant.failing & every
    made: list[Choice] = []
    for name, way in ways.items():
        started = time.perf_counter()
        found = way(mutant)
        milliseconds = 1000 * (time.perf_counter() - started)
        chosen = every if found is None else found
        missed = tuple(sorted(failing - chosen))
        made.append(
            Choice(
                project=project,
                way=name,
                path=mutant.path,
                line=mutant.line,
                whole=found is None,
                chosen=len(chosen),
                of=len(every),
                failing=len(failing),
                found=len(failing & chosen),
                missed=missed,
                milliseconds=milliseconds,
            )
        )
    return Choices(tuple(made))


def _seeded(ready: corpus.Ready) -> Iterator[Edit]:
    """The bugs of ``seeds.json``."""

    def make(seed: seeds.Seed) -> Mutant:
        root = ready.renew()
        product.git_apply(root, seed.diff)
        return Mutant(seed.path, seed.line, (root / seed.path).read_text(encoding="utf-8"), frozenset(seed.failing))

    for number, seed in enumerate(seeds.read()[ready.project.name].seeds):
        yield Edit(f"{ready.project.name}/{number}", seed.path, partial(make, seed))


def _drawn(ready: corpus.Ready) -> Iterator[Edit]:
    """Further mutants, whatever becomes of the tests with them."""
    try:
        from tests.bench import seeding  # noqa: PLC0415 - it needs the mutation tool, and the seeds do not
    except ImportError as error:
        raise corpus.Unavailable(f"further mutants take the dependency group bench: {error}; or --quick") from error
    lots = random.Random(_RANDOM_SEED)  # noqa: S311 - drawing lots, not keys
    places = seeding.all_places(ready)
    lots.shuffle(places)
    unstable = seeds.read()[ready.project.name].unstable

    @functools.cache
    def passing() -> frozenset[str]:
        return plain.run(ready.python, ready.renew()).passing.difference(unstable)

    def make(mutant: seeding.Mutant) -> Mutant:
        stable = passing()
        root = ready.renew()
        text = seeding.mutate((root / mutant.path).read_text(encoding="utf-8"), mutant)
        (root / mutant.path).write_text(text, encoding="utf-8")
        # A run that is ended, or cannot collect a file, says nothing of the tests that it did not come to.
        failing = plain.run(ready.python, root).failing & stable
        return Mutant(mutant.path, mutant.line, text, failing)

    for number, place in enumerate(places[:_MORE]):
        mutant = lots.choice(place)
        yield Edit(f"{ready.project.name}/drawn {number}", mutant.path, partial(make, mutant))


def _table(measured: Sequence[Choices]) -> str:
    by_way: dict[tuple[str, str], list[Choice]] = defaultdict(list)
    for choices in measured:
        for choice in choices.choices:
            by_way[choice.project, choice.way].append(choice)
    return table(_HEADINGS, [_row(project, way, choices) for (project, way), choices in by_way.items()])


def _row(project: str, way: str, choices: Sequence[Choice]) -> Sequence[Cell]:
    failing, found = sum(choice.failing for choice in choices), sum(choice.found for choice in choices)
    milliseconds = [choice.milliseconds for choice in choices]
    return (
        project,
        way,
        len(choices),
        sum(choice.whole for choice in choices),
        percent(found, failing),
        failing - found,
        percent(found, sum(choice.chosen for choice in choices)),
        median([100 * choice.chosen / choice.of for choice in choices]),
        median(milliseconds),
        quantile(milliseconds, 0.95),
    )


def _misses(measured: Sequence[Choices]) -> str:
    """Each edit of which a failing test was not chosen, for every miss is to be explained."""
    missed = [choice for choices in measured for choice in choices.choices if choice.missed]
    return "\n".join(
        f"- {choice.project} {choice.path}:{choice.line}, {choice.way}: {', '.join(choice.missed)}" for choice in missed
    )
