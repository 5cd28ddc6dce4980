"""Keeps up what is known of a workspace's tests, in the background, so that requests need not wait for a run of all.

It begins when a trusted folder has been open, and nothing was asked for or edited, for a moment, and again after
edits. Runs give way to other processes and have workers of their own; what requests need meanwhile they get by other
means (``Prover.importing``). Whoever wants no tests to run unasked (``tests.onSave: off``) has none of it.
"""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING

from pennyproof.errors import Cancelled, PennyproofError
from pennyproof.lsp.calls import CURRENT

if TYPE_CHECKING:
    from pathlib import Path

    from pennyproof.assist.project import Project
    from pennyproof.lsp.server import PennyproofServer

logger = logging.getLogger(__name__)

QUIET_SECONDS = 2.0
"""For so long nothing was asked for or edited when it begins: most edits are followed by others."""


class MapKeeper:
    """What is to be kept up, and what is under way; on the event loop only."""

    def __init__(self, server: PennyproofServer, quiet: float = QUIET_SECONDS) -> None:
        self._server = server
        self._quiet = quiet
        self._waiting: dict[Path, asyncio.TimerHandle] = {}
        self._running: set[Path] = set()
        self._outdated: set[Path] = set()
        """Those that were edited while it ran for them."""
        self._declined: set[Path] = set()
        """Those for which the user has cancelled it."""
        self._closed = False

    def wake(self, project: Project) -> None:
        """The folder was opened, edited or trusted: begin when nothing has happened for a moment."""
        root = project.root
        if self._closed or not project.trusted or root in self._declined:
            return
        if root in self._running:
            self._outdated.add(root)
        else:
            self._begin_later(project)

    def put_off(self, project: Project) -> None:
        """Something was asked for: what has not begun begins later."""
        if project.root in self._waiting:
            self._begin_later(project)

    def close(self) -> None:
        """Begin nothing more."""
        self._closed = True
        while self._waiting:
            self._waiting.popitem()[1].cancel()

    def _begin_later(self, project: Project) -> None:
        known = self._waiting.pop(project.root, None)
        if known is not None:
            known.cancel()
        self._waiting[project.root] = asyncio.get_running_loop().call_later(self._quiet, self._begin, project)

    def _begin(self, project: Project) -> None:
        del self._waiting[project.root]
        if self._server.projects.settings(project.root).tests.on_save != "off":
            self._running.add(project.root)
            self._server.spawn(self._run(project), "keeping up what is known of the tests")

    async def _run(self, project: Project) -> None:
        CURRENT.set(None)  # It goes on when the message that it began with is done.
        root = project.root
        try:
            async with self._server.work("Learning which tests run which code", background=True) as work:
                try:
                    snapshot = await self._server.run(project.snapshot, self._server.documents.all())
                    await self._server.run(project.keep_up, snapshot, cancel=work.cancel, progress=work.progress)
                except Cancelled:
                    if work.cancel.asked:
                        self._declined.add(root)
        except PennyproofError as error:
            logger.info("%s: which tests run which code is not known: %s", root, error)
        finally:
            self._running.discard(root)
            if root in self._outdated:
                self._outdated.discard(root)
                self.wake(project)
