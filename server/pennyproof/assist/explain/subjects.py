"""What can be explained, and what an explanation is."""

from dataclasses import dataclass
from typing import TypeAlias

from pennyproof.core.candidates import Origin
from pennyproof.core.verdicts import Line


@dataclass(frozen=True, slots=True)
class FailingTest:
    """Why a test fails."""

    id: str


@dataclass(frozen=True, slots=True)
class Selection:
    """What some lines do; a diagnostic is explained by the lines it is on."""

    path: str
    """Relative to the root."""
    first: int
    """From one."""
    last: int


@dataclass(frozen=True, slots=True)
class Symbol:
    """What the name at a place stands for."""

    path: str
    """Relative to the root."""
    offset: int
    """In code points from the start of the text."""


Subject: TypeAlias = FailingTest | Selection | Symbol


@dataclass(frozen=True, slots=True)
class Explanation:
    """Facts laid out for a person."""

    markdown: str
    references: tuple[Line, ...] = ()
    """The project's lines it speaks of, in the order in which it does."""
    origin: Origin | None = None
    """What wrote it; ``None`` where it is facts alone."""
    spent_usd: float = 0.0
    claims: tuple[()] = ()
    """Claims that can be run; facts alone make none."""
