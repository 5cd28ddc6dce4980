"""Prices: offers, discounts for several copies, value-added tax."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from bookshop import money
from bookshop.periods import Period

VAT = {"book": 7, "stationery": 19, "voucher": 0}
QUANTITY_DISCOUNTS = ((50, 15), (10, 10), (5, 5))


@dataclass(frozen=True)
class Offer:
    """A discount in percent for everything that costs at least ``minimum`` cents, for a while."""

    name: str
    rate: int
    period: Period
    minimum: int = 0

    def saving(self, cents: int) -> int:
        """How much a buyer saves on an amount."""
        if cents < self.minimum:
            return 0
        return money.percent(cents, self.rate)


def offers_on(day: date, offers: Sequence[Offer]) -> list[Offer]:
    """The offers that hold on a day."""
    return [offer for offer in offers if offer.period.contains(day)]


def best_offer(cents: int, offers: Sequence[Offer]) -> Offer | None:
    """The offer that saves most on an amount, if there is any."""
    return max(offers, key=lambda offer: offer.saving(cents))


def quantity_discount(copies: int) -> int:
    """Percent off for buying several copies of one title."""
    for at_least, rate in QUANTITY_DISCOUNTS:
        if copies >= at_least:
            return rate
    return 0


def net_price(unit: int, copies: int) -> int:
    """The price of several copies, their discount taken off."""
    full = unit * copies
    return full - money.percent(full, quantity_discount(copies))


def vat(net: int, kind: str) -> int:
    """The tax on a net amount."""
    if kind not in VAT:
        raise ValueError(f"no tax rate for {kind!r}")
    return money.percent(net, VAT[kind])
