"""Candidates tried one after another in one fork, since forking takes longer than most tests.

What one of them leaves behind the next one would find. So a row ends where anything is seen to be left, and the
unchanged code has its turn at the end: if it does not fail as it does in a fork of its own, nothing is believed that
was told before. Only what turns candidates away is told like this: one that does not fail has a fork of its own.
"""

from __future__ import annotations

from typing import Any, Callable, Dict, List, Optional, Sequence, Tuple

from . import forks, patch
from .state import State

Row = Sequence[Sequence[patch.Change]]
"""What each candidate exchanges."""
Told = Dict[str, Any]
"""What tests did: which ``failed``, by which kinds of errors; ``how`` that was told; how many ``seconds`` they took."""

_LEFT = "left something behind"
_MOST_SPOILT = 4
"""So many rows may turn out to be worth less than they cost before there are no more of them."""


class Rows:
    """Tries candidates in rows.

    Args:
        run: Runs the tests here and now, up to the first that fails.
        in_fork: Begins work in a fork that cannot speak on the channel.
        timeout: Seconds for one candidate.
        state: Where to see what one leaves behind.
    """

    def __init__(
        self, run: Callable[[], Told], in_fork: Callable[[forks.Tells], forks.Telling], timeout: float, state: State
    ) -> None:
        self._run = run
        self._state = state
        self._in_fork = in_fork
        self._timeout = timeout
        self._spoilt = 0
        first = self._told([])[0]
        second = self._told([])[0] if first else []
        self._unchanged = first[0] if second and _same(first[0], second[0]) else None
        """What the tests do with the unchanged code, each time."""

    def tried(self, row: Row) -> List[Optional[Told]]:
        """For each candidate what the tests did, with a ``reason`` where they did not come to an end.

        ``None``: that one needs a fork of its own.
        """
        found: List[Optional[Told]] = []
        while len(found) < len(row) and self._unchanged is not None and self._spoilt < _MOST_SPOILT:
            rest = row[len(found) :]
            told, reason = self._told(rest)
            if reason is None or len(told) == len(rest):
                found += self._believed(told, len(rest))
            else:
                # Where those before it leave nothing behind, it was itself that did not end.
                before = self._believed(self._told(rest[: len(told)])[0], len(told)) if told else []
                ended = {"failed": [], "reason": reason, "seconds": self._timeout}
                found += [*before, None if reason == _LEFT or None in before else ended]
        return [each if each and (each["failed"] or each.get("reason")) else None for each in found] + [None] * (
            len(row) - len(found)
        )

    def _believed(self, told: Sequence[Told], count: int) -> Sequence[Optional[Told]]:
        """What was told of so many candidates, provided that the unchanged code then did what it always does."""
        if self._unchanged is not None and len(told) > count and _same(told[count], self._unchanged):
            return told[:count]
        self._spoilt += 1
        return [None] * count

    def _told(self, row: Row) -> Tuple[List[Told], Optional[str]]:
        """What the tests did with each, and at last with the unchanged code; or how far that came, and why."""

        def work(tell: Callable[[Any], None]) -> None:
            self._state.forget()
            before = self._state.look()
            for changes in [*row, ()]:
                undo = patch.applied(changes)
                told = self._run()
                undo()
                self._state.forget()
                left = not self._state.is_as(before)
                tell({**told, "left": left})
                if left:
                    return

        told: List[Told] = []
        fork = self._in_fork(work)
        try:
            while len(told) <= len(row):
                answer, reason = fork.next(self._timeout)
                if reason:
                    return told, reason
                if answer["left"]:
                    self._spoilt += 1
                    return told, _LEFT
                told.append(answer)
        finally:
            fork.end()
        return told, None


def _same(one: Told, other: Told) -> bool:
    return bool(one["failed"]) and (one["failed"], one["how"]) == (other["failed"], other["how"])
