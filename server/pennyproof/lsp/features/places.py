"""Which failing tests a place in a file is about."""

from __future__ import annotations

from collections.abc import Collection
from typing import TYPE_CHECKING

from lsprotocol import types

from pennyproof.assist.discovery import find_tests, ids_of
from pennyproof.assist.explain.scopes import function_around
from pennyproof.assist.lines import LineMap
from pennyproof.errors import OutsideRoot
from pennyproof.lsp.features.findings import findings_of

if TYPE_CHECKING:
    from pennyproof.assist.project import Project
    from pennyproof.core.outcomes import TestOutcome
    from pennyproof.lsp.features.findings import Findings
    from pennyproof.lsp.server import PennyproofServer


def failing_at(
    server: PennyproofServer, project: Project, uri: str, place: types.Range, named: Collection[str] = ()
) -> list[TestOutcome]:
    """The failing tests that a range is about, nearest first.

    Those that are named by a diagnostic there; else those that stand there; else those that failed in, or ran, the
    function there.

    Args:
        server: Whose findings count.
        project: The workspace folder of the file.
        uri: The file.
        place: The range.
        named: Ids of tests that the client's diagnostics at the range name.
    """
    findings = findings_of(server, project)
    failing = {test.id: test for test in findings.failing}
    if any(test in failing for test in named):
        return [failing[test] for test in named if test in failing]
    document = server.documents.get(uri)
    if document is None or not failing:
        return []
    try:
        path = project.snapshot().relative(document.path)
    except OutsideRoot:
        return []
    lines = range(place.start.line + 1, place.end.line + 2)
    found = find_tests(path, document.text, {test.path for test in findings.outcomes.values()})
    standing = [
        failing[test_id]
        for test in found
        if not test.is_class and test.first < lines.stop and lines.start <= test.last
        for test_id in ids_of(test.id, failing)
    ]
    return standing or _running(findings, path, document.text, lines)


def _running(findings: Findings, path: str, text: str, lines: range) -> list[TestOutcome]:
    """Failing tests that failed in the function around the lines, the deepest there first; then those that ran it."""
    around = function_around(text, lines.start)
    if around is None:
        return []
    ran = findings.texts.get(path)
    moved = LineMap(ran, text) if ran is not None else None
    failed_there: list[tuple[int, TestOutcome]] = []
    ran_there: list[TestOutcome] = []
    for test in findings.failing:
        frames = test.failure.frames if test.failure else ()
        depths = [
            depth for depth, frame in enumerate(reversed(frames))
            if frame.path == path and (moved.find(frame.line) if moved else frame.line) in around
        ]  # fmt: skip
        starts = findings.functions.lines.get(test.id, {}).get(path, frozenset())
        if depths:
            failed_there.append((depths[0], test))
        elif any((moved.find(start) if moved else start) in around for start in starts):
            ran_there.append(test)
    return [test for _, test in sorted(failed_there, key=lambda pair: pair[0])] + ran_there
