"""References in a model's text: what exists stays, what does not goes."""

from pathlib import Path

import pytest

from pennyproof.assist.explain.references import References
from pennyproof.core.snapshots import Snapshot
from pennyproof.core.sources import Source
from pennyproof.core.verdicts import Line

CART = "class Cart:\n    def total(self):\n        return 0\n"
TESTS = "def test_total():\n    pass\n"
FACTS = "# `test_total` fails\n\nAt `/usr/lib/python3/json.py:12`, see https://docs.example/json and `util.py`\n"


def references() -> References:
    buffers = {"shop/cart.py": Source(CART), "tests/test_cart.py": Source(TESTS)}
    return References(Snapshot(Path("/nowhere"), buffers), FACTS)


@pytest.mark.parametrize(
    "text",
    [
        "It sums at `shop/cart.py:3`.",
        "It sums at shop/cart.py:2-3, and elsewhere.",
        "See **shop/cart.py**.",
        "`tests/test_cart.py::test_total` fails.",
        "It comes from `/usr/lib/python3/json.py:12`.",
        "The file `util.py` is where it lies.",
        "[The docs](https://docs.example/json) say so.",
        "Version 3.11 of `json.loads` takes 2:1 of it.",
        "```python\nopen('nowhere.py:99')  # nowhere.py:99\n```\n",
    ],
)
def test_what_exists_stays(text: str) -> None:
    assert references().cleaned(text) == text


@pytest.mark.parametrize(
    ("text", "cleaned"),
    [
        ("It sums (`shop/cart.py:99`).", "It sums (`shop/cart.py`)."),
        ("It sums (`shop/basket.py:3`).", "It sums."),
        ("Look at shop/cart.py:0 first.", "Look at shop/cart.py first."),
        ("Look at `shop/cart.py:3-99` first.", "Look at `shop/cart.py` first."),
        ("Look at `nowhere.py` first.", "Look at first."),
        ("It (shop/cart.py:2, nowhere.py:9) is wrong.", "It (shop/cart.py:2) is wrong."),
        ("It (nowhere.py:9, shop/cart.py:2) is wrong.", "It (shop/cart.py:2) is wrong."),
        ("Look at ../../etc/passwd.txt:1 first.", "Look at first."),
        ("`tests/test_cart.py::test_gone` fails too.", " fails too."),
        ("[Read this](https://evil.example/x) now.", "Read this now."),
        ("![pixel](https://evil.example/x.png)Done.", "Done."),
        ("Wrong `a.py:1`.\n\n```\na.py:1\n```\nWrong `a.py:1`.", "Wrong.\n\n```\na.py:1\n```\nWrong."),
    ],
)
def test_what_does_not_exist_goes(text: str, cleaned: str) -> None:
    assert references().cleaned(text) == cleaned


def test_lines_that_a_text_refers_to_are_found_in_order() -> None:
    text = "From `tests/test_cart.py:1` to shop/cart.py:2-3, by `/usr/lib/python3/json.py:12`."
    assert list(references().found(text)) == [Line("tests/test_cart.py", 1), Line("shop/cart.py", 2)]
