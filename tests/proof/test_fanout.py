"""Proofs sent to workers that answer, refuse, fail or say nothing: a verdict comes of all of them."""

import logging
import threading
from collections.abc import Callable
from concurrent.futures import CancelledError, Future, ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from pennyproof.assist.assemble import build_project
from pennyproof.core.candidates import Candidate, FileChange
from pennyproof.core.outcomes import Baseline
from pennyproof.core.snapshots import Snapshot
from pennyproof.core.sources import Source
from pennyproof.core.verdicts import Level, Verdict
from pennyproof.core.work import Cancel, Silent
from pennyproof.errors import Cancelled, EnvironmentProblem, UnknownTest
from pennyproof.proof.fanout import FanOut
from pennyproof.proof.options import ProofOptions
from pennyproof.proof.prover import Prover
from pennyproof.proof.remote import Failed, Job, Refused, stop
from pennyproof.proof.scope import Scope
from pennyproof.settings import Settings
from tests.assist.scripted import ScriptedProver, baseline, failed, passed

A, B = "tests/test_a.py::test_a", "tests/test_a.py::test_b"
CANDIDATE = Candidate((FileChange("a.py", Source("x = 1\n"), Source("x = 2\n")),), summary="right")
HERE, THERE = Verdict(Level.FIXES, fixed=(A,), reason="here"), Verdict(Level.FIXES, fixed=(A,), reason="there")

INSTEAD = "; proved here instead"


class Inventory:
    def inventory(self) -> str:
        return "python"


class Here(ScriptedProver):
    """The prover of this process."""

    root: Path

    def environment(self, snapshot: Snapshot, *, cancel: Cancel) -> Inventory:
        return Inventory()

    def prove(self, *args: Any, **kwargs: Any) -> Verdict:
        super().prove(*args, **kwargs)
        return HERE


@dataclass
class ScriptedCrew:
    """Workers whose answers a test writes down beforehand; the last is given again and again."""

    answers: list[object]
    threads: int = 1
    jobs: list[Job] = field(default_factory=list)
    called: list[tuple[Callable[..., object], tuple[object, ...]]] = field(default_factory=list)
    sent: threading.Event = field(default_factory=threading.Event)
    shut_down: bool = False

    def submit(self, function: Callable[..., object], /, *args: Job) -> Future[Any]:
        self.jobs += args
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if isinstance(answer, EnvironmentProblem):
            raise answer
        future: Future[Any] = Future()
        if isinstance(answer, BaseException):
            future.set_exception(answer)
        elif answer is not None:
            future.set_result(answer)
        self.sent.set()
        return future

    def everywhere(self, function: Callable[..., object], /, *args: object) -> None:
        self.called.append((function, args))

    def shutdown(self, wait: bool = True) -> None:
        self.shut_down = True


class Setting:
    """A prover with workers elsewhere."""

    def __init__(self, root: Path, crew: ScriptedCrew | Exception, tests: Baseline) -> None:
        self.here = Here(tests)
        self.here.root = root
        self.snapshot = Snapshot(root, {"a.py": Source("x = 1\n")})
        self.connected = 0
        self.crew = crew
        self.prover = FanOut(self.here, ProofOptions(args=("-x",)), "proof.executor", self._connect)  # type: ignore[arg-type]

    def _connect(self) -> ScriptedCrew:
        self.connected += 1
        if isinstance(self.crew, Exception):
            raise self.crew
        return self.crew

    def prove(self, cancel: Cancel | None = None, **asked: Any) -> Verdict:
        return self.prover.prove(self.snapshot, CANDIDATE, targets=[A], cancel=cancel or Cancel(), **asked)


@pytest.fixture
def setting(tmp_path: Path) -> Callable[..., Setting]:
    def make(*answers: object) -> Setting:
        return Setting(tmp_path, ScriptedCrew(list(answers)), baseline(failed(A), passed(B)))

    return make


@pytest.mark.parametrize(
    ("answers", "verdict", "asked", "warnings"),
    [
        ([THERE], "there", 1, []),
        ([Refused("no"), THERE], "there", 2, ["a worker is left out, since no"]),
        ([Refused("no")], "here", 3, ["a worker is left out, since no", f"3 workers in a row said no{INSTEAD}"]),
        ([Failed("no verdict within 9 s")], "here", 1, [f"no verdict within 9 s{INSTEAD}"]),
        ([RuntimeError("all\ndied")], "here", 1, [f"RuntimeError: all died{INSTEAD}"]),
        ([CancelledError()], "here", 1, [f"the workers were lost{INSTEAD}"]),
        ([EnvironmentProblem("it has no workers")], "here", 1, [f"it has no workers{INSTEAD}"]),
    ],
)
def test_what_no_worker_says_is_proved_here(
    setting: Callable[..., Setting],
    caplog: pytest.LogCaptureFixture,
    answers: list[object],
    verdict: str,
    asked: int,
    warnings: list[str],
) -> None:
    given = setting(*answers)
    assert given.prove().reason == verdict
    assert len(given.crew.jobs) == asked
    assert len(given.here.proved) == (verdict == "here")
    told = [record.getMessage() for record in caplog.records if record.levelno == logging.WARNING]
    assert told == [f"proof.executor: {warning}" for warning in warnings]


def test_a_job_tells_all_that_a_verdict_depends_on(setting: Callable[..., Setting], tmp_path: Path) -> None:
    (tmp_path / "b.py").write_text("")
    (tmp_path / "tests").mkdir()
    (tmp_path / "tests" / "test_a.py").write_text("")
    given = setting(THERE)
    given.prove(test_ids=[A], every_test=True, afresh=True)
    (job,) = given.crew.jobs
    assert job.afresh
    assert (job.root, job.args, job.buffers) == (str(tmp_path), ("-x",), {"a.py": Source("x = 1\n")})
    assert (job.candidate, job.scope) == (CANDIDATE, Scope((A,), (A,), every_test=True))
    assert list(job.conditions.files) == ["a.py", "b.py", "tests"]
    before = job.conditions
    given.here.tests = baseline(passed(A), passed(B))
    given.snapshot = Snapshot(tmp_path, {"a.py": Source("x = 3\n")})
    given.prove()
    after = given.crew.jobs[1].conditions
    assert before.tests != after.tests
    assert [name for name in before.files if before.files[name] != after.files[name]] == ["a.py"]


def test_an_unknown_test_is_told_before_anything_is_sent(setting: Callable[..., Setting]) -> None:
    given = setting(THERE)
    with pytest.raises(UnknownTest):
        given.prove(test_ids=["tests/test_a.py::test_z"])
    assert not given.crew.jobs


def test_a_cancel_frees_whoever_waits_and_the_worker(setting: Callable[..., Setting]) -> None:
    given, cancel = setting(None), Cancel()
    with ThreadPoolExecutor(1) as threads:
        waiting = threads.submit(given.prove, cancel)
        assert given.crew.sent.wait(10)
        cancel.ask()
        with pytest.raises(Cancelled):
            waiting.result(10)
    assert given.crew.called == [(stop, (given.crew.jobs[0].identity,))]
    assert not given.here.proved


def test_a_worker_that_says_nothing_is_given_up(
    setting: Callable[..., Setting], monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("pennyproof.proof.fanout._STARTING", 0.0)
    monkeypatch.setattr("pennyproof.proof.fanout._RUNS", 0)
    given = setting(None)
    assert given.prove().reason == "here"
    assert [function for function, _ in given.crew.called] == [stop]
    assert "no answer within 0 s; proved here instead" in caplog.text


def test_workers_that_cannot_be_reached_are_told_once_and_left_alone(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    given = Setting(tmp_path, EnvironmentProblem("no scheduler answers at nowhere:1"), baseline(failed(A)))
    assert [given.prove().reason for _ in range(3)] == ["here"] * 3
    assert given.connected == 1
    assert caplog.messages == ["proof.executor: no scheduler answers at nowhere:1; proved here instead"]
    given.prover.restart()
    given.crew = ScriptedCrew([THERE])
    assert given.prove().reason == "there"


def test_no_error_of_others_costs_a_verdict(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    given = Setting(tmp_path, RuntimeError("nobody\nthought of it"), baseline(failed(A)))
    assert given.prove().reason == "here"
    assert caplog.messages == ["proof.executor: RuntimeError: nobody thought of it; proved here instead"]


def test_whoever_waits_for_a_connection_can_be_freed(tmp_path: Path) -> None:
    given, cancel, reached = Setting(tmp_path, ScriptedCrew([THERE]), baseline(failed(A))), Cancel(), threading.Event()
    waits = threading.Event()

    def slow() -> ScriptedCrew:
        reached.set()
        waits.wait(10)
        return given.crew

    given.prover = FanOut(given.here, ProofOptions(), "proof.executor", slow)  # type: ignore[arg-type]
    with ThreadPoolExecutor(1) as threads:
        waiting = threads.submit(given.prove, cancel)
        assert reached.wait(10)
        cancel.ask()
        with pytest.raises(Cancelled):
            waiting.result(5)
        waits.set()


def test_lost_workers_are_let_go(setting: Callable[..., Setting]) -> None:
    given = setting(EnvironmentProblem("the connection to the scheduler was lost"))
    assert [given.prove().reason for _ in range(2)] == ["here"] * 2
    assert (given.connected, given.crew.shut_down, len(given.crew.jobs)) == (1, True, 1)


def test_as_many_proofs_are_asked_for_as_workers_can_make(setting: Callable[..., Setting]) -> None:
    given = setting(THERE)
    given.crew.threads = 16
    assert given.prover.at_once == given.here.at_once
    given.prove()
    assert given.prover.at_once == 32


def test_closing_lets_workers_go(setting: Callable[..., Setting]) -> None:
    given = setting(THERE)
    given.prove()
    given.prover.close()
    assert given.crew.shut_down


def test_everything_but_proofs_is_done_here(setting: Callable[..., Setting]) -> None:
    given = setting(THERE)
    asked = {"cancel": Cancel(), "progress": Silent()}
    assert given.prover.baseline(given.snapshot, **asked) == given.here.tests
    assert given.prover.coverage(given.snapshot, [A], cancel=Cancel()).lines == {}
    assert not given.crew.jobs


@pytest.mark.parametrize(("executor", "kind"), [("local", Prover), ("dask://127.0.0.1:1", FanOut)])
def test_the_setting_decides_who_proves(tmp_path: Path, executor: str, kind: type) -> None:
    settings = Settings.model_validate({"proof": {"executor": executor}})
    environ = {"PENNYPROOF_HOME": str(tmp_path / "home")}
    with closing(build_project(tmp_path, settings, trusted=True, environ=environ)) as project:
        assert type(project.prover) is kind
