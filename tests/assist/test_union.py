"""Offers that hold by themselves are written together only where they hold together."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from pennyproof.assist.union import Union, best_union, measured_union, merge
from pennyproof.core.candidates import Candidate, FileChange
from pennyproof.core.offers import Offer
from pennyproof.core.snapshots import Snapshot
from pennyproof.core.sources import Source
from pennyproof.core.verdicts import Gate, Level, Line, Strength, Verdict, rejected
from pennyproof.core.work import Cancel, Deadline, Silent
from tests.assist.scripted import ScriptedProver, baseline, failed

BEFORE = "one\ntwo\nthree\nfour\n"


def change(old: str, new: str, path: str = "a.py") -> FileChange:
    return FileChange(path, Source(BEFORE), Source(BEFORE.replace(old, new)))


def offer(name: str, old: str, new: str) -> Offer:
    return Offer(name, Candidate((change(old, new),), summary=name), Verdict(Level.FIXES, fixed=(f"t.py::{name}",)))


class Together(ScriptedProver):
    """Holds with any set of edits but those in ``clashes``."""

    clashes: frozenset[frozenset[str]] = frozenset()

    def prove(
        self,
        snapshot: Snapshot,
        candidate: Candidate,
        *,
        targets: Sequence[str] = (),
        test_ids: Sequence[str] | None = None,
        selection: str = "asked",
        every_test: bool = False,
        afresh: bool = False,
        cancel: Cancel,
    ) -> Verdict:
        assert every_test
        names = frozenset(candidate.summary.split("; "))
        self.proved.append((candidate.summary, every_test))
        if any(clash <= names for clash in self.clashes):
            return rejected(Gate.TESTS, "breaks another")
        return Verdict(Level.FIXES, fixed=tuple(targets))


@pytest.mark.parametrize(
    ("offers", "clashes", "chosen", "text"),
    [
        ("ab", [], "ab", "ONE\nTWO\nthree\nfour\n"),
        ("abc", ["ab"], "ac", "ONE\ntwo\nthree\nFOUR\n"),
        ("abc", ["abc"], "ab", "ONE\nTWO\nthree\nfour\n"),
        ("ax", [], "a", "ONE\ntwo\nthree\nfour\n"),
        ("a", ["a"], "", ""),
        ("ab", ["a"], "b", "one\nTWO\nthree\nfour\n"),
    ],
    ids=["all hold", "two clash", "all three clash", "the same line", "nothing holds", "the first does not hold"],
)
def test_best_union(offers: str, clashes: list[str], chosen: str, text: str) -> None:
    made = {
        "a": offer("a", "one", "ONE"),
        "b": offer("b", "two", "TWO"),
        "c": offer("c", "four", "FOUR"),
        "x": offer("x", "one", "1"),
    }
    prover = Together(baseline(*(failed(f"t.py::{name}") for name in made)))
    prover.clashes = frozenset(map(frozenset, clashes))
    union = best_union(prover, Snapshot(Path("/")), [made[name] for name in offers], cancel=Cancel(), progress=Silent())
    if not chosen:
        assert union is None
        return
    assert union is not None
    assert "".join(one.id for one in union.offers) == chosen
    assert union.candidate.changes[0].after == Source(text)
    assert union.verdict.fixed == tuple(f"t.py::{name}" for name in chosen)


def test_a_union_that_mends_less_than_its_parts_is_none() -> None:
    class Forgetful(Together):
        def prove(self, *args: object, **kwargs: object) -> Verdict:
            return Verdict(Level.FIXES, fixed=("t.py::a",))

    prover = Forgetful(baseline(failed("t.py::a"), failed("t.py::b")))
    offers = [offer("a", "one", "ONE"), offer("b", "two", "TWO")]
    union = best_union(prover, Snapshot(Path("/")), offers, cancel=Cancel(), progress=Silent())
    assert union is not None
    assert [one.id for one in union.offers] == ["a"]


def test_merge_keeps_files_apart_and_the_encoding() -> None:
    latin = FileChange("b.py", Source("é\n", "iso-8859-1"), Source("è\n", "iso-8859-1"))
    merged = merge([Candidate((change("one", "ONE"), latin)), Candidate((change("two", "TWO"), latin))])
    assert merged == (FileChange("a.py", Source(BEFORE), Source("ONE\nTWO\nthree\nfour\n")), latin)


def test_merge_refuses_a_file_that_is_deleted_and_changed() -> None:
    deleted = replace(change("one", "ONE"), after=None)
    with pytest.raises(ValueError, match="created or deleted"):
        merge([Candidate((deleted,)), Candidate((change("two", "TWO"),))])


FIRST, SECOND = "x = a > b\n", "y = a != b\n"
LESS, ATLEAST = "replace `==` by `<`", "replace `<` by `>=`"
STRONG = Strength(5, 6, ("a.py:1: replace `>` by `<`",))


def numbered(name: str, old: str, new: str, *, strength: Strength | None, uncovered: tuple[Line, ...] = ()) -> Offer:
    before = FIRST + SECOND
    edited = FileChange("a.py", Source(before), Source(before.replace(old, new)))
    verdict = Verdict(Level.FIXES, ran=("t.py::t",), strength=strength, uncovered=uncovered)
    return Offer(name, Candidate((edited,), summary=name), verdict)


@pytest.mark.parametrize(
    ("names", "strength", "uncovered", "seconds", "found"),
    [
        ("a", STRONG, (), 60.0, STRONG),
        ("a", None, (), 60.0, Strength(1, 1)),
        ("a", STRONG, (Line("a.py", 1),), 60.0, Strength(1, 1)),
        ("ab", STRONG, (), 60.0, Strength(1, 2, (f"a.py:2: {LESS}",))),
        ("ab", STRONG, (), 0.0, None),
    ],
    ids=["one edit", "one that was not measured", "more of its lines ran", "several", "no time"],
)
def test_a_union_says_how_much_the_tests_would_notice_in_all_its_lines(
    names: str, strength: Strength | None, uncovered: tuple[Line, ...], seconds: float, found: Strength | None
) -> None:
    made = {
        "a": numbered("a", FIRST, "x = a < b\n", strength=strength, uncovered=uncovered),
        "b": numbered("b", SECOND, "y = a == b\n", strength=strength),
    }
    offers = tuple(made[name] for name in names)
    candidate = Candidate(merge(one.candidate for one in offers))
    union = Union(offers, candidate, Verdict(Level.FIXES, ran=("t.py::t",)))
    prover = ScriptedProver(baseline(), notices={ATLEAST: True, LESS: False})
    measured = measured_union(
        prover, Snapshot(Path("/")), union, deadline=Deadline(seconds), cancel=Cancel(), progress=Silent()
    )
    assert measured.verdict.strength == found
    assert replace(measured.verdict, strength=None) == union.verdict
