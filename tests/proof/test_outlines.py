"""What of a file an edit changes, by checksum."""

import ast
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pennyproof.proof.outlines import Body, Outline, outline
from pennyproof.proof.outlines import edited as changed_by

BEFORE = '''"""Doc."""
LIMIT = 3
KEYS = [lambda x: x]


def first(a, b=1):
    """Doc."""
    # A comment.
    return a + b


class Thing:
    size = 4

    @property
    def area(self):
        def inner():
            return lambda: self.size

        return inner()

    @area.setter
    def area(self, value):
        self.size = value


if LIMIT:
    def last():
        yield 1
'''


def read(text: str) -> Outline:
    found = outline(text)
    assert found is not None
    return found


def edited(pairs: Sequence[tuple[str, str]]) -> str:
    after = BEFORE
    for old, new in pairs:
        assert after.count(old) == 1, old
        after = after.replace(old, new)
    return after


@pytest.mark.parametrize(
    ("pairs", "lines"),
    [
        ([("a + b", "a - b")], [6]),
        ([("# A comment.", "# Another one,\n    # longer.")], []),
        ([("LIMIT = 3", "LIMIT  =  3  # three")], []),
        ([("lambda: self.size", "lambda: 1")], [15]),
        ([("self.size = value", "pass"), ("yield 1", "yield 2")], [22, 28]),
    ],
)
def test_functions_that_change(pairs: Sequence[tuple[str, str]], lines: list[int]) -> None:
    changed = read(BEFORE).changed(read(edited(pairs)))
    assert changed is not None
    assert [body.first for body in changed] == lines


@pytest.mark.parametrize(
    "pair",
    [
        ("LIMIT = 3", "LIMIT = 4"),
        ("lambda x: x", "lambda x: 1"),
        ("b=1", "b=2"),
        ('    """Doc."""\n', '    """Other."""\n'),
        ("size = 4", "size = 5"),
        ("@property", "@cached_property"),
        ("yield 1", "return 1"),
        ("def last", "async def last"),
        ("def last", "def least"),
        ("class Thing:", "class Thing(list):"),
        ("if LIMIT:", "def more(): pass\nif LIMIT:"),
    ],
)
def test_what_others_can_tell_is_more_than_functions(pair: tuple[str, str]) -> None:
    assert read(BEFORE).changed(read(edited([pair]))) is None


def test_functions_that_do_not_change_are_found_where_they_are_now() -> None:
    after = edited([("LIMIT = 3", "\n\nLIMIT = 3"), ("return a + b", "c = a\n    return c + b")])
    moved = read(BEFORE).moved(read(after))
    assert moved == {3: {5}, 15: {18}, 17: {20}, 18: {21}, 22: {25}, 28: {31}}


def test_what_is_no_python_has_none() -> None:
    assert outline("def f(:\n") is None


@given(st.lists(st.sampled_from(["", "# comment"]), max_size=9), st.integers(0, 28))
def test_blank_lines_and_comments_change_nothing(added: list[str], at: int) -> None:
    before = BEFORE.split("\n")
    after = "\n".join([*before[:at], *added, *before[at:]])
    assert ast.dump(ast.parse(after)) == ast.dump(ast.parse(BEFORE))
    assert read(BEFORE).changed(read(after)) == []
    moved = read(BEFORE).moved(read(after))
    assert moved == {line: {line + len(added) * (line > at)} for line in (3, 6, 15, 17, 18, 22, 28)}


PIECES = [
    "", "# comment", "x = 1", "    x = 1", "        x = 1", "    return 1", "        return 1", "def first(a):",
    "class Thing:", "    def area(self):", "@staticmethod", "    @property", "else:", '"""', "x = (", ")", "    pass",
    "x = 1; y = \\",
]  # fmt: skip


@given(st.integers(0, 30), st.integers(0, 6), st.lists(st.sampled_from([*PIECES, *BEFORE.split("\n")]), max_size=5))
def test_what_is_looked_at_says_no_less_than_the_whole(start: int, count: int, put: list[str]) -> None:
    lines = BEFORE.split("\n")
    after = "\n".join([*lines[:start], *put, *lines[start + count :]])
    found, whole = changed_by(BEFORE, after), outline(after)
    known = read(BEFORE).changed(whole) if whole else None
    assert found is None or (known is not None and places(found) == places(known))


def places(bodies: Sequence[Body]) -> list[tuple[int, int, str]]:
    return sorted((body.first, body.last, body.checksum) for body in bodies)


@pytest.mark.parametrize(
    ("pairs", "lines"),
    [
        ([("a + b", "a - b")], [6]),
        ([("lambda: self.size", "lambda: 1")], [15]),
        ([("self.size = value", "pass"), ("yield 1", "yield 2")], [22, 28]),
        ([("LIMIT = 3", "# Three.\nLIMIT = 3")], []),
        ([("    size = 4", "    size = 4  # four")], []),
        ([("LIMIT = 3", "LIMIT = 4")], None),
        ([("size = 4", "size = 5")], None),
        ([("\n\ndef first", "\n\nmore = 1\n\n\ndef first")], None),
    ],
)
def test_parts_of_a_file_are_enough(pairs: Sequence[tuple[str, str]], lines: list[int] | None) -> None:
    found = changed_by(BEFORE, edited(pairs))
    assert (found if found is None else [body.first for body in found]) == lines
