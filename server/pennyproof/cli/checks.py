"""One thing that ``doctor`` looks at, and how it turned out."""

from dataclasses import dataclass
from enum import StrEnum


class State(StrEnum):
    """How a check turned out."""

    OK = "ok"
    NOTE = "note"
    """Worth knowing; nothing is broken."""
    PROBLEM = "problem"


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that was looked at."""

    name: str
    state: State
    detail: str
