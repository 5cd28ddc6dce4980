"""Asks the user, once for each workspace, whether its code may run."""

from __future__ import annotations

import asyncio
import logging
import os
from pathlib import Path
from typing import TYPE_CHECKING

from lsprotocol import types
from pygls.exceptions import JsonRpcException

if TYPE_CHECKING:
    from pennyproof.assist.project import Project
    from pennyproof.assist.trust import TrustStore
    from pennyproof.lsp.server import PennyproofServer
    from pennyproof.settings import Settings

logger = logging.getLogger(__name__)

TRUST, NOT_NOW, NEVER = "Trust", "Not now", "Never"


class TrustQuestions:
    """What is known about trust, and the questions that are open."""

    def __init__(self, server: PennyproofServer) -> None:
        self._server = server
        self._made: TrustStore | None = None
        self._asking: dict[Path, asyncio.Task[bool]] = {}
        self._declined: set[Path] = set()
        """Roots that the user does not want to be asked about again in this session."""

    @property
    def _store(self) -> TrustStore:
        if self._made is None:
            from pennyproof.assist.trust import TrustStore  # noqa: PLC0415 (after the reply to initialize)
            from pennyproof.settings import state_directory  # noqa: PLC0415

            self._made = TrustStore(state_directory(os.environ))
        return self._made

    def known(self, root: Path, settings: Settings) -> bool | None:
        """Whether the root is trusted; ``None`` where the user has to be asked."""
        from pennyproof.assist.trust import decide  # noqa: PLC0415

        return decide(settings.trust, self._store, root)

    async def ensure(self, project: Project) -> bool:
        """Whether code of this project may run; requests that come while the user thinks wait for the same answer."""
        if project.trusted:
            return True
        root = project.root
        known = self.known(root, self._server.projects.settings(root))
        if known is None and root not in self._declined:
            if root not in self._asking:
                self._asking[root] = asyncio.create_task(self._ask(root))
                self._asking[root].add_done_callback(lambda _: self._asking.pop(root, None))
            # The question stays open when one of those who wait for its answer is cancelled.
            known = await asyncio.shield(self._asking[root])
        project.trusted = known is True
        self._server.mapping.wake(project)
        return project.trusted

    async def remember(self, project: Project, *, trusted: bool) -> None:
        """Take in what the user decided for good."""
        await self._server.run(self._store.remember, project.root, trusted)
        project.trusted = trusted
        self._declined.discard(project.root)
        self._server.mapping.wake(project)

    async def _ask(self, root: Path) -> bool:
        window = self._server.client_capabilities.window
        if window is None or window.show_message is None:
            return self._tell(root)
        params = types.ShowMessageRequestParams(
            types.MessageType.Info,
            f"Pennyproof checks its suggestions by running the tests of {root}, which runs its code, in a sandbox. "
            "Do you trust this workspace?",
            [types.MessageActionItem(title) for title in (TRUST, NOT_NOW, NEVER)],
        )
        try:
            answer = await self._server.window_show_message_request_async(params)
        except JsonRpcException:
            return self._tell(root)
        chosen = answer.title if answer else NOT_NOW
        if chosen in (TRUST, NEVER):
            await self._server.run(self._store.remember, root, chosen == TRUST)
        else:
            self._declined.add(root)
        return chosen == TRUST

    def _tell(self, root: Path) -> bool:
        """For clients that cannot ask: name the command that grants trust."""
        self._declined.add(root)
        message = f"{root} is not trusted, so its tests are not run; the command pennyproof.trustWorkspace trusts it"
        self._server.window_show_message(types.ShowMessageParams(types.MessageType.Info, message))
        return False
