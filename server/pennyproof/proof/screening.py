"""The quick screen: candidates tried on the targets by all workers at once. A filter, never evidence."""

import itertools
import queue
import threading
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from pennyproof.core.candidates import Candidate
from pennyproof.core.problems import Screened
from pennyproof.core.work import Cancel, Deadline
from pennyproof.errors import Cancelled
from pennyproof.proof import limits
from pennyproof.proof.answers import UnreadableAnswer, read_run
from pennyproof.proof.pool import Pool
from pennyproof.proof.worker import Primed, Worker

_CHUNK = 8
"""Candidates in one request: few enough that workers finish together, and soon when the screen ends early."""
_PRIMINGS = 3
"""How often one thread primes a child before it takes the slow path for good: some candidates kill theirs."""
_INPUTS = 24
"""Varied inputs on which survivors are compared."""


@dataclass(frozen=True, slots=True)
class Screening:
    """What all candidates of one screen have in common."""

    buffers: Mapping[str, bytes | None]
    targets: Sequence[str]
    """The first decides whether a candidate survives."""
    args: Sequence[str]
    quick_seconds: float
    """Wall time for one candidate and the first target in a primed child."""
    full_seconds: float
    """Wall time for one candidate and all targets in a fresh process."""
    closer_seconds: float = 0.0
    """Wall time for the other targets, or the guards, in a primed child."""
    hangs: bool = False
    """The first target does not come to its end with the unchanged code."""
    guards: Sequence[str] = ()
    """Passing tests that a candidate must not break; where it takes a fresh process, a proof costs no more."""

    def prime(self, worker: Worker, cancel: Cancel, deadline: Deadline) -> Primed:
        """Have a worker import the unchanged project and collect the targets."""
        unchanged = self.quick_seconds if self.hangs else self.full_seconds
        params = {
            "ids": list(self.targets[:1]),
            "also": list(self.targets[1:]),
            "guards": list(self.guards),
            "args": list(self.args),
            "timeout": unchanged,
            "closer": self.closer_seconds,
            "hangs": self.hangs,
        }
        life = limits.limits(deadline.left + limits.alone_seconds(self.full_seconds))
        return worker.prime(files=self.buffers, params=params, limits=life, cancel=cancel)

    def screen(
        self, pool: Pool, threads: int, candidates: Iterator[Candidate], *, cancel: Cancel, deadline: Deadline
    ) -> Iterator[Screened]:
        """Results as they come, in about the order of the candidates, until there are no more or time is up.

        Raises:
            Cancelled: ``cancel`` was asked.
        """
        stop = Cancel()
        forget = cancel.on_cancel(stop.ask)
        work = _Work(self, candidates, threads, cancel, stop, deadline)
        crew = [
            threading.Thread(target=work.take_part, args=(pool, role), name="pennyproof-screen", daemon=True)
            for role in (*[work.screen_primed] * threads, work.run_those_left)
        ]
        for thread in crew:
            thread.start()
        try:
            yield from work.results(len(crew))
            cancel.check()
        finally:
            stop.ask()
            for thread in crew:
                thread.join()
            forget()


def watch_behaviours(
    screening: Screening, worker: Worker, candidates: Sequence[Candidate], *, cancel: Cancel, deadline: Deadline
) -> dict[int, tuple[str, ...]]:
    """What the function that all candidates change returns on the same varied inputs, by index of the candidate.

    Raises:
        Cancelled: ``cancel`` was asked.
    """
    watchable = [
        index for index, candidate in enumerate(candidates) if all(change.after for change in candidate.changes)
    ]
    request = {
        "op": "behave",
        "candidates": [_texts(candidates[index]) for index in watchable],
        "ids": list(screening.targets),
        "function": None,
        "inputs": _INPUTS,
        "timeout": screening.quick_seconds + screening.closer_seconds,
    }
    with screening.prime(worker, cancel, deadline) as primed:
        if not _usable(primed):
            return {}
        answer = primed.ask(request, timeout=deadline.left)
    seen = answer.result["behaviours"] if answer.ok else None
    return {index: tuple(told) for index, told in zip(watchable, seen or (), strict=False) if told is not None}


class _Work:
    """What the threads of one screen share."""

    def __init__(
        self,
        screening: Screening,
        candidates: Iterator[Candidate],
        threads: int,
        cancel: Cancel,
        stop: Cancel,
        deadline: Deadline,
    ) -> None:
        self._screening = screening
        self._candidates = candidates
        self._cancel = cancel
        """Ends what a primed child is at, and with it the worker, which takes long to start again."""
        self._stop = stop
        """Ends the screen as soon as no worker has to end for it."""
        self._deadline = deadline
        self._drawing = threading.Lock()
        self._left = _Queue(threads)
        """Candidates that cannot be had by exchanging functions; each is run in a fresh process."""
        self._done: queue.SimpleQueue[Screened | BaseException | None] = queue.SimpleQueue()
        """Results; an error ends the screen; ``None`` says that one thread is done."""

    def results(self, threads: int) -> Iterator[Screened]:
        while threads:
            try:
                item = self._done.get(timeout=self._deadline.left or 0.001)
            except queue.Empty:
                return
            if isinstance(item, BaseException):
                raise item
            if item is None:
                threads -= 1
            else:
                yield item
            if self._deadline.passed:
                return

    def take_part(self, pool: Pool, role: Callable[[Pool], None]) -> None:
        """What each thread does: its role, and then say how it ended."""
        try:
            role(pool)
        except Cancelled:
            self._done.put(None)  # Whoever asked for it does not need to be told.
        except BaseException as error:  # noqa: BLE001 - It is raised again, in the thread that reads the results.
            self._done.put(error)
        else:
            self._done.put(None)

    def screen_primed(self, pool: Pool) -> None:
        """Draw candidates and try them in a primed child, as long as such a child can be had."""
        with pool.lend(self._stop) as worker:
            try:
                primings = 0
                while primings < _PRIMINGS and self._screen_in_one_child(worker):
                    primings += 1
                while chunk := self._draw():
                    for candidate in chunk:
                        self._run(worker, candidate)
            finally:
                self._left.filler_done()
            for candidate in iter(self._left.get, None):
                self._run(worker, candidate)

    def run_those_left(self, pool: Pool) -> None:
        """Run what the primed children leave over, while they go on."""
        first = self._left.get()
        if first is None:
            return  # Most screens leave nothing over, and need no further worker.
        with pool.lend(self._stop) as worker:
            for candidate in itertools.chain([first], iter(self._left.get, None)):
                self._run(worker, candidate)

    def _screen_in_one_child(self, worker: Worker) -> bool:
        """Screen until there is nothing left to draw (or no child to be had: false) or the child is lost (true)."""
        with self._screening.prime(worker, self._cancel, self._deadline) as primed:
            if not _usable(primed):
                return False
            while chunk := self._draw():
                if not self._screen_chunk(primed, chunk):
                    return True
        return False

    def _screen_chunk(self, primed: Primed, chunk: list[Candidate]) -> bool:
        """Try some candidates; false if that lost the child. Those without a result are left over."""
        whole = [candidate for candidate in chunk if all(change.after for change in candidate.changes)]
        seconds, left = self._screening.quick_seconds, self._deadline.left
        request = {
            "op": "screen_many",
            "candidates": [_texts(candidate) for candidate in whole],
            "timeout": seconds,
            "deadline": left,
        }
        longest = len(whole) * (seconds + 2 * self._screening.closer_seconds)
        answer = primed.ask(request, timeout=min(longest, left) + limits.alone_seconds(seconds))
        results = answer.result["results"] if answer.ok else []
        for candidate, result in zip(whole, results, strict=False):
            if result["fallback"]:
                self._left.put(candidate)
            else:
                failed = tuple(test for test, _ in result["failed"])
                self._done.put(Screened(candidate, tuple(result["passed"]), failed, result["seconds"]))
        for candidate in (*whole[len(results) :], *(other for other in chunk if other not in whole)):
            self._left.put(candidate)
        return primed.alive

    def _run(self, worker: Worker, candidate: Candidate) -> None:
        """Try one candidate in a fresh process."""
        self._stop.check()
        answer = worker.run(
            "run",
            files={**self._screening.buffers, **_data(candidate)},
            params={"ids": list(self._screening.targets), "args": list(self._screening.args)},
            limits=limits.limits(self._screening.full_seconds),
            cancel=self._stop,
        )
        try:
            passed = read_run(answer.result, answer.seconds).passed if answer.ok else frozenset[str]()
        except UnreadableAnswer:
            passed = frozenset()
        targets = self._screening.targets
        fixed = tuple(test for test in targets if test in passed) if targets[0] in passed else ()
        remaining = tuple(test for test in targets if test not in fixed)
        self._done.put(Screened(candidate, fixed, remaining, answer.seconds))

    def _draw(self) -> list[Candidate]:
        """The next few candidates, none when there are no more or it is time to stop."""
        with self._drawing:
            drawn: list[Candidate] = []
            while len(drawn) < _CHUNK and not self._stop.asked and not self._deadline.passed:
                candidate = next(self._candidates, None)
                if candidate is None:
                    break
                drawn.append(candidate)
            return drawn


class _Queue:
    """Candidates put aside by some threads for others; at its end when nobody can put any more."""

    def __init__(self, fillers: int) -> None:
        self._fillers = fillers
        self._changed = threading.Condition()
        self._waiting: deque[Candidate] = deque()

    def put(self, candidate: Candidate) -> None:
        with self._changed:
            self._waiting.append(candidate)
            self._changed.notify()

    def filler_done(self) -> None:
        with self._changed:
            self._fillers -= 1
            self._changed.notify_all()

    def get(self) -> Candidate | None:
        """The next candidate; waits for one as long as one may come."""
        with self._changed:
            while not self._waiting and self._fillers:
                self._changed.wait()
            return self._waiting.popleft() if self._waiting else None


def _usable(primed: Primed) -> bool:
    return primed.answer.ok and primed.answer.result["usable"] is True


def _texts(candidate: Candidate) -> dict[str, str]:
    return {path: source.text for path, source in candidate.files().items() if source}


def _data(candidate: Candidate) -> dict[str, bytes | None]:
    return {path: source.data() if source else None for path, source in candidate.files().items()}
