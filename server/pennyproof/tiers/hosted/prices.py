"""What tokens cost: a dated table, and what the user says instead.

DeepSeek's prices are those published on 2026-11-15. They double at peak hours, which are the working hours of Beijing
on weekdays that are no public holiday there.
"""

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from pennyproof.tiers.hosted.answers import Usage

logger = logging.getLogger(__name__)

AS_OF = date(2026, 11, 15)
"""When the built-in prices were published."""

_PEAK_HOURS = ((time(1), time(4)), (time(6), time(10)))
"""UTC; the ends do not belong to them. Both lie within one day in Beijing too."""
_PUBLIC_HOLIDAYS = (
    (date(2026, 1, 1), date(2026, 1, 3)),
    (date(2026, 2, 15), date(2026, 2, 23)),
    (date(2026, 4, 4), date(2026, 4, 6)),
    (date(2026, 5, 1), date(2026, 5, 5)),
    (date(2026, 6, 19), date(2026, 6, 21)),
    (date(2026, 9, 25), date(2026, 9, 27)),
    (date(2026, 10, 1), date(2026, 10, 7)),
)
"""First and last days, by the notice of China's State Council on the holidays of 2026. For later years none are known,
so that all weekdays count as dear ones. Weekends on which people work to make up for a holiday stay weekends here."""


@dataclass(frozen=True, slots=True)
class Rate:
    """USD for a million tokens."""

    hit: float
    miss: float
    output: float

    def cost(self, usage: Usage) -> float:
        """USD."""
        return (usage.hit * self.hit + usage.miss * self.miss + usage.output * self.output) / 1e6


@dataclass(frozen=True, slots=True)
class Tariff:
    """What one model costs."""

    off_peak: Rate
    peak: Rate

    def at(self, when: datetime) -> Rate:
        """The rate at a time, which must be aware."""
        return self.peak if is_peak(when) else self.off_peak


_FLASH = Tariff(off_peak=Rate(0.003, 0.15, 0.60), peak=Rate(0.006, 0.30, 1.20))
_BUILT_IN = {
    "deepseek-flash": _FLASH,
    "deepseek-v4-flash": _FLASH,
    "deepseek-v4-flash-vision-exp": _FLASH,
    "deepseek-v4-pro": Tariff(off_peak=Rate(0.022, 0.66, 1.98), peak=Rate(0.044, 1.32, 3.96)),
}


class Prices:
    """The prices that hold: the built-in ones, and those of the setting ``model.prices`` before them.

    Args:
        overrides: Model → ``{"input", "output", "inputCacheHit", "peak": {…}}`` in USD for a million tokens. Without
            ``inputCacheHit`` hits cost what ``input`` says; without ``peak`` all hours cost the same. A model whose
            entry is wrong has no price, which is said in the log.
    """

    def __init__(self, overrides: Mapping[str, Any] | None = None) -> None:
        self._tariffs: dict[str, Tariff | None] = {**_BUILT_IN}
        for model, entry in (overrides or {}).items():
            self._tariffs[model] = tariff = _tariff(entry)
            if tariff is None:
                logger.warning("model.prices: %s should have input and output, in USD for a million tokens", model)

    def cost(self, model: str, usage: Usage, at: datetime) -> float | None:
        """What a call costs.

        Args:
            model: The model asked, as the settings name it.
            usage: Its tokens.
            at: When it was sent; an aware time.

        Returns:
            USD, or ``None`` where nobody knows the model's price.
        """
        tariff = self._tariffs.get(model)
        return tariff.at(at).cost(usage) if tariff else None


def is_peak(when: datetime) -> bool:
    """Whether an aware time lies in DeepSeek's peak hours."""
    utc = when.astimezone(UTC)
    day = (utc + timedelta(hours=8)).date()  # in Beijing
    if day.weekday() >= 5 or any(first <= day <= last for first, last in _PUBLIC_HOLIDAYS):
        return False
    return any(begin <= utc.time() < end for begin, end in _PEAK_HOURS)


def _tariff(entry: object) -> Tariff | None:
    if not isinstance(entry, Mapping):
        return None
    off_peak = _rate(entry)
    peak = _rate(entry["peak"]) if "peak" in entry else off_peak
    return Tariff(off_peak, peak) if off_peak and peak else None


def _rate(entry: object) -> Rate | None:
    if not isinstance(entry, Mapping):
        return None
    prices = [entry.get("inputCacheHit", entry.get("input")), entry.get("input"), entry.get("output")]
    # No price is below nought, or not a number: a budget would have no end.
    fine = [float(price) for price in prices if isinstance(price, (int, float)) and 0 <= price < float("inf")]
    return Rate(*fine) if len(fine) == len(prices) else None
