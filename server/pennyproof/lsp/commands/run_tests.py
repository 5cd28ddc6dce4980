"""``pennyproof.runTests``: run tests as they are, and show which fail."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydantic import Field

from pennyproof.assist.report import JsonObject, tests_json
from pennyproof.errors import UsageError
from pennyproof.lsp.commands.arguments import Argument
from pennyproof.lsp.features.running import run_tests, take_snapshot

if TYPE_CHECKING:
    from pennyproof.assist.project import Project
    from pennyproof.lsp.server import PennyproofServer


class Params(Argument):
    """Which tests: those named, or all of the workspace folder of ``uri``."""

    uri: str | None = None
    """Any file of the workspace folder; needed only where there are several."""
    test_ids: list[str] | None = Field(default=None, min_length=1)


async def run(server: PennyproofServer, params: Params) -> JsonObject:
    """Run the tests.

    Returns:
        ``passed`` (a count), ``failed`` (``[{id, message}]``) and ``seconds``.
    """
    project = project_of(server, params.uri)
    await server.ensure_trusted(project)
    async with server.work("Running tests") as work:
        snapshot = await take_snapshot(server, project)
        return tests_json(await run_tests(server, project, snapshot, params.test_ids, work))


def project_of(server: PennyproofServer, uri: str | None) -> Project:
    """The project of a file, or the only one there is.

    Raises:
        UsageError: There are several, or none, and no file says which.
    """
    if uri is not None:
        return server.projects.for_uri(uri)
    projects = server.projects.all()
    if len(projects) != 1:
        raise UsageError(f"there are {len(projects)} workspace folders; uri has to say which one is meant")
    return projects[0]
