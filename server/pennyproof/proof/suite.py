"""Running tests of the unmodified project, of which nothing is known yet: some may hang or end the process."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import replace
from math import inf

from pennyproof.core.outcomes import CRASH, TIMEOUT, Baseline, Coverage, Failure, Outcome, TestOutcome
from pennyproof.core.snapshots import Snapshot
from pennyproof.core.work import Cancel, Progress
from pennyproof.errors import EnvironmentProblem
from pennyproof.proof import limits
from pennyproof.proof.answers import RunResult, merge_lines, merge_names, read_run
from pennyproof.proof.options import ProofOptions
from pennyproof.proof.worker import Answer, Status, Worker

_QUICK = 5.0
"""Seconds that a test may take in the first run. Most take less, and those that do not are run again by themselves,
so that a few that hang do not keep the user from the outcome of the others."""
_TRACED_HANGING = 3.0
"""Seconds that all tests which hang may take when lines are traced: they run what they run at once."""
_TRACED_EACH = 0.5
_LEAST = 0.5
"""Seconds that each test may take, however short the patience."""
_FEW = 50
"""So many failing tests are traced as they are run again; of more, only some are looked at, and traced then."""
_COLLECTING = 15.0
"""Seconds that the import of one file may take, at least: large libraries take so long from a slow disk."""
_ALARMS = "SIGALRM", "SIGPROF"
"""What ends a process whose test takes no notice of its limit."""
NOTHING = RunResult.of({})
"""No test ran."""


class Suite:
    """The tests of one snapshot, run by one worker."""

    def __init__(
        self,
        worker: Worker,
        snapshot: Snapshot,
        options: ProofOptions,
        cancel: Cancel,
        patience: float = inf,
        *,
        as_configured: bool = False,
        gently: bool = False,
    ) -> None:
        """Prepare.

        Args:
            worker: Runs them.
            snapshot: The workspace.
            options: The settings.
            cancel: Ends the runs.
            patience: Seconds that all tests which hang may take together.
            as_configured: Leave out of what is asked for what the project's configuration leaves out.
            gently: Give way to other processes, but where a test is found to hang: that takes a fair share of time.
        """
        self.as_configured = as_configured
        self._gently = gently
        self._worker = worker
        self._snapshot = snapshot
        self._files = {path: source.data() for path, source in snapshot.buffers.items()}
        self._options = options
        self._cancel = cancel
        self._patience = patience
        """Seconds that all tests which hang may still take together."""

    def run(
        self, test_ids: Sequence[str] | None, progress: Progress
    ) -> tuple[RunResult, frozenset[str], frozenset[str]]:
        """Run tests (``None``: all), with the functions each runs.

        Returns:
            What they did; which of them cannot be run with others; and which of these had less time to end than the
            settings allow.

        Raises:
            EnvironmentProblem: They cannot be run at all.
        """
        timeout, quick = self._options.timeout_seconds, self._quick()
        answer = self._ask(test_ids, limits.suite_seconds(timeout), each=quick)
        if answer.ok:
            run, unrunnable = _read(answer), frozenset[str]()
        else:
            progress.report(f"running the tests one file at a time, since they {ending(answer)}")
            run, unrunnable = self._piecewise(test_ids, progress)
        hanging = [test for test in run.outcomes.values() if limits.hangs(test)]
        self._patience -= sum(test.seconds for test in hanging)
        runs, hurried = [run], set[str]()
        for test in hanging:
            longer = min(timeout, self._patience)
            if longer > quick:
                progress.report(f"running {test.id} again, which did not end within {quick:g} s")
                runs.append(self._alone(test.id, longer))
                self._patience -= runs[-1].seconds
            if max(longer, quick) < timeout:
                hurried.add(test.id)
        whole = _merge(runs)
        hang = {test.id for test in whole.outcomes.values() if limits.hangs(test)}
        return whole, unrunnable | hang, frozenset(hang & hurried)

    def moved_to(self, worker: Worker) -> "Suite":
        """The same, run by another worker."""
        return Suite(
            worker, self._snapshot, self._options, self._cancel, self._patience, as_configured=self.as_configured
        )

    def again(self, test_ids: Sequence[str], baseline: Baseline) -> RunResult | None:
        """Failing tests in a fresh process, without the others, with the lines that each runs if they are few."""
        timeout = self._options.timeout_seconds
        wall = limits.candidate_seconds(baseline, test_ids, timeout)
        trace = "lines" if len(test_ids) <= _FEW else None
        answer = self._ask(test_ids, wall, trace=trace, each=limits.each_seconds(baseline, test_ids, timeout))
        return _read(answer) if answer.ok else None

    def lines(self, test_ids: Sequence[str], hanging: Collection[str] = ()) -> Coverage:
        """The lines that each test runs; of those that do not come to an end, what they run in a moment."""
        ending_ones = [test for test in test_ids if test not in hanging]
        found = dict(self._lines(ending_ones, self._options.timeout_seconds).lines) if ending_ones else {}
        rest = [test for test in test_ids if test in hanging]
        if rest:
            each = min(_TRACED_HANGING / len(rest), _TRACED_EACH)
            found.update(self._lines(rest, each).lines)
        return Coverage(found)

    def _lines(self, test_ids: Sequence[str], each: float) -> Coverage:
        wall = limits.alone_seconds(max(each * len(test_ids), self._options.timeout_seconds))
        answer = self._ask(test_ids, wall, trace="lines", each=each)
        if answer.ok or len(test_ids) == 1:
            return _read(answer).coverage if answer.ok else Coverage()
        singly = [self._lines([test], each) for test in test_ids]
        return Coverage({test: files for coverage in singly for test, files in coverage.lines.items()})

    def _quick(self) -> float:
        return min(_QUICK, self._options.timeout_seconds, max(self._patience / 2, _LEAST))

    def _alone(self, test: str, seconds: float) -> RunResult:
        """One test in a process of its own."""
        answer = self._ask([test], limits.alone_seconds(seconds), each=seconds, gently=False)
        return _read(answer) if answer.ok else _lost(test, answer)

    def _piecewise(self, test_ids: Sequence[str] | None, progress: Progress) -> tuple[RunResult, frozenset[str]]:
        """File by file, and test by test where a file has some that end the process, or hang and take no notice."""
        # To show fixtures, pytest collects as for a run. (Of `--collect-only` a run takes no notice, on purpose.)
        collected = self._ask(test_ids, limits.suite_seconds(self._options.timeout_seconds), "--fixtures")
        if not collected.ok:
            raise EnvironmentProblem(f"pytest cannot collect the tests: it {ending(collected)}")
        runs = [_read(collected)]
        unrunnable = set[str]()
        files = list(_by_file(runs[0].collected).items())
        for number, (file, tests) in enumerate(files):
            progress.report(f"running {file}", number / len(files))
            if len(files) > 1:  # Of a single file it is known already.
                whole = self._ask(tests, limits.suite_seconds(self._options.timeout_seconds), each=self._quick())
                if whole.ok:
                    runs.append(_read(whole))
                    continue
            for test in tests:
                run = self._alone(test, self._quick())
                runs.append(run)
                if not run.collected:
                    unrunnable.add(test)
                    self._patience -= run.seconds
        return _merge(runs), frozenset(unrunnable)

    def _ask(
        self,
        test_ids: Sequence[str] | None,
        wall: float,
        *args: str,
        trace: str | None = "functions",
        each: float | None = None,
        gently: bool = True,
    ) -> Answer:
        timeout = self._options.timeout_seconds
        params = {
            "ids": None if test_ids is None else list(test_ids),
            "args": [*self._options.args, *args],
            "as_configured": self.as_configured,
            "trace": trace,
            "locals": trace == "functions",
            "each": each,
            "gently": gently and self._gently,
            "patience": None if self._patience == inf else max(self._patience, 0.0),
            "collecting": min(timeout, max(self._patience, _COLLECTING)),
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


def _lost(test: str, answer: Answer) -> RunResult:
    """What is known of a test whose process gave no answer."""
    hung = answer.status is Status.TIMEOUT or any(name in answer.detail for name in _ALARMS)
    said = f"did not end within {answer.seconds:.3g} s" if hung else ending(answer)
    failure = Failure(TIMEOUT if hung else CRASH, said)
    outcome = TestOutcome(test, Outcome.FAILED, answer.seconds, failure, path=test.partition("::")[0])
    return replace(NOTHING, outcomes={test: outcome}, seconds=answer.seconds)


def _merge(runs: Sequence[RunResult]) -> RunResult:
    """One result of several runs, where later ones speak for the tests they ran; its time is that of those that end."""
    first = runs[0]
    outcomes = {test: outcome for run in runs for test, outcome in run.outcomes.items()}
    return replace(
        first,
        outcomes={test: outcomes[test] for test in first.collected if test in outcomes},
        errors=tuple({error.path: error for run in runs for error in run.errors}.values()),
        coverage=Coverage({test: files for run in runs for test, files in run.coverage.lines.items()}),
        patched=frozenset().union(*(run.patched for run in runs)),
        seconds=sum(_seconds(run) for run in runs),
        touched={test: paths for run in runs for test, paths in run.touched.items()},
        opened=merge_names(run.opened for run in runs),
        at_import=merge_lines(run.at_import for run in runs),
        loaded=frozenset().union(*(run.loaded for run in runs)),
        early=frozenset().union(*(run.early for run in runs)),
        unwatched=frozenset().union(*(run.unwatched for run in runs)),
    )


def _seconds(run: RunResult) -> float:
    return run.seconds - sum(test.seconds for test in run.outcomes.values() if not test.ends)


def _last_line(text: str) -> str:
    return text.strip().rpartition("\n")[2]


def _complaint(text: str) -> str:
    """The line of pytest's own complaint that says what is wrong: its last, unless it marks one itself."""
    marked = [line.partition("error: ")[2] for line in text.splitlines() if "error: " in line]
    return marked[0] if marked else _last_line(text)
