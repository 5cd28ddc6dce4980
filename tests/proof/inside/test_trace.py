import re
from pathlib import Path

import pytest

from tests.proof.inside.harness import run, write

CODE = """\
import threading
def plain(n):            # a
    if n:                # a
        return 1         # a
    return 2

def recursive(n):        # b
    return n and recursive(n - 1)    # b

def generator():         # c
    for n in range(2):   # c
        yield n          # c
    never = 1

def in_thread():         # d
    inner = lambda: nested()    # d
    thread = threading.Thread(target=inner)    # d
    thread.start()       # d
    thread.join()        # d

def nested():            # d
    class Local:         # d
        pass
    return [n for n in (1, 2)]    # d

def decorate(f):
    def wrapper(*args):  # e
        return f(*args)  # e
    return wrapper

@decorate                # e
def decorated():
    return 1             # e

def resets_tracing():    # f
    import sys           # f
    sys.settrace(None)   # f
    return plainly()     # f-monitoring

def plainly():           # f-monitoring
    return 1             # f-monitoring

def expensive():         # g h
    return 3             # g h

def never():
    return 0
"""
TESTS = """\
import code_, pytest
def test_a(): code_.plain(1)
def test_b(): code_.recursive(3)
def test_c(): next(g := code_.generator()); next(g); next(g, None) if 0 else None
def test_d(): code_.in_thread()
def test_e(): code_.decorated()
def test_f(): code_.resets_tracing()
@pytest.fixture(scope="module")
def shared(): return code_.expensive()
def test_g(shared): pass
def test_h(shared): assert shared == 4
def test_i(): assert 1
"""


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return write(tmp_path / "p", {"code_.py": CODE, "test_it.py": TESTS})


def expected(test: str, also: str = "") -> list[int]:
    marks = [(number, line.partition("#")[2].split()) for number, line in enumerate(CODE.splitlines(), 1)]
    return [number for number, names in marks if test in names or f"{test}{also}" in names]


def test_lines_are_attributed_to_the_tests_that_run_them(root: Path) -> None:
    result = run(root, trace="lines")
    assert result is not None
    for test in "abcdegh":
        found = result["coverage"][f"test_it.py::test_{test}"].get("code_.py", [])
        # The body of a class within a function is only known to be one from Python 3.11 on.
        assert [line for line in found if "pass" not in CODE.splitlines()[line - 1]] == expected(test), test
    f = result["coverage"]["test_it.py::test_f"]["code_.py"]
    assert f in (expected("f")[:3], expected("f"), expected("f", "-monitoring"))
    assert "code_.py" not in result["coverage"]["test_it.py::test_i"]


def test_functions_are_told_by_their_first_lines(root: Path) -> None:
    result = run(root, trace="functions")
    assert result is not None
    firsts = [number for number, line in enumerate(CODE.splitlines(), 1) if re.match(r"\s*(def|@|class)", line)]
    for test in "abcgh":
        assert result["coverage"][f"test_it.py::test_{test}"]["code_.py"] == [
            line for line in expected(test) if line in firsts
        ]


def test_watched_lines_count_where_tests_pass(root: Path) -> None:
    lines = [number for number, line in enumerate(CODE.splitlines(), 1) if "return" in line]
    result = run(root, watch={"code_.py": [1, *lines]})
    assert result is not None
    passing = {line for test in "abcdefg" for line in expected(test, "-monitoring")} & set(lines)
    assert set(result["watched"]["code_.py"]) <= passing
    assert set(result["watched"]["code_.py"]) >= passing - set(expected("f", "-monitoring"))
    assert "test_it.py::test_h" in result["watched_by"]
    assert "test_it.py::test_i" not in result["watched_by"]
    assert result["watched_at_import"] == {"code_.py": [1, CODE.splitlines().index("    return wrapper") + 1]}


def test_a_watched_line_is_its_whole_statement_or_header(tmp_path: Path) -> None:
    code = "def f(\n    a,\n    b=2,\n):\n    # why\n    return (\n        a\n    )\n"
    root = write(tmp_path / "p", {"c.py": code, "test_it.py": "import c\ndef test(): c.f(1)\n"})
    result = run(root, watch={"c.py": [3, 5, 6, 8]})
    assert result is not None
    assert result["watched"] == {"c.py": [3, 5, 6, 8]}
    assert result["watched_by"] == ["test_it.py::test"]
