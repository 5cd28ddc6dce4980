"""Real bugs of real projects: the code of one release against the tests of the next.

Which tests fail then, and pass with the newer code, is the truth; why they fail has to be judged. *new API*: the
message names something that the older release does not have (an import, attribute, argument or fixture), or the
whole file cannot be collected. *new behaviour*: the newer release's own changelog lists what is tested as an
addition or a change; these test functions are listed in ``historical.toml``. What is left are *bugs*. Each buggy
test function, with all its parameters, is put to ``pennyproof fix`` by itself. It is *fixed* when with the first offer
its tests pass, and no test of the full suite fails that passes without it; *broken* counts the tests that do.

Pairs and bugs are written down as they come and not measured again, so that it can be run in parts: ``--project NAME``
for some of the pairs, ``--seconds S`` for as far as one gets.
"""

import hashlib
import math
import re
import shutil
import tomllib
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from functools import partial
from pathlib import Path

from pennyproof.core.protected import is_protected
from tests.bench import Options, corpus, plain, product
from tests.bench.corpus import Archive, Project
from tests.bench.results import Results, product_version, progress
from tests.bench.tables import Cell, median, percent, table

NAME = "historical"
ABOUT = "one release's code against the next release's tests, mended without a model"

_LIST = Path(__file__).with_suffix(".toml")
_DEADLINE = 30
"""Seconds for one test function."""
_QUICK = 3
_MISSING = re.compile(
    r"(?:ImportError|ModuleNotFoundError|NameError): |fixture '\w+' not found"
    r"|TypeError: .*(?:unexpected keyword argument|positional arguments? but|required positional argument)"
    r"|AttributeError: .* has no attribute '(?P<attribute>\w+)'"
)
_CONFIGURATION = frozenset({"pyproject.toml", "setup.cfg", "tox.ini"})


@dataclass(frozen=True, slots=True)
class Pair:
    """Two releases in a row."""

    older: Project
    newer: Archive
    behaviour: tuple[str, ...]
    """Patterns of test functions whose subject the changelog of the newer release calls an addition or a change."""

    @property
    def name(self) -> str:
        return f"{self.older.name} {self.older.archive.version} → {self.newer.version}"


@dataclass(frozen=True, slots=True)
class Function:
    """A test function that fails with the older code and passes with the newer."""

    tests: tuple[str, ...]
    """It, once for each of its parameters that fails."""
    message: str

    @property
    def name(self) -> str:
        return self.tests[0].partition("[")[0]


@dataclass(frozen=True, slots=True)
class Judged:
    """What the tests of a newer release say of the older code."""

    pair: str
    uncollectable: int
    """Test files that cannot be collected."""
    new_api: tuple[Function, ...]
    behaviour: tuple[Function, ...]
    bugs: tuple[Function, ...]
    passing: tuple[str, ...]
    """The tests that pass with the older code."""
    cpu_seconds: float
    """Of its full suite."""


@dataclass(frozen=True, slots=True)
class Bug:
    """A test function that fails because the older code is wrong, and what came of it."""

    pair: str
    tests: tuple[str, ...]
    message: str
    seconds: float
    mended: bool
    """Its tests pass with the first offer."""
    broken: tuple[str, ...]
    diff: str
    """The first offer; empty where there is none."""
    identical: bool
    problem: str

    @property
    def fixed(self) -> bool:
        return self.mended and not self.broken


def run(options: Options) -> str:
    """Judge every pair and try to mend what is wrong, as far as that was not done; returns the table of all."""
    pairs = [pair for pair in _pairs() if not options.projects or pair.older.name in options.projects]
    pairs = pairs[: _QUICK if options.quick else None]
    judgements = Results(f"{NAME}-pairs", Judged, options, _classification())
    bugs = Results(NAME, Bug, options, product_version())
    for pair in pairs:
        known = judgements.of([pair.name])
        if (not known or bugs.missing(_keys(known[0]))) and not bugs.time_is_up:
            ready = _prepare(pair, options.cache)
            with ready.lease():
                _measure(pair, ready, judgements, bugs)
    return _report(pairs, judgements, bugs)


def _measure(pair: Pair, ready: corpus.Ready, judgements: Results[Judged], bugs: Results[Bug]) -> None:
    """Judge one pair and mend its bugs, until the time is up."""
    judged = judgements.get(pair.name, partial(_judge, pair, ready))
    if judged is None:
        return
    progress(f"{pair.name}: {len(judged.bugs)} functions fail for a bug")
    for key, function in zip(_keys(judged), judged.bugs, strict=True):
        fresh = bool(bugs.missing([key]))
        bug = bugs.get(key, partial(_mend, judged, ready, function))
        if bug is not None and fresh:
            said = "fixed" if bug.fixed else "no good" if bug.diff else "no offer"
            progress(f"{key}: {said}, {bug.seconds:.1f} s {bug.problem}".rstrip())


def _keys(judged: Judged) -> list[str]:
    return [f"{judged.pair} {function.name}" for function in judged.bugs]


def _classification() -> str:
    """Judgements of pairs hold as long as what is judged, and how, stays as it is; the product has no part in it."""
    return hashlib.sha256(_LIST.read_bytes() + Path(__file__).read_bytes()).hexdigest()[:12]


def _pairs() -> list[Pair]:
    listing = tomllib.loads(_LIST.read_text(encoding="utf-8"))
    return [
        Pair(
            older=Project(
                archive=Archive(entry["name"], *entry["older"]),
                modules=tuple(entry["modules"]),
                requires=(*corpus.common(), *entry.get("requires", ())),
                style="",
            ),
            newer=Archive(entry["name"], *entry["newer"]),
            behaviour=tuple(entry.get("behaviour", ())),
        )
        for entry in listing["pair"]
    ]


def _prepare(pair: Pair, cache: Path) -> corpus.Ready:
    """Put the newer tests beside the older code, and install that."""
    folder = cache / "pairs" / f"{pair.older.name}-{pair.older.archive.version}-{pair.newer.version}"
    ready = corpus.Ready(pair.older, folder)
    newer = corpus.unpack(pair.newer, cache, folder / "newer")
    if not ready.pristine.exists():
        half_made = corpus.unpack(pair.older.archive, cache, folder / "older")
        for path in _tests(half_made):
            (half_made / path).unlink()
        for path in _tests(newer):
            (half_made / path).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(newer / path, half_made / path)
        half_made.rename(ready.pristine)
    corpus.install(ready)
    return ready


def _tests(root: Path) -> list[Path]:
    """Test files and what lies beside them; a release's configuration stays with its code."""
    files = (path.relative_to(root) for path in root.rglob("*") if path.is_file())
    return [path for path in files if is_protected(path.as_posix()) and path.name not in _CONFIGURATION]


def _judge(pair: Pair, ready: corpus.Ready) -> Judged:
    """Run the newer tests with both releases, and tell the kinds of failures apart."""
    newer_passing = _run_newer(ready)
    before = plain.run(ready.python, ready.renew())
    failing: dict[str, list[str]] = defaultdict(list)
    for test in sorted(before.failing & newer_passing):
        failing[test.partition("[")[0]].append(test)
    kinds: dict[str, list[Function]] = defaultdict(list)
    for name, tests in failing.items():
        function = Function(tuple(tests), before.messages.get(tests[0], ""))
        kinds[_kind(name, function.message, pair, ready)].append(function)
    return Judged(
        pair=pair.name,
        uncollectable=len(before.errors),
        new_api=tuple(kinds["new API"]),
        behaviour=tuple(kinds["new behaviour"]),
        bugs=tuple(kinds["bug"]),
        passing=tuple(sorted(before.passing)),
        cpu_seconds=before.cpu_seconds,
    )


def _kind(name: str, message: str, pair: Pair, ready: corpus.Ready) -> str:
    """Why a test function fails."""
    if _names_missing(message, ready):
        return "new API"
    return "new behaviour" if any(fnmatchcase(name, pattern) for pattern in pair.behaviour) else "bug"


def _run_newer(ready: corpus.Ready) -> frozenset[str]:
    """What passes with the newer code, in the same environment."""
    shutil.rmtree(ready.tree, ignore_errors=True)
    shutil.copytree(ready.folder / "newer", ready.tree, symlinks=True)
    return plain.run(ready.python, ready.tree).passing


def _names_missing(message: str, ready: corpus.Ready) -> bool:
    """Whether a failure names something that only the newer code has."""
    found = _MISSING.search(message)
    if found is None:
        return False
    name = found.group("attribute")
    if name is None:
        return True
    older, newer = (_defines(ready.folder / side, ready.project.modules, name) for side in ("pristine", "newer"))
    return newer and not older


def _defines(root: Path, modules: Sequence[str], name: str) -> bool:
    """Whether a function, an attribute or a variable of that name is made anywhere in the code."""
    word = re.compile(rf"(?m)\bdef {re.escape(name)}\b|\bself\.{re.escape(name)}\b *[:=]|^\s*{re.escape(name)}\b *[:=]")
    files = (path for module in modules for path in [root / module, *(root / module).rglob("*.py")] if path.is_file())
    return any(word.search(path.read_text(encoding="utf-8")) for path in files)


def _mend(judged: Judged, ready: corpus.Ready, function: Function) -> Bug:
    """Ask for a fix of one function, and run the full suite with the first offer."""
    root = ready.renew()
    digest = corpus.digest(root)
    answer = product.fix(ready.python, root, function.tests, deadline=_DEADLINE)
    identical = corpus.digest(root) == digest
    diff = answer.offers[0]["diff"] if answer.offers else ""
    passing = _passing_with(diff, judged, ready) if diff else frozenset[str]()
    return Bug(
        pair=judged.pair,
        tests=function.tests,
        message=function.message,
        seconds=answer.seconds,
        mended=set(function.tests) <= passing,
        broken=tuple(sorted(set(judged.passing) - passing)) if diff else (),
        diff=diff,
        identical=identical,
        problem=answer.problem,
    )


def _passing_with(diff: str, judged: Judged, ready: corpus.Ready) -> frozenset[str]:
    """What passes with an edit in place. A test that seems broken must fail twice: some suites have a flaky test."""
    product.git_apply(ready.renew(), diff)
    limit = math.ceil(3 * judged.cpu_seconds + 10)
    passing = plain.run(ready.python, ready.tree, cpu_limit=limit).passing
    if not set(judged.passing) <= passing:
        passing |= plain.run(ready.python, ready.tree, cpu_limit=limit).passing
    return passing


def _report(pairs: Sequence[Pair], judgements: Results[Judged], bugs: Results[Bug]) -> str:
    judged = judgements.of(pair.name for pair in pairs)
    keys = {one.pair: _keys(one) for one in judged}
    rows = [_row(one.pair, [one], bugs.of(keys[one.pair])) for one in judged]
    every = [key for of_pair in keys.values() for key in of_pair]
    headings = ("pair", "failing", "uncollectable files", "new API", "new behaviour", "for a bug", "asked", "offers",
                "fixed", "broken", "median s")  # fmt: skip
    return "\n\n".join(
        [
            "Failing test functions. Fixed: it passes with all its parameters, and no test fails that passed before.",
            table(headings, [*rows, _row(f"**all {len(judged)} of {len(pairs)}**", judged, bugs.of(every))]),
            judgements.note(pair.name for pair in pairs),
            bugs.note(every),
        ]
    )


def _row(name: str, judged: Sequence[Judged], bugs: Sequence[Bug]) -> Sequence[Cell]:
    new_api = sum(len(one.new_api) for one in judged)
    behaviour = sum(len(one.behaviour) for one in judged)
    wrong = sum(len(one.bugs) for one in judged)
    return (
        name,
        new_api + behaviour + wrong,
        sum(one.uncollectable for one in judged),
        new_api,
        behaviour,
        wrong,
        len(bugs),
        sum(bool(bug.diff) for bug in bugs),
        percent(sum(bug.fixed for bug in bugs), len(bugs)),
        sum(len(bug.broken) for bug in bugs),
        median([bug.seconds for bug in bugs]),
    )
