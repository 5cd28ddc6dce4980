"""What lies on the shelves, and what of it is promised to somebody."""

from dataclasses import dataclass


class OutOfStock(Exception):
    """More copies were asked for than are free."""


class UnknownTitle(KeyError):
    """A number that the shop has never had."""


@dataclass
class Shelf:
    """All copies of one title."""

    title: str
    on_hand: int = 0
    reserved: int = 0
    reorder_at: int = 2

    @property
    def available(self) -> int:
        """Copies that nobody has reserved."""
        return self.on_hand - self.reserved


class Stock:
    """The shelves of a shop, by ISBN."""

    def __init__(self) -> None:
        self._shelves: dict[str, Shelf] = {}

    def shelf(self, isbn: str) -> Shelf:
        """The shelf of a title."""
        try:
            return self._shelves[isbn]
        except KeyError:
            raise UnknownTitle(isbn) from None

    def receive(self, isbn: str, title: str, copies: int) -> None:
        """Put copies from the publisher on their shelf."""
        if copies < 1:
            raise ValueError("a delivery has one copy or more")
        self._shelves.setdefault(isbn, Shelf(title)).on_hand += copies

    def reserve(self, isbn: str, copies: int) -> None:
        """Keep copies for an order."""
        shelf = self.shelf(isbn)
        if copies > shelf.on_hand:
            raise OutOfStock(f"{shelf.available} of {shelf.title} left, {copies} wanted")
        shelf.reserved += copies

    def release(self, isbn: str, copies: int) -> None:
        """Give reserved copies back."""
        shelf = self.shelf(isbn)
        shelf.reserved = max(0, shelf.reserved - copies)

    def ship(self, isbn: str, copies: int) -> None:
        """Send reserved copies out of the house."""
        shelf = self.shelf(isbn)
        if copies > shelf.reserved:
            raise ValueError(f"only {shelf.reserved} of {shelf.title} are reserved")
        shelf.reserved -= copies
        shelf.on_hand -= copies

    def to_reorder(self) -> list[str]:
        """Titles of which too few are left, in alphabetical order."""
        return sorted(shelf.title for shelf in self._shelves.values() if shelf.available <= shelf.reorder_at)

    def search(self, words: str) -> list[str]:
        """Titles in which every word occurs, whatever its case."""
        wanted = words.lower().split()
        return sorted(
            shelf.title
            for shelf in self._shelves.values()
            if all(word in shelf.title.lower() for word in wanted)
        )
