"""Asks the user, once for each workspace and host, whether code may be sent there."""

from __future__ import annotations

import asyncio
import logging
import os
import threading
from concurrent.futures import CancelledError
from pathlib import Path
from typing import TYPE_CHECKING

from lsprotocol import types
from pygls.exceptions import JsonRpcException

from pennyproof.core.work import Cancel

if TYPE_CHECKING:
    from pennyproof.assist.project import Project
    from pennyproof.assist.trust import ConsentStore
    from pennyproof.lsp.server import PennyproofServer

logger = logging.getLogger(__name__)

SEND, NOT_NOW, NEVER = "Send", "Not now", "Never"

_PATIENCE = 30.0
"""Seconds that long work waits for an answer before it goes on without a model."""

_Pair = tuple[Path, str]
"""A workspace and a host."""


class ConsentQuestions:
    """What is known about consent, and the questions that are open."""

    def __init__(self, server: PennyproofServer) -> None:
        self._server = server
        self._made: ConsentStore | None = None
        self._making = threading.Lock()
        self._asking: dict[_Pair, asyncio.Task[bool]] = {}
        self._declined: set[_Pair] = set()
        """What the user does not want to be asked about again in this session."""

    @property
    def _store(self) -> ConsentStore:
        with self._making:
            if self._made is None:
                from pennyproof.assist.trust import ConsentStore  # noqa: PLC0415 (after the reply to initialize)
                from pennyproof.settings import state_directory  # noqa: PLC0415

                self._made = ConsentStore(state_directory(os.environ))
            return self._made

    def known(self, root: Path, host: str) -> bool | None:
        """Whether code of ``root`` may be sent to ``host``; ``None`` where the user has not said. From any thread."""
        from pennyproof.assist.trust import decide_consent  # noqa: PLC0415

        return decide_consent(self._server.projects.settings(root).trust, self._store, root, host)

    async def ensure(self, project: Project, host: str) -> bool:
        """Whether code of this project may be sent to a host; requests that come while the user thinks wait for the
        same answer."""
        known, pair = self.known(project.root, host), (project.root, host)
        if known is None and pair not in self._declined:
            # The question stays open when one of those who wait for its answer is cancelled.
            known = await asyncio.shield(self._question(pair))
        return known is True

    def settle(self, project: Project, host: str, *, loop: asyncio.AbstractEventLoop, cancel: Cancel) -> None:
        """Ask, where that is not decided, and wait a while for the answer; called on a thread beside the loop."""
        answered = asyncio.run_coroutine_threadsafe(self.ensure(project, host), loop)

        def give_up() -> None:
            answered.cancel()

        take_back = cancel.on_cancel(give_up)
        try:
            answered.result(_PATIENCE)
        except (TimeoutError, CancelledError):
            give_up()  # The question stays open, and its answer counts from the next time on.
        finally:
            take_back()

    def ask_soon(self, project: Project, host: str) -> None:
        """Ask, where that is not decided, and let nobody wait for the answer."""
        pair = (project.root, host)
        if pair not in self._declined and self.known(project.root, host) is None:
            self._question(pair)

    def _question(self, pair: _Pair) -> asyncio.Task[bool]:
        if pair not in self._asking:
            self._asking[pair] = asyncio.create_task(self._ask(pair))
            self._asking[pair].add_done_callback(lambda _: self._asking.pop(pair, None))
        return self._asking[pair]

    async def _ask(self, pair: _Pair) -> bool:
        root, host = pair
        window = self._server.client_capabilities.window
        if window is None or window.show_message is None:
            return self._tell(pair)
        params = types.ShowMessageRequestParams(
            types.MessageType.Info,
            f"Pennyproof asks a model at {host}, which gets to see the code that it is asked about. "
            f"Do you agree to send code from {root} to {host}?",
            [types.MessageActionItem(title) for title in (SEND, NOT_NOW, NEVER)],
        )
        try:
            answer = await self._server.window_show_message_request_async(params)
        except JsonRpcException:
            return self._tell(pair)
        chosen = answer.title if answer else NOT_NOW
        if chosen in (SEND, NEVER):
            await self._server.run(self._store.remember, root, host, chosen == SEND)
        else:
            self._declined.add(pair)
        return chosen == SEND

    def _tell(self, pair: _Pair) -> bool:
        """For clients that cannot ask: name what agrees."""
        self._declined.add(pair)
        root, host = pair
        message = (
            f"nothing is sent from {root} to {host}, so no model is asked; PENNYPROOF_TRUST=always agrees to that, "
            "and so do you when a command on a terminal asks"
        )
        self._server.window_show_message(types.ShowMessageParams(types.MessageType.Info, message))
        return False
