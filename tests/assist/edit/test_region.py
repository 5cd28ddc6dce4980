"""Which lines a request means, and which edits keep to them."""

import pytest

from pennyproof.assist.edit.region import (
    Region,
    function_region,
    is_unwritten,
    lines_region,
    touched_functions,
    unwritten_function,
)
from pennyproof.core.sources import Source
from pennyproof.errors import UsageError

SHOP = '''\
"""A shop."""

import math


LIMIT = 3


class Cart:
    @property
    def total(self):
        """All of it."""
        return sum(self.items)

    def clear(self):
        ...


def tax(price):
    """What the state wants."""
    raise NotImplementedError("soon")
'''
SOURCE = Source(SHOP)


@pytest.mark.parametrize(
    ("first", "last", "name", "lines"),
    [
        (12, 12, "Cart.total", range(10, 14)),
        (10, 10, "Cart.total", range(10, 14)),
        (16, 16, "Cart.clear", range(15, 17)),
        (19, 21, "tax", range(19, 22)),
        (17, 20, "tax", range(19, 22)),
        (9, 16, "Cart.total", range(10, 14)),
    ],
)
def test_a_place_means_the_function_around_it_or_the_first_that_begins_there(
    first: int, last: int, name: str, lines: range
) -> None:
    region = function_region("shop.py", SOURCE, first, last)
    assert (region.function, region.lines) == (name, lines)


@pytest.mark.parametrize(
    ("text", "message"), [(SHOP, "there is no function at shop.py:3"), ("def f(:\n", "shop.py does not parse")]
)
def test_where_there_is_no_function_the_user_is_told_what_to_do(text: str, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        function_region("shop.py", Source(text), 3, 3)


@pytest.mark.parametrize(
    ("first", "last", "name"), [(19, 21, "tax"), (10, 13, "Cart.total"), (20, 21, ""), (9, 16, "")]
)
def test_a_selection_that_is_one_function_has_its_name(first: int, last: int, name: str) -> None:
    assert lines_region("shop.py", SOURCE, first, last).function == name


def test_text_may_be_inserted_at_the_end() -> None:
    region = lines_region("shop.py", SOURCE, 22, 21)
    assert region.text == ""
    assert region.replaced("X = 1").text == SHOP + "X = 1"


def region() -> Region:
    return function_region("shop.py", SOURCE, 19, 19)


@pytest.mark.parametrize(
    ("old", "new", "objection"),
    [
        ('    raise NotImplementedError("soon")\n', "    return price * 0.2\n", None),
        ("import math\n", "import math\nfrom decimal import (\n    Decimal,\n)\n", None),
        ("import math\n\n\n", "", None),
        ("def tax", "def helper():\n    return 1\n\n\ndef tax", None),
        ("LIMIT = 3", "LIMIT = 4", "above line 19"),
        ('"""A shop."""', '"""A shop.\n\nWith words."""', "above line 19"),
        ("        ...\n", "        self.items = []\n", "above line 19"),
    ],
)
def test_an_edit_may_change_the_region_and_imports(old: str, new: str, objection: str | None) -> None:
    assert old in SHOP
    found = region().objection(Source(SHOP.replace(old, new)))
    assert (found is None) if objection is None else (found is not None and objection in found)


def test_what_follows_the_region_stays() -> None:
    found = function_region("shop.py", SOURCE, 16, 16).objection(Source(SHOP.replace("soon", "later")))
    assert found is not None
    assert "below line 16" in found
    assert "Cart.clear" in found


def test_line_ends_and_form_feeds_do_not_move_the_region() -> None:
    text = SHOP.replace("\n", "\r\n").replace("LIMIT", "\x0cLIMIT")
    region = function_region("shop.py", Source(text), 19, 19)
    assert region.text.startswith("def tax")
    assert region.replaced("x = 1").text.endswith("\r\nx = 1")


def test_functions_that_a_region_touches_are_named_in_order() -> None:
    names = [name for name, _ in touched_functions(lines_region("shop.py", SOURCE, 12, 20))]
    assert names == ["Cart.total", "Cart.clear", "tax"]


@pytest.mark.parametrize(
    ("body", "unwritten"),
    [
        ('    """Says it."""\n', True),
        ('    """Says it."""\n    ...\n', True),
        ("    pass\n", True),
        ("    raise NotImplementedError\n", True),
        ('    raise NotImplementedError("soon")\n', True),
        ("    return None\n", False),
        ("    raise ValueError\n", False),
    ],
)
def test_a_body_is_missing_where_it_does_nothing(body: str, unwritten: bool) -> None:
    function = touched_functions(lines_region("a.py", Source(f"def f():\n{body}"), 1, 2))[0][1]
    assert is_unwritten(function) is unwritten


@pytest.mark.parametrize(("line", "name"), [(20, "tax"), (16, None), (12, None), (3, None)])
def test_only_documented_functions_without_a_body_can_be_implemented(line: int, name: str | None) -> None:
    assert unwritten_function(SHOP, line) == name
