from datetime import date

import pytest

from bookshop.periods import Period
from bookshop.pricing import Offer, best_offer, net_price, offers_on, quantity_discount, vat

SPRING = Offer("spring", 10, Period(date(2026, 3, 1), date(2026, 6, 1)))
LARGE = Offer("large orders", 20, Period(date(2026, 1, 1), date(2027, 1, 1)), minimum=10_000)


def test_an_offer_saves_its_rate():
    assert SPRING.saving(2000) == 200


def test_an_offer_has_a_minimum():
    assert LARGE.saving(9_999) == 0
    assert LARGE.saving(10_000) == 2_000


def test_offers_on_a_day():
    assert offers_on(date(2026, 4, 1), [SPRING, LARGE]) == [SPRING, LARGE]
    assert offers_on(date(2026, 8, 1), [SPRING, LARGE]) == [LARGE]


def test_best_offer_depends_on_the_amount():
    assert best_offer(2_000, [LARGE, SPRING]) is SPRING
    assert best_offer(20_000, [LARGE, SPRING]) is LARGE


def test_there_may_be_no_offer():
    assert best_offer(2_000, []) is None


@pytest.mark.parametrize(("copies", "rate"), [(1, 0), (4, 0), (5, 5), (9, 5), (10, 10), (49, 10), (50, 15), (400, 15)])
def test_quantity_discount(copies, rate):
    assert quantity_discount(copies) == rate


def test_net_price():
    assert net_price(1000, 1) == 1000
    assert net_price(1000, 10) == 9000


def test_vat():
    assert vat(1000, "book") == 70
    assert vat(1000, "stationery") == 190
    with pytest.raises(ValueError, match="'car'"):
        vat(1000, "car")
