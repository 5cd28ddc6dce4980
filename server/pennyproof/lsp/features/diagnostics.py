"""``textDocument/publishDiagnostics`` for failing tests, at the line of the test that failed."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from lsprotocol import types

from pennyproof.assist.cohorts import deepest_frame
from pennyproof.assist.lines import LineMap
from pennyproof.core.positions import LineIndex
from pennyproof.errors import OutsideRoot, PennyproofError
from pennyproof.lsp.convert import line_range
from pennyproof.lsp.features.findings import findings_of, project_at

if TYPE_CHECKING:
    from pennyproof.assist.project import Project
    from pennyproof.core.outcomes import Failure, TestOutcome
    from pennyproof.core.snapshots import Document, Snapshot
    from pennyproof.lsp.features.findings import Findings
    from pennyproof.lsp.server import PennyproofServer

SOURCE = "pennyproof"


def opened(server: PennyproofServer, params: types.DidOpenTextDocumentParams) -> None:
    """Show, under the name the client uses for it, what is known about a file."""
    _refresh(server, params.text_document.uri)


def changed(server: PennyproofServer, params: types.DidChangeTextDocumentParams) -> None:
    """Offers no longer hold; diagnostics move with their lines, or go with them."""
    _refresh(server, params.text_document.uri, edited=True)


def closed(server: PennyproofServer, params: types.DidCloseTextDocumentParams) -> None:
    """What is on disk counts again."""
    _refresh(server, params.text_document.uri, edited=True)


def publish(server: PennyproofServer, project: Project) -> None:
    """Tell the client which tests of a workspace folder fail; files of which it knows as much are left out."""
    findings = findings_of(server, project)
    page = _Page(server, project, findings)
    wanted: dict[str, list[types.Diagnostic]] = {}
    for path, diagnostic in page.diagnostics():
        wanted.setdefault(page.uri(path), []).append(diagnostic)
    for uri in [*wanted, *(uri for uri in findings.published if uri not in wanted)]:
        diagnostics = wanted.get(uri, [])
        if findings.published.get(uri, []) != diagnostics:
            document = server.documents.latest(uri)
            server.text_document_publish_diagnostics(
                types.PublishDiagnosticsParams(uri, diagnostics, document.version if document else None)
            )
    findings.published = wanted


def open_paths(server: PennyproofServer, snapshot: Snapshot) -> dict[str, Document]:
    """The open documents in a workspace folder as they are now, by path relative to the root."""
    found = {}
    for opened_document in server.documents.current.values():
        try:
            found[snapshot.relative(opened_document.document.path)] = opened_document.document
        except OutsideRoot:
            continue
    return found


def failing_line(test: TestOutcome) -> int:
    """Where a test failed, within its own file."""
    frames = test.failure.frames if test.failure else ()
    return next((frame.line for frame in reversed(frames) if frame.path == test.path), max(test.line, 1))


def first_line(failure: Failure | None) -> str:
    """A failure on one line: ``KeyError: 'a'``."""
    return "failed" if failure is None else failure.headline


def _refresh(server: PennyproofServer, uri: str, *, edited: bool = False) -> None:
    project = project_at(server, uri)
    if project is None:
        return
    server.mapping.wake(project)
    findings = findings_of(server, project)
    if edited:
        findings.forget_offers()
    if findings.texts:
        publish(server, project)


class _Page:
    """What is to be shown for one workspace folder, in the texts as they are now."""

    def __init__(self, server: PennyproofServer, project: Project, findings: Findings) -> None:
        self._server = server
        self._findings = findings
        self._snapshot = project.snapshot()
        self._open = open_paths(server, self._snapshot)
        self._maps: dict[str, tuple[LineIndex, LineMap] | None] = {}

    def uri(self, path: str) -> str:
        return self._open[path].uri if path in self._open else (self._snapshot.root / path).as_uri()

    def diagnostics(self) -> Iterator[tuple[str, types.Diagnostic]]:
        for test in self._findings.failing:
            place = self._range(test.path, failing_line(test))
            if place is not None:
                yield (
                    test.path,
                    types.Diagnostic(
                        place,
                        first_line(test.failure),
                        types.DiagnosticSeverity.Error,
                        source=SOURCE,
                        related_information=self._related(test),
                        data={"testId": test.id},
                    ),
                )
        for error in self._findings.errors:
            place = self._range(error.path, max(error.line, 1))
            if place is not None:
                message = error.message.strip().partition("\n")[0]
                yield error.path, types.Diagnostic(place, message, types.DiagnosticSeverity.Error, source=SOURCE)

    def _related(self, test: TestOutcome) -> list[types.DiagnosticRelatedInformation] | None:
        frame = deepest_frame(test)
        place = self._range(frame.path, frame.line) if frame else None
        if frame is None or place is None:
            return None
        location = types.Location(self.uri(frame.path), place)
        return [types.DiagnosticRelatedInformation(location, f"in {frame.function}")]

    def _range(self, path: str, line: int) -> types.Range | None:
        """Where a line that ran (from one) is now."""
        if path not in self._maps:
            self._maps[path] = self._map(path)
        known = self._maps[path]
        found = known[1].find(line) if known else None
        return line_range(known[0], found - 1, self._server.documents.encoding) if known and found else None

    def _map(self, path: str) -> tuple[LineIndex, LineMap] | None:
        ran = self._findings.texts.get(path)
        now = self._open[path].text if path in self._open else self._on_disk(path)
        return (LineIndex(now), LineMap(ran, now)) if ran is not None and now is not None else None

    def _on_disk(self, path: str) -> str | None:
        try:
            source = self._snapshot.read(path)
        except PennyproofError:
            return None
        return source.text if source else None
