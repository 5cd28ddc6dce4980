"""What the benchmarks reckon with: results that are kept, and what is told of them. None of them is run here."""

import ast
import dataclasses
import json
from pathlib import Path
from typing import Any

import pytest

from tests.bench import (
    Options,
    agreement,
    edits,
    historical,
    mutants,
    others,
    repair,
    seeded,
    seeds,
    selection,
    tables,
    verdict,
)
from tests.bench.results import Results


@dataclasses.dataclass(frozen=True, slots=True)
class Length:
    word: str
    letters: tuple[str, ...]


class Ruler:
    """Measures words, and remembers which."""

    def __init__(self, cache: Path) -> None:
        self.options = Options(data=cache, cache=cache)
        self.measured: list[str] = []

    def results(self, version: str = "1") -> Results[Length]:
        return Results("lengths", Length, self.options, version)

    def measure(self, word: str, version: str = "1") -> Length | None:
        def length() -> Length:
            self.measured.append(word)
            return Length(word, tuple(word))

        return self.results(version).get(word, length)


@pytest.fixture
def ruler(tmp_path: Path) -> Ruler:
    return Ruler(tmp_path)


def test_what_was_measured_is_not_measured_again(ruler: Ruler) -> None:
    first = ruler.measure("penny")
    assert ruler.measure("penny") == first == Length("penny", tuple("penny"))
    assert ruler.measured == ["penny"]


def test_another_version_is_measured_beside_the_first(ruler: Ruler) -> None:
    ruler.measure("penny", "1")
    ruler.measure("penny", "2")
    ruler.measure("penny", "1")
    assert ruler.measured == ["penny", "penny"]


def test_starting_afresh_measures_again_and_the_later_result_counts(ruler: Ruler) -> None:
    ruler.measure("penny")
    ruler.options = dataclasses.replace(ruler.options, afresh=True)
    ruler.measure("penny")
    assert ruler.measured == ["penny", "penny"]
    ruler.options = dataclasses.replace(ruler.options, afresh=False)
    ruler.measure("penny")
    assert ruler.measured == ["penny", "penny"]


def test_a_line_that_was_being_written_is_measured_again(ruler: Ruler) -> None:
    ruler.measure("penny")
    ruler.measure("proof")
    path = ruler.results().path
    path.write_text(path.read_text()[:-9])
    ruler.measure("proof")
    assert ruler.measured == ["penny", "proof", "proof"]
    assert ruler.results().missing(["penny", "proof"]) == []


def test_a_result_that_tells_too_little_is_measured_again(ruler: Ruler) -> None:
    path = ruler.results().path
    path.write_text('{"version": "1", "key": "penny", "result": {"word": "penny"}}\n')
    assert ruler.results().missing(["penny"]) == ["penny"]


def test_when_the_time_is_up_only_what_is_known_is_told(ruler: Ruler) -> None:
    ruler.measure("penny")
    ruler.options = dataclasses.replace(ruler.options, seconds=0.0)
    assert ruler.measure("proof") is None
    assert ruler.measure("penny") is not None
    assert "1 not measured yet" in ruler.results().note(["penny", "proof"])


def test_a_script_of_checks_becomes_one_test() -> None:
    script = "\n\ndef check(half):\n    assert half(2) == 1\n\ncheck(half)"
    assert repair._as_test(script, "half") == (
        "from solution import *\n\ndef check(half):\n    assert half(2) == 1\n\n\ndef test_half():\n    check(half)\n"
    )


def test_the_repair_table_compares_the_same_tasks_both_ways() -> None:
    def result(task: str, seconds: float) -> repair.Result:
        return repair.Result(task, "value misuse", failing=True, offered=True, right=True, seconds=seconds)

    told = repair._both_ways(
        {
            ("full", "command"): [result("a", 4.0), result("b", 100.0)],
            ("full", "editor"): [result("a", 2.0)],
            ("examples", "command"): [],
            ("examples", "editor"): [],
        }
    )
    row = next(line for line in told.splitlines() if line.startswith("| full"))
    assert [cell.strip() for cell in row.strip("|").split("|")] == ["full", "1", "1", "1", "4", "2", "2"]


@pytest.mark.parametrize(
    ("message", "kind"),
    [
        ("ImportError: cannot import name 'twice'", "new API"),
        ("AttributeError: module 'pkg' has no attribute 'twice'", "new API"),
        ("AttributeError: 'NoneType' object has no attribute 'half'", "bug"),
        ("TypeError: half() got an unexpected keyword argument 'exact'", "new API"),
        ("assert 3 == 1", "bug"),
    ],
)
def test_why_a_test_of_the_next_release_fails(message: str, kind: str, tmp_path: Path) -> None:
    pair = historical._pairs()[0]
    ready = historical.corpus.Ready(dataclasses.replace(pair.older, modules=("pkg",)), tmp_path)
    for side, text in (("pristine", "def half(): ...\n"), ("newer", "def half(): ...\ndef twice(): ...\n")):
        (tmp_path / side / "pkg").mkdir(parents=True)
        (tmp_path / side / "pkg" / "__init__.py").write_text(text)
    assert historical._kind("tests/test_a.py::test_b", message, pair, ready) == kind


def test_what_the_changelog_calls_a_change_is_no_bug(tmp_path: Path) -> None:
    pair = dataclasses.replace(historical._pairs()[0], behaviour=("*::test_new_*",))
    ready = historical.corpus.Ready(pair.older, tmp_path)
    assert historical._kind("tests/test_a.py::test_new_way", "assert 3 == 1", pair, ready) == "new behaviour"


def test_an_offer_that_breaks_a_test_does_not_fix() -> None:
    bug = historical.Bug("a → b", ("t",), "", 1.0, mended=True, broken=("u",), diff="x", identical=True, problem="")
    assert not bug.fixed
    assert dataclasses.replace(bug, broken=()).fixed


def test_every_bug_that_verdicts_are_timed_on_is_seeded() -> None:
    seeded_places = {name: [(seed.path, seed.line) for seed in entry.seeds] for name, entry in seeds.read().items()}
    assert all(seeded_places[name].count(place) == 1 for name, place in verdict._BUGS.items())


def test_the_keys_of_seeded_bugs_are_their_own(tmp_path: Path) -> None:
    options = Options(data=tmp_path, cache=tmp_path)
    keys = [case.key for project in seeded.corpus.projects() for case in seeded._cases(project, options)]
    assert len(keys) == len(set(keys)) > 96


def test_a_missed_test_lowers_recall_and_is_named() -> None:
    missed = ("t.py::test_c",)
    choice = selection.Choice(
        "p", "module", "map", "m.py", 3, False, 4, 8, 3, 2, missed, ("t.py::test_d",), missed, 1.5
    )
    whole = dataclasses.replace(
        choice, whole=True, chosen=8, failing=1, found=1, missed=(), chance=(), milliseconds=2.5
    )
    measured = [selection.Choices((one,)) for one in (choice, whole)]
    assert selection._row("p", "module", "map", [choice, whole]) == (
        "p", "module", "map", 2, 2, 1, "3/4 75.00 %", 1, "3/12 25 %", 75.0, 2.0, 2.5
    )  # fmt: skip
    assert selection._misses(measured).splitlines()[1:] == [
        "- p m.py:3, map: not counted, since they pass in a second full run: t.py::test_d",
        "- p m.py:3, map: 1 tests; of these notice it by themselves: t.py::test_c",
    ]


def test_constants_are_mutated_where_they_stand() -> None:
    fixture = '@fixture\ndef given(x="é", *, flag=True):\n    return "é", 1.5\n'
    text = f'"""Doc."""\nLIMIT = 3\n\n\n{fixture}\n\ndef f(a=2):\n    return 9\n'
    nodes = list(mutants._outside(ast.parse(text), every=False))
    changed = [mutants._altered(node, text) for node in nodes]
    lines = [line for other in changed for line in set(other.split("\n")) - set(text.split("\n"))]
    assert sorted(lines) == sorted(
        [
            "LIMIT = 4",
            "def given(x='éx', *, flag=True):",
            'def given(x="é", *, flag=False):',
            "    return 'éx', 1.5",
            '    return "é", 2.5',
            "def f(a=3):",
        ]
    )


def test_contexts_take_all_where_a_changed_line_ran_at_import(tmp_path: Path) -> None:
    kept = tmp_path / "contexts.json"
    kept.write_text(json.dumps({"m.py": {"1": [""], "3": ["t.py::a", "t.py::b"]}}))
    contexts = others.Contexts(Path("python"), tmp_path, kept)
    before = "X = 1\ndef f():\n    return 1\n"
    assert contexts.choose("m.py", before, before.replace("return 1", "return 2")) == {"t.py::a", "t.py::b"}
    assert contexts.choose("m.py", before, before.replace("X = 1", "X = 2")) is None


def compared(level: str, **said: Any) -> agreement.Compared:
    told = agreement.Told(level, "", "", ("t.py::fixed",), 3, "map", "imported", 0.5)
    cold = agreement.Cold((), ("t.py::fixed",), True, 2.0)
    for name, value in said.items():
        if name in {field.name for field in dataclasses.fields(cold)}:
            cold = dataclasses.replace(cold, **{name: value})
        else:
            told = dataclasses.replace(told, **{name: value})
    return agreement.Compared("p", "slip", "d", told, cold)


@pytest.mark.parametrize(
    ("one", "favour", "rejection"),
    [
        (compared("fixes"), False, False),
        (compared("fixes", lost=("t.py::lost",)), True, False),
        (compared("passes", fixed=(), lost=("t.py::lost",)), True, False),
        (compared("fixes", mended=()), True, False),
        (compared("fixes", mended=("t.py::fixed", "t.py::other")), False, False),
        (compared("parses", lost=("t.py::lost",)), False, False),
        (compared("rejected", lost=("t.py::lost",)), False, False),
        (compared("rejected", fixed=()), False, True),
        (compared("rejected", fixed=(), finished=False), False, False),
    ],
)
def test_a_verdict_is_false_where_the_cold_run_says_otherwise(
    one: agreement.Compared,
    favour: bool,
    rejection: bool,
) -> None:
    assert (one.false_favour, one.false_rejection) == (favour, rejection)
    assert not dataclasses.replace(one, chance=True).false_favour


def test_disagreements_are_told_one_by_one() -> None:
    lost = compared("fixes", lost=("t.py::lost",))
    measured = [compared("fixes"), lost, dataclasses.replace(lost, chance=True)]
    measured += [compared("rejected", gate="tests", reason="breaks u"), compared("rejected", gate="lint")]
    assert agreement._row("p", measured) == ("p", 5, 3, 0, 0, 2, 1, 1, 1, 1, 500.0, 2000.0, 4.0)
    assert agreement.disagreements(measured).splitlines()[1:3] == [
        "- p d (slip), fixes by map: FALSE FAVOUR: 1 tests, t.py::lost",
        "- p d (slip), fixes by map: by chance: 1 tests, t.py::lost",
    ]
    assert agreement.disagreements([compared("fixes")]) == "Disagreements:\n- none"


def test_what_lies_around_a_line_is_its_innermost_function() -> None:
    text = "A = 'é'\ndef outer():\n    def inner():\n        return 1\n    return inner\n"
    start, end = edits._around(text, 4)
    assert text[start:end] == "    def inner():\n        return 1\n"
    start, end = edits._around(text, 1)
    assert text[start:end] == "A = 'é'\n"


def test_a_table_is_aligned_by_kind() -> None:
    told = tables.table(("what", "ms"), [("one", 1.234), ("three", 1234.5)])
    assert told.splitlines() == ["| what  |   ms |", "| ----- | ---: |", "| one   | 1.23 |", "| three | 1234 |"]


@pytest.mark.parametrize(("share", "value"), [(0.0, 1), (0.5, 3), (0.9, 4), (1.0, 4)])
def test_quantile(share: float, value: float) -> None:
    assert tables.quantile([4, 2, 1, 3], share) == value
    assert tables.quantile([], share) is None
