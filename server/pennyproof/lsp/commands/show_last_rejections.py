"""``pennyproof.showLastRejections``: what the last search tried, and why it turned that away."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pennyproof.assist.explain.markdown import code, prose
from pennyproof.core.verdicts import Gate
from pennyproof.lsp.commands.arguments import Argument
from pennyproof.lsp.commands.pages import show_page
from pennyproof.lsp.commands.run_tests import project_of
from pennyproof.lsp.features.findings import findings_of

if TYPE_CHECKING:
    from pennyproof.assist.debug import DebugResult
    from pennyproof.assist.report import JsonObject
    from pennyproof.lsp.server import PennyproofServer


class Params(Argument):
    """Whose search."""

    uri: str | None = None
    """Any file of the workspace folder; needed only where there are several."""
    show: bool = True


async def run(server: PennyproofServer, params: Params) -> JsonObject:
    """Lay out the last search as markdown, and open that.

    Returns:
        ``markdown``, and ``rejections`` (``[{summary, reason}]``).
    """
    project = project_of(server, params.uri)
    result = findings_of(server, project).result
    markdown = _page(result)
    if params.show:
        await show_page(server, project, "rejections", markdown)
    rejections = result.rejections if result else ()
    return {
        "markdown": markdown,
        "rejections": [{"summary": summary, "reason": reason} for summary, reason in rejections],
    }


def _page(result: DebugResult | None) -> str:
    if result is None:
        return "# Rejected candidates\n\nNothing was searched for yet.\n"
    parts = [
        "# Rejected candidates",
        f"{result.tried} candidates tried in {result.seconds:.1f} s, {len(result.offers)} offered.",
        "\n".join(f"- by {gate}: {result.rejected.get(gate, 0)}" for gate in Gate),
    ]
    if result.rejections:
        rows = [f"- {code(summary)}: {prose(reason)}" for summary, reason in result.rejections]
        parts += ["## The last that got past the quick screen", "\n".join(rows)]
    if result.notes:
        parts += ["## Models that gave no answer", "\n".join(f"- {prose(note)}" for note in result.notes)]
    return "\n\n".join(parts) + "\n"
