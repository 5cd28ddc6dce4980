"""``pennyproof.trustWorkspace``: whether code of a workspace may run, from now on."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pennyproof.lsp.commands.arguments import Argument

if TYPE_CHECKING:
    from pennyproof.assist.report import JsonObject
    from pennyproof.lsp.server import PennyproofServer


class Params(Argument):
    """The decision."""

    root: str
    """The workspace folder, as a path or a URI."""
    trusted: bool


async def run(server: PennyproofServer, params: Params) -> JsonObject:
    """Remember the decision; where trust is taken back, what runs is ended.

    Returns:
        The decision as it holds: ``root`` and ``trusted``.
    """
    project = server.projects.for_root(params.root)
    await server.trust.remember(project, trusted=params.trusted)
    if not params.trusted:
        await server.run(project.close)
    return {"root": str(project.root), "trusted": project.trusted}
