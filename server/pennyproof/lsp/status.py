"""What the editor's status bar shows: ``pennyproof/status``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from pennyproof.lsp.server import PennyproofServer

METHOD = "pennyproof/status"

Kind = Literal["normal", "busy", "warning", "error", "inactive"]


class Status:
    """Tells the client how the server is; says nothing twice."""

    def __init__(self, server: PennyproofServer) -> None:
        self._server = server
        self._said: dict[str, object] | None = None
        self.proof = True
        """Whether candidates can be run here."""

    def set(self, kind: Kind, message: str = "") -> None:
        """Say how the server is now.

        Args:
            kind: ``busy`` while long work runs, ``inactive`` where nothing may run.
            message: One line for a person.
        """
        status = {
            "kind": kind,
            "message": message,
            "spentTodayUsd": 0.0,
            "model": None,
            "proof": "on" if self.proof else "off",
        }
        if status != self._said:
            self._said = status
            self._server.protocol.notify(METHOD, status)
