"""The pool and the screen over scripted workers: who gets which candidate, and what becomes of it."""

import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import Any

import pytest

from pennyproof.core.candidates import Candidate, FileChange
from pennyproof.core.sources import Source
from pennyproof.core.work import Cancel, Deadline
from pennyproof.errors import Cancelled, EnvironmentProblem, WorkerLost
from pennyproof.proof.pool import Pool
from pennyproof.proof.sandbox.spec import Limits
from pennyproof.proof.screening import Screening, watch_behaviours
from pennyproof.proof.worker import Answer, Primed, Status, Worker

SCREENING = Screening(buffers={}, targets=("t",), args=(), quick_seconds=1, full_seconds=1)
_LISTS = "collected", "unknown", "errors", "watched_by", "patched", "loaded", "early", "unwatched"
_MAPPINGS = "coverage", "watched", "watched_at_import", "touched", "at_import", "opened"
RUN: dict[str, Any] = {name: [] for name in _LISTS} | {name: {} for name in _MAPPINGS}


class Script(Worker):
    """A worker that does as candidates' texts say: ``good``, ``bad``, ``fallback`` or ``kill`` (the primed child)."""

    def __init__(self, usable: bool = True) -> None:
        self.usable = usable
        self.primed = 0
        self.ran: list[str] = []
        self.ended = threading.Event()

    def run(
        self,
        job: str,
        *,
        files: Mapping[str, bytes | None],
        params: Mapping[str, Any],
        limits: Limits,
        cancel: Cancel,
    ) -> Answer:
        cancel.check()
        text = (files["m.py"] or b"").decode()
        self.ran.append(text)
        if text == "lost":
            raise WorkerLost("lost")
        outcome = "passed" if text.endswith("good") else "failed"
        outcomes = [{"id": "t", "outcome": outcome, "seconds": 0, "failure": None, "path": "t", "line": 1}]
        return Answer(Status.OK, result={**RUN, "exit": "ok", "outcomes": outcomes})

    def prime(self, *, cancel: Cancel, **_: Any) -> Primed:
        cancel.check()
        self.primed += 1
        return Child(self, cancel)

    def kill(self) -> None:
        self.ended.set()

    close = kill


class Child(Primed):
    def __init__(self, worker: Script, cancel: Cancel) -> None:
        self.answer = Answer(Status.OK, result={"usable": worker.usable})
        self._alive = worker.usable
        self._cancel = cancel

    @property
    def alive(self) -> bool:
        return self._alive

    def ask(self, params: Mapping[str, Any], timeout: float) -> Answer:
        self._cancel.check()
        texts = [files["m.py"] for files in params["candidates"]]
        if params["op"] == "behave":
            return Answer(Status.OK, result={"behaviours": [None if text == "bad" else [text] for text in texts]})
        if "kill" in texts:
            self._alive = False
            return Answer(Status.CRASHED)
        results = [
            {
                "passed": ["t"] if text == "good" else [],
                "failed": [] if text == "good" else [["t", "AssertionError"]],
                "fallback": text.startswith("fallback"),
                "seconds": 0.0,
            }
            for text in texts
        ]
        return Answer(Status.OK, result={"results": results})

    def end(self) -> None:
        self._alive = False


def candidate(text: str | None) -> Candidate:
    return Candidate((FileChange("m.py", Source(""), None if text is None else Source(text)),), summary=str(text))


def screen(texts: list[str | None], workers: list[Script], threads: int = 1) -> list[tuple[str, bool]]:
    pool = Pool(len(workers), iter(workers).__next__)
    found = SCREENING.screen(pool, threads, map(candidate, texts), cancel=Cancel(), deadline=Deadline(60))
    return sorted((item.candidate.summary, item.survived) for item in found)


def test_primed_children_do_the_work() -> None:
    worker = Script()
    assert screen(["good", "bad"] * 20, [worker, Script()]) == [("bad", False)] * 20 + [("good", True)] * 20
    assert (worker.primed, worker.ran) == (1, [])


def test_what_they_cannot_do_is_run() -> None:
    workers = [Script(), Script()]
    found = screen(["fallback good", "good", "fallback bad", None], workers)
    assert found == [("None", False), ("fallback bad", False), ("fallback good", True), ("good", True)]
    assert sorted(workers[0].ran + workers[1].ran) == ["", "fallback bad", "fallback good"]


def test_without_a_usable_child_everything_is_run() -> None:
    worker = Script(usable=False)
    assert screen(["good", "bad"], [worker, Script()]) == [("bad", False), ("good", True)]
    assert worker.ran == ["good", "bad"]


def test_in_a_fresh_process_the_first_target_decides_too() -> None:
    screening = replace(SCREENING, targets=("t", "never"))
    pool = Pool(2, lambda: Script(usable=False))
    found = screening.screen(pool, 1, map(candidate, ("good", "bad")), cancel=Cancel(), deadline=Deadline(60))
    assert {item.candidate.summary: (item.fixed, item.remaining) for item in found} == {
        "good": (("t",), ("never",)),
        "bad": ((), ("t", "never")),
    }


def test_a_lost_child_is_primed_again_a_few_times() -> None:
    worker = Script()
    found = screen([*["good"] * 7, "kill"] * 9, [worker, Script()])
    assert found == [("good", True)] * 63 + [("kill", False)] * 9
    assert worker.primed == 3


def test_many_threads_share_the_candidates() -> None:
    workers = [Script() for _ in range(4)]
    assert len(screen(["good", "fallback bad"] * 50, workers, threads=3)) == 100


def test_errors_reach_the_reader() -> None:
    with pytest.raises(WorkerLost):
        screen(["lost"], [Script(usable=False), Script()])

    def broken() -> Iterator[Candidate]:
        yield candidate("good")
        raise ZeroDivisionError

    pool = Pool(2, Script)
    with pytest.raises(ZeroDivisionError):
        list(SCREENING.screen(pool, 1, broken(), cancel=Cancel(), deadline=Deadline(60)))


def test_cancelling_ends_it() -> None:
    cancel, pool = Cancel(), Pool(2, Script)

    def endless() -> Iterator[Candidate]:
        while True:
            yield candidate("good")

    found = SCREENING.screen(pool, 1, endless(), cancel=cancel, deadline=Deadline(600))
    assert next(found).survived
    cancel.ask()
    with pytest.raises(Cancelled):
        list(found)


def test_behaviours_are_told_by_index() -> None:
    candidates = [candidate(text) for text in ("good", None, "bad", "fallback")]
    seen = watch_behaviours(SCREENING, Script(), candidates, cancel=Cancel(), deadline=Deadline(60))
    assert seen == {0: ("good",), 3: ("fallback",)}
    unusable = Script(usable=False)
    assert watch_behaviours(SCREENING, unusable, candidates, cancel=Cancel(), deadline=Deadline(60)) == {}


def made(count: int) -> tuple[Pool, list[Script]]:
    workers: list[Script] = []

    def make() -> Worker:
        workers.append(Script())
        return workers[-1]

    return Pool(count, make), workers


def test_workers_are_made_when_needed_and_used_again() -> None:
    pool, workers = made(2)
    for _ in range(3):
        with pool.lend(Cancel()):
            pass
    assert len(workers) == 1
    with pool.lend(Cancel()) as one, pool.lend(Cancel()) as two:
        assert one is not two
    assert len(workers) == 2


def waiting(action: Callable[[Pool, Cancel], None], error: type[Exception]) -> None:
    """A thread that waits for a worker gets ``error`` once ``action`` is done."""
    pool, _ = made(1)
    cancel, caught = Cancel(), list[BaseException]()

    def wait() -> None:
        try:
            with pool.lend(cancel):
                pass
        except error as raised:
            caught.append(raised)

    with pool.lend(Cancel()):
        thread = threading.Thread(target=wait)
        thread.start()
        action(pool, cancel)
        thread.join(60)
    assert len(caught) == 1


def test_waiting_ends_when_cancelled_or_closed() -> None:
    waiting(lambda _, cancel: cancel.ask(), Cancelled)
    waiting(lambda pool, _: pool.close(), EnvironmentProblem)


def test_closing_ends_those_idle_and_those_lent() -> None:
    pool, workers = made(2)
    with pool.lend(Cancel()):
        with pool.lend(Cancel()):
            pass
        pool.close()
        assert all(worker.ended.is_set() for worker in workers)
    with pytest.raises(EnvironmentProblem, match="closed"), pool.lend(Cancel()):
        pass
