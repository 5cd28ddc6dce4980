"""``pennyproof.showSpend``: what hosted models have cost."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from pennyproof.assist.spending import spending
from pennyproof.lsp.commands.arguments import Argument
from pennyproof.lsp.commands.pages import show_page

if TYPE_CHECKING:
    from pennyproof.assist.report import JsonObject
    from pennyproof.lsp.server import PennyproofServer


class Params(Argument):
    """The ledger is the same for all workspace folders."""

    show: bool = True


async def run(server: PennyproofServer, params: Params) -> JsonObject:
    """Lay out the ledger as markdown, and open that.

    Returns:
        What ``spend --json`` prints, and ``markdown``.
    """
    found = await server.run(spending, server.projects.common_settings(), os.environ)
    markdown = found.as_markdown()
    if params.show:
        await show_page(server, None, "spending", markdown)
    return {**found.as_json(), "markdown": markdown}
