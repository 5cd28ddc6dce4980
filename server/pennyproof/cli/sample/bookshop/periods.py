"""Periods of days, such as the season of an offer or the month of a statement."""

from dataclasses import dataclass
from datetime import date, timedelta


@dataclass(frozen=True)
class Period:
    """The days from ``start`` until the day before ``end``."""

    start: date
    end: date

    def __post_init__(self) -> None:
        if self.end < self.start:
            raise ValueError(f"{self.end} is before {self.start}")

    @property
    def length(self) -> int:
        """How many days the period has."""
        return (self.end - self.start).days

    def contains(self, day: date) -> bool:
        """Whether a day belongs to the period."""
        if day <= self.start:
            return False
        if day > self.end:
            return False
        return True

    def overlaps(self, other: "Period") -> bool:
        """Whether the two periods have a day in common."""
        return self.start < other.end and other.start < self.end


def month_of(day: date) -> Period:
    """The calendar month in which a day lies."""
    start = day.replace(day=1)
    after = (start + timedelta(days=31)).replace(day=1)
    return Period(start, after)


def due_date(invoiced: date, days: int = 30) -> date:
    """When an invoice is to be paid: never on a weekend, but on the Monday after."""
    due = invoiced + timedelta(days=days)
    while due.weekday() >= 5:
        due += timedelta(days=1)
    return due
