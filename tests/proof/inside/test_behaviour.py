from collections.abc import Iterator
from typing import Any

import pytest

from tests.proof.inside.harness import Child, child, write

CODE = """\
def clip(values, low, high):
    out = []
    for value in values:
        if value > high:
            value = low
        out.append(value)
    return out

def locked(lock, n):
    return n

def ticks(n):
    for i in range(n):
        yield i / 3
"""
TESTS = """\
import threading
from code_ import clip, locked, ticks
def test_clip(): assert clip([1, 9], 0, 6) == [1, 6]
def test_inside(): assert clip([3], 0, 6) == [3]
def test_lock(): assert locked(threading.Lock(), 1) == 2
def test_ticks(): assert list(ticks(2)) == []
"""
IDS = [f"test_it.py::test_{name}" for name in ("clip", "inside", "lock", "ticks")]


@pytest.fixture(scope="module")
def primed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Child]:
    root = write(tmp_path_factory.mktemp("primed") / "p", {"code_.py": CODE, "test_it.py": TESTS})
    with child(root, "prime") as started:
        answer = started.ask({"ids": [IDS[0], IDS[2], IDS[3]], "also": [IDS[1]], "timeout": 60})
        assert answer is not None
        assert answer["usable"], answer["reason"]
        yield started


def behave(primed: Child, *edits: tuple[str, str], **more: Any) -> dict[str, Any]:
    candidates = [{"code_.py": CODE.replace(old, new, 1)} for old, new in edits]
    answer = primed.ask({"op": "behave", "candidates": candidates, "ids": IDS, "inputs": 30, "timeout": 20, **more})
    assert answer is not None
    return answer


def test_right_and_overfitted_repairs_differ(primed: Child) -> None:
    right, same, overfitted = ("value = low", "value = high"), ("value = low", "value = min(9 ** 9, high)"), "value = 6"
    answer = behave(primed, right, same, ("value = low", overfitted))
    first, second, third = answer["behaviours"]
    assert answer["inputs"] == len(first) == 30
    assert first[:2] == ["[1, 6]", "[3]"]
    assert first == second
    assert first[:2] == third[:2]
    assert first != third


def test_the_same_question_has_the_same_answer(primed: Child) -> None:
    edit = ("value = low", "value = high")
    assert behave(primed, edit) == behave(primed, edit)


def test_exceptions_and_changed_arguments_are_behaviour(primed: Child) -> None:
    raising, changing = ("out = []", "raise KeyError(low)"), ("out = []", "out = values; values = list(values)")
    raised, changed = behave(primed, raising, changing)["behaviours"]
    assert set(raised) == {"!KeyError"}
    assert changed[0] == "[1, 9, 1, 0]; ([[1, 9, 1, 0], 0, 6], {})"


def test_candidates_that_cannot_be_watched_are_left_out(primed: Child) -> None:
    edits = [
        ("value = low", "value = high"),
        ("def clip", "import os\ndef clip"),
        ("out = []", "import os; os._exit(0)"),
    ]
    assert [seen is None for seen in behave(primed, *edits)["behaviours"]] == [False, True, True]


def test_the_function_can_be_named_and_floats_are_rounded(primed: Child) -> None:
    answer = behave(primed, ("i / 3", "i / 3 * (1 + 1e-14)"), ("i / 3", "i / 3"), function=["code_.py", 14])
    first, second = answer["behaviours"]
    assert first == second
    assert first[0] == "[0, 0.333333333]"


def test_arguments_that_cannot_be_copied(primed: Child) -> None:
    assert behave(primed, ("return n", "return n + 1")) == {"behaviours": None, "inputs": 0}
