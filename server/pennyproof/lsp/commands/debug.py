"""``pennyproof.debug``: find a verified fix, and apply it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lsprotocol import types

from pennyproof.assist.debug import DebugResult
from pennyproof.assist.report import debug_json, offer_json
from pennyproof.lsp.commands.applying import apply_offer
from pennyproof.lsp.commands.arguments import Argument, Range
from pennyproof.lsp.commands.calling import RETICENT
from pennyproof.lsp.features import measuring
from pennyproof.lsp.features.edits import still_holds, workspace_edit
from pennyproof.lsp.features.places import failing_at
from pennyproof.lsp.features.running import known_ids, run_tests, search, still_as_in, take_snapshot

if TYPE_CHECKING:
    from pennyproof.assist.project import Project
    from pennyproof.core.offers import Offer
    from pennyproof.core.snapshots import Snapshot
    from pennyproof.lsp.progress import Work
    from pennyproof.lsp.server import PennyproofServer


class Params(Argument):
    """Which failing tests: one by its id, those a range is about, or, with neither, all of the workspace folder."""

    uri: str
    test_id: str | None = None
    range: Range | None = None
    preview: bool = False
    """Return the offers and change nothing."""
    show: bool | None = None
    """Say in a message what came of it, for clients that discard a command's result. By default why there is no fix is
    said, and what was applied where the client shows nothing of that itself; nothing with ``preview``."""


async def run(server: PennyproofServer, params: Params) -> dict[str, object]:
    """Search, then apply the best offer, unless the text has moved on meanwhile.

    Returns:
        What ``fix --json`` prints, each offer with its ``edit``, the ``reason`` where there is none, and whether one
        was ``applied``.
    """
    project = server.projects.for_uri(params.uri)
    await server.ensure_trusted(project)
    async with server.work("Looking for a fix") as work:
        snapshot = await take_snapshot(server, project)
        targets = await _targets(server, project, snapshot, params, work)
        if targets == []:
            result = DebugResult(await run_tests(server, project, snapshot, None, work))
        else:
            result = await search(server, project, snapshot, targets, work)
    # An edit of text that has moved on meanwhile would hit the wrong place: such offers are dropped.
    offers = [offer for offer in result.offers if still_holds(server, project.root, offer)]
    edits = [{**offer_json(offer), "edit": workspace_edit(server, project.root, offer)} for offer in offers]
    applied = False
    if offers and not params.preview and still_as_in(server, snapshot):
        applied = await apply_offer(server, project, offers[0])
    reason = None if offers else _why_none(result, targets)
    worth_saying = not params.preview and (reason is not None or server.client_name in RETICENT)
    if worth_saying if params.show is None else params.show:
        message = reason or _found(offers, applied=applied)
        server.window_show_message(types.ShowMessageParams(types.MessageType.Info, message))
    if not applied:
        measuring.begin(server, project, snapshot)
    return {**debug_json(result, project.root), "offers": edits, "reason": reason, "applied": applied}


async def _targets(
    server: PennyproofServer, project: Project, snapshot: Snapshot, params: Params, work: Work
) -> list[str] | None:
    if params.test_id is not None:
        return await known_ids(server, project, snapshot, params.test_id, work)
    await run_tests(server, project, snapshot, None, work)
    if params.range is None:
        return None
    return [test.id for test in failing_at(server, project, params.uri, params.range.to_lsp())]


def _found(offers: list[Offer], *, applied: bool) -> str:
    """What was done, or is to be done, with offers."""
    best = offers[0]
    if applied:
        paths = ", ".join(change.path for change in best.candidate.changes)
        return f"Applied to {paths}: {best.title}"
    count = "One fix holds" if len(offers) == 1 else f"{len(offers)} fixes hold"
    return f"{count}, to be taken from the code actions of the failing test: {best.title}"


def _why_none(result: DebugResult, targets: list[str] | None) -> str:
    """The user asked for a fix; that there is none has to be said."""
    if result.offers:
        return "The text has changed meanwhile: what was found does not fit any more"
    if not result.baseline.failing:
        return "No test fails here"
    if targets == []:
        return "No failing test runs these lines"
    return "; ".join([f"No fix held: {result.tried} candidates tried", *result.notes])
