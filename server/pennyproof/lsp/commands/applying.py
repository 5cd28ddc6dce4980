"""Has the client apply an offer."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from lsprotocol import types
from pygls.exceptions import JsonRpcException

from pennyproof.assist.acceptances import Kind, accept
from pennyproof.lsp.features.diagnostics import publish
from pennyproof.lsp.features.edits import workspace_edit
from pennyproof.lsp.features.findings import findings_of
from pennyproof.settings import state_directory

if TYPE_CHECKING:
    from pennyproof.assist.project import Project
    from pennyproof.core.offers import Offer
    from pennyproof.lsp.server import PennyproofServer

logger = logging.getLogger(__name__)


async def apply_offer(server: PennyproofServer, project: Project, offer: Offer) -> bool:
    """Send the edit, and take in that the tests it mends pass; whether the client applied it."""
    params = types.ApplyWorkspaceEditParams(workspace_edit(server, project.root, offer), label=offer.title)
    try:
        answer = await server.workspace_apply_edit_async(params)
    except JsonRpcException as error:
        logger.warning("the client did not take the edit: %s", error.message)
        return False
    if not answer.applied:
        logger.info("the client did not apply the edit: %s", answer.failure_reason or "it gave no reason")
        return False
    await server.run(accept, state_directory(), Kind.OFFER)
    findings_of(server, project).take_applied(offer)
    publish(server, project)
    return True
