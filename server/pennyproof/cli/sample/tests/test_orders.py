from datetime import date

import pytest

from bookshop.orders import Line, Order
from bookshop.periods import Period
from bookshop.pricing import Offer
from bookshop.stock import OutOfStock, Stock

SEA = Line("111", "The Sea, the Sea", 1200, copies=2)
PENS = Line("555", "Fountain pens", 900, kind="stationery")


def order(*lines):
    return Order("A. Reader", date(2026, 4, 1), list(lines))


def test_a_line_has_price_and_tax():
    assert (SEA.net, SEA.tax) == (2400, 168)


def test_an_order_adds_its_lines():
    assert (order(SEA, PENS).net, order(SEA, PENS).tax) == (3300, 339)


def test_large_orders_are_shipped_free():
    assert order(SEA).shipping == 350
    assert order(Line("111", "The Sea, the Sea", 5000)).shipping == 0


def test_total():
    assert order(SEA).total() == 2400 + 168 + 350


def test_total_with_an_offer():
    spring = Offer("spring", 10, Period(date(2026, 3, 1), date(2026, 6, 1)))
    assert order(SEA).total([spring]) == 2568 - 257 + 350


def test_instalments_of_an_order():
    assert order(SEA).instalments(4) == [730, 730, 729, 729]


def test_reserve_takes_all_lines():
    stock = Stock()
    stock.receive("111", "The Sea, the Sea", 2)
    stock.receive("555", "Fountain pens", 1)
    order(SEA, PENS).reserve(stock)
    assert stock.shelf("111").available == 0


def test_reserve_takes_all_lines_or_none():
    stock = Stock()
    stock.receive("111", "The Sea, the Sea", 2)
    stock.receive("555", "Fountain pens", 1)
    with pytest.raises(OutOfStock):
        order(SEA, PENS, PENS).reserve(stock)
    assert stock.shelf("111").available == 2
