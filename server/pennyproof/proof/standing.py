"""Edits of functions tried where the unchanged project stands collected: in a few milliseconds, and never in favour.

What comes of it counts against an edit only: nobody is told that a test passes before a run that imports the edited
project has seen it pass. It is asked of tests alone that do here, without the edit, what they did at the baseline.
"""

import hashlib
import threading
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from pennyproof.core.candidates import Candidate
from pennyproof.core.outcomes import Outcome, TestOutcome
from pennyproof.core.snapshots import Snapshot
from pennyproof.core.sources import Source
from pennyproof.core.work import Cancel
from pennyproof.errors import Cancelled, WorkerLost
from pennyproof.proof import limits
from pennyproof.proof.answers import read_outcome
from pennyproof.proof.options import ProofOptions
from pennyproof.proof.records import Recorded
from pennyproof.proof.syntax import equal_ends, lines_of
from pennyproof.proof.worker import Primed, Worker

_LONGEST = 0.5
"""Seconds that the tests usually take: with more of them it is no longer they that are waited for the least."""
_MOST_UNTIDY = 1000
_LIFE = 600.0
"""Seconds of processor time that one child may use before another takes its place."""

Edits = Mapping[str, tuple[str, int, int, list[str]]]
"""As the job ``stand`` takes them."""


@dataclass(frozen=True, slots=True)
class Trial:
    """What tests did with an edit in place, up to the first that newly failed."""

    outcomes: Mapping[str, TestOutcome]
    patched: frozenset[str]
    complete: bool
    """Whether all ran."""


@dataclass(frozen=True, slots=True)
class _State:
    """What a child was made of."""

    recorded: Recorded
    buffers: Mapping[str, Source | None]
    files: frozenset[str]

    def is_current(self, now: "_State") -> bool:
        return self.recorded is now.recorded and self.buffers == now.buffers

    def serves(self, now: "_State") -> bool:
        return self.is_current(now) and now.files <= self.files


class Standings:
    """The children in which the project stands. Thread-safe; nobody waits for one that is at work or being made."""

    def __init__(
        self,
        size: int,
        make: Callable[[], Worker],
        options: ProofOptions,
        *,
        used: Callable[[], None] = lambda: None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Prepare; the first is made when the same state of the project is asked about again.

        Args:
            size: How many there may be.
            make: Makes a worker for one.
            options: The settings.
            used: Called when one was used.
            clock: Seconds, from any moment.
        """
        self._size = size
        self._make = make
        self._options = options
        self._used = used
        self._clock = clock
        self._lock = threading.Lock()
        self._idle: list[_Standing] = []
        self._taken = 0
        """How many are at work or being made."""
        self._last: _State | None = None
        self._untidy: set[tuple[str, ...]] = set()
        """Tests that left something behind, with which no other child is to be spoilt."""
        self._closed = False

    def tried(
        self,
        snapshot: Snapshot,
        recorded: Recorded,
        candidate: Candidate,
        ids: Sequence[str],
        *,
        without: int,
        cancel: Cancel,
        sent: Callable[[], None],
    ) -> Trial | None:
        """What the tests do with a candidate that changes no more than bodies of functions.

        Args:
            snapshot: The workspace.
            recorded: What the tests do without the candidate.
            candidate: The edit.
            ids: The tests, in this order.
            without: How often they have to be seen to do here, without the edit, what they did at the baseline.
            cancel: Ends it.
            sent: Called when the edit is on its way.

        Returns:
            ``None`` where that cannot be told here.

        Raises:
            Cancelled: ``cancel`` was asked.
        """
        if tuple(ids) in self._untidy or not _can_tell(recorded, ids):
            return None
        files = frozenset(test.partition("::")[0] for test in ids)
        standing = self._take(_State(recorded, dict(snapshot.buffers), files))
        if standing is None:
            return None
        try:
            return standing.tried(candidate, ids, without, cancel, sent)
        finally:
            if standing.spoilt:
                self._untidy = {*list(self._untidy)[-_MOST_UNTIDY:], tuple(ids)}
            self._give_back(standing)

    @property
    def busy(self) -> bool:
        """Whether one is at work or being made."""
        return self._taken > 0

    def rest(self, seconds: float) -> float | None:
        """End those that were not used for so long.

        Returns:
            Seconds until that holds of the next one; ``None`` where no other is unused.
        """
        with self._lock:
            latest = self._clock() - seconds
            unused = [standing for standing in self._idle if standing.since <= latest]
            self._idle = [standing for standing in self._idle if standing.since > latest]
            left = self._idle[0].since - latest if self._idle else None
        for standing in unused:
            standing.end()
        return left

    def close(self) -> None:
        """End all."""
        with self._lock:
            self._closed = True
            idle, self._idle = self._idle, []
        for standing in idle:
            standing.end()

    def _take(self, state: _State) -> "_Standing | None":
        with self._lock:
            last, self._last = self._last, state
            serving = [standing for standing in self._idle if standing.state.serves(state)]
            outdated = [standing for standing in self._idle if not standing.state.is_current(state)]
            again = last is not None and last.serves(state)
            begin = not serving and again and not self._closed and self._make_room(outdated)
            taken = serving[:1]
            self._idle = [standing for standing in self._idle if standing not in (*taken, *outdated)]
            self._taken += len(taken) + begin
        for standing in outdated:
            standing.end()
        if begin:
            threading.Thread(target=self._begin, args=(state,), name="pennyproof-stand", daemon=True).start()
        return taken[0] if taken else None

    def _make_room(self, outdated: "list[_Standing]") -> bool:
        """Whether one more may be made, for which the one that was longest idle may have to go."""
        current = [standing for standing in self._idle if standing not in outdated]
        if self._taken + len(current) >= self._size:
            outdated += current[:1]
        return self._taken + len(current[1:]) < self._size

    def _begin(self, state: _State) -> None:
        self._give_back(_Standing(self._make(), state, self._options))

    def _give_back(self, standing: "_Standing") -> None:
        with self._lock:
            self._taken -= 1
            keep = standing.alive and not self._closed
            standing.since = self._clock()
            if keep:
                self._idle.append(standing)
        if not keep:
            standing.end()
        self._used()


class _Standing:
    """One child, made at once, by one thread; then used by one at a time."""

    def __init__(self, worker: Worker, state: _State, options: ProofOptions) -> None:
        self.state = state
        self.since = 0.0
        """When it was last used."""
        self.spoilt = False
        """Whether a run left something behind that the next one would find."""
        self._worker = worker
        self._timeout = options.timeout_seconds
        self._seen = Counter[tuple[str, ...]]()
        """How often tests did, without an edit, what they did at the baseline."""
        self._differing: set[tuple[str, ...]] = set()
        """Those that did not."""
        self._primed: Primed | None = None
        files = {path: source.data() if source else None for path, source in state.buffers.items()}
        baseline = state.recorded.baseline
        params = {
            "ids": sorted(state.files),
            "each": limits.each_seconds(baseline, None, self._timeout),
            "args": list(options.args),
            "placed": list(files),
        }
        wall = limits.candidate_seconds(baseline, [], self._timeout)
        try:
            self._primed = worker.prime(
                job="stand",
                files=files,
                params=params,
                limits=limits.limits(wall, cpu=_LIFE),
                cancel=Cancel(),
            )
        except (Cancelled, WorkerLost):
            return
        self._tests = frozenset(self._primed.answer.result.get("tests", ()))

    @property
    def alive(self) -> bool:
        return self._primed is not None and self._primed.alive

    def end(self) -> None:
        self._worker.close()

    def tried(
        self, candidate: Candidate, ids: Sequence[str], without: int, cancel: Cancel, sent: Callable[[], None]
    ) -> Trial | None:
        if not self._tests.issuperset(ids):
            return None
        forget = cancel.on_cancel(self._worker.kill)
        try:
            return self._try(_edits(candidate), ids, sent) if self._are_as_recorded(tuple(ids), without) else None
        finally:
            forget()
            cancel.check()

    def _are_as_recorded(self, ids: tuple[str, ...], times: int) -> bool:
        """Whether these tests, in this order, do here what they did at the baseline, so many times."""
        while self._seen[ids] < times and ids not in self._differing:
            if self._is_as_recorded(self._try({}, ids)):
                self._seen[ids] += 1
            else:
                self._differing.add(ids)
        return ids not in self._differing

    def _is_as_recorded(self, control: Trial | None) -> bool:
        recorded = self.state.recorded
        before = recorded.baseline.outcomes
        return (
            control is not None
            and control.complete
            and control.patched <= recorded.patched
            and all(_same(test, before[test.id]) for test in control.outcomes.values())
        )

    def _try(self, edits: Edits, ids: Sequence[str], sent: Callable[[], None] | None = None) -> Trial | None:
        if self._primed is None or not self._primed.alive:
            return None
        baseline = self.state.recorded.baseline
        passing = [test for test in ids if baseline.outcomes[test].outcome is Outcome.PASSED]
        seconds = limits.screen_seconds(baseline, ids, self._timeout)
        request: dict[str, Any] = {"edits": edits, "ids": list(ids), "passing": passing, "timeout": seconds}
        try:
            answer = self._primed.ask(request, timeout=limits.alone_seconds(seconds), sent=sent)
        except Cancelled:
            return None
        if answer.ok and not answer.result["stands"]:
            self.spoilt = True
            self._primed.end()
        if not answer.ok or answer.result["reason"]:
            return None
        outcomes = {item["id"]: read_outcome(item) for item in answer.result["outcomes"]}
        return Trial(outcomes, frozenset(answer.result["patched"]), complete=outcomes.keys() >= set(ids))


def _can_tell(recorded: Recorded, ids: Sequence[str]) -> bool:
    """Whether these tests can be trusted in a process where files are what they were: none looks at them."""
    baseline = recorded.baseline
    if not ids or recorded.basis is None or not baseline.flaky.isdisjoint(ids):
        return False
    known = all(test in baseline.outcomes and not recorded.basis.touched.get(test) for test in ids)
    return known and recorded.unrunnable.isdisjoint(ids) and limits.tests_seconds(baseline, ids) <= _LONGEST


def _same(now: TestOutcome, before: TestOutcome) -> bool:
    kinds = [test.failure.kind if test.failure else None for test in (now, before)]
    return now.outcome is before.outcome and kinds[0] == kinds[1]


def _edits(candidate: Candidate) -> Edits:
    edits: dict[str, tuple[str, int, int, list[str]]] = {}
    for change in candidate.changes:
        if change.before and change.after and change.before != change.after:
            start, end = equal_ends(change.before.text, change.after.text)
            old, new = lines_of(change.before.text), lines_of(change.after.text)
            edits[change.path] = _digest(change.before.text), start, len(old) - end, new[start : len(new) - end]
    return edits


@lru_cache(maxsize=16)  # Every candidate is compared with the same original.
def _digest(text: str) -> str:
    return hashlib.sha256("\n".join(lines_of(text)).encode("utf-8", "surrogatepass")).hexdigest()
