"""What the last runs and the last search found in a workspace folder; changed on the event loop only.

Lines refer to the texts that ran. They are mapped through edits before they are shown, and what was edited away is
not shown at all. Offers hold until the text or the tests change.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING
from weakref import WeakKeyDictionary

from lsprotocol import types

from pennyproof.core.outcomes import Baseline, Coverage, Outcome, TestOutcome
from pennyproof.errors import PennyproofError, UsageError

if TYPE_CHECKING:
    from pathlib import Path

    from pennyproof.assist.debug import DebugResult
    from pennyproof.assist.project import Project
    from pennyproof.core.offers import Offer
    from pennyproof.core.outcomes import CollectionError
    from pennyproof.core.snapshots import Snapshot
    from pennyproof.core.work import Cancel
    from pennyproof.lsp.server import PennyproofServer


@dataclass(slots=True)
class Findings:
    """What is known about the tests of one workspace folder."""

    outcomes: dict[str, TestOutcome] = field(default_factory=dict)
    """The last outcome of each test, by id."""
    errors: tuple[CollectionError, ...] = ()
    flaky: frozenset[str] = frozenset()
    functions: Coverage = field(default_factory=Coverage)
    texts: dict[str, str] = field(default_factory=dict)
    """The files that failures point at, as they were when the tests ran; by path relative to the root."""
    complete: bool = False
    """Whether the whole suite has been run."""
    result: DebugResult | None = None
    """The last search; its rejections are told on demand."""
    offers: tuple[Offer, ...] = ()
    """What it found, while that holds."""
    published: dict[str, list[types.Diagnostic]] = field(default_factory=dict)
    """Diagnostics that the client shows, by URI."""
    saving: Cancel | None = None
    """The run that a save started, while it is under way."""
    measuring: Cancel | None = None
    """Ends the measuring of what the tests of the offers would notice."""

    @property
    def failing(self) -> list[TestOutcome]:
        return [test for test in self.outcomes.values() if test.failed and test.id not in self.flaky]

    def take_run(self, baseline: Baseline, texts: Mapping[str, str], *, whole: bool) -> bool:
        """Take in what a run told; whether other tests fail now.

        Args:
            baseline: Its outcomes.
            texts: The files that its failures point at.
            whole: Whether the whole suite ran; tests that are not in it are then gone.
        """
        before = {test.id for test in self.failing}
        if whole:
            self.outcomes, self.flaky, self.complete = dict(baseline.outcomes), baseline.flaky, True
            self.functions, self.texts, self.errors = baseline.functions, dict(texts), baseline.errors
        else:
            self.outcomes |= baseline.outcomes
            self.flaky = (self.flaky - baseline.outcomes.keys()) | baseline.flaky
            self.functions = Coverage({**self.functions.lines, **baseline.functions.lines})
            self.texts |= texts
        changed = {test.id for test in self.failing} != before
        if changed:
            self.forget_offers()
        return changed

    def take_search(self, result: DebugResult, *, current: bool) -> None:
        """Take in what a search found; its offers only where the text is ``current`` still."""
        self.result, self.offers = result, result.offers if current else ()

    def take_measured(self, offer: Offer) -> None:
        """Take in an offer that says more of its evidence than it did."""
        self.offers = tuple(offer if known.id == offer.id else known for known in self.offers)

    def take_applied(self, offer: Offer) -> None:
        """An offer is in the text now: the tests it mends pass, as its proof has shown."""
        for test_id in offer.verdict.fixed:
            if test_id in self.outcomes:
                self.outcomes[test_id] = replace(self.outcomes[test_id], outcome=Outcome.PASSED, failure=None)
        self.forget_offers()

    def forget_offers(self) -> None:
        """The text or the tests have changed, so nothing that was proved before holds."""
        self.offers = ()
        self.end_measuring()

    def end_measuring(self) -> None:
        """Free the workers that measure offers: these have gone, or somebody asks for something."""
        if self.measuring is not None:
            self.measuring.ask()
            self.measuring = None


_BY_SERVER: WeakKeyDictionary[PennyproofServer, dict[Path, Findings]] = WeakKeyDictionary()


def findings_of(server: PennyproofServer, project: Project) -> Findings:
    """The findings in a workspace folder; they outlive a project that is made anew because settings changed."""
    return _BY_SERVER.setdefault(server, {}).setdefault(project.root, Findings())


def project_at(server: PennyproofServer, uri: str) -> Project | None:
    """The project of a document; ``None`` for a buffer that is no file, such as ``untitled:``."""
    try:
        return server.projects.for_uri(uri)
    except UsageError:
        return None


def read_texts(snapshot: Snapshot, baseline: Baseline) -> dict[str, str]:
    """The files that the failures of a run point at; blocks."""
    paths = {error.path for error in baseline.errors}
    for test in baseline.outcomes.values():
        if test.failed:
            frames = test.failure.frames if test.failure else ()
            paths |= {test.path, *(frame.path for frame in frames if frame.in_project)}
    return {path: text for path in paths if (text := _text(snapshot, path)) is not None}


def _text(snapshot: Snapshot, path: str) -> str | None:
    try:
        source = snapshot.read(path)
    except PennyproofError:
        return None  # Whatever a failure calls a path, such as ``<string>``, need not be one.
    return source.text if source else None
