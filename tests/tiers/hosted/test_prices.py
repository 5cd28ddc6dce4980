"""What tokens cost, at every hour."""

import logging
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest

from pennyproof.tiers.hosted.answers import Usage
from pennyproof.tiers.hosted.prices import Prices, is_peak

MILLION = Usage(hit=1_000_000, miss=1_000_000, output=1_000_000, reasoning=500_000)
MONDAY = datetime(2026, 11, 23, 2, 0, tzinfo=UTC)
NIGHT = datetime(2026, 11, 23, 20, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("when", "peak"),
    [
        ("2026-11-23T00:59:59", False),
        ("2026-11-23T01:00:00", True),
        ("2026-11-23T03:59:59", True),
        ("2026-11-23T04:00:00", False),
        ("2026-11-23T05:59:59", False),
        ("2026-11-23T06:00:00", True),
        ("2026-11-23T09:59:59", True),
        ("2026-11-23T10:00:00", False),
        ("2026-11-22T02:00:00", False),  # Sunday
        ("2026-11-21T07:00:00", False),  # Saturday
        ("2026-10-01T02:00:00", False),  # National Day, a Thursday
        ("2026-10-08T02:00:00", True),
        ("2026-10-10T02:00:00", False),  # a Saturday on which China works
        ("2026-02-16T02:00:00", False),  # Spring Festival, a Monday
        ("2026-02-24T02:00:00", True),
        ("2027-10-01T02:00:00", True),  # nobody knows yet, so it counts as dear
    ],
)
def test_peak_hours(when: str, peak: bool) -> None:
    utc = datetime.fromisoformat(when).replace(tzinfo=UTC)
    assert is_peak(utc) is peak
    assert is_peak(utc.astimezone(timezone(timedelta(hours=-9)))) is peak


@pytest.mark.parametrize(
    ("model", "at", "usd"),
    [
        ("deepseek-flash", NIGHT, 0.003 + 0.15 + 0.60),
        ("deepseek-flash", MONDAY, 0.006 + 0.30 + 1.20),
        ("deepseek-v4-flash", NIGHT, 0.003 + 0.15 + 0.60),
        ("deepseek-v4-pro", NIGHT, 0.022 + 0.66 + 1.98),
        ("deepseek-v4-pro", MONDAY, 0.044 + 1.32 + 3.96),
        ("gpt-unheard-of", NIGHT, None),
    ],
)
def test_built_in(model: str, at: datetime, usd: float | None) -> None:
    assert Prices().cost(model, MILLION, at) == (None if usd is None else pytest.approx(usd))


@pytest.mark.parametrize(
    ("entry", "usd_at_night", "usd_on_monday"),
    [
        ({"input": 1, "output": 2}, 4.0, 4.0),
        ({"input": 1, "output": 2, "inputCacheHit": 0.5}, 3.5, 3.5),
        ({"input": 1, "output": 2, "peak": {"input": 2, "output": 4}}, 4.0, 8.0),
        ({"input": 0, "output": 0}, 0.0, 0.0),
    ],
)
def test_set_by_the_user(entry: dict[str, Any], usd_at_night: float, usd_on_monday: float) -> None:
    prices = Prices({"deepseek-flash": entry})
    assert prices.cost("deepseek-flash", MILLION, NIGHT) == usd_at_night
    assert prices.cost("deepseek-flash", MILLION, MONDAY) == usd_on_monday
    assert prices.cost("deepseek-v4-flash", MILLION, NIGHT) == pytest.approx(0.753)


@pytest.mark.parametrize(
    "entry",
    [
        None,
        3,
        {},
        {"input": 1},
        {"input": "1", "output": 2},
        {"input": -1, "output": 2},
        {"input": float("nan"), "output": 2},
        {"input": 1, "output": float("inf")},
        {"input": 1, "output": 2, "peak": 3},
        {"input": 1, "output": 2, "inputCacheHit": None},
    ],
)
def test_a_wrong_entry_is_no_price(entry: object, caplog: pytest.LogCaptureFixture) -> None:
    prices = Prices({"deepseek-flash": entry})
    assert prices.cost("deepseek-flash", MILLION, NIGHT) is None
    assert [record.levelno for record in caplog.records] == [logging.WARNING]
    assert "deepseek-flash" in caplog.text
