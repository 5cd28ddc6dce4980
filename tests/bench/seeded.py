"""Single-place bugs in real projects: how many are mended, in what time, and whether any offer does harm.

Each bug of ``seeds.json`` is put into a fresh working copy; ``pennyproof fix --offline --json`` is run on it with
an empty home; and its offers are judged by the project's full suite under plain pytest. A third of the bugs is also
put to ``pennyproof.debug`` through an LSP client. *fixed*: with the first offer in place every test passes that
passes without the bug. *exact*: the file is again, as a syntax tree, what it was. *broken*: tests that passed with
the bug in place and fail with one of the offers. What was measured of this version of the product is not measured
again; the tables tell what there is so far.
"""

import ast
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from tests.bench import Options, cluster, corpus, plain, product, seeds
from tests.bench.lsp_session import write_edit
from tests.bench.results import Results, measured_version, progress
from tests.bench.seeds import Seed
from tests.bench.tables import median, percent, quantile, table

NAME = "seeded"
ABOUT = "bugs seeded into real projects, mended without a model"

_OVER_LSP = 3
"""Every so-manieth bug is put to the server too: its search is the same, its way in and out is not."""
_QUICK = 2


@dataclass(frozen=True, slots=True)
class Judgement:
    """What the full suite says of an edit."""

    mended: bool
    exact: bool
    broken: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Attempt:
    """One bug put to the product once."""

    project: str
    seed: Seed
    way: str
    """``cli`` or ``lsp``."""
    seconds: float
    fixed: bool = False
    exact: bool = False
    broken: tuple[str, ...] = ()
    identical: bool = True
    """The work tree was left as it was."""
    offers: int = 0
    tried: int | None = None
    """Candidates; a server does not tell."""
    tests_run: int | None = None
    """Tests behind the first offer's verdict."""
    problem: str = ""


@dataclass(frozen=True, slots=True)
class Case:
    """A bug and the way in which it is put to the product."""

    project: str
    number: int
    """Of the bug in the project's list."""
    seed: Seed
    way: str

    @property
    def key(self) -> str:
        return f"{self.project}/{self.number} {self.way}"


def run(options: Options) -> str:
    """Put every bug to the product that was not put to it before; returns the tables of all."""
    results = Results(NAME, Attempt, options, measured_version(options))
    keys: list[str] = []
    for project in corpus.projects(options.projects):
        cases = _cases(project, options)
        keys += [case.key for case in cases]
        missing = set(results.missing(case.key for case in cases))
        if missing and not results.time_is_up:
            _measure(project, [case for case in cases if case.key in missing], results, options)
    attempts = results.of(keys)
    by_command = [attempt for attempt in attempts if attempt.way == "cli"]
    by_editor = [attempt for attempt in attempts if attempt.way == "lsp"]
    return "\n\n".join(
        [
            "`pennyproof fix --offline --json`",
            _by_project(by_command),
            "`pennyproof.debug` over LSP",
            _by_project(by_editor),
            _by_operator(by_command),
            results.note(keys),
        ]
    )


def _cases(project: corpus.Project, options: Options) -> list[Case]:
    seeded = seeds.read()[project.name]
    if seeded.version != project.archive.version:
        raise corpus.Unavailable(f"seeds.json has bugs for another version of {project.name}")
    return [
        Case(project.name, number, seed, way)
        for number, seed in enumerate(seeded.seeds[: _QUICK if options.quick else None])
        for way in (("cli", "lsp") if number % _OVER_LSP == 0 else ("cli",))
    ]


def _measure(project: corpus.Project, cases: Sequence[Case], results: Results[Attempt], options: Options) -> None:
    """Put bugs of one project to the product, until the time is up."""
    ready = corpus.prepare(project, options.cache)
    with ready.lease(), cluster.executor(options, ready.python):
        clean = plain.run(ready.python, ready.renew()).passing - set(seeds.read()[project.name].unstable)
        for case in cases:
            attempt = results.get(case.key, partial(_WAYS[case.way], ready, case.seed, clean))
            if attempt is None:
                return
            said = "fixed" if attempt.fixed else "wrong" if attempt.offers else "no offer"
            progress(f"{case.key}: {said}, {attempt.seconds:.1f} s {attempt.problem}".rstrip())


def _by_command(ready: corpus.Ready, seed: Seed, clean: frozenset[str]) -> Attempt:
    root = _with_bug(ready, seed)
    before = corpus.digest(root)
    answer = product.fix(ready.python, root)
    identical = corpus.digest(root) == before
    judgements = []
    for offer in answer.offers:
        product.git_apply(_with_bug(ready, seed), offer["diff"])
        judgements.append(_judge(ready, seed, clean))
    return Attempt(
        project=ready.project.name,
        seed=seed,
        way="cli",
        seconds=answer.seconds,
        fixed=bool(judgements) and judgements[0].mended,
        exact=bool(judgements) and judgements[0].exact,
        broken=tuple(sorted({test for judgement in judgements for test in judgement.broken})),
        identical=identical,
        tried=answer.document.get("tried"),
        offers=len(answer.offers),
        tests_run=len(answer.offers[0]["verdict"]["ran"]) if answer.offers else None,
        problem=answer.problem,
    )


def _by_editor(ready: corpus.Ready, seed: Seed, clean: frozenset[str]) -> Attempt:
    root = _with_bug(ready, seed)
    before = corpus.digest(root)
    edit, seconds, problem = product.debug(ready.python, root, seed.failing[0])
    attempt: dict[str, Any] = {"identical": corpus.digest(root) == before, "problem": problem}
    if edit is not None:
        write_edit(edit, _with_bug(ready, seed))
        judgement = _judge(ready, seed, clean)
        attempt |= {"fixed": judgement.mended, "exact": judgement.exact, "broken": judgement.broken, "offers": 1}
    return Attempt(project=ready.project.name, seed=seed, way="lsp", seconds=seconds, **attempt)


_WAYS = {"cli": _by_command, "lsp": _by_editor}


def _with_bug(ready: corpus.Ready, seed: Seed) -> Path:
    root = ready.renew()
    product.git_apply(root, seed.diff)
    return root


def _judge(ready: corpus.Ready, seed: Seed, clean: frozenset[str]) -> Judgement:
    """Run the full suite on the working copy as it is.

    A test that seems broken must fail in a second run too: some suites have a flaky test.
    """
    passing = plain.run(ready.python, ready.tree).passing
    if not clean <= passing:
        passing |= plain.run(ready.python, ready.tree).passing
    missing = clean - passing
    return Judgement(
        mended=not missing,
        exact=_tree(ready.tree / seed.path) == _tree(ready.pristine / seed.path),
        broken=tuple(sorted(missing - set(seed.failing))),
    )


def _tree(path: Path) -> str:
    return ast.dump(ast.parse(path.read_bytes()))


def _by_project(attempts: Sequence[Attempt]) -> str:
    groups: dict[str, list[Attempt]] = defaultdict(list)
    for attempt in attempts:
        groups[attempt.project].append(attempt)
    rows = [_row(name, group) for name, group in groups.items()]
    headings = ("project", "bugs", "fixed", "exact", "median s", "p90 s", "candidates", "tests run")
    return table((*headings, "broken by an offer", "tree as it was"), [*rows, _row("**all**", attempts)])


def _row(name: str, attempts: Sequence[Attempt]) -> Sequence[str | float | bool | None]:
    seconds = [attempt.seconds for attempt in attempts]
    return (
        name,
        len(attempts),
        percent(sum(attempt.fixed for attempt in attempts), len(attempts)),
        sum(attempt.exact for attempt in attempts),
        median(seconds),
        quantile(seconds, 0.9),
        median([attempt.tried for attempt in attempts if attempt.tried is not None]),
        median([attempt.tests_run for attempt in attempts if attempt.tests_run is not None]),
        sum(len(attempt.broken) for attempt in attempts),
        all(attempt.identical for attempt in attempts),
    )


def _by_operator(attempts: Sequence[Attempt]) -> str:
    groups: Mapping[str, list[Attempt]] = defaultdict(list)
    for attempt in attempts:
        groups[_kind(attempt.seed.operator)].append(attempt)
    rows = [
        (kind, percent(sum(attempt.fixed for attempt in group), len(group)), sum(attempt.exact for attempt in group))
        for kind, group in sorted(groups.items(), key=lambda item: -len(item[1]))
    ]
    return table(("kind of bug", "fixed", "exact"), rows)


def _kind(operator: str) -> str:
    """The operator without its operands: ``ReplaceBinaryOperator_Add_Sub`` → ``ReplaceBinaryOperator``."""
    return operator.partition("_")[0]
