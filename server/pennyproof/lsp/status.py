"""What the editor's status bar shows: ``pennyproof/status``."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from pennyproof.core.candidates import Tier
from pennyproof.errors import PennyproofError

if TYPE_CHECKING:
    from pennyproof.assist.project import Project
    from pennyproof.lsp.server import PennyproofServer

logger = logging.getLogger(__name__)

METHOD = "pennyproof/status"

Kind = Literal["normal", "busy", "warning", "error", "inactive"]

_MICRO = 6
"""USD are given to this many places; one token costs less, one call more."""


@dataclass(frozen=True, slots=True)
class _Hosted:
    """What is known of hosted models."""

    model: str | None = None
    """The one that is asked first; ``None`` where none can be asked."""
    spent_today_usd: float = 0.0


class Status:
    """Tells the client how the server is; says nothing twice."""

    def __init__(self, server: PennyproofServer) -> None:
        self._server = server
        self._said: dict[str, object] | None = None
        self._kind: Kind = "normal"
        self._message = ""
        self._tier: Tier | None = None
        self._hosted = _Hosted()
        self._looking = self._outdated = False
        self.proof = True
        """Whether candidates can be run here."""

    def set(self, kind: Kind, message: str = "", tier: Tier | None = None) -> None:
        """Say how the server is now.

        Args:
            kind: ``busy`` while long work runs, ``inactive`` where nothing may run.
            message: One line for a person.
            tier: What makes candidates just now, or answers.
        """
        self._kind, self._message, self._tier = kind, message, tier
        self._tell()

    def refresh(self) -> None:
        """Look again, on a thread, which model there is and what was spent today; called on the loop."""
        self._outdated = True
        if not self._looking:
            self._looking = True
            self._server.spawn(self._look(), "looking at what was spent")

    async def _look(self) -> None:
        """However many calls end meanwhile, one more look is enough for all of them."""
        try:
            while self._outdated:
                self._outdated = False
                for project in self._server.projects.all()[:1]:  # Models and ledger are the same for all.
                    self._hosted = await self._server.run(_hosted, project, self._hosted)
                    self._tell()
        finally:
            self._looking = False

    def _tell(self) -> None:
        status = {
            "kind": self._kind,
            "message": self._message or self._resting(),
            "spentTodayUsd": self._hosted.spent_today_usd,
            "model": self._hosted.model,
            "tier": self._tier.value if self._tier else None,
            "proof": "on" if self.proof else "off",
        }
        if status != self._said:
            self._said = status
            self._server.protocol.notify(METHOD, status)

    def _resting(self) -> str:
        return "tests run without a sandbox" if self._server.projects.unprotected else ""


def _hosted(project: Project, known: _Hosted) -> _Hosted:
    """What holds now; where the ledger cannot be read, what was known before."""
    models = project.models
    if models is None:
        return _Hosted()
    spent = known.spent_today_usd
    try:
        spent = round(models.ledger.spent_today(), _MICRO)
    except PennyproofError as error:
        logger.warning("%s", error)
    return _Hosted(models.usable(), spent)
