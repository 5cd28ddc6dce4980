"""Which texts mean the same: tables of pairs, and slips that only seem to be some."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pennyproof.rewrite.equivalence import meaning
from pennyproof.rewrite.slips import slips


def alike(one: str, other: str) -> bool:
    """Whether two bodies of one function, or two of its results where they are expressions, are seen to be the same."""
    texts = [f"def f(a, b, c):\n{body}" if body.startswith(" ") else f"x = {body}\n" for body in (one, other)]
    meanings = [meaning(text) for text in texts]
    assert None not in meanings
    return meanings[0] == meanings[1]


SAME = [
    ("a + 0", "a - 0"),
    ("a | 0", "a ^ 0"),
    ("a << 0", "a >> 0"),
    ("    a += 0\n", "    a -= 0\n"),
    ("1 < 2", "1 <= 2"),
    ("-1 < 2", "3 != 4"),
    ("'a' < 'b'", "'a' != 'b'"),
    ("1 == 2", "2 < 1"),
    ("a == None", "a is None"),
    ("a != None", "a is not None"),
    ("len(a) > 0", "len(a) != 0"),
    ("len(a) <= 0", "len(a) == 0"),
    ("a in (1, 2)", "a in (2, 1)"),
    ("a not in ['x', 'y']", "a not in ['y', 'x']"),
    ("isinstance(a, (int, b.c))", "isinstance(a, (b.c, int))"),
    ("range(0, a)", "range(a)"),
    ("range(a, b, 1)", "range(a, b)"),
    ("a[0:b]", "a[:b]"),
    ("a[b::1]", "a[b:]"),
    ("a if not c else b", "b if c else a"),
    ("not a in b", "a not in b"),
    ("2 * 3", "3 * 2"),
    (
        "    try:\n        a()\n    except (b, c):\n        b()\n",
        "    try:\n        a()\n    except (c, b):\n        b()\n",
    ),
    ("    # One.\n    return a\n", "    return a\n"),
    ("    pass\n    return a\n", "    return a\n"),
    ("    a()\n    return None\n", "    a()\n"),
    ("    return a\n    b = 1\n", "    return a\n    b = 2\n"),
    ("    for x in a:\n        b()\n        continue\n", "    for x in a:\n        b()\n"),
    ("    while 1 < 2:\n        a()\n", "    while 1 != 2:\n        a()\n"),
]
OTHER = [
    ("a + 1", "a - 1"),
    ("a + False", "a - False"),
    ("0 + a", "0 - a"),
    ("a * 1", "a // 1"),
    ("a * 1", "a / 1"),
    ("a * 1", "a ** 1"),
    ("a + 0", "a"),
    ("a & 0", "a | 0"),
    ("1 < 2", "2 < 1"),
    ("1 == 1", "1 is 1"),
    ("1 < a", "1 <= a"),
    ("'a' < b", "'a' <= b"),
    ("a == True", "a is True"),
    ("len(a) > 1", "len(a) != 1"),
    ("a > 0", "a != 0"),
    ("a in (1, 2)", "a in (1, 3)"),
    ("a in (b(), c())", "a in (c(), b())"),
    ("[a, b]", "[b, a]"),
    ("isinstance(a, (int, str))", "isinstance(a, (int, bytes))"),
    ("range(1, a)", "range(a)"),
    ("range(0, a, 2)", "range(a, 2)"),
    ("a[0:b:-1]", "a[:b:-1]"),
    ("a[1:b]", "a[:b]"),
    ("a if c else b", "b if c else a"),
    ("1", "True"),
    ("1", "1.0"),
    ("0.0", "-0.0"),
]


@pytest.mark.parametrize(("one", "other"), SAME)
def test_what_means_the_same(one: str, other: str) -> None:
    assert alike(one, other)


@pytest.mark.parametrize(("one", "other"), OTHER)
@pytest.mark.filterwarnings("default::SyntaxWarning")
def test_what_does_not(one: str, other: str) -> None:
    assert not alike(one, other)


@pytest.mark.parametrize("text", ["x = (\n", "return 1\n", "x = '\0'\n", f"x = {'-' * 3000}1\n"])
def test_what_is_no_program_means_nothing(text: str) -> None:
    assert meaning(text) is None


_VALUES = st.one_of(
    st.integers(-9, 9), st.booleans(), st.floats(allow_nan=False), st.lists(st.integers(0, 3)), st.none()
)


@given(_VALUES, st.integers(-3, 3), st.sampled_from([pair for pair in SAME if not pair[0].startswith(" ")]))
def test_what_is_taken_for_the_same_has_the_same_value(a: object, b: int, pair: tuple[str, str]) -> None:
    def value(text: str) -> object:
        try:
            found = eval(text, {"a": a, "b": b, "c": a})  # noqa: S307 - the table's own texts
        except Exception as error:  # noqa: BLE001 - whatever it is, the other text has to raise it too
            return type(error)
        return found, type(found)

    assert value(pair[0]) == value(pair[1])


@pytest.mark.parametrize(
    ("line", "absent", "present"),
    [
        ("return a + 0", "replace `+` by `-`", "replace `+` by `*`"),
        ("return range(0, a)", "replace `range(0, a)` by `range(a)`", "replace `0` by `1`"),
        ("return a is None", "replace `is` by `==`", "replace `is` by `is not`"),
        ("return len(a) == 0", "replace `==` by `<=`", "replace `==` by `!=`"),
        ("return a[0:b]", "replace `[0:b]` by `[:b]`", "replace `[0:b]` by `[0:]`"),
        ("return 1 < 2", "replace `<` by `<=`", "replace `1` by `2`"),
        ("return isinstance(a, (int, str))", "swap `int` and `str`", "remove `return isinstance(a, (int, str))`"),
    ],
)
@pytest.mark.parametrize(
    "around",
    [
        "def f(a, b):\n    $",
        "class C:\n    '''One.'''\n\n    def f(self, a, b):\n        $",
        "if 1:\n    def f(a, b): $",
    ],
    ids=["function", "method", "within a block"],
)
def test_a_slip_that_changes_nothing_is_none(around: str, line: str, absent: str, present: str) -> None:
    text = around.replace("$", line) + "\n"
    made = {slip.summary for slip in slips(text, [(text.index(line), len(text))])}
    assert present in made
    assert absent not in made


BEFORE = "class C:\n    def f(self, a):\n        return a > 1\n\n\ndef g():  # One.\n    return 1\n"


@pytest.mark.parametrize("elsewhere", ["# One.", "# Two."], ids=["one edit", "another elsewhere"])
def test_what_a_file_meant_before_is_no_slip(elsewhere: str) -> None:
    after = BEFORE.replace("a > 1", "a >= 1").replace("# One.", elsewhere)
    within = [(after.index("        return a"), after.index("\n\n\ndef"))]
    made = {slip.summary for slip in slips(after, within, unlike=BEFORE)}
    assert "replace `>=` by `<`" in made
    assert "replace `>=` by `>`" not in made
    assert "replace `>=` by `>`" in {slip.summary for slip in slips(after, within)}
