"""Long work as the client sees it: a progress bar with a cancel button, and a busy status."""

from __future__ import annotations

import asyncio
import uuid
from types import TracebackType
from typing import TYPE_CHECKING

from lsprotocol import types
from pygls.exceptions import JsonRpcException

from pennyproof.core.candidates import Tier
from pennyproof.core.work import Cancel
from pennyproof.core.work import Progress as ProgressSeam
from pennyproof.lsp.calls import CURRENT, ProgressToken

if TYPE_CHECKING:
    from pennyproof.lsp.server import PennyproofServer

_SHOWN_AFTER = 0.3
"""Seconds; a bar for less than that only flickers."""


class Work:
    """Long work on behalf of the current call; ``async with`` marks its beginning and end.

    Args:
        server: Whose client is told.
        title: What is being done, for a person.
        token: The client's progress token; by default the current request's own.
        cancellable: Whether the bar has a cancel button.
        background: Nobody asked for it, so that it does not count as busy.
    """

    def __init__(
        self,
        server: PennyproofServer,
        title: str,
        token: ProgressToken | None = None,
        *,
        cancellable: bool = True,
        background: bool = False,
    ) -> None:
        call = CURRENT.get()
        self._server = server
        self._title = title
        self._token = token if token is not None or call is None else call.token
        self._cancellable = cancellable
        self._background = background
        self._shower: asyncio.Task[None] | None = None
        self._begun = False
        self._last: tuple[str, float | None] = ("", None)
        self.tier: Tier | None = None
        """The tier that was at it last."""
        self.cancel: Cancel = Cancel() if call is None else call.cancel
        """Asked by the progress bar's cancel button and by the request's ``$/cancelRequest``."""
        self.progress: ProgressSeam = _FromAnyThread(self, asyncio.get_running_loop())
        """Thread-safe."""

    async def __aenter__(self) -> Work:
        self._shower = asyncio.create_task(self._show_later())
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._shower is not None:
            self._shower.cancel()
        if error is not None:
            self.cancel.ask()
        if self._token is not None:
            self._server.tokens.pop(self._token, None)
        if self._begun:
            self._say(types.WorkDoneProgressEnd())
        if self._server.working.pop(self, None) is not None:
            self._server.show_busy()

    def say(self, message: str, fraction: float | None, tier: Tier | None = None) -> None:
        """Show how far the work has come, and which tier is at it; called on the loop."""
        if tier is not None and tier is not self.tier:
            self.tier = tier
            if self in self._server.working:
                self._server.show_busy()
        self._last = (message, fraction)
        if self._begun:
            self._say(types.WorkDoneProgressReport(message=message, percentage=_percent(fraction)))

    async def _show_later(self) -> None:
        if self._token is not None:
            self._server.tokens[self._token] = self.cancel
        await asyncio.sleep(_SHOWN_AFTER)
        if not self._background:
            self._server.working[self] = self._title
            self._server.show_busy()
        if self._token is None:
            self._token = await self._token_from_client()
        if self._token is None:
            return
        self._server.tokens[self._token] = self.cancel
        self._begun = True
        message, fraction = self._last
        self._say(
            types.WorkDoneProgressBegin(
                title=self._title,
                cancellable=self._cancellable,
                message=message or None,
                percentage=_percent(fraction),
            )
        )

    async def _token_from_client(self) -> ProgressToken | None:
        window = self._server.client_capabilities.window
        if window is None or not window.work_done_progress:
            return None
        token = str(uuid.uuid4())
        try:
            await self._server.window_work_done_progress_create_async(types.WorkDoneProgressCreateParams(token))
        except JsonRpcException:
            return None
        return token

    def _say(self, value: object) -> None:
        if self._token is not None:
            self._server.progress(types.ProgressParams(self._token, value))


class _FromAnyThread:
    def __init__(self, work: Work, loop: asyncio.AbstractEventLoop) -> None:
        self._work = work
        self._loop = loop

    def report(self, message: str, fraction: float | None = None, *, tier: Tier | None = None) -> None:
        """Say it on the loop's thread."""
        if not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._work.say, message, fraction, tier)


def _percent(fraction: float | None) -> int | None:
    return None if fraction is None else round(100 * min(max(fraction, 0.0), 1.0))
