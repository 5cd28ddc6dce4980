"""Which lines an edit changes, and which tests have to run for it."""

from collections.abc import Sequence

import pytest

from pennyproof.core.candidates import Candidate, FileChange
from pennyproof.core.outcomes import Coverage
from pennyproof.core.sources import Source
from pennyproof.proof.selection import analyse, select

BEFORE = '''"""A module."""
import os

LIMIT = 3


def first(a, b=1):
    """Doc."""
    # A comment.
    if a:
        return b
    else:
        b += 1
    return [
        x
        for x in range(b)
    ]


class Thing:
    size = 4

    @property
    def area(self):
        def inner():
            return self.size

        return inner()


def last():
    pass
'''


def change(*pairs: tuple[str, str], before: str = BEFORE, path: str = "m.py") -> Candidate:
    after = before
    for old, new in pairs:
        assert after.count(old) == 1, old
        after = after.replace(old, new)
    return Candidate((FileChange(path, Source(before), Source(after)),))


def lines(candidate: Candidate) -> list[list[int] | None]:
    return [None if hunk.lines is None else sorted(hunk.lines) for hunk in analyse(candidate).hunks]


@pytest.mark.parametrize(
    ("pairs", "expected"),
    [
        ([("return b\n", "return -b\n")], [[11]]),
        ([("x\n        for", "-x\n        for")], [[15]]),
        ([("# A comment.", "# Another.")], [[]]),
        ([('"""Doc."""', '"""Docs."""')], [[]]),
        ([("    else:\n        b += 1\n", "")], [[11, 12]]),
        ([("LIMIT = 3", "LIMIT = 4")], [[4]]),
        ([("b=1", "b=2")], [[10]]),
        ([("@property", "@staticmethod")], [[25]]),
        ([("import os\n", "import os\nimport re\n")], [[3]]),
        ([("        b += 1\n", "        b += 1\n        b += 2\n"), ("size = 4", "size = 5")], [[14], [22]]),
        ([("    pass\n", "    pass\n\n\ndef more():\n    return 1\n")], [[36]]),
        ([("LIMIT = 3\n", "")], [[2, 6]]),
        ([("    pass\n", "    x = {\n        'a':\n        1,\n    }\n")], [[32, 33, 34]]),
    ],
)
def test_the_lines_that_show_whether_a_change_ran(pairs: Sequence[tuple[str, str]], expected: list[list[int]]) -> None:
    assert lines(change(*pairs)) == expected


def test_files_that_no_run_can_be_seen_to_use() -> None:
    assert lines(change(("a", "b"), before="a", path="data.json")) == [None]
    assert lines(Candidate((FileChange("m.py", Source("x = 1\n"), None),))) == [None]


def test_line_endings_of_every_kind_count_the_same() -> None:
    assert lines(change(("= 1", "= 2"), before="a = 0\r\nb = 1\r\n")) == [[2]]
    assert lines(change(("= 1", "= 2"), before="a = 0\rb = 1\r")) == [[2]]
    assert lines(change(("= 1", "= 2"), before="a = '\x0c\u2028'\nb = 1\n")) == [[2]]


TESTS = ["t::whole", "t::first", "t::area", "t::inner", "t::none"]
RUN = Coverage(
    {
        "t::whole": {"m.py": frozenset({7, 15, 23, 25})},
        "t::first": {"m.py": frozenset({7})},
        "t::area": {"m.py": frozenset({23})},
        "t::inner": {"m.py": frozenset({25}), "n.py": frozenset({7})},
        "t::none": {},
    }
)


@pytest.mark.parametrize(
    ("pairs", "expected"),
    [
        ([("return b\n", "return -b\n")], ["whole", "first"]),
        ([("return b\n", "c = b\n        return c\n")], ["whole", "first"]),
        ([("    else:\n        b += 1\n", "")], ["whole", "first"]),
        ([("return inner()", "return -inner()")], ["whole", "area", "inner"]),
        ([("return self.size", "return -self.size")], ["whole", "inner"]),
        ([("return b\n", "return -b\n"), ("return self.size", "return 1")], ["whole", "first", "inner"]),
        ([("        b += 1\n", "        b += 1\n        yield\n")], None),
        ([("b=1", "b=2")], None),
        ([('"""Doc."""', '"""Docs."""')], None),
        ([("def first", "async def first")], None),
        ([("@property\n", "")], None),
        ([("LIMIT = 3", "LIMIT = 4")], None),
        ([("size = 4", "size = 5")], None),
        ([("    pass\n", "    return 1\n")], None),
        ([("return b\n", "return -b\n"), ("size = 4", "size = 5")], None),
        ([("    pass\n", "    pass\n\n\ndef more():\n    pass\n")], None),
        ([("def last():\n    pass\n", "")], None),
    ],
)
def test_the_tests_that_run_what_changes(pairs: Sequence[tuple[str, str]], expected: list[str] | None) -> None:
    chosen = select(analyse(change(*pairs)), RUN, TESTS)
    assert chosen == (None if expected is None else [f"t::{name}" for name in expected])


def test_new_files_and_files_that_do_not_parse_take_every_test() -> None:
    assert select(analyse(Candidate((FileChange("n.py", None, Source("x = 1\n")),))), RUN, TESTS) is None
    assert select(analyse(change(("= 1", "= 2"), before="def (:\nx = 1\n")), RUN, TESTS) is None
    assert lines(change(("= 1", "= 2"), before="def (:\nx = 1\n")) == [[2]]
