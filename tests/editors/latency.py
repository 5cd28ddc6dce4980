"""What is measured from a keystroke to ghost text, whichever the editor."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Sample:
    """One keystroke; times in seconds."""

    whole: float
    """From the key to the ghost text."""
    server: float
    """Of it, from the request's coming to the answer's leaving."""


def answered(log: Path) -> Iterator[tuple[float, float]]:
    """When each request that was answered with a completion came, and when its answer left, by the clock of
    ``tests/bench/tap.py``; in seconds."""
    for line in log.read_text("utf-8").splitlines():
        came, left, items = map(int, line.split())
        if items:
            yield came / 1e9, left / 1e9
