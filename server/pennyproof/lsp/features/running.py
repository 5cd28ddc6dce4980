"""Running tests and searching for fixes on behalf of commands and saves; what was found is remembered and shown."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING

from pennyproof.assist.discovery import ids_of
from pennyproof.core.work import Deadline
from pennyproof.lsp.features.diagnostics import open_paths, publish
from pennyproof.lsp.features.findings import findings_of, read_texts

if TYPE_CHECKING:
    from pennyproof.assist.debug import DebugResult
    from pennyproof.assist.project import Project
    from pennyproof.core.outcomes import Baseline
    from pennyproof.core.snapshots import Snapshot
    from pennyproof.lsp.progress import Work
    from pennyproof.lsp.server import PennyproofServer

logger = logging.getLogger(__name__)

SEARCH_SECONDS = 60.0
"""How long a search for a fix may take."""


async def take_snapshot(server: PennyproofServer, project: Project) -> Snapshot:
    """The workspace as it was when the current message arrived; what is measured gives way to what is asked for."""
    findings_of(server, project).end_measuring()
    server.mapping.put_off(project)
    return await server.run(project.snapshot, server.documents.all())


async def run_tests(
    server: PennyproofServer, project: Project, snapshot: Snapshot, test_ids: Sequence[str] | None, work: Work
) -> Baseline:
    """Run tests, remember what they did, and show the failing ones; ``None`` means all."""
    baseline = await server.run(project.run_tests, snapshot, test_ids, cancel=work.cancel, progress=work.progress)
    await _take_run(server, project, snapshot, baseline, whole=test_ids is None)
    return baseline


async def search(
    server: PennyproofServer, project: Project, snapshot: Snapshot, test_ids: Sequence[str] | None, work: Work
) -> DebugResult:
    """Look for fixes of failing tests; what was found is remembered while the text stays as it is.

    Where a model is to be asked and the user has not agreed to that yet, they are asked then.
    """
    loop = asyncio.get_running_loop()
    result = await server.run(
        project.debug,
        snapshot,
        test_ids,
        deadline=Deadline(SEARCH_SECONDS),
        cancel=work.cancel,
        progress=work.progress,
        before_first=partial(server.consent.settle, project, loop=loop, cancel=work.cancel),
    )
    for note in result.notes:
        logger.warning("%s", note)
    await _take_run(server, project, snapshot, result.baseline, whole=True)
    findings_of(server, project).take_search(result, current=still_as_in(server, snapshot))
    return result


async def known_ids(
    server: PennyproofServer, project: Project, snapshot: Snapshot, wanted: str, work: Work
) -> list[str]:
    """The ids of the tests that a name means: a function without parameters means all its parametrised forms.

    Raises:
        UnknownTest: There is no such test.
    """
    known = ids_of(wanted, findings_of(server, project).outcomes)
    return known or list((await run_tests(server, project, snapshot, [wanted], work)).outcomes)


def still_as_in(server: PennyproofServer, snapshot: Snapshot) -> bool:
    """Whether the open Python files are still what they were in a snapshot."""
    now = open_paths(server, snapshot)
    edited = any(
        snapshot.versions.get(path, document.version) != document.version
        for path, document in now.items()
        if path.endswith(".py")
    )
    return not edited and all(path in now for path in snapshot.buffers)


async def _take_run(
    server: PennyproofServer, project: Project, snapshot: Snapshot, baseline: Baseline, *, whole: bool
) -> None:
    texts = await server.run(read_texts, snapshot, baseline)
    changed = findings_of(server, project).take_run(baseline, texts, whole=whole)
    publish(server, project)
    workspace = server.client_capabilities.workspace
    if changed and workspace and workspace.code_lens and workspace.code_lens.refresh_support:
        server.spawn(server.workspace_code_lens_refresh_async(None), "refreshing code lenses")
