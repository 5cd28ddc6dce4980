"""How many offers and completions the user took, day by day: one line each, in the state directory.

A line is written by one append, which several servers can do at once, and which loses nothing that was there.
"""

import contextlib
import logging
import os
from collections import Counter
from datetime import date, datetime
from enum import StrEnum
from pathlib import Path

logger = logging.getLogger(__name__)

_NAME = "accepted"
_MODE = 0o600


class Kind(StrEnum):
    """What was taken."""

    COMPLETION = "completion"
    OFFER = "offer"


def today() -> date:
    """The user's own day."""
    return datetime.now().astimezone().date()


def accept(directory: Path, kind: Kind) -> None:
    """Count one; where that cannot be written, it is not counted, and nothing else fails."""
    line = f"{today().isoformat()} {kind}\n"
    try:
        directory.mkdir(parents=True, exist_ok=True)
        file = os.open(directory / _NAME, os.O_WRONLY | os.O_APPEND | os.O_CREAT, _MODE)
        try:
            os.write(file, line.encode())
        finally:
            os.close(file)
    except OSError as error:
        logger.warning("what was accepted is not counted: %s", error)


def accepted(directory: Path, since: date = date.min) -> Counter[Kind]:
    """How many were taken since a day, that day included; lines that are none of ours do not count."""
    counts: Counter[Kind] = Counter()
    with contextlib.suppress(OSError):
        for line in (directory / _NAME).read_text("utf-8", errors="replace").splitlines():
            day, _, kind = line.partition(" ")
            with contextlib.suppress(ValueError):
                if date.fromisoformat(day) >= since:
                    counts[Kind(kind)] += 1
    return counts
