"""Asks the user, once for each workspace, whether its code may run."""

from __future__ import annotations

import asyncio
import logging
import os
from functools import partial
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

TRUST, UNPROTECTED, NOT_NOW, NEVER = "Trust", "Run unprotected", "Not now", "Never"


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

        return decide(settings.trust, self._store, root, unconfined=_has_none(settings))

    async def ensure(self, project: Project) -> bool:
        """Whether code of this project may run; requests that come while the user thinks wait for the same answer."""
        if project.trusted:
            return True
        root = project.root
        settings = self._server.projects.settings(root)
        known = self.known(root, settings)
        if known is None and root not in self._declined:
            if root not in self._asking:
                self._asking[root] = asyncio.create_task(self._ask(root, settings))
                self._asking[root].add_done_callback(lambda _: self._asking.pop(root, None))
            # The question stays open when one of those who wait for its answer is cancelled.
            known = await asyncio.shield(self._asking[root])
        project.trusted = known is True
        self._server.mapping.wake(project)
        return project.trusted

    async def remember(self, project: Project, *, trusted: bool) -> None:
        """Take in what the user decided for good."""
        unconfined = _has_none(self._server.projects.settings(project.root))
        await self._server.run(partial(self._store.remember, project.root, trusted, unconfined=unconfined))
        if trusted and unconfined:
            self._show(types.MessageType.Warning, f"The tests of {project.root} run from now on. {_nothing_protects()}")
        project.trusted = trusted
        self._declined.discard(project.root)
        self._server.mapping.wake(project)

    async def _ask(self, root: Path, settings: Settings) -> bool:
        window = self._server.client_capabilities.window
        unconfined = _has_none(settings)
        if window is None or window.show_message is None:
            return self._tell(root, unconfined)
        agree = UNPROTECTED if unconfined else TRUST
        params = types.ShowMessageRequestParams(
            types.MessageType.Warning if unconfined else types.MessageType.Info,
            f"Pennyproof checks its suggestions by running the tests of {root}, which runs its code, "
            + _terms(settings.proof.sandbox, unconfined),
            [types.MessageActionItem(title) for title in (agree, NOT_NOW, NEVER)],
        )
        try:
            answer = await self._server.window_show_message_request_async(params)
        except JsonRpcException:
            return self._tell(root, unconfined)
        chosen = answer.title if answer else NOT_NOW
        if chosen in (agree, NEVER):
            await self._server.run(partial(self._store.remember, root, chosen == agree, unconfined=unconfined))
        else:
            self._declined.add(root)
        return chosen == agree

    def _tell(self, root: Path, unconfined: bool) -> bool:
        """For clients that cannot ask: name the command that grants trust."""
        self._declined.add(root)
        message = f"{root} is not trusted, so its tests are not run; the command pennyproof.trustWorkspace trusts it"
        self._show(types.MessageType.Info, f"{message}. {_nothing_protects()}" if unconfined else message)
        return False

    def _show(self, kind: types.MessageType, message: str) -> None:
        self._server.window_show_message(types.ShowMessageParams(kind, message))


def _has_none(settings: Settings) -> bool:
    from pennyproof.proof.sandbox import has_none  # noqa: PLC0415 (after the reply to initialize)

    return has_none(settings.proof.sandbox)


def _terms(sandbox: str, unconfined: bool) -> str:
    if unconfined:
        return f"with all your rights. {_nothing_protects()} Do you agree to that?"
    return f"{'without a' if sandbox == 'off' else 'in a'} sandbox. Do you trust this workspace?"


def _nothing_protects() -> str:
    from pennyproof.proof.sandbox import named  # noqa: PLC0415 (as above)

    return f"There is no sandbox for {named()}: nothing protects your files, your keys or the network from them."
