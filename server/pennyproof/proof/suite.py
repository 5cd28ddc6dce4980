"""Running tests of the unmodified project, of which nothing is known yet: some may hang or end the process."""

from collections.abc import Iterable, Sequence

from pennyproof.core.outcomes import Baseline, Coverage, Failure, Outcome, TestOutcome
from pennyproof.core.snapshots import Snapshot
from pennyproof.core.work import Cancel, Progress
from pennyproof.errors import EnvironmentProblem
from pennyproof.proof import limits
from pennyproof.proof.answers import RunResult, read_run
from pennyproof.proof.options import ProofOptions
from pennyproof.proof.worker import Answer, Status, Worker


class Suite:
    """The tests of one snapshot, run by one worker."""

    def __init__(self, worker: Worker, snapshot: Snapshot, options: ProofOptions, cancel: Cancel) -> None:
        self._worker = worker
        self._files = {path: source.data() for path, source in snapshot.buffers.items()}
        self._options = options
        self._cancel = cancel

    def run(self, test_ids: Sequence[str] | None, progress: Progress) -> tuple[RunResult, frozenset[str]]:
        """Run tests (``None``: all), with the functions each runs; and say which of them cannot be run with others.

        Raises:
            EnvironmentProblem: They cannot be run at all.
        """
        answer = self._ask(test_ids, limits.suite_seconds(self._options.timeout_seconds))
        if answer.ok:
            return _read(answer), frozenset()
        progress.report(f"running the tests one file at a time, since they {ending(answer)}")
        return self._piecewise(test_ids, progress)

    def passing_now(self, test_ids: Sequence[str], baseline: Baseline) -> frozenset[str]:
        """Those of the failing tests that pass in a fresh process, without the others."""
        wall = limits.candidate_seconds(baseline, test_ids, self._options.timeout_seconds)
        answer = self._ask(test_ids, wall)
        return _read(answer).passed if answer.ok else frozenset()

    def lines(self, test_ids: Sequence[str]) -> Coverage:
        """The lines that each test runs; nothing of those that do not come to an end."""
        wall = limits.suite_seconds(self._options.timeout_seconds)
        answer = self._ask(test_ids, wall, trace="lines")
        if answer.ok or len(test_ids) == 1:
            return _read(answer).coverage if answer.ok else Coverage()
        singly = [self.lines([test]) for test in test_ids]
        return Coverage({test: files for coverage in singly for test, files in coverage.lines.items()})

    def _piecewise(self, test_ids: Sequence[str] | None, progress: Progress) -> tuple[RunResult, frozenset[str]]:
        """File by file, and test by test where a file has some that hangs or ends the process."""
        timeout = self._options.timeout_seconds
        # To show fixtures, pytest collects as for a run. (Of `--collect-only` a run takes no notice, on purpose.)
        collected = self._ask(test_ids, limits.suite_seconds(timeout), "--fixtures")
        if not collected.ok:
            raise EnvironmentProblem(f"pytest cannot collect the tests: it {ending(collected)}")
        runs = [_read(collected)]
        unrunnable = dict[str, TestOutcome]()
        files = list(_by_file(runs[0].collected).items())
        for number, (file, tests) in enumerate(files):
            progress.report(f"running {file}", number / len(files))
            if len(files) > 1:  # Of a single file it is known already.
                whole = self._ask(tests, limits.suite_seconds(timeout))
                if whole.ok:
                    runs.append(_read(whole))
                    continue
            for test in tests:
                answer = self._ask([test], limits.alone_seconds(timeout))
                if answer.ok:
                    runs.append(_read(answer))
                else:
                    unrunnable[test] = _lost(test, answer)
        return _merge(runs, unrunnable), frozenset(unrunnable)

    def _ask(self, test_ids: Sequence[str] | None, wall: float, *args: str, trace: str = "functions") -> Answer:
        params = {
            "ids": None if test_ids is None else list(test_ids),
            "args": [*self._options.args, *args],
            "trace": trace,
            "locals": trace == "functions",
        }
        answer = self._worker.run(
            "run", files=self._files, params=params, limits=limits.limits(wall), cancel=self._cancel
        )
        if answer.status is Status.ERROR:
            raise EnvironmentProblem(f"the tests cannot be run: {_last_line(answer.detail)}")
        return answer


def ending(answer: Answer) -> str:
    """How a run went wrong, as the rest of a sentence: "did not end within 60 s"."""
    if answer.status is Status.TIMEOUT:
        return f"did not end within {answer.seconds:.3g} s"
    said = {Status.CRASHED: "ended the process", Status.FORGED: "gave an answer that is not signed"}
    detail = answer.detail.strip().partition("\n")[0]
    return said.get(answer.status, "went wrong") + (f" ({detail})" if detail else "")


def _read(answer: Answer) -> RunResult:
    run = read_run(answer.result, answer.seconds)
    if run.exit in ("usage", "internal") and not run.outcomes:
        why = run.errors[0].message if run.errors else "no reason given"
        raise EnvironmentProblem(f"pytest cannot run here: {_complaint(why)}")
    return run


def _by_file(test_ids: Iterable[str]) -> dict[str, list[str]]:
    files: dict[str, list[str]] = {}
    for test in test_ids:
        files.setdefault(test.partition("::")[0], []).append(test)
    return files


def _lost(test: str, answer: Answer) -> TestOutcome:
    kind = limits.TIMEOUT if answer.status is Status.TIMEOUT else "Crash"
    failure = Failure(kind, f"the test {ending(answer)}")
    return TestOutcome(test, Outcome.FAILED, answer.seconds, failure, path=test.partition("::")[0])


def _merge(runs: Sequence[RunResult], unrunnable: dict[str, TestOutcome]) -> RunResult:
    first = runs[0]
    outcomes = {test: outcome for run in runs for test, outcome in run.outcomes.items()} | unrunnable
    return RunResult(
        collected=first.collected,
        unknown=first.unknown,
        outcomes={test: outcomes[test] for test in first.collected if test in outcomes},
        errors=tuple({error.path: error for run in runs for error in run.errors}.values()),
        coverage=Coverage({test: files for run in runs for test, files in run.coverage.lines.items()}),
        watched={},
        watched_by=frozenset(),
        watched_at_import={},
        patched=frozenset().union(*(run.patched for run in runs)),
        exit=first.exit,
        seconds=sum(run.seconds for run in runs),
    )


def _last_line(text: str) -> str:
    return text.strip().rpartition("\n")[2]


def _complaint(text: str) -> str:
    """The line of pytest's own complaint that says what is wrong: its last, unless it marks one itself."""
    marked = [line.partition("error: ")[2] for line in text.splitlines() if "error: " in line]
    return marked[0] if marked else _last_line(text)
