"""Orders, and what they come to."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date

from bookshop import money
from bookshop.pricing import Offer, best_offer, net_price, offers_on, vat
from bookshop.stock import OutOfStock, Stock

SHIPPING = 350
FREE_SHIPPING_FROM = 5000


@dataclass(frozen=True)
class Line:
    """Some copies of one title."""

    isbn: str
    title: str
    unit: int
    copies: int = 1
    kind: str = "book"

    @property
    def net(self) -> int:
        """The line's price before tax."""
        return net_price(self.unit, self.copies)

    @property
    def tax(self) -> int:
        """The line's tax."""
        return vat(self.net, self.kind)


@dataclass
class Order:
    """What one customer wants."""

    customer: str
    placed: date
    lines: list[Line] = field(default_factory=list)

    @property
    def net(self) -> int:
        """All lines before tax."""
        return sum(line.net for line in self.lines)

    @property
    def tax(self) -> int:
        """The tax of all lines."""
        return sum(line.tax for line in self.lines)

    @property
    def shipping(self) -> int:
        """Postage, which large orders are spared."""
        return 0 if self.net >= FREE_SHIPPING_FROM else SHIPPING

    def total(self, offers: Sequence[Offer] = ()) -> int:
        """What the customer pays, the best offer of the day taken off."""
        gross = self.net + self.tax
        held = offers_on(self.placed, offers)
        if held:
            gross -= best_offer(gross, held).saving(gross)
        return gross + self.shipping

    def instalments(self, months: int) -> list[int]:
        """The total in monthly parts."""
        return money.share(self.total(), months)

    def reserve(self, stock: Stock) -> None:
        """Reserve every line, or none where one cannot be had."""
        done: list[Line] = []
        try:
            for line in self.lines:
                stock.reserve(line.isbn, line.copies)
                done.append(line)
        except OutOfStock:
            for line in done:
                stock.release(line.isbn, line.copies)
            raise
