"""How much the tests of an offer would notice: measured in the background, while the user looks at the offers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pennyproof.core.work import Cancel, Deadline
from pennyproof.lsp.features.findings import findings_of

if TYPE_CHECKING:
    from pennyproof.assist.project import Project
    from pennyproof.core.snapshots import Snapshot
    from pennyproof.lsp.server import PennyproofServer

_SECONDS = 20.0
"""What all offers of a search may take together; nobody waits for it."""


def begin(server: PennyproofServer, project: Project, snapshot: Snapshot) -> None:
    """Measure the offers that were found for a snapshot, one after another, until they are forgotten."""
    findings = findings_of(server, project)
    findings.end_measuring()
    if findings.offers:
        findings.measuring = Cancel()
        server.spawn(_measure(server, project, snapshot, findings.measuring), "measuring what tests would notice")


async def _measure(server: PennyproofServer, project: Project, snapshot: Snapshot, cancel: Cancel) -> None:
    findings = findings_of(server, project)
    deadline = Deadline(_SECONDS)
    try:
        for offer in (offer for offer in findings.offers if offer.verdict.strength is None):
            found = await server.run(project.measured, snapshot, offer, deadline=deadline, cancel=cancel)
            cancel.check()
            findings.take_measured(found)
    finally:
        cancel.ask()  # The thread may be at work still where the session ended.
