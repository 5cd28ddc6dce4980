"""Which tests are run for a candidate, by the map of a baseline."""

from dataclasses import replace

import pytest

from pennyproof.core.candidates import FileChange
from pennyproof.core.outcomes import Baseline, CollectionError
from pennyproof.core.sources import Source
from pennyproof.proof.basis import Basis
from pennyproof.proof.imports import Scans
from pennyproof.proof.mapping import Choice, SuiteMap
from tests.proof.test_basis import BASELINE, CODE, HELP, NONE, README, SOURCES, F, G, digests

BASIS = Basis(
    digests(SOURCES),
    {path: text for path, text in SOURCES.items() if path.endswith(".py")},
    loaded=frozenset({"m.py", "helpers.py"}),
    touched={NONE: frozenset({""})},
)
FILES = frozenset(f"tests/test_{name}.py" for name in ("f", "g", "help")) | {"README.rst"}


def choose(*changes: FileChange, baseline: Baseline = BASELINE) -> Choice | None:
    return SuiteMap(baseline, BASIS, Scans().graph).choose(changes)


def change(old: str, new: str, before: str = CODE) -> FileChange:
    assert before.count(old) == 1
    return FileChange("m.py", Source(before), Source(before.replace(old, new)))


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("return 1", "return 3", Choice((F, NONE), frozenset(), "map")),
        ("LIMIT = 1", "LIMIT = 2", Choice((F, G, HELP, NONE, README), FILES, "imports")),
        ("def f()", "def f(x=1)", Choice((F, G, HELP, NONE, README), FILES, "imports")),
        ("LIMIT = 1", "# One.\nLIMIT = 1", Choice((NONE,), frozenset(), "map")),
    ],
)
def test_what_a_candidate_may_concern(old: str, new: str, expected: Choice) -> None:
    assert choose(change(old, new)) == expected


def test_what_no_map_tells() -> None:
    assert choose(FileChange("m.py", Source(CODE), None)) is None
    assert choose(FileChange("new.py", None, Source(""))) is None
    assert choose(FileChange("README.rst", Source(""), Source("x"))) is None
    assert choose(change("return 1", "return 3", before=CODE + "# Not what ran.\n")) is None


def test_a_change_that_may_mend_what_could_not_be_collected_takes_all() -> None:
    broken = replace(BASELINE, errors=(CollectionError("tests/test_none.py", "no"),))
    assert choose(change("LIMIT = 1", "LIMIT = 2"), baseline=broken) is None
    assert choose(change("return 1", "return 3"), baseline=broken) == Choice((F, NONE), frozenset(), "map")


def test_several_files_concern_what_each_does() -> None:
    helpers = FileChange("helpers.py", Source("import m\n"), Source("import m, os\n"))
    found = choose(change("return 1", "return 3"), helpers)
    assert found == Choice((F, HELP, NONE, README), FILES - {"tests/test_f.py", "tests/test_g.py"}, "imports")
