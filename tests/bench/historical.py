"""Real bugs of real projects: the code of one release against the tests of the next.

Which tests fail then, and pass with the newer code, is the truth; why they fail has to be judged. *new API*: the
message names something that the older release does not have (an import, attribute, argument or fixture), or the
whole file cannot be collected. *new behaviour*: the newer release's own changelog lists what is tested as an
addition or a change; these test functions are listed in ``historical.toml``. What is left are *bugs*. Each buggy
test function, with all its parameters, is put to ``pennyproof fix`` by itself. It counts as *mended* when its tests
pass with the first offer; *broken* counts the tests that pass before and with the newer code, and fail with an
offer.
"""

import json
import re
import shutil
import tomllib
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from fnmatch import fnmatchcase
from pathlib import Path

from pennyproof.core.protected import is_protected
from tests.bench import Options, corpus, plain, product
from tests.bench.corpus import Archive, Project
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
class Bug:
    """A test function that fails because the older code is wrong, and what came of it."""

    pair: str
    tests: tuple[str, ...]
    message: str
    seconds: float
    mended: bool
    broken: tuple[str, ...]
    diff: str
    identical: bool
    problem: str


def run(options: Options) -> str:
    """Judge every pair and try to mend what is wrong; returns the table."""
    details = options.cache / "results" / f"{NAME}.jsonl"
    details.parent.mkdir(parents=True, exist_ok=True)
    pairs = [pair for pair in _pairs() if not options.projects or pair.older.name in options.projects]
    rows: list[Sequence[Cell]] = []
    bugs: list[Bug] = []
    with details.open("w", encoding="utf-8") as stream:
        for pair in pairs[: _QUICK if options.quick else None]:
            ready = _prepare(pair, options.cache)
            with ready.lease():
                counts, found = _measure(pair, ready, options.cache)
            for bug in found:
                stream.write(json.dumps(asdict(bug)) + "\n")
            stream.flush()
            rows.append((pair.name, *counts, *_summary(found)))
            bugs += found
    totals = [sum(int(row[column] or 0) for row in rows) for column in range(1, 5)]
    headings = (
        "pair",
        "failing",
        "uncollectable files",
        "new API",
        "new behaviour",
        "bugs",
        "mended",
        "broken",
        "median s",
    )
    return "\n\n".join(
        [
            "Failing test functions, parameters taken together; `bugs` are those that fail for a bug.",
            table(headings, [*rows, ("**all**", *totals, *_summary(bugs))]),
            f"Every bug with its outcome: {details}",
        ]
    )


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


def _measure(pair: Pair, ready: corpus.Ready, cache: Path) -> tuple[tuple[int, int, int, int], list[Bug]]:
    """Failing functions, uncollectable files, functions for new API, for new behaviour; and the bugs."""
    newer_passing = _run_newer(ready)
    root = ready.renew()
    before = plain.run(ready.python, root)
    failing: dict[str, list[str]] = defaultdict(list)
    for test in sorted(before.failing & newer_passing):
        failing[test.partition("[")[0]].append(test)
    new_api = [name for name, tests in failing.items() if _names_missing(before.messages.get(tests[0], ""), ready)]
    behaviour = [
        name for name in failing if name not in new_api and any(fnmatchcase(name, kind) for kind in pair.behaviour)
    ]
    bugs = [
        _mend(pair, ready, tests, before, newer_passing)
        for name, tests in failing.items()
        if name not in new_api and name not in behaviour
    ]
    return (len(failing), len(before.errors), len(new_api), len(behaviour)), bugs


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


def _mend(
    pair: Pair, ready: corpus.Ready, tests: Sequence[str], before: plain.Run, newer_passing: frozenset[str]
) -> Bug:
    root = ready.renew()
    digest = corpus.digest(root)
    answer = product.fix(ready.python, root, tests, deadline=_DEADLINE)
    identical = corpus.digest(root) == digest
    after = plain.Run()
    if answer.offers:
        product.git_apply(ready.renew(), answer.offers[0]["diff"])
        after = plain.run(ready.python, ready.tree)
    return Bug(
        pair=pair.name,
        tests=tuple(tests),
        message=before.messages.get(tests[0], ""),
        seconds=answer.seconds,
        mended=set(tests) <= after.passing,
        broken=tuple(sorted((before.passing & newer_passing) - after.passing)) if answer.offers else (),
        diff=answer.offers[0]["diff"] if answer.offers else "",
        identical=identical,
        problem=answer.problem,
    )


def _summary(bugs: Sequence[Bug]) -> tuple[int, str, int, float | None]:
    mended = percent(sum(bug.mended for bug in bugs), len(bugs))
    return len(bugs), mended, sum(len(bug.broken) for bug in bugs), median([bug.seconds for bug in bugs])
