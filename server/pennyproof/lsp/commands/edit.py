"""``pennyproof.edit``: have a model edit some lines, check what it writes, and apply the best."""

from __future__ import annotations

import asyncio
from functools import partial
from typing import TYPE_CHECKING

from lsprotocol import types
from pydantic import Field

from pennyproof.assist.edit import EditRequest
from pennyproof.assist.report import edit_json, offer_json
from pennyproof.core.work import Deadline
from pennyproof.lsp.commands.applying import apply_offer
from pennyproof.lsp.commands.arguments import Argument, Range
from pennyproof.lsp.documents import document_path
from pennyproof.lsp.features.edits import still_holds, workspace_edit
from pennyproof.lsp.features.running import still_as_in, take_snapshot

if TYPE_CHECKING:
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
    edits = [{**offer_json(offer), "edit": workspace_edit(server, project.root, offer)} for offer in offers]
    applied = False
    if offers and not params.preview and still_as_in(server, snapshot):
        applied = await apply_offer(server, project, offers[0])
    elif result.reason and not params.preview:
        server.window_show_message(types.ShowMessageParams(types.MessageType.Info, f"No edit held: {result.reason}"))
    return {**edit_json(result, project.root), "offers": edits, "applied": applied}


def _lines(place: Range) -> tuple[int, int]:
    """The first and the last line (from one) of a selection; the last is the one before where nothing is selected."""
    first = place.start.line + 1
    if (place.start.line, place.start.character) == (place.end.line, place.end.character):
        return first, first - 1
    return first, max(first, place.end.line + (1 if place.end.character else 0))
