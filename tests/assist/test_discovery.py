"""Tests are found by the names that pytest goes by."""

import pytest

from pennyproof.assist.discovery import find_tests, ids_of

FUNCTIONS = "def test_a(): ...\n\n@mark\nasync def test_b(): ...\ndef helper():\n    def test_inner(): ...\n"
CLASSES = """\
class TestA:
    def test_a(self): ...
    class TestInner:
        def test_b(self): ...
class Other:
    def test_no(self): ...
class TestMade:
    def __init__(self): ...
    def test_no(self): ...
class Old(unittest.TestCase):
    def testIt(self): ...
if True:
    def test_if(): ...
"""


@pytest.mark.parametrize(
    ("path", "text", "expected"),
    [
        ("tests/test_x.py", FUNCTIONS, ["1 ::test_a", "3 ::test_b"]),
        ("x_test.py", FUNCTIONS, ["1 ::test_a", "3 ::test_b"]),
        ("x.py", FUNCTIONS, []),
        ("known.py", FUNCTIONS, ["1 ::test_a", "3 ::test_b"]),
        (
            "test_c.py",
            CLASSES,
            [
                "1 ::TestA", "2 ::TestA::test_a", "3 ::TestA::TestInner", "4 ::TestA::TestInner::test_b",
                "10 ::Old", "11 ::Old::testIt", "13 ::test_if",
            ],
        ),
        ("test_broken.py", "def test_a(:", []),
        ("test_nul.py", "\0", []),
    ],
)  # fmt: skip
def test_tests_in_a_file(path: str, text: str, expected: list[str]) -> None:
    found = find_tests(path, text, {"known.py"})
    assert [f"{test.first} {test.id.removeprefix(path)}" for test in found] == expected


@pytest.mark.parametrize(
    ("wanted", "meant"),
    [
        ("a.py::test_x", ["a.py::test_x", "a.py::test_x[1]"]),
        ("a.py::test_x[1]", ["a.py::test_x[1]"]),
        ("a.py", ["a.py::test_x", "a.py::test_x[1]", "a.py::test_xy"]),
        ("b.py", []),
    ],
)
def test_ids_that_are_meant(wanted: str, meant: list[str]) -> None:
    assert ids_of(wanted, ["a.py::test_x", "a.py::test_x[1]", "a.py::test_xy"]) == meant
