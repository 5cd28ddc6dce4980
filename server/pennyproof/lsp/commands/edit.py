"""``pennyproof.edit``: have a model edit some lines, check what it writes, and apply the best."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING

from lsprotocol import types
from pydantic import Field

from pennyproof.assist.edit import EditRequest
from pennyproof.assist.report import edit_json, offer_json
from pennyproof.assist.strength import MEASURING_SECONDS
from pennyproof.core.work import Deadline
from pennyproof.errors import Cancelled
from pennyproof.lsp.commands.applying import apply_offer
from pennyproof.lsp.commands.arguments import Argument, Range
from pennyproof.lsp.documents import document_path
from pennyproof.lsp.features.edits import still_holds, workspace_edit
from pennyproof.lsp.features.running import still_as_in, take_snapshot

if TYPE_CHECKING:
    from pennyproof.assist.project import Project
    from pennyproof.core.offers import Offer
    from pennyproof.core.snapshots import Snapshot
    from pennyproof.lsp.progress import Work
    from pennyproof.lsp.server import PennyproofServer

EDIT_SECONDS = 120.0
"""How long an edit may take; a model that thinks takes its time."""
_LONGEST_INSTRUCTION = 20_000


class Params(Argument):
    """What to edit: a selection, or with an empty range the function there."""

    uri: str
    range: Range
    instruction: str = Field(default="", max_length=_LONGEST_INSTRUCTION)
    """Empty: write the body that the function's docstring describes."""
    preview: bool = False
    """Return the offers and change nothing."""


async def run(server: PennyproofServer, params: Params) -> dict[str, object]:
    """Ask for an edit, then apply the best offer, unless the text has moved on meanwhile.

    Returns:
        ``offers``, each with its ``edit``, what was ``tried`` and ``rejected``, the ``reason`` where there is no offer,
        what it cost, and whether one was ``applied``.
    """
    project = server.projects.for_uri(params.uri)
    await server.ensure_trusted(project)
    async with server.work("Editing" if params.instruction.strip() else "Implementing") as work:
        snapshot = await take_snapshot(server, project)
        path = snapshot.relative(document_path(params.uri))
        first, last = _lines(params.range)
        result = await server.run(
            project.edit,
            snapshot,
            EditRequest(path, first, last, params.instruction),
            deadline=Deadline(EDIT_SECONDS),
            cancel=work.cancel,
            progress=work.progress,
            before_first=partial(server.consent.settle, project, loop=asyncio.get_running_loop(), cancel=work.cancel),
        )
        # An edit of text that has moved on meanwhile would hit the wrong place: such offers are dropped.
        offers = [offer for offer in result.offers if still_holds(server, project.root, offer)]
        edits = [workspace_edit(server, project.root, offer) for offer in offers]
        applied = False
        if offers and not params.preview and still_as_in(server, snapshot):
            applied = await apply_offer(server, project, offers[0])
        elif result.reason and not params.preview:
            message = f"No edit held: {result.reason}"
            server.window_show_message(types.ShowMessageParams(types.MessageType.Info, message))
        offers = await _measured(server, project, result.snapshot, offers, work)
    shown = [{**offer_json(offer), "edit": edit} for offer, edit in zip(offers, edits, strict=True)]
    return {**edit_json(result, project.root), "offers": shown, "applied": applied}


async def _measured(
    server: PennyproofServer, project: Project, snapshot: Snapshot, offers: Sequence[Offer], work: Work
) -> list[Offer]:
    """The offers with how much the tests would notice, as far as time allows; a cancel takes none of them back."""
    deadline, measured = Deadline(MEASURING_SECONDS), list(offers)
    with contextlib.suppress(Cancelled):
        for at, offer in enumerate(offers):
            measured[at] = await server.run(
                project.measured, snapshot, offer, deadline=deadline, cancel=work.cancel, progress=work.progress
            )
    return measured


def _lines(place: Range) -> tuple[int, int]:
    """The first and the last line (from one) of a selection; the last is the one before where nothing is selected."""
    first = place.start.line + 1
    if (place.start.line, place.start.character) == (place.end.line, place.end.character):
        return first, first - 1
    return first, max(first, place.end.line + (1 if place.end.character else 0))
