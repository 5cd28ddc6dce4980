from datetime import date, timedelta

import pytest

from bookshop.periods import Period, due_date, month_of

WEEK = Period(date(2026, 3, 2), date(2026, 3, 9))


def test_length_counts_days():
    assert WEEK.length == 7


def test_a_period_ends_after_it_starts():
    with pytest.raises(ValueError, match="is before"):
        Period(date(2026, 3, 2), date(2026, 3, 1))


def test_a_week_has_seven_days():
    days = [date(2026, 2, 25) + timedelta(days=offset) for offset in range(20)]
    assert [day.day for day in days if WEEK.contains(day)] == [2, 3, 4, 5, 6, 7, 8]


def test_a_day_in_the_middle_belongs_to_the_period():
    assert WEEK.contains(date(2026, 3, 5))


def test_days_far_away_do_not():
    assert not WEEK.contains(date(2026, 1, 5))
    assert not WEEK.contains(date(2026, 5, 5))


def test_periods_that_touch_do_not_overlap():
    assert not WEEK.overlaps(Period(date(2026, 3, 9), date(2026, 3, 12)))
    assert WEEK.overlaps(Period(date(2026, 3, 8), date(2026, 3, 12)))


@pytest.mark.parametrize(("day", "length"), [(date(2026, 2, 17), 28), (date(2028, 2, 29), 29), (date(2026, 12, 31), 31)])
def test_month_of(day, length):
    month = month_of(day)
    assert month.start.day == 1
    assert month.length == length


def test_an_invoice_is_not_due_on_a_weekend():
    assert due_date(date(2026, 3, 2)) == date(2026, 4, 1)
    assert due_date(date(2026, 3, 5)) == date(2026, 4, 6)
