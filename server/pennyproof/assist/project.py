"""One workspace folder: its settings and trust, its warm workers, and what can be asked of it."""

import threading
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from pennyproof.assist.ports import CandidateSource, Prover
from pennyproof.assist.strength import Strengths
from pennyproof.core.outcomes import Baseline
from pennyproof.core.snapshots import Document, Snapshot
from pennyproof.core.sources import Source
from pennyproof.core.verdicts import Verdict
from pennyproof.core.work import Cancel, Deadline, Progress, Silent
from pennyproof.errors import EnvironmentProblem, NoModel, OutsideRoot, PennyproofError, Untrusted

if TYPE_CHECKING:
    from pennyproof.assist.attempts import Attempts
    from pennyproof.assist.cascade import Tally
    from pennyproof.assist.complete import Completer, Completion, Place
    from pennyproof.assist.debug import DebugResult
    from pennyproof.assist.edit import EditRequest, EditResult
    from pennyproof.assist.explain import Explanation, Subject
    from pennyproof.assist.explain.writing import Writing
    from pennyproof.core.offers import Offer
    from pennyproof.tiers.hosted.models import Models, Spending


class Project:
    """What ``lsp`` and ``cli`` talk to. Every method blocks and may be called from any thread.

    Args:
        root: The workspace folder.
        prover: Makes the prover; called once, at the first need, and only while the root is trusted.
        tiers: Makes the tiers that candidates come from, cheapest first.
        trusted: Whether project code may run.
        libraries: Finds the folders of the packages installed for the project; nothing in them is run.
        models: Makes the hosted models; called once, at the first need. ``None``: there are none.
        completer: Makes what completes code; called once, at the first need. ``None``: nothing does.
        hidden: Which files, relative to the root, are never sent.
    """

    def __init__(
        self,
        root: Path,
        prover: Callable[[Path], Prover],
        tiers: Callable[[], Sequence[CandidateSource]],
        *,
        trusted: bool,
        libraries: Callable[[], Sequence[Path]] = tuple,
        models: "Callable[[], Models] | None" = None,
        completer: "Callable[[], Completer] | None" = None,
        hidden: Callable[[str], bool] = lambda _: False,
    ) -> None:
        self.root = root.resolve()
        self.trusted = trusted
        self._make_prover = prover
        self._tiers = tiers
        self._libraries = libraries
        self._make_models = models
        self._models: Models | None = None
        self._make_completer = completer
        self._completer: Completer | None = None
        self._hidden = hidden
        self._lock = threading.Lock()
        self._prover: Prover | None = None
        self._strengths = Strengths()

    @property
    def prover(self) -> Prover:
        """The prover of this root.

        Raises:
            Untrusted: The user has not trusted the root, so nothing of it may run.
        """
        with self._lock:
            if not self.trusted:
                raise Untrusted(
                    f"{self.root} is not trusted: running its tests runs its code; "
                    "trust it in the editor, or set PENNYPROOF_TRUST=always "
                    "(where there is no sandbox, PENNYPROOF_PROOF_SANDBOX=off, too)"
                )
            if self._prover is None:
                self._prover = self._make_prover(self.root)
            return self._prover

    @property
    def models(self) -> "Models | None":
        """The hosted models, whether or not there is a key for them (``Models.obstacle``)."""
        with self._lock:
            if self._models is None and self._make_models is not None:
                self._models = self._make_models()
            return self._models

    def snapshot(self, documents: Iterable[Document] = ()) -> Snapshot:
        """The root with the text of open documents in front of what is on disk; documents elsewhere are left out."""
        plain = Snapshot(self.root)
        buffers: dict[str, Source] = {}
        versions: dict[str, int | None] = {}
        for document in documents:
            try:
                path = plain.relative(document.path)
            except OutsideRoot:
                continue
            versions[path] = document.version
            source = _as_source(plain, path, document.text)
            if source is not None:
                buffers[path] = source
        return Snapshot(self.root, buffers, versions)

    def warm(self) -> None:
        """Begin to start the workers, which takes a moment, before they are needed."""
        self.prover.warm(self.snapshot())

    def run_tests(
        self,
        snapshot: Snapshot,
        test_ids: Sequence[str] | None = None,
        *,
        cancel: Cancel | None = None,
        progress: Progress | None = None,
    ) -> Baseline:
        """Run the tests as they are; ``None`` means all."""
        return self.prover.baseline(
            snapshot, test_ids=test_ids, cancel=cancel or Cancel(), progress=progress or Silent()
        )

    def keep_up(self, snapshot: Snapshot, *, cancel: Cancel | None = None, progress: Progress | None = None) -> None:
        """Run in the background what has to run to know which tests run which code; gives way to all else."""
        self.prover.keep_up(snapshot, cancel=cancel or Cancel(), progress=progress or Silent())

    def debug(
        self,
        snapshot: Snapshot,
        test_ids: Sequence[str] | None = None,
        *,
        deadline: Deadline,
        cancel: Cancel | None = None,
        progress: Progress | None = None,
        offline: bool = False,
        before_first: Callable[[str], None] = lambda _: None,
    ) -> "DebugResult":
        """Find proved edits that mend failing tests.

        Args:
            snapshot: The workspace.
            test_ids: The failing tests to be mended; ``None``: all.
            deadline: When the search ends.
            cancel: Ends it too.
            progress: Told what is being done.
            offline: Ask no model.
            before_first: Called with the host before the first question to a model, on the calling thread; may ask
                the user whether they agree.
        """
        from pennyproof.assist.debug import debug  # noqa: PLC0415 - workers that were begun to be started do so meanwhile

        cancel, progress = cancel or Cancel(), progress or Silent()

        def attempts(tally: "Tally") -> "Attempts | None":
            models = None if offline else self.models
            if models is None or models.obstacle() is not None:
                return None
            from pennyproof.assist.attempts import Attempts  # noqa: PLC0415 - there may be no key

            spending = models.begin("debug")
            return Attempts(spending, self.prover, self._hidden, tally, cancel, progress, before_first)

        return debug(
            self.prover,
            self._tiers(),
            snapshot,
            test_ids,
            deadline=deadline,
            cancel=cancel,
            progress=progress,
            attempts=attempts,
        )

    def prove(
        self,
        snapshot: Snapshot,
        diff: str,
        test_ids: Sequence[str] | None = None,
        *,
        cancel: Cancel | None = None,
        progress: Progress | None = None,
        measuring: float = 0.0,
    ) -> Verdict:
        """Check a unified diff.

        Args:
            snapshot: The workspace.
            diff: What to check.
            test_ids: Run these only; ``None``: those that the diff concerns.
            cancel: Ends the runs.
            progress: Told what is being done.
            measuring: Seconds that it may take to see, after that, how much the tests would notice.

        Raises:
            BadDiff: The diff cannot be read or does not apply to the snapshot.
        """
        from pennyproof.assist.checking import prove  # noqa: PLC0415 - most sessions never prove a diff

        return prove(
            self.prover,
            snapshot,
            diff,
            test_ids,
            cancel=cancel or Cancel(),
            progress=progress or Silent(),
            measuring=measuring,
            strengths=self._strengths,
        )

    def measured(
        self,
        snapshot: Snapshot,
        offer: "Offer",
        *,
        deadline: Deadline,
        cancel: Cancel | None = None,
        progress: Progress | None = None,
    ) -> "Offer":
        """An offer that also says how much the tests would notice, where that can be measured in time.

        Args:
            snapshot: The workspace that the offer was proved in.
            offer: What was found.
            deadline: Ends the measuring; what was tried by then counts.
            cancel: Ends it too, and frees its workers.
            progress: Told what is being done.

        Raises:
            Cancelled: ``cancel`` was asked.
        """
        from pennyproof.assist.strength import measured_offer  # noqa: PLC0415 - there may be no offer

        cancel, progress = cancel or Cancel(), progress or Silent()
        return measured_offer(self.prover, snapshot, offer, deadline=deadline, cancel=cancel, progress=progress)

    def explain(
        self,
        snapshot: Snapshot,
        subject: "Subject",
        *,
        cancel: Cancel | None = None,
        progress: Progress | None = None,
        offline: bool = False,
        locale: str | None = None,
        before_first: Callable[[str], None] = lambda _: None,
        on_text: Callable[[str, str], None] = lambda _, __: None,
    ) -> "Explanation":
        """Explain a failing test, lines or a symbol; only running a test takes trust.

        Args:
            snapshot: The workspace.
            subject: What is asked about.
            cancel: Ends it.
            progress: Told what is being done.
            offline: Ask no model.
            locale: Of the user, as the editor or the environment names it.
            before_first: Called with the host before a model is asked, on the calling thread; may ask the user whether
                they agree.
            on_text: Called with the page and the model's text as they are written.

        Raises:
            UnknownTest: There is no such test.
            OutsideRoot: A path leads out of the root.
        """
        from pennyproof.assist.explain import FailingTest, explain  # noqa: PLC0415 (most sessions never explain)

        test_ids = [subject.id] if isinstance(subject, FailingTest) else None
        baseline = None
        try:
            if self.trusted or test_ids:
                if test_ids:
                    self.run_tests(snapshot, test_ids, cancel=cancel, progress=progress)
                baseline = self.run_tests(snapshot, cancel=cancel, progress=progress)
        except EnvironmentProblem:
            if test_ids:
                raise  # Lines and symbols can be read where nothing can be run; a failing test has to fail.
        cancel = cancel or Cancel()
        writing = None if offline else self._writing(locale, cancel, before_first, on_text)
        return explain(snapshot, subject, baseline, self._libraries(), writing)

    def _writing(
        self,
        locale: str | None,
        cancel: Cancel,
        before_first: Callable[[str], None],
        on_text: Callable[[str, str], None],
    ) -> "Writing | str | None":
        """What it takes to have a model explain, or why none can."""
        from pennyproof.assist.explain.writing import WRITING_SECONDS, Writing  # noqa: PLC0415 - as above

        models = self.models
        if models is None:
            return None
        obstacle = models.obstacle()
        if obstacle is not None:
            return obstacle
        spending = models.begin("explain")
        before_first(spending.fast.host)
        return Writing(spending, self._hidden, locale, Deadline(WRITING_SECONDS), cancel, on_text)

    def edit(
        self,
        snapshot: Snapshot,
        request: "EditRequest",
        *,
        deadline: Deadline,
        cancel: Cancel | None = None,
        progress: Progress | None = None,
        before_first: Callable[[str], None] = lambda _: None,
    ) -> "EditResult":
        """Have a model edit some lines, and check what it proposes.

        Args:
            snapshot: The workspace.
            request: What is to be edited, and how.
            deadline: When the search ends.
            cancel: Ends it too.
            progress: Told what is being done.
            before_first: Called with the host before a model is asked, on the calling thread; may ask the user whether
                they agree.

        Raises:
            UsageError: There is nothing to edit there.
            NoModel: There is none that can be asked.
            ProviderError: None answered.
            EnvironmentProblem: Nothing can be run.
        """
        from pennyproof.assist.edit import edit  # noqa: PLC0415 (most sessions never edit)

        models = self.models
        obstacle = "no hosted model is set up" if models is None else models.obstacle()
        if models is None or obstacle is not None:
            raise NoModel(f"nothing can be edited without a model: {obstacle}")
        prover, spending = self.prover, models.begin("edit")
        before_first(spending.fast.host)
        return edit(
            prover,
            spending,
            self._tiers(),
            snapshot,
            request,
            self._hidden,
            deadline=deadline,
            cancel=cancel or Cancel(),
            progress=progress or Silent(),
        )

    def begin_completion(self) -> "Spending":
        """The models for one completion; nothing is sent yet.

        Raises:
            NoModel: There is none that can be asked.
        """
        models = self.models
        obstacle = "no hosted model is set up" if models is None else models.obstacle()
        if models is None or obstacle is not None:
            raise NoModel(f"nothing can be completed without a model: {obstacle}")
        return models.begin("complete")

    def complete(
        self, place: "Place", spending: "Spending", *, deadline: Deadline, cancel: Cancel | None = None
    ) -> "Completion | None":
        """Ask the fast model what belongs at a cursor.

        Returns:
            What may be shown; ``None`` where there is nothing.

        Raises:
            ProviderError: There is no answer.
        """
        with self._lock:
            if self._completer is None and self._make_completer is not None:
                self._completer = self._make_completer()
            completer = self._completer
        if completer is None:
            return None
        return completer.complete(place, spending.fast, deadline=deadline, cancel=cancel or Cancel())

    def restart(self) -> None:
        """End the workers; the next request starts new ones."""
        with self._lock:
            prover = self._prover
        if prover is not None:
            prover.restart()

    def close(self) -> None:
        """End the workers, and all calls of models, for good."""
        with self._lock:
            prover, self._prover = self._prover, None
            models, self._models = self._models, None
            completer, self._completer = self._completer, None
        if completer is not None:
            completer.close()
        if models is not None:
            models.close()
        if prover is not None:
            prover.close()


def _as_source(plain: Snapshot, path: str, text: str) -> Source | None:
    """The buffer as it would be written, or ``None`` where it is what is on disk."""
    try:
        saved = plain.read(path)
    except PennyproofError:
        saved = None
    if saved is None:
        return Source(text)
    return None if saved.text == text else Source(text, saved.encoding)
