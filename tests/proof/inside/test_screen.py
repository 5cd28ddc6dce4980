import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.proof.inside.harness import Child, child, outcomes, run, write

CODE = """\
from __future__ import annotations
import asyncio
import functools
from dataclasses import dataclass

LIMIT = 10

def plain(a, b):
    return a - b

def decorate(f):
    @functools.wraps(f)
    def wrapper(*args):
        return f(*args) + 1
    return wrapper

@decorate
def decorated(a):
    return a * 1

def make(n):
    def inner(a):
        return a + n + 1
    return inner
three = make(3)

class Base:
    __slots__ = ("_Base__held",)
    def __init__(self, held):
        self.__held = held
    @property
    def held(self):
        return self.__held + 1
    @staticmethod
    def static(a):
        return a + 1
    @classmethod
    def built(cls, held):
        return cls(held + 1)
    def describe(self):
        return "base"

class Derived(Base):
    def describe(self):
        return "derived " + super().describe() + "!"
    if LIMIT:
        def conditional(self):
            return 1

@dataclass
class Point:
    x: int
    def shifted(self, by=2):
        return Point(self.x + by)

def numbers(n):
    for i in range(n + 1):
        yield i

def factorial(n):
    return 1 if n == 0 else n + factorial(n - 1)

def keyed(values):
    return sorted(values, key=lambda v: v)

def nested(values):
    return [[v + 1 for v in row] for row in values]

async def later(a):
    return a + 1

def waited(a):
    return asyncio.run(later(a))

class Outer:
    class Inner:
        def value(self):
            return 1

def appended(value, held=[]):
    held.append(value)
    return held

def two(a):
    b = a + 1
    c = b + 1
    return c

def at_import():
    return LIMIT
TABLE = [at_import()]

def from_table():
    return TABLE[0]

if True:
    def indented():
        return 1
"""
TESTS = """\
import code_
def test_plain(): assert code_.plain(1, 2) == 3
def test_decorated(): assert code_.decorated(2) == 4
def test_wrapper(): assert code_.decorated(2) == 2
def test_closure(): assert code_.three(1) == 4
def test_property(): assert code_.Base(1).held == 1
def test_static(): assert code_.Base.static(1) == 1
def test_classmethod(): assert code_.Base.built(1).held == 2
def test_super(): assert code_.Derived(1).describe() == "derived base"
def test_conditional(): assert code_.Derived(1).conditional() == 2
def test_dataclass(): assert code_.Point(1).shifted() == code_.Point(2)
def test_generator(): assert list(code_.numbers(2)) == [0, 1]
def test_recursion(): assert code_.factorial(4) == 24
def test_lambda(): assert code_.keyed([1, 3, 2]) == [3, 2, 1]
def test_comprehension(): assert code_.nested([[1]]) == [[1]]
def test_async(): assert code_.waited(1) == 3
def test_inner_class(): assert code_.Outer.Inner().value() == 2
def test_default():
    code_.appended(1)
    assert code_.appended(2) == [2]
def test_two(): assert code_.two(1) == 7
def test_table(): assert code_.from_table() == 9
def test_indented(): assert code_.indented() == 2
def test_wrong(): assert code_.plain(1, 2) == 4
"""
EDITS: dict[str, tuple[str, str]] = {
    "plain": ("a - b", "a + b"),
    "over several lines": ("    return a - b", "    c = a\n\n    # why\n    return (\n        c + b\n    )"),
    "appended lines": ("    return a - b\n", "    c = a - b\n    return c + 2 * b\n"),
    "raises": ("return a - b", "raise ValueError(a)"),
    "decorated": ("a * 1", "a + 1"),
    "wrapper": ("f(*args) + 1", "f(*args)"),
    "wrapper with another variable": (
        "        return f(*args) + 1",
        "        more = 0\n        return f(*args) + more",
    ),
    "closure": ("a + n + 1", "a + n"),
    "property": ("self.__held + 1", "self.__held"),
    "static": ("        return a + 1\n    @classmethod", "        return a\n    @classmethod"),
    "classmethod": ("cls(held + 1)", "cls(held)"),
    "super": ('super().describe() + "!"', "super().describe()"),
    "conditional": ("            return 1\n\n@dataclass", "            return 2\n\n@dataclass"),
    "dataclass": ("Point(self.x + by)", "Point(self.x + by - 1)"),
    "default": ("by=2", "by=1"),
    "generator": ("range(n + 1)", "range(n)"),
    "recursion": ("n + factorial", "n * factorial"),
    "lambda": ("key=lambda v: v)", "key=lambda v: -v)"),
    "comprehension": ("v + 1 for v", "v for v"),
    "async": ("async def later(a):\n    return a + 1", "async def later(a):\n    return a + 2"),
    "inner class": ("        def value(self):\n            return 1", "        def value(self):\n            return 2"),
    "two places": ("b = a + 1\n    c = b + 1", "b = a + 3\n    c = b + 3"),
    "mutable default": (
        "held=[]):\n    held.append",
        "held=None):\n    held = [] if held is None else held\n    held.append",
    ),
    "indented": ("def indented():\n        return 1", "def indented():\n        return 2"),
    "nothing": ("", ""),
}
FALLBACKS: dict[str, tuple[str, str]] = {
    "constant": ("LIMIT = 10", "LIMIT = 9"),
    "import": ("import functools", "import functools, re"),
    "decorator": ("@decorate\ndef", "@functools.lru_cache\ndef"),
    "signature": ("def plain(a, b)", "def plain(a, b, c=1)"),
    "new function": ("def decorate", "def more(): pass\n\ndef decorate"),
    "class attribute": ("    x: int", "    x: int = 0"),
    "renamed": ("def plain", "def plainer"),
    "ran at import": ("return LIMIT", "return LIMIT - 1"),
    "computed default": ("by=2", "by=LIMIT"),
    "docstring": ("def plain(a, b):", 'def plain(a, b):\n    """Subtract."""'),
}
IDS = [f"test_it.py::{line[4:].split('(')[0]}" for line in TESTS.splitlines() if line.startswith("def ")]


@pytest.fixture(scope="module")
def primed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Child]:
    root = write(tmp_path_factory.mktemp("primed") / "p", {"code_.py": CODE, "test_it.py": TESTS})
    with child(root, "prime") as started:
        answer = started.ask({"ids": IDS, "timeout": 60})
        assert answer is not None
        assert answer["usable"], answer["reason"]
        assert dict(answer["failing"]) == dict.fromkeys(IDS, "AssertionError")
        yield started


def edited(edit: tuple[str, str]) -> str:
    assert edit[0] in CODE
    return CODE.replace(edit[0], edit[1], 1)


def screened(primed: Child, **request: Any) -> dict[str, Any]:
    answer = primed.ask({"op": "screen", "timeout": 60, **request})
    assert answer is not None
    return answer


@pytest.mark.parametrize("edit", EDITS.values(), ids=EDITS)
def test_the_screen_agrees_with_a_full_run(tmp_path: Path, primed: Child, edit: tuple[str, str]) -> None:
    root = write(tmp_path / "p", {"code_.py": edited(edit), "test_it.py": TESTS})
    truth = {test for test, outcome in outcomes(run(root)).items() if outcome == "passed"}
    answer = screened(primed, files={"code_.py": edited(edit)}, all=True)
    assert (answer["fallback"], answer["reason"]) == (False, None)
    assert set(answer["passed"]) == truth
    assert {test for test, _ in answer["failed"]} == set(IDS) - truth
    assert bool(truth) == (edit not in (EDITS["raises"], EDITS["nothing"]))


@pytest.mark.parametrize("edit", FALLBACKS.values(), ids=FALLBACKS)
def test_what_takes_more_than_functions_falls_back(primed: Child, edit: tuple[str, str]) -> None:
    answer = screened(primed, files={"code_.py": edited(edit)})
    assert answer["fallback"]
    assert (answer["passed"], answer["failed"]) == ([], [])


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        ("while True: pass", "timeout"),
        ("import os, time; os.fork() or time.sleep(60); time.sleep(60)", "timeout"),
        ("import os; os._exit(0)", "crashed"),
        ("import os; os.kill(os.getpid(), 9)", "crashed"),
        ("return (", "does not compile"),
    ],
)
def test_candidates_that_go_wrong_harm_nobody(primed: Child, body: str, reason: str) -> None:
    bad = {"code_.py": edited(("return a - b", body))}
    answer = screened(primed, files=bad, ids=IDS[:1], timeout=0.3)
    assert answer["reason"].startswith(reason)
    assert screened(primed, files={"code_.py": edited(EDITS["plain"])}, ids=IDS[:1])["passed"] == IDS[:1]


def test_it_stops_at_the_first_failure_unless_asked(primed: Child) -> None:
    files = {"code_.py": edited(EDITS["plain"])}
    answer = screened(primed, files=files)
    assert (answer["passed"], len(answer["failed"])) == (IDS[:1], 1)


def test_many_candidates_have_one_answer_each_in_order(primed: Child) -> None:
    names = ["plain", "raises", "plain", "nothing"]
    candidates = [{"code_.py": edited(EDITS[name])} for name in names]
    answer = primed.ask({"op": "screen_many", "candidates": candidates, "ids": IDS[:1], "timeout": 60})
    assert answer is not None
    assert [told["passed"] for told in answer["results"]] == [IDS[:1], [], IDS[:1], []]
    hurried = primed.ask({"op": "screen_many", "candidates": candidates, "ids": IDS[:1], "deadline": 1e-9})
    assert hurried == {"results": []}


CLOSER = """\
import code_
def test_target(): assert code_.plain(1, 2) == 3
def test_other(): assert code_.plain(5, 3) == 8
def test_passing(): assert code_.plain(1, 0) == 1
def test_again(): assert code_.plain(2, 0) == 2
def test_failing(): assert code_.plain(2, 0) == 3
"""


@pytest.mark.parametrize(
    ("body", "passed", "failed", "objection"),
    [
        ("return a + b", ["target", "other"], [], None),
        ("return a + b if a < 5 else 0", ["target"], ["other"], None),
        ("return 3", [], [], "breaks test_it.py::test_passing"),
        ("return a - b", [], ["target"], None),
        ("return 3 if b else __import__('os')._exit(1)", [], [], "crashed"),
        ("return a + b if a < 5 else __import__('os')._exit(1)", ["target"], ["other"], None),
    ],
)
def test_what_mends_the_target_is_looked_at_more_closely(
    tmp_path: Path, body: str, passed: list[str], failed: list[str], objection: str | None
) -> None:
    root = write(tmp_path / "p", {"code_.py": CODE, "test_it.py": CLOSER})
    target, other, *guards = (f"test_it.py::test_{name}" for name in ("target", "other", "failing", "passing", "again"))
    with child(root, "prime") as started:
        primed = started.ask({"ids": [target], "also": [other], "guards": guards, "timeout": 60})
        assert primed is not None
        assert primed["failing"] == [[target, "AssertionError"]]
        answer = screened(started, files={"code_.py": edited(("return a - b", body))})
    assert answer["passed"] == [f"test_it.py::test_{name}" for name in passed]
    assert [test for test, _ in answer["failed"]] == [f"test_it.py::test_{name}" for name in failed]
    assert answer["reason"] == objection


COUNTING = """\
from pathlib import Path
def test():
    with Path("n").open("a") as file: file.write("x")
    raise KeyError if len(Path("n").read_text()) > 1 else ValueError
"""


@pytest.mark.parametrize(
    ("test", "reason"),
    [
        ("def test(): pass\n", "passes with the unchanged code"),
        ("def other(): pass\n", "not collected"),
        ("import not_there\n", "not collected"),
        ("def test():\n    while True: pass\n", "timeout"),
        (
            "import subprocess, sys\ndef test(): subprocess.run([sys.executable, '-c', '']); assert 0\n",
            "other processes",
        ),
        (COUNTING, "same way twice"),
    ],
)
def test_where_the_screen_would_mislead_it_says_so(tmp_path: Path, test: str, reason: str) -> None:
    root = write(tmp_path / "p", {"test_it.py": test})
    with child(root, "prime") as started:
        answer = started.ask({"ids": ["test_it.py::test"], "timeout": 1 if reason == "timeout" else 30})
    assert answer is not None
    assert not answer["usable"]
    assert reason in answer["reason"]
    shutil.rmtree(root)
