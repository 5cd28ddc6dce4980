"""The seams at which ``assist`` joins tiers and proof, which do not know each other."""

from collections.abc import Generator, Iterator, Mapping, Sequence
from typing import Protocol

from pennyproof.core.candidates import Candidate, Tier
from pennyproof.core.outcomes import Baseline, Coverage
from pennyproof.core.problems import Problem, Screened, Survivor
from pennyproof.core.snapshots import Snapshot
from pennyproof.core.verdicts import Verdict
from pennyproof.core.work import Cancel, Deadline, Progress


class Prover(Protocol):
    """Runs a project's tests in the sandbox. Every method blocks, may be called from any thread, raises
    Cancelled when asked to stop and EnvironmentProblem where nothing can be run."""

    @property
    def at_once(self) -> int:
        """How many proofs are worth asking for beside each other."""

    def warm(self, snapshot: Snapshot) -> None:
        """Begin to start what runs take, in the background; what goes wrong is told to whoever needs it."""

    def baseline(
        self,
        snapshot: Snapshot,
        *,
        test_ids: Sequence[str] | None = None,
        patience: float | None = None,
        cancel: Cancel,
        progress: Progress,
    ) -> Baseline:
        """Run the tests as they are: all of them, or those asked for. Remembered by content.

        Args:
            snapshot: The workspace.
            test_ids: The tests asked for; ``None``: all.
            patience: Seconds that the tests which hang may take together; ``None``: what the settings allow to each.
            cancel: Ends the run.
            progress: Told what is being done.

        Raises:
            UnknownTest: An id in ``test_ids`` does not exist.
            NoTests: The project has no tests at all.
        """

    def keep_up(self, snapshot: Snapshot, *, cancel: Cancel, progress: Progress) -> None:
        """Have the baseline of all tests ready before anybody asks, and what else proofs are chosen by.

        Only tests that may do something else than when they last ran are run, and they give way to other processes.
        Requests for some tests do not wait for it, those for all join it.

        Raises:
            NoTests: The project has no tests at all.
        """

    def coverage(self, snapshot: Snapshot, test_ids: Sequence[str], *, cancel: Cancel) -> Coverage:
        """The project's lines that each of these tests runs, test files included."""

    def screen(
        self,
        snapshot: Snapshot,
        candidates: Iterator[Candidate],
        targets: Sequence[str],
        *,
        guards: Sequence[str] = (),
        base: Candidate | None = None,
        cancel: Cancel,
        deadline: Deadline,
    ) -> Generator[Screened, None, None]:
        """Try candidates on the targets as fast as the machine can, on all workers, in about the order given.

        A filter: it may err both ways, and nothing it says is shown to anybody.

        Args:
            snapshot: The workspace the candidates are based on.
            candidates: What to try.
            targets: Failing tests. A candidate that does not mend the first is not tried on the others.
            guards: Passing tests, the likeliest to notice damage first: a candidate that is seen to break one
                survives no more than one that mends nothing.
            base: An edit of the snapshot that the candidates are edits of; the targets fail, and the guards pass, with
                that.
            cancel: Ends the screen.
            deadline: Ends it too, and what there is by then is what was found.
        """

    def behaviours(
        self,
        snapshot: Snapshot,
        candidates: Sequence[Candidate],
        targets: Sequence[str],
        *,
        cancel: Cancel,
        deadline: Deadline,
    ) -> Mapping[int, tuple[str, ...]]:
        """What the function that the candidates change returns on inputs varied from those of the targets.

        Returns:
            Index in ``candidates`` → one string for each input, the same inputs for all. Candidates that
            could not be watched are left out.
        """

    def importing(self, snapshot: Snapshot, candidate: Candidate, *, cancel: Cancel) -> Sequence[str] | None:
        """The test files that may import what a candidate changes: enough to prove it by.

        Returns:
            ``None`` where a baseline tells more, or will, for running what was edited since; or where what the files
            import does not tell enough.
        """

    def prove(
        self,
        snapshot: Snapshot,
        candidate: Candidate,
        *,
        targets: Sequence[str] = (),
        test_ids: Sequence[str] | None = None,
        selection: str = "asked",
        every_test: bool = False,
        afresh: bool = False,
        cancel: Cancel,
    ) -> Verdict:
        """Take a candidate through all gates, the tests in a fresh process.

        Args:
            snapshot: The workspace the candidate is based on.
            candidate: What to check.
            targets: Failing tests that it should mend; they run first.
            test_ids: Run these only.
            selection: How these were chosen: ``asked`` or ``imports``.
            every_test: Run the whole suite rather than the tests known to run the changed code.
            afresh: Run the tests even where the same was proved before, of the same files.
            cancel: Ends the run.
        """

    def noticed(
        self,
        snapshot: Snapshot,
        candidate: Candidate,
        slips: Sequence[Candidate],
        tests: Sequence[str],
        *,
        cancel: Cancel,
        deadline: Deadline,
    ) -> Mapping[int, bool]:
        """Which slips the tests that run the lines of a candidate would notice.

        Args:
            snapshot: The workspace the candidate is based on.
            candidate: What was proved.
            slips: The candidate, each with a mistake in the lines that it changes.
            tests: Those that passed with the candidate; which of them run the changed lines is found out.
            cancel: Ends the runs, and frees their workers.
            deadline: Ends them too, and what was tried by then is told.

        Returns:
            Index in ``slips`` → whether a test that passes without the slip fails with it. What could not be tried is
            left out, and so is what any run of the lines would show; all of them where the tests do not pass again.
        """

    def restart(self) -> None:
        """End all workers; the next call starts new ones."""

    def close(self) -> None:
        """End all workers for good."""


class CandidateSource(Protocol):
    """A tier: where candidates come from."""

    @property
    def tier(self) -> Tier:
        """Which tier this is."""

    def propose(self, problem: Problem, *, cancel: Cancel) -> Iterator[Candidate]:
        """Candidates, likeliest first, made lazily; none may touch a protected file."""

    def rank(self, problem: Problem, survivors: Sequence[Survivor]) -> list[Survivor]:
        """Survivors that mend the same tests, the likeliest to be right first."""


class StaticGates(Protocol):
    """Judges an edit of one Python file by its text alone, while somebody types. Thread-safe."""

    def warm(self) -> None:
        """Begin to start what judging takes, in the background."""

    def check(self, path: str, before: Sequence[str], after: str) -> Verdict:
        """Judge an edit by what is wrong with it and was not wrong before.

        Args:
            path: Relative to the root.
            before: What the file may be taken for without the edit; half-written lines differ in them.
            after: The file with the edit.
        """

    def close(self) -> None:
        """End what was started."""
