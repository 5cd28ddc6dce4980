"""Running tests and searching for fixes on behalf of commands and saves; what was found is remembered and shown."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from pennyproof.assist.discovery import ids_of
from pennyproof.core.work import Deadline
from pennyproof.errors import UnknownTest
from pennyproof.lsp.features.diagnostics import open_paths, publish
from pennyproof.lsp.features.findings import findings_of, read_texts

if TYPE_CHECKING:
    from pennyproof.assist.debug import DebugResult
    from pennyproof.assist.project import Project
    from pennyproof.core.outcomes import Baseline
    from pennyproof.core.snapshots import Snapshot
    from pennyproof.lsp.progress import Work
    from pennyproof.lsp.server import PennyproofServer

SEARCH_SECONDS = 60.0
"""How long a search for a fix may take."""


async def take_snapshot(server: PennyproofServer, project: Project) -> Snapshot:
    """The workspace as it was when the current message arrived."""
    return await server.run(project.snapshot, server.documents.all())


async def run_tests(
    server: PennyproofServer, project: Project, snapshot: Snapshot, test_ids: Sequence[str] | None, work: Work
) -> Baseline:
    """Run tests, remember what they did, and show the failing ones; ``None`` means all."""
    baseline = await server.run(project.run_tests, snapshot, test_ids, cancel=work.cancel, progress=work.progress)
    texts = await server.run(read_texts, snapshot, baseline)
    findings_of(server, project).take_run(baseline, texts, test_ids)
    publish(server, project)
    return baseline


async def search(
    server: PennyproofServer, project: Project, snapshot: Snapshot, test_ids: Sequence[str] | None, work: Work
) -> DebugResult:
    """Look for fixes of failing tests; what was found is remembered while the text stays as it is."""
    result = await server.run(
        project.debug,
        snapshot,
        test_ids,
        deadline=Deadline(SEARCH_SECONDS),
        cancel=work.cancel,
        progress=work.progress,
    )
    findings_of(server, project).take_search(result, current=still_as_in(server, snapshot))
    return result


async def known_ids(
    server: PennyproofServer, project: Project, snapshot: Snapshot, wanted: Sequence[str], work: Work
) -> list[str]:
    """The ids of tests that are meant: a name without parameters means all its parametrised forms.

    Raises:
        UnknownTest: There is no such test.
    """
    found = {test: ids_of(test, findings_of(server, project).outcomes) for test in wanted}
    if not all(found.values()):
        outcomes = (await run_tests(server, project, snapshot, None, work)).outcomes
        found = {test: ids_of(test, outcomes) for test in wanted}
    missing = [test for test, ids in found.items() if not ids]
    if missing:
        raise UnknownTest(f"there is no test {missing[0]} in {project.root}")
    return list(dict.fromkeys(test for ids in found.values() for test in ids))


def still_as_in(server: PennyproofServer, snapshot: Snapshot) -> bool:
    """Whether the open Python files are still what they were in a snapshot."""
    now = open_paths(server, snapshot)
    edited = any(
        snapshot.versions.get(path, document.version) != document.version
        for path, document in now.items()
        if path.endswith(".py")
    )
    return not edited and all(path in now for path in snapshot.buffers)
