"""Parsing no more of a file than what an edit touches."""

import ast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pennyproof.core.candidates import Candidate, FileChange
from pennyproof.core.sources import Source
from pennyproof.proof import selection
from pennyproof.proof.selection import analyse
from pennyproof.proof.syntax import Narrowed, narrowed, parse
from tests.proof.test_selection import BEFORE

METHODS = '''
@register
class Account(
    Base,
):
    """Doc."""
    limit = 3
    def one(self):
        return super().one()
    @classmethod
    def two(cls, x=1):
        if x:
            return """
text"""
        return x

    class Inner:
        def deep(self):
            return 1
    def last(self): return 5
'''
LINES = (BEFORE + METHODS).split("\n")
INSERTED = (
    "    pass",
    "x = 1",
    "",
    "# comment",
    "        return 5",
    "if True:",
    "from __future__ import annotations",
    "@x",
    "\\",
    '"""',
)


def compiles(text: str) -> bool:
    try:
        compile(ast.parse(text), "m", "exec", dont_inherit=True)
    except SyntaxError:
        return False
    return True


@st.composite
def edits(draw: st.DrawFn) -> str:
    """The module with one line removed, inserted or replaced."""
    at = draw(st.integers(0, len(LINES) - 1))
    removed = draw(st.integers(0, 2))
    added = draw(st.lists(st.sampled_from((*INSERTED, *LINES)), max_size=2))
    return "\n".join([*LINES[:at], *added, *LINES[at + removed :]])


@given(edits())
def test_the_part_parses_where_the_whole_does(after: str) -> None:
    assert compiles(narrowed(BEFORE + METHODS, after).after) == compiles(after)


@given(edits())
def test_the_part_tells_what_the_whole_tells(after: str) -> None:
    candidate = Candidate((FileChange("m.py", Source(BEFORE + METHODS), Source(after)),))
    with pytest.MonkeyPatch.context() as patch:
        found = analyse(candidate)
        patch.setattr(selection, "narrowed", Narrowed)
        assert found.functions == analyse(candidate).functions
        if found.functions is not None:
            assert found.hunks == analyse(candidate).hunks


def test_what_is_left_out_is_blank() -> None:
    before, after, part, _, in_place = narrowed(BEFORE, BEFORE.replace("return b", "return a"))
    assert before.lstrip("\n").startswith("def first(a, b=1):")
    assert "class Thing" not in after
    assert part is not None
    assert in_place
    assert after.split("\n")[part.start - 1 : part.stop - 1] == after.strip("\n").split("\n") + [""] * 2
    assert parse(after).enclosing(11, 12)[0].lineno == BEFORE.split("\n").index("def first(a, b=1):") + 1


@pytest.mark.parametrize(
    ("old", "new"), [("LIMIT = 3", "LIMIT = 4"), ("def last():", "def last(x):"), ("import os", "")]
)
def test_other_edits_are_looked_at_whole(old: str, new: str) -> None:
    after = BEFORE.replace(old, new)
    assert narrowed(BEFORE, after) == Narrowed(BEFORE, after)


@pytest.mark.parametrize(
    ("old", "new", "in_place"),
    [
        ("return b", "return a", True),
        ("        b += 1\n", "        b += 1\n        b += 2\n", False),
        ("    if a:\n        return b\n    else:\n        b += 1\n", "    b += 1\n    #\n    #\n    #\n", True),
        ("return self.size", "return self.width", True),
        ("        return inner()\n", "        return inner\n        # That's all.\n", False),
        ("    size = 4", "    size = 5", True),
        ('    """Doc."""', '    """Other."""', True),
    ],
)
def test_whether_nothing_else_moves(old: str, new: str, in_place: bool) -> None:
    assert BEFORE.count(old) == 1
    narrow = narrowed(BEFORE, BEFORE.replace(old, new))
    assert (narrow.part is not None, narrow.in_place) == (True, in_place)


ALL = ["Account", "one", "two", "Inner", "last", "deep"]


@pytest.mark.parametrize(
    ("old", "new", "left"),
    [
        ("super().one()", "super().two()", ["Account", "one"]),
        ("return x", "return y", ["Account", "two"]),
        ("return 5", "return 6", ALL),
        ("limit = 3", "limit = 4", ALL),
        ("        return super().one()\n", "        return 1\n    x = 2\n", ALL),
        ("            return 1\n", "            return 2\n", ALL),
        ("def two(cls", "def two(self", ["Account", "two"]),
        ("@classmethod", "@staticmethod", ALL),
    ],
)
def test_of_a_class_a_method_is_enough(old: str, new: str, left: list[str]) -> None:
    tree = ast.parse(narrowed(METHODS, METHODS.replace(old, new)).after)
    assert [node.name for node in ast.walk(tree) if isinstance(node, ast.ClassDef | ast.FunctionDef)] == left


def test_a_failure_of_python_itself_is_not_the_files(monkeypatch: pytest.MonkeyPatch) -> None:
    """Threads that parse at the same time make some releases of Python 3.11 fail now and then."""
    really, failures = ast.parse, iter([SystemError("AST constructor recursion depth mismatch")])

    def sometimes(*args: str) -> ast.Module:
        for failure in failures:
            raise failure
        return really(*args)

    monkeypatch.setattr(ast, "parse", sometimes)
    assert parse("seldom = 1\n").running == {1}
