"""``pennyproof.accepted``: the user took what was offered."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from pennyproof.lsp.commands.arguments import Argument

if TYPE_CHECKING:
    from pennyproof.lsp.server import PennyproofServer

logger = logging.getLogger(__name__)


class Params(Argument):
    """What was taken."""

    offer_id: str


async def run(server: PennyproofServer, params: Params) -> None:  # noqa: ARG001 (every command takes the server)
    """Write it down."""
    logger.debug("the offer %s was accepted", params.offer_id)
