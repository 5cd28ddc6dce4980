"""Candidates tried one after another in one fork: each is told what it would be told in a fork of its own."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from tests.proof.inside.harness import Child, child, write

CODE = """\
import functools

SEEN = []
KNOWN = {}
COUNT = 1000.0

def key(a):
    return a

def counted(a):
    global COUNT
    COUNT += 1
    return key(a)

def remembered(a):
    if a not in KNOWN:
        KNOWN[a] = key(a) * key(a)
    return KNOWN[a]

@functools.lru_cache(maxsize=None)
def squared(a):
    return key(a) * key(a)

def add(a, b):
    return a - b
"""
TESTS = """\
import code_

def test_add():
    assert code_.add(1, 2) == 3

def test_squared():
    assert code_.squared(3) == 16

def test_remembered():
    assert code_.remembered(3) == 16

def test_counted():
    assert code_.counted(3) == 16 or code_.COUNT > 1001

def test_seen():
    assert code_.add(1, 2) == 3 + 0 * len(code_.SEEN), code_.SEEN
"""
ADD, SQUARED, REMEMBERED, COUNTED, SEEN = (
    f"test_it.py::test_{name}" for name in ("add", "squared", "remembered", "counted", "seen")
)

WRONG, RIGHT, RAISES = "return a * b", "return a + b", "raise KeyError(a)"
LOOPS, CRASHES, LEAVES = "while True: pass", "__import__('os')._exit(0)", "raise SystemExit(0)"
MARKS = "SEEN.append(a); return a * b"
REPLACES = "global key; key = lambda a: 4; return 0"


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write(tmp_path_factory.mktemp("rows") / "p", {"code_.py": CODE, "test_it.py": TESTS})


@pytest.fixture
def primed(root: Path, request: pytest.FixtureRequest) -> Iterator[Child]:
    with child(root, "prime") as started:
        answer = started.ask({"ids": [ADD, SQUARED, REMEMBERED, COUNTED, SEEN], "timeout": 60})
        assert answer is not None
        assert answer["usable"], answer["reason"]
        yield started


def candidate(body: str, function: str = "add") -> Mapping[str, str]:
    old = {"add": "return a - b", "key": "    return a\n"}[function]
    return {"code_.py": CODE.replace(old, body if function == "add" else f"    {body}\n", 1)}


def told(primed: Child, candidates: Sequence[Mapping[str, str]], test: str) -> tuple[list[Any], list[Any]]:
    """What is said of candidates one by one, and in a row."""
    common = {"ids": [test], "timeout": 0.5}
    singly = [primed.ask({"op": "screen", "files": files, **common}) for files in candidates]
    many = primed.ask({"op": "screen_many", "candidates": candidates, **common})
    assert many is not None
    return [short(answer) for answer in singly], [short(answer) for answer in many["results"]]


def short(answer: dict[str, Any] | None) -> tuple[Any, ...]:
    assert answer is not None
    return answer["passed"], answer["failed"], answer["reason"], answer["fallback"]


@pytest.mark.parametrize(
    "bodies",
    [
        [WRONG, RAISES, WRONG],
        [WRONG, RIGHT, RAISES],
        [RIGHT],
        [WRONG, LOOPS, RAISES, RIGHT],
        [LOOPS, LOOPS],
        [CRASHES, WRONG, CRASHES, RIGHT],
        [LEAVES, WRONG],
        [WRONG, "return (", "def more(): return 1", RIGHT],
        [MARKS, RIGHT, MARKS],
        [REPLACES, RIGHT],
    ],
    ids=" | ".join,
)
def test_a_row_says_what_single_ones_say(primed: Child, bodies: list[str]) -> None:
    singly, row = told(primed, [candidate(body) for body in bodies], ADD)
    assert row == singly


@pytest.mark.parametrize("test", [SQUARED, REMEMBERED, COUNTED])
def test_what_one_leaves_behind_speaks_for_and_against_no_other(primed: Child, test: str) -> None:
    # The first comes to the same as the unchanged code, so that what it leaves is what that would leave, too.
    bodies = ["return +a", "return a - 1", "return a + 1"]
    singly, row = told(primed, [candidate(body, "key") for body in bodies], test)
    assert row == singly
    assert [bool(passed) for passed, *_ in row] == [False, False, test != COUNTED]


def test_where_every_row_shows_traces_all_have_forks_of_their_own(primed: Child) -> None:
    for _ in range(4):
        singly, row = told(primed, [candidate(body) for body in (MARKS, WRONG, RIGHT)], SEEN)
        assert row == singly
        assert [passed for passed, *_ in row] == [[], [], [SEEN]]
