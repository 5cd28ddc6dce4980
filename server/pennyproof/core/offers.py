"""Offers: candidates worth showing."""

from dataclasses import dataclass

from pennyproof.core.candidates import Candidate
from pennyproof.core.verdicts import Verdict


@dataclass(frozen=True, slots=True)
class Offer:
    """A proved candidate, ready to be turned into an answer."""

    id: str
    candidate: Candidate
    verdict: Verdict
    alternative: bool = False
    """Another edit for a group of tests that a better offer mends already."""

    @property
    def title(self) -> str:
        """What a menu shows: what the edit does, and its evidence."""
        return f"{self.candidate.summary}: {self.verdict.evidence()}"
