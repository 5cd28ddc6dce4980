"""``textDocument/didSave``: the tests that the saved file concerns run again, once the workspace is trusted."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lsprotocol import types

from pennyproof.assist.discovery import find_tests, ids_of
from pennyproof.errors import EnvironmentProblem, OutsideRoot, UnknownTest
from pennyproof.lsp.features.findings import findings_of, project_at
from pennyproof.lsp.features.running import run_tests, take_snapshot

if TYPE_CHECKING:
    from pennyproof.assist.project import Project
    from pennyproof.core.snapshots import Document, Snapshot
    from pennyproof.lsp.features.findings import Findings
    from pennyproof.lsp.server import PennyproofServer


async def handle(server: PennyproofServer, params: types.DidSaveTextDocumentParams) -> None:
    """Run tests and show which fail; a newer save takes the place of a run that is under way."""
    document = server.documents.get(params.text_document.uri)
    project = project_at(server, params.text_document.uri)
    if document is None or project is None:
        return
    server.mapping.wake(project)
    try:
        await _run(server, project, document)
    except OutsideRoot:
        return
    except EnvironmentProblem as error:
        # Nobody asked for this run, so its failure is told by the status and nowhere else.
        server.status.set("warning", str(error))


async def _run(server: PennyproofServer, project: Project, document: Document) -> None:
    mode = server.projects.settings(project.root).tests.on_save
    if mode == "off" or not project.trusted:
        return  # Saving a file asks nobody for trust.
    findings = findings_of(server, project)
    if findings.saving is not None:
        findings.saving.ask()
    async with server.work("Running tests") as work:
        findings.saving = work.cancel
        try:
            snapshot = await take_snapshot(server, project)
            wanted = None if mode == "all" else _affected(findings, snapshot, snapshot.relative(document.path))
            try:
                await run_tests(server, project, snapshot, wanted, work)
            except UnknownTest:  # One was renamed in a file that is not open.
                await run_tests(server, project, snapshot, None, work)
        finally:
            if findings.saving is work.cancel:
                findings.saving = None


def _affected(findings: Findings, snapshot: Snapshot, path: str) -> list[str] | None:
    """The tests that run code of a file or stand in it; ``None`` for all where that is not known."""
    source = snapshot.read(path)
    if not findings.complete or source is None or not path.endswith(".py"):
        return None
    known = findings.outcomes
    found = find_tests(path, source.text, {test.path for test in known.values()})
    here = [test.id for test in found if not test.is_class]
    if any(not ids_of(test, known) for test in here) or any(error.path == path for error in findings.errors):
        return None  # A new test, or a file that could not be collected: only a whole run tells its tests' ids.
    standing = {test for test_id in here for test in ids_of(test_id, known)}
    running = {test for test, files in findings.functions.lines.items() if path in files}
    # Code that runs at import only is in no test's map, so it may concern any of them.
    return [test for test in known if test in standing or (test in running and known[test].path != path)] or None
