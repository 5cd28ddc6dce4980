"""``pennyproof.restartWorkers``: end the warm workers; the next run starts new ones."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pennyproof.lsp.commands.arguments import Argument

if TYPE_CHECKING:
    from pennyproof.assist.report import JsonObject
    from pennyproof.lsp.server import PennyproofServer


class Params(Argument):
    """Nothing has to be said."""


async def run(server: PennyproofServer, params: Params) -> JsonObject:  # noqa: ARG001 (every command takes its argument)
    """Restart the workers of all workspace folders.

    Returns:
        Their ``roots``.
    """
    projects = server.projects.all()
    for project in projects:
        await server.run(project.restart)
    return {"roots": [str(project.root) for project in projects]}
