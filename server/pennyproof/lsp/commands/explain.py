"""``pennyproof.explain``: what is known about a failing test, lines, or the name at the cursor."""

from __future__ import annotations

import asyncio
import os
from functools import partial
from typing import TYPE_CHECKING

from pennyproof.assist.explain import FailingTest, Selection, Symbol
from pennyproof.assist.explain.language import locale_of
from pennyproof.assist.report import JsonObject, explanation_json
from pennyproof.core.positions import LineIndex
from pennyproof.errors import UsageError
from pennyproof.lsp.commands.arguments import Argument, Range
from pennyproof.lsp.commands.pages import GrowingPage
from pennyproof.lsp.convert import from_position
from pennyproof.lsp.documents import document_path
from pennyproof.lsp.features.findings import findings_of
from pennyproof.lsp.features.running import known_ids, take_snapshot

if TYPE_CHECKING:
    from pennyproof.assist.explain import Subject
    from pennyproof.assist.project import Project
    from pennyproof.core.snapshots import Snapshot
    from pennyproof.lsp.progress import Work
    from pennyproof.lsp.server import PennyproofServer


_MOST_SHOWN = 80
"""Characters of the text that a progress bar shows."""


class Params(Argument):
    """A test by its id, or a range; an empty range asks about the name at it."""

    uri: str
    test_id: str | None = None
    range: Range | None = None
    show: bool = True
    """Open the page; many clients have no use for a command's result."""


async def run(server: PennyproofServer, params: Params) -> JsonObject:
    """Explain, and open the page, which grows while a model writes.

    Returns:
        What ``explain --json`` prints.
    """
    project = server.projects.for_uri(params.uri)
    if params.test_id is not None:
        await server.ensure_trusted(project)
    async with server.work("Explaining") as work:
        snapshot = await take_snapshot(server, project)
        subject = await _subject(server, project, snapshot, params, work)
        page = GrowingPage(server, project, "explanation") if params.show else None

        def on_text(markdown: str, text: str) -> None:
            if page is not None:
                page.grow(markdown)
            if text:
                work.progress.report(_end_of(text))

        explanation = await server.run(
            project.explain,
            snapshot,
            subject,
            cancel=work.cancel,
            progress=work.progress,
            locale=server.locale or locale_of(os.environ),
            before_first=partial(server.consent.settle, project, loop=asyncio.get_running_loop(), cancel=work.cancel),
            on_text=on_text,
        )
    if page is not None:
        await page.finish(explanation.markdown)
    return explanation_json(explanation)


def _end_of(text: str) -> str:
    """The last words of what is written so far, on one line."""
    line = " ".join(text.split())
    return line if len(line) <= _MOST_SHOWN else f"… {line[-_MOST_SHOWN:]}"


async def _subject(
    server: PennyproofServer, project: Project, snapshot: Snapshot, params: Params, work: Work
) -> Subject:
    if params.test_id is not None:
        ids = await known_ids(server, project, snapshot, params.test_id, work)
        failing = {test.id for test in findings_of(server, project).failing}
        return FailingTest(next((test for test in ids if test in failing), ids[0]))
    if params.range is None:
        raise UsageError("give testId or range")
    path = snapshot.relative(document_path(params.uri))
    source = snapshot.read(path)
    if source is None:
        raise UsageError(f"there is no file {path} in {project.root}")
    place = params.range.to_lsp()
    if place.start == place.end:
        return Symbol(path, from_position(LineIndex(source.text), place.start, server.documents.encoding))
    last = place.end.line + (1 if place.end.character else 0)
    return Selection(path, place.start.line + 1, max(last, place.start.line + 1))
