"""Which tests an edit may affect, by what was seen of them."""

import hashlib
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest

from pennyproof.core.outcomes import Baseline, CollectionError, Coverage, Outcome, TestOutcome
from pennyproof.proof.basis import Basis
from pennyproof.proof.edits import Edits
from pennyproof.proof.imports import Scans

CODE = "LIMIT = 1\n\n\ndef f():\n    return 1\n\n\ndef g():\n    return 2\n"
SOURCES = {
    "m.py": CODE,
    "helpers.py": "import m\n",
    "unrelated.py": "x = 1\n",
    "tests/conftest.py": "",
    "tests/test_f.py": "from m import f\n",
    "tests/test_g.py": "from m import g\n",
    "tests/test_help.py": "import helpers\n",
    "tests/test_none.py": "",
    "README.rst": ">>> from m import LIMIT\n",
}
F, G, HELP, NONE, README = (
    f"{name}::test" for name in (*(f"tests/test_{n}.py" for n in ("f", "g", "help", "none")), "README.rst")
)
EVERY = {F: {"m.py": {4}}, G: {"m.py": {8}}, HELP: {}, NONE: {}, README: {}}
BASELINE = Baseline(
    {test: TestOutcome(test, Outcome.PASSED) for test in EVERY},
    1.0,
    functions=Coverage({test: {path: frozenset(at) for path, at in files.items()} for test, files in EVERY.items()}),
)
OTHER_F, OTHER_LIMIT, COMMENT = ("return 1", "return 3"), ("LIMIT = 1", "LIMIT = 2"), ("LIMIT", "# Most.\nLIMIT")
MODULE = [F, G, HELP, README]


def digests(sources: Mapping[str, str]) -> dict[str, bytes]:
    return {path: hashlib.sha256(text.encode()).digest() for path, text in sources.items()}


def check(
    edit: tuple[str, str] | None,
    expected: list[str] | None,
    *,
    path: str = "m.py",
    sources: Mapping[str, str] | None = None,
    baseline: Baseline = BASELINE,
    unsure: frozenset[str] = frozenset(),
    **seen: Any,
) -> None:
    before = SOURCES | dict(sources or {})
    after = dict(before)
    if edit:
        assert before[path].count(edit[0]) == 1 or not edit[0]
        after[path] = before[path].replace(*edit) if edit[0] else before[path] + edit[1]
    python = {path: text for path, text in before.items() if path.endswith(".py")}
    defaults: dict[str, Any] = {"loaded": frozenset({"m.py", "helpers.py"})}
    basis = Basis(digests(before), python, **(defaults | seen))
    edits = Edits(basis, digests(after), after.__getitem__, Scans().graph)
    affected = edits.affected(baseline, unsure)
    assert (affected and [test for test in baseline.outcomes if test in affected]) == expected


def at(path: str, *lines: int) -> dict[str, frozenset[int]]:
    return {path: frozenset(lines)}


def test_a_function_affects_the_tests_that_run_it() -> None:
    check(OTHER_F, [F])


def test_what_a_module_does_when_it_is_imported_affects_all_that_import_it() -> None:
    check(OTHER_LIMIT, MODULE)


def test_a_comment_affects_nothing() -> None:
    check(COMMENT, [])


def test_a_function_that_runs_at_import_counts_as_what_its_module_does() -> None:
    check(OTHER_F, MODULE, at_import=at("m.py", 4))
    check(OTHER_F, [F], at_import=at("m.py", 8))


def test_a_test_that_reads_the_source_is_affected_by_any_change_of_it() -> None:
    check(COMMENT, [*MODULE[:3], NONE, README], touched={NONE: frozenset({"m.py"})})
    check(COMMENT, None, at_import=at("m.py", 0))


def test_a_test_that_starts_processes_is_affected_by_everything() -> None:
    check(OTHER_F, [F, NONE], touched={NONE: frozenset({""})})
    check(OTHER_F, None, at_import=at("", 0))


def test_what_no_test_file_was_the_first_to_import_affects_all() -> None:
    check(OTHER_LIMIT, None, early=frozenset({"m.py"}))
    check(OTHER_F, [F], early=frozenset({"m.py"}))


def test_what_is_not_watched_counts_as_a_whole() -> None:
    check(OTHER_F, MODULE, loaded=frozenset())
    check(OTHER_F, None, loaded=frozenset(), unwatched=frozenset({"m.py"}))
    check(("x = 1", "x = 2"), [README], path="unrelated.py")


def test_text_that_cannot_be_read_counts_as_a_whole() -> None:
    check(("LIMIT = 1", "LIMIT ="), MODULE)


@pytest.mark.parametrize(
    ("conftest", "expected"),
    [
        ("import m\n", [F, G, HELP, NONE, README]),
        ("import m\ndef pytest_runtest_setup(): pass\n", None),
        ("from m import *\n", None),
    ],
)
def test_a_conftest_file_affects_the_tests_below_it(conftest: str, expected: list[str] | None) -> None:
    check(OTHER_LIMIT, expected, sources={"tests/conftest.py": conftest})
    check(OTHER_F, [F], sources={"tests/conftest.py": conftest})


def test_test_files_run_again_when_they_change() -> None:
    check(("", "\n# A comment.\n"), [G, README], path="tests/test_g.py")


def test_tests_that_ask_for_fixtures_by_computed_names_may_use_any() -> None:
    asking = "import m\ndef test(request): request.getfixturevalue('f' + 'g')\n"
    check(OTHER_F, [F, HELP], sources={"tests/test_help.py": asking})
    check(OTHER_F, [F], sources={"tests/test_none.py": asking.replace("import m", "")})


def test_tests_that_failed_or_may_end_otherwise_run_again() -> None:
    failing = BASELINE.outcomes | {NONE: TestOutcome(NONE, Outcome.FAILED)}
    check(OTHER_F, [F, NONE], baseline=replace(BASELINE, outcomes=failing))
    check(OTHER_F, [F, HELP], unsure=frozenset({HELP}))
    check(OTHER_F, None, baseline=replace(BASELINE, errors=(CollectionError("", "no"),)))
    unknown = Coverage({test: files for test, files in BASELINE.functions.lines.items() if test != NONE})
    check(OTHER_F, [F, NONE], baseline=replace(BASELINE, functions=unknown))


def test_sources_with_doctests_are_left_to_a_run_of_all() -> None:
    check(OTHER_F, None, loaded=frozenset({"m.py", "tests/test_f.py"}))


def test_other_files_affect_all() -> None:
    check(("", "more"), None, path="README.rst")
    check(("", "more"), None, path="README.rst", opened={"README.rst": frozenset({"m.py", ""})})
    basis = Basis(digests(SOURCES), SOURCES)
    for contents in ({**digests(SOURCES), "new.py": b""}, digests({"m.py": CODE})):
        assert Edits(basis, contents, SOURCES.__getitem__, Scans().graph).affected(BASELINE, ()) is None


def test_data_affects_all_that_import_what_reads_it() -> None:
    data = {"table.csv": "a,b\n"}
    check(("a", "c"), MODULE, path="table.csv", sources=data, opened={"table.csv": frozenset({"m.py"})})
    check(("a", "c"), [G, README], path="table.csv", sources=data, opened={"table.csv": frozenset({"tests/test_g.py"})})
    early = {"opened": {"table.csv": frozenset({"m.py"})}, "early": frozenset({"m.py"})}
    check(("a", "c"), None, path="table.csv", sources=data, **early)


def test_functions_are_found_where_they_are_now() -> None:
    after = SOURCES | {"m.py": CODE.replace("return 1", "x = 1\n    return x").replace("LIMIT", "\nLIMIT")}
    edits = Edits(Basis(digests(SOURCES), SOURCES), digests(after), after.__getitem__, Scans().graph)
    assert edits.moved({"m.py": frozenset({8}), "n.py": frozenset({1})}) == {"m.py": {10}, "n.py": {1}}
    rewritten = SOURCES | {"m.py": "def g(): pass\n"}
    edits = Edits(Basis(digests(SOURCES), SOURCES), digests(rewritten), rewritten.__getitem__, Scans().graph)
    assert edits.moved({"m.py": frozenset({8})}) == {}
