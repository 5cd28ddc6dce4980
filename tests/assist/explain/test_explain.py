"""Whole explanations of a small shop, as a person reads them."""

from collections.abc import Mapping
from pathlib import Path

import pytest

from pennyproof.assist.explain import Explanation, FailingTest, Selection, Symbol, explain
from pennyproof.core.outcomes import Baseline, Coverage, Failure, Frame, Outcome, TestOutcome
from pennyproof.core.snapshots import Snapshot
from pennyproof.core.verdicts import Line
from pennyproof.errors import OutsideRoot, UnknownTest

FILES = {
    "shop/__init__.py": "from shop.cart import Cart\n",
    "shop/cart.py": '''import wrapt

LIMIT = 3


class Cart:
    """What somebody is about to buy."""

    def __init__(self, items: list[int]) -> None:
        self.items = items

    def total(self) -> int:
        """The sum of the prices."""
        return sum(self.items[:LIMIT])

    def price(self, name):
        return wrapt.lookup(self.items, name)
''',
    "tests/test_cart.py": """from shop import Cart


def test_total():
    cart = Cart([1, 2, 3, 4])
    assert cart.total() == 10


def test_price():
    assert Cart([1]).price("a|b") == 1
""",
}
LIBRARY = {
    "wrapt/__init__.py": "from .finding import find as lookup\n",
    "wrapt/finding.py": (
        'def find(items, name, *, strict: bool = True):\n    """Find an item.\n\n    More words.\n    """\n'
    ),
    "wrapt-1.2.dist-info/METADATA": "Metadata-Version: 2.1\nName: wrapt\nVersion: 1.2\n",
    "wrapt-1.2.dist-info/RECORD": "wrapt/__init__.py,,\nwrapt/finding.py,,\n",
}
TOTAL = TestOutcome(
    "tests/test_cart.py::test_total", Outcome.FAILED, path="tests/test_cart.py", line=4,
    failure=Failure(
        "AssertionError",
        "assert 6 == 10\n +  where 6 = total()",
        (Frame("tests/test_cart.py", 6, "test_total", variables=(("cart", "<Cart `of` 4>"),)),),
    ),
)  # fmt: skip
PRICE = TestOutcome(
    "tests/test_cart.py::test_price", Outcome.FAILED, path="tests/test_cart.py", line=9,
    failure=Failure(
        "KeyError",
        "'a|b'",
        (
            Frame("tests/test_cart.py", 10, "test_price"),
            Frame("shop/cart.py", 17, "Cart.price", variables=(("name", "'a|b'"), ("find", "<function find at 0x1>"))),
            Frame("/lib/wrapt/finding.py", 1, "find", in_project=False),
        ),
    ),
)  # fmt: skip
OTHER = TestOutcome("tests/test_cart.py::test_other", Outcome.PASSED, path="tests/test_cart.py", line=20)
BASELINE = Baseline(
    {test.id: test for test in (TOTAL, PRICE, OTHER)},
    0.1,
    functions=Coverage(
        {
            TOTAL.id: {"shop/cart.py": frozenset({9, 12})},
            PRICE.id: {"shop/cart.py": frozenset({9, 16})},
            OTHER.id: {"shop/cart.py": frozenset({12})},
        }
    ),
)


def write(folder: Path, files: Mapping[str, str]) -> Path:
    for path, text in files.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(text)
    return folder


@pytest.fixture
def shop(tmp_path: Path) -> Snapshot:
    return Snapshot(write(tmp_path / "root", FILES))


@pytest.fixture
def library(tmp_path: Path) -> Path:
    return write(tmp_path / "site-packages", LIBRARY)


def at(mark: str) -> Symbol:
    """The place of ``$0`` within a line of the cart."""
    before, _, after = mark.partition("$0")
    text = FILES["shop/cart.py"]
    return Symbol("shop/cart.py", text.index(before + after) + len(before))


def section(explanation: Explanation, name: str) -> str:
    _, found, rest = explanation.markdown.partition(f"## {name}\n\n")
    assert found, f"no section {name} in:\n{explanation.markdown}"
    return rest.partition("\n## ")[0].strip()


def test_a_failing_assertion_leads_to_what_it_checks(shop: Snapshot) -> None:
    explanation = explain(shop, FailingTest(TOTAL.id), BASELINE)
    title, sentence = explanation.markdown.split("\n\n")[:2]
    assert title == "# `test_total` fails"
    assert sentence == ("It asserts `cart.total() == 10`, which does not hold: `6` on the left, `10` on the right.")
    assert section(explanation, "Where") == (
        "At `tests/test_cart.py:6`:\n\n```python\n"
        "  4  def test_total():\n  5      cart = Cart([1, 2, 3, 4])\n> 6      assert cart.total() == 10\n```"
    )
    assert section(explanation, "Values there") == ("| name | value |\n| --- | --- |\n| `cart` | ``<Cart `of` 4>`` |")
    assert "| `cart.total()` | `6` |" in section(explanation, "What was expected")
    definitions = section(explanation, "Definitions")
    assert definitions.startswith("`Cart.total` at `shop/cart.py:12`")
    assert "  14          return sum(self.items[:LIMIT])" in definitions
    assert section(explanation, "Tests that run this") == (
        "1 other test, none of them failing:\n\n- `tests/test_cart.py::test_other` passed"
    )
    assert explanation.references == (Line("tests/test_cart.py", 6), Line("shop/cart.py", 12))
    assert (explanation.origin, explanation.spent_usd, explanation.claims) == (None, 0.0, ())


def test_an_exception_is_shown_where_the_project_raised_it(shop: Snapshot, library: Path) -> None:
    explanation = explain(shop, FailingTest(PRICE.id), BASELINE, [library])
    assert explanation.markdown.split("\n\n")[1] == "It ends with `KeyError: 'a|b'` in `Cart.price`."
    assert section(explanation, "Where").startswith(
        "1. `tests/test_cart.py:10` in `test_price`\n2. `shop/cart.py:17` in `Cart.price` — shown below\n"
        "3. `/lib/wrapt/finding.py:1` in `find`"
    )
    assert section(explanation, "Values there") == "| name | value |\n| --- | --- |\n| `name` | `'a\\|b'` |"
    assert section(explanation, "From the library") == (
        "`wrapt.finding.find` (wrapt 1.2)\n\n```python\ndef find(items, name, *, strict: bool=True)\n```\n\n"
        "```text\nFind an item.\n\nMore words.\n```"
    )


def test_a_passing_test_says_so(shop: Snapshot) -> None:
    assert explain(shop, FailingTest(OTHER.id), BASELINE).markdown.startswith("# `test_other` passed")


def test_an_unknown_test_is_refused(shop: Snapshot) -> None:
    with pytest.raises(UnknownTest, match="test_gone"):
        explain(shop, FailingTest("tests/test_cart.py::test_gone"), BASELINE)


def test_lines_in_which_a_test_fails_show_its_values(shop: Snapshot) -> None:
    explanation = explain(shop, Selection("shop/cart.py", 16, 17), BASELINE)
    assert explanation.markdown.split("\n\n")[:2] == [
        "# `shop/cart.py:16–17`",
        "`test_price` fails here: it ends with `KeyError: 'a|b'` in `Cart.price`.",
    ]
    assert "`'a\\|b'`" in section(explanation, "Values there")


def test_without_a_run_there_are_still_facts(shop: Snapshot) -> None:
    explanation = explain(shop, Selection("shop/cart.py", 14, 14))
    assert "The tests were not run" in explanation.markdown
    assert "`LIMIT` at `shop/cart.py:3`" in section(explanation, "Definitions")
    assert "Values there" not in explanation.markdown


@pytest.mark.parametrize(
    ("place", "title", "sentence"),
    [
        ("def to$0tal(self)", "`shop.cart.Cart.total`", "A method, defined at `shop/cart.py:12`."),
        ("class Ca$0rt", "`shop.cart.Cart`", "A class, defined at `shop/cart.py:6`."),
        ("sum(self.it$0ems[", "`shop.cart.Cart.items`", "An attribute, defined at `shop/cart.py:10`."),
        (":LI$0MIT]", "`shop.cart.LIMIT`", "A name, defined at `shop/cart.py:3`."),
        ("wrapt.look$0up", "`wrapt.finding.find`", "A function, defined at `wrapt/finding.py:1`."),
        ("pri$0ces.", "`shop/cart.py:13`", ""),
    ],
)
def test_a_symbol_leads_to_its_definition(shop: Snapshot, library: Path, place: str, title: str, sentence: str) -> None:
    shown_title, said = explain(shop, at(place), None, [library]).markdown.split("\n\n")[:2]
    assert (shown_title, said) == (
        f"# {title}",
        f"{sentence} The tests were not run, so this is what can be read.".lstrip(),
    )


def test_a_file_outside_the_root_is_refused(shop: Snapshot) -> None:
    with pytest.raises(OutsideRoot):
        explain(shop, Selection("../elsewhere.py", 1, 1))


def test_a_file_that_does_not_parse_is_no_error(shop: Snapshot) -> None:
    (shop.root / "broken.py").write_text("def f(:\n")
    assert explain(shop, Selection("broken.py", 1, 1)).markdown.startswith("# `broken.py:1`")
