"""The closer look at candidates that make the targets pass: what else they mend, and what they break.

Few candidates come so far, so that each look may take a fork of its own: whatever happens in it takes nothing back
from what the targets did. A test that does not do with the unchanged code what it is known to do is left out.
"""

from __future__ import annotations

from typing import Any, Dict, List, Optional, Protocol, Sequence, Set, Tuple

from . import patch


class Attempt(Protocol):
    """Runs tests in a fork with changes in place, up to the first that does not pass unless all are asked for."""

    def __call__(
        self, changes: Sequence[patch.Change], ids: Sequence[str], *, everything: bool = ...
    ) -> Dict[str, Any]: ...


class Others:
    """Failing tests beyond the targets: that a candidate mends them speaks for it, and nothing more.

    Args:
        ids: The tests.
        attempt: Runs them.
    """

    def __init__(self, ids: Sequence[str], attempt: Attempt) -> None:
        self._ids = ids
        self._attempt = attempt
        self._failing: Optional[List[str]] = None

    def outcome(self, changes: Sequence[patch.Change]) -> Tuple[List[str], List[str]]:
        """Those that pass with these changes, and those that do not."""
        if self._failing is None:
            told = self._attempt([], self._ids, everything=True) if self._ids else {"failed": []}
            self._failing = [test for test, _ in told["failed"]]
        if not self._failing:
            return [], []
        passed = self._attempt(changes, self._failing, everything=True)["passed"]
        return passed, [test for test in self._failing if test not in passed]


class Guards:
    """Passing tests that turn away candidates which do damage.

    What one candidate damages is often what the next one does too, so that a guard that turned one away goes first
    from then on (Qi, Mao and Lei, "Efficient automated program repair through fault-recorded testing prioritization",
    ICSM 2013).

    Args:
        ids: The tests, the likeliest to notice damage first.
        attempt: Runs them.
    """

    def __init__(self, ids: Sequence[str], attempt: Attempt) -> None:
        self._ids = ids
        self._attempt = attempt
        self._passing: Optional[List[str]] = None
        self._leaders: Set[str] = set()

    def objection(self, changes: Sequence[patch.Change]) -> Optional[str]:
        """Why these changes are to be turned away, if they are."""
        if self._passing is None:
            told = self._attempt([], self._ids, everything=True) if self._ids else {"passed": []}
            self._passing = list(told["passed"])
        while self._passing:
            told = self._attempt(changes, self._passing)
            if not told["failed"]:
                reason: Optional[str] = told["reason"]
                return reason
            guard: str = told["failed"][0][0]
            self._passing.remove(guard)
            if self._can_lead(guard):
                self._passing.insert(0, guard)
                return f"breaks {guard}"
        return None

    def _can_lead(self, guard: str) -> bool:
        """Whether a guard passes with the unchanged code also when no other runs before it, and once more."""
        if guard not in self._leaders and self._attempt([], [guard])["passed"]:
            self._leaders.add(guard)
        return guard in self._leaders
