"""Candidates: proposed edits and where they came from."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from pennyproof.core.sources import Source


class Tier(StrEnum):
    """Where candidates come from, cheapest first."""

    FREE = "free"
    FAST = "fast"
    STRONG = "strong"
    ADVISOR = "advisor"


@dataclass(frozen=True, slots=True)
class Origin:
    """What made a candidate, and what that cost."""

    tier: Tier | None = None
    """``None`` for an edit that the user handed in to be proved."""
    model: str | None = None
    attempt: int = 0
    tokens: int = 0
    cost_usd: float | None = 0.0


@dataclass(frozen=True, slots=True)
class FileChange:
    """One file before and after; ``None`` where the file does not exist."""

    path: str
    """Relative to the root, with forward slashes."""
    before: Source | None
    after: Source | None


@dataclass(frozen=True, slots=True)
class Candidate:
    """A proposed edit of one or more files."""

    changes: tuple[FileChange, ...]
    origin: Origin = Origin()
    summary: str = ""
    """What the edit does, in the words shown to a person: ``replace `<` by `<=```."""
    prior: float = 0.0
    """How likely its tier holds this kind of edit to be right, before any test ran; higher is likelier."""

    def files(self) -> Mapping[str, Source | None]:
        """The files as the candidate leaves them."""
        return {change.path: change.after for change in self.changes}
