"""``pennyproof.prove``: check a unified diff against the tests."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydantic import Field

from pennyproof.assist.report import JsonObject, prove_json
from pennyproof.assist.strength import MEASURING_SECONDS
from pennyproof.lsp.commands.arguments import Argument
from pennyproof.lsp.features.running import take_snapshot

if TYPE_CHECKING:
    from pennyproof.lsp.server import PennyproofServer


class Params(Argument):
    """What to check, and where."""

    root: str
    """The workspace folder, as a path or a URI."""
    diff: str
    test_ids: list[str] | None = Field(default=None, min_length=1)
    """Run these only; by default those known to run the changed code."""


async def run(server: PennyproofServer, params: Params) -> JsonObject:
    """Check the diff against the text of open buffers.

    Returns:
        The verdict, as ``prove --json`` prints it.
    """
    project = server.projects.for_root(params.root)
    await server.ensure_trusted(project)
    async with server.work("Checking the diff") as work:
        snapshot = await take_snapshot(server, project)
        verdict = await server.run(
            project.prove,
            snapshot,
            params.diff,
            params.test_ids,
            cancel=work.cancel,
            progress=work.progress,
            measuring=MEASURING_SECONDS,
        )
    return prove_json(verdict)
