from datetime import date

import pytest

from bookshop.orders import Line, Order
from bookshop.receipts import WIDTH, columns, receipt, shorten, wrap


def test_short_texts_stay_as_they_are():
    assert shorten("Middlemarch", 11) == "Middlemarch"


def test_long_texts_are_cut_to_the_width():
    assert shorten("The Sea, the Sea", 10) == "The Sea..."


def test_columns_fill_the_width():
    assert columns("net", "12.50", 12) == "net    12.50"


def test_columns_cut_the_left_side():
    assert columns("The Sea, the Sea", "12.50", 16) == "The Sea... 12.50"


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        ("", []),
        ("thank you", ["thank you"]),
        ("thank you for shopping here", ["thank you", "for", "shopping", "here"]),
    ],
)
def test_wrap(text, lines):
    assert wrap(text, 9) == lines


def test_a_receipt_has_all_its_rows():
    order = Order("A. Reader", date(2026, 4, 1), [Line("333", "Middlemarch", 1500)])
    rows = receipt(order, "Thank you, and come again when the next one is out!").splitlines()
    assert rows[0] == "A. Reader             01.04.2026"
    assert rows[2] == "1 x Middlemarch            15.00"
    assert rows[-3:] == ["", "Thank you, and come again when", "the next one is out!"]
    assert all(len(row) <= WIDTH for row in rows)
