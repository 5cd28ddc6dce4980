"""One candidate's way through the gate that takes its time: its tests."""

import errno
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import cached_property
from typing import Any

from pennyproof.core.candidates import Candidate
from pennyproof.core.snapshots import Snapshot
from pennyproof.core.verdicts import Gate, Level, Route, Verdict, rejected
from pennyproof.core.work import Cancel
from pennyproof.errors import EnvironmentProblem
from pennyproof.proof import limits, parting
from pennyproof.proof.answers import RunResult, UnreadableAnswer, read_run
from pennyproof.proof.baseline import expand
from pennyproof.proof.basis import file_of
from pennyproof.proof.beside import Footing
from pennyproof.proof.judging import failing, judge, newly_failing, newly_passing, ran_at_import
from pennyproof.proof.mapping import Choice
from pennyproof.proof.options import ProofOptions
from pennyproof.proof.reaching import reaches
from pennyproof.proof.retrial import AGAIN, WITHOUT, NoAnswerError, Order, Retrial, Ruling
from pennyproof.proof.scope import Scope
from pennyproof.proof.selection import Change, analyse, seems_within_functions
from pennyproof.proof.suite import NOTHING, ending
from pennyproof.proof.waiting import Outset
from pennyproof.proof.worker import Answer, Limits, Status

_NOT_WRITABLE = ("PermissionError", f"OSError: [Errno {errno.EOVERFLOW}]")
"""How the answer of a run begins that could not put its files in place; the second is what an overlay says of folders
that anybody may write to, but whose owner it cannot name."""


_SLOW = 0.25
"""Seconds that tests take which are not run again more often than has to be."""


class Proving:
    """The gate ``tests`` for one candidate."""

    def __init__(
        self,
        footing: Footing,
        snapshot: Snapshot,
        candidate: Candidate,
        options: ProofOptions,
        cancel: Cancel,
        sent: Callable[[], None],
    ) -> None:
        self._session = footing.session
        self._snapshot = snapshot
        self._look = footing.look
        self._options = options
        self._recorded = footing.recorded
        self._cancel = cancel
        self._sent = sent
        self._candidate = candidate
        self._route: Route | None = None
        self._order: Order = None
        """In which the tests ran that failed before."""
        self._reaches = reaches(candidate, snapshot.buffers)
        files = {**snapshot.buffers, **candidate.files()}
        self._files = {path: source.data() if source else None for path, source in files.items()}

    @cached_property
    def _change(self) -> Change:
        return analyse(self._candidate)

    def verdict(self, scope: Scope) -> Verdict:
        """The verdict by the tests that were chosen, or by those that have to run."""
        baseline = self._recorded.baseline
        targets = expand(scope.targets, baseline) if scope.targets else []
        if scope.test_ids is not None:
            verdict = self._judge(targets, expand(scope.test_ids, baseline), scope.selection)
        else:
            baselines = self._session.baselines
            choice = None if scope.every_test else baselines.choose(self._recorded, self._candidate.changes)
            choice = choice or Choice(tuple(baseline.outcomes), frozenset(), "all")
            verdict = self._judge(targets, choice.tests, choice.selection, choice.files)
        return replace(verdict, route=verdict.route or self._route)

    def _judge(
        self, targets: Sequence[str], selected: Sequence[str], selection: str, files: frozenset[str] = frozenset()
    ) -> Verdict:
        # Those that hang or end the process would take the others with them: they run where they are asked for.
        asked = selected if selection == "asked" else targets
        left_out = self._recorded.unrunnable.difference(asked)
        ids = [test for test in dict.fromkeys([*targets, *selected]) if test not in left_out]
        against = self._patched(ids, targets, selection)
        if against:
            return against
        nothing = selection != "all" and not ids and not files
        self._order = None if selection == "all" else tuple(ids)
        run = NOTHING if nothing else self._run_all(ids, left_out, files, everything=selection == "all")
        if isinstance(run, Verdict):
            return run
        if selection == "map" and ran_at_import(self._change, run):
            return self._judge(targets, list(self._recorded.baseline.outcomes), "all")
        ruling = self._try_again(run, ids, selection)
        if not ruling.flaky.isdisjoint(run.passed):
            # What they ran counted as run by tests that pass.
            baseline = self._recorded.baseline
            self._recorded = replace(self._recorded, baseline=replace(baseline, flaky=baseline.flaky | ruling.flaky))
            return self._judge(targets, selected, selection, files)
        return judge(
            self._recorded, run, self._change, targets=targets, selected=ids, selection=selection, ruling=ruling
        )

    def _try_again(self, run: RunResult, ids: Sequence[str], selection: str) -> Ruling:
        """What further runs say of the tests that newly fail, or else of those that pass now."""
        recorded = self._recorded
        suspects, mended = newly_failing(recorded, run, ids), newly_passing(recorded, run)
        order = self._order
        slow = limits.tests_seconds(recorded.baseline, suspects or mended) > _SLOW
        retrial = Retrial(self._edited, self._unedited, self._session.baselines.memory(self._look), slow=slow)
        ruling = Ruling()
        if suspects:
            ruling = retrial.of_failing(suspects, [order, None] if selection == "map" else [order])
        elif mended:
            ruling = retrial.of_mended(*self._doubtful(mended, order))
        self._session.baselines.distrust(recorded, ruling.flaky)
        return ruling

    def _doubtful(self, mended: Sequence[str], order: Order) -> tuple[list[str], Order, frozenset[str]]:
        """Of tests that pass now: those that failed in runs with others; in which order to see that; and by chance?"""
        recorded = self._recorded
        known = [test for test in mended if test in recorded.baseline.outcomes and test not in recorded.unrunnable]
        alone = len(recorded.baseline.failing) == 1  # It was seen to fail by itself, too, when it was run again.
        chancy = self._session.baselines.chancy(self._snapshot, self._look, recorded, known)
        return known, None if alone else order, chancy

    def _edited(self, order: Order, tests: frozenset[str]) -> frozenset[str]:
        """Which of the tests fail with the candidate."""
        return failing(self._recorded, self._run_again(order, self._files, {"changed": self._reaches}), tests)

    def _unedited(self, order: Order, tests: frozenset[str]) -> frozenset[str]:
        """Which of the tests fail without the candidate; a machine that is busy must not speak for one."""
        run = self._run_again(order, {path: source.data() for path, source in self._snapshot.buffers.items()}, {})
        if run is None or any(limits.hangs(test) for test in run.outcomes.values() if test.id in tests):
            raise NoAnswerError
        return failing(self._recorded, run, tests)

    def _patched(self, ids: Sequence[str], targets: Sequence[str], selection: str) -> Verdict | None:
        """The verdict of tests run where the unchanged project stands, if it says nothing in the candidate's favour."""
        if not seems_within_functions(self._candidate):
            return None
        verdict = self._tried(ids, targets, selection)
        if verdict and verdict.broken:
            # A test that fails now and then blames nobody: it has to be seen as often as anywhere, with and without.
            again = (self._tried(ids, targets, selection, without=WITHOUT) for _ in range(AGAIN))
            if any(other is None or other.broken != verdict.broken for other in again):
                return None
        return verdict

    def _tried(self, ids: Sequence[str], targets: Sequence[str], selection: str, *, without: int = 1) -> Verdict | None:
        standings = self._session.standings
        trial = standings.tried(
            self._snapshot,
            self._recorded,
            self._candidate,
            ids,
            without=without,
            cancel=self._cancel,
            sent=self._sent_to_standing,
        )
        if trial is None or self._change.functions is None:
            return None
        run = RunResult.of(trial.outcomes, trial.patched)
        ran = [test for test in ids if test in run.outcomes]
        verdict = judge(self._recorded, run, self._change, targets=targets, selected=ran, selection=selection)
        if verdict.level > Level.PARSES or (run.passed and not verdict.broken):
            return None
        return replace(verdict, route=Route.PATCHED, uncovered=() if verdict.broken else verdict.uncovered)

    def _sent_to_standing(self) -> None:
        """While that is at work, find out what the edit means: it takes about as long."""
        self._sent()
        _ = self._change

    def _run_all(
        self, ids: Sequence[str], left_out: frozenset[str], files: frozenset[str], *, everything: bool
    ) -> RunResult | Verdict:
        in_parts = None if everything or files else self._in_parts(ids, left_out)
        return in_parts or self._run(ids, left_out, files, everything=everything)

    def _in_parts(self, ids: Sequence[str], left_out: frozenset[str]) -> RunResult | None:
        """The result of several runs beside each other, if that is worth it, and no test newly fails in any of them."""
        parts = parting.parts(ids, self._recorded.baseline, self._session.workers)
        if len(parts) == 1:
            return None
        with ThreadPoolExecutor(len(parts), "pennyproof-part") as beside:
            runs = list(beside.map(lambda part: self._run(part, left_out, frozenset(), everything=False), parts))
        told = [run for run in runs if isinstance(run, RunResult)]
        whole = parting.merged(told)
        if len(told) < len(runs) or whole.errors or newly_failing(self._recorded, whole, ids):
            return None
        self._order = tuple(parts[0])
        return whole

    def _run(
        self, ids: Sequence[str], left_out: frozenset[str], files: frozenset[str], *, everything: bool
    ) -> RunResult | Verdict:
        """The signed result of running the tests with the candidate, or why there is none."""
        watch = {
            "watch": self._change.watch() or None,
            "within": self._change.within(self._snapshot),
            "changed": self._reaches,
            "uncounted": sorted(self._recorded.baseline.flaky),
        }
        asked, wall = self._asked(ids, left_out, whole=files, everything=everything)
        answer = self._resumed(asked, wall, watch)
        if answer is None:
            answer = self._ask(self._files, {**asked, **watch}, wall)
            self._route = Route.IMPORTED if answer.started else Route.STARTED
        if answer.status is Status.CRASHED:
            answer = self._ask(self._files, {**asked, **watch}, wall)
            if answer.ok:
                return Verdict(Level.PARSES, reason="the test run ended the process once with the edit, and once not")
        if answer.status is Status.ERROR and answer.detail.startswith(_NOT_WRITABLE):
            # No candidate for this file can be tried, so that turning away each of them would say nothing.
            raise EnvironmentProblem(
                f"the edit cannot be put in place, since the sandbox may not write there: {answer.detail.strip()}; "
                "make the project's files and folders yours, and writable"
            )
        if not answer.ok:
            return rejected(Gate.TESTS, f"with the edit in place the test run {ending(answer)}")
        try:
            return read_run(answer.result, answer.seconds)
        except UnreadableAnswer:
            return rejected(Gate.TESTS, "with the edit in place the test run gave an answer that is none")

    def _run_again(
        self, order: Order, files: Mapping[str, bytes | None], watch: Mapping[str, object]
    ) -> RunResult | None:
        """What tests do in this order with these files in place; ``None`` where they do not come to an end."""
        ids = list(self._recorded.baseline.outcomes) if order is None else order
        left_out = self._recorded.unrunnable if order is None else frozenset[str]()
        asked, wall = self._asked(ids, left_out, everything=order is None)
        answer = self._ask(files, {**asked, **watch}, wall)
        try:
            return read_run(answer.result, answer.seconds) if answer.ok else None
        except UnreadableAnswer:
            return None

    def _resumed(self, asked: Mapping[str, Any], wall: Limits, watch: Mapping[str, Any]) -> Answer | None:
        """What came of a run that waited for this edit; ``None``: there was none."""
        changes = self._candidate.changes
        if any(not change.path.endswith(".py") or None in (change.before, change.after) for change in changes):
            return None  # What comes or goes is looked for in ways that nobody can wait for.
        awaited = frozenset(change.path for change in changes)
        placed = {path: data for path, data in self._files.items() if path not in awaited}
        what = {name: value for name, value in asked.items() if name != "each"}
        outset = Outset(self._recorded, self._look, placed, awaited, what, asked["each"], wall)
        files = {path: self._files[path] for path in awaited}
        waitings = self._session.waitings
        answer = waitings.run(
            outset, files, {**watch, "watch": watch["watch"] or {}}, cancel=self._cancel, sent=self._sent
        )
        if answer is None:
            waitings.expect(outset)
            return None
        self._route = Route.RESUMED
        return answer

    def _asked(
        self,
        ids: Sequence[str],
        left_out: frozenset[str],
        *,
        whole: frozenset[str] = frozenset(),
        everything: bool,
    ) -> tuple[dict[str, Any], Limits]:
        """How to run tests, or whole files of them: those that there are with the candidate."""
        baseline, timeout = self._recorded.baseline, self._options.timeout_seconds
        asked = dict.fromkeys([*(file_of(test) if file_of(test) in whole else test for test in ids), *sorted(whole)])
        collecting = everything or bool(whole)
        params = {
            "ids": None if everything else list(asked),
            "as_configured": collecting,
            "args": [*self._options.args, *(f"--deselect={test}" for test in sorted(left_out) if collecting)],
            "each": limits.each_seconds(baseline, ids, timeout),
        }
        return params, limits.limits(limits.candidate_seconds(baseline, ids, timeout))

    def _ask(self, files: Mapping[str, bytes | None], params: Mapping[str, Any], wall: Limits) -> Answer:
        with self._session.pool.lend(self._cancel) as worker:
            return worker.run("run", files=files, params=params, limits=wall, cancel=self._cancel, sent=self._sent)
