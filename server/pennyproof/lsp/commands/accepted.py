"""``pennyproof.accepted``: the user took what was offered."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pennyproof.assist.acceptances import Kind, accept
from pennyproof.lsp.commands.arguments import Argument
from pennyproof.lsp.features.completing import COMPLETION_ID
from pennyproof.settings import state_directory

if TYPE_CHECKING:
    from pennyproof.lsp.server import PennyproofServer


class Params(Argument):
    """What was taken."""

    offer_id: str


async def run(server: PennyproofServer, params: Params) -> None:
    """Count it, for the page that tells what was spent."""
    kind = Kind.COMPLETION if params.offer_id.startswith(COMPLETION_ID) else Kind.OFFER
    await server.run(accept, state_directory(), kind)
