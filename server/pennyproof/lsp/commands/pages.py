"""Pages of markdown for a person: kept in the state directory, opened in the editor."""

from __future__ import annotations

import asyncio
import hashlib
import logging
import math
import os
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

from lsprotocol import types
from pygls.exceptions import JsonRpcException

from pennyproof.settings import state_directory

if TYPE_CHECKING:
    from pennyproof.assist.project import Project
    from pennyproof.lsp.server import PennyproofServer

logger = logging.getLogger(__name__)

_BETWEEN_WRITES = 0.4
"""Seconds; an editor that reads a growing page more often only flickers."""


class GrowingPage:
    """A page that is shown while it is being written, and rewritten as its text arrives.

    Args:
        server: Whose client shows it.
        project: What it is about.
        name: What kind of page it is; see ``show_page``.
    """

    def __init__(self, server: PennyproofServer, project: Project, name: str) -> None:
        self._server = server
        self._project = project
        self._name = name
        self._loop = asyncio.get_running_loop()
        self._opened = False
        self._written = -math.inf

    def grow(self, markdown: str) -> None:
        """Show what there is so far, at most a few times a second; blocks, and is called beside the loop's thread."""
        now = time.monotonic()
        if not _can_open(self._server) or now - self._written < _BETWEEN_WRITES:
            return
        self._written = now
        try:
            path = _write(self._project.root, self._name, markdown)
        except OSError:
            return  # The whole page is still to come; what is wrong is said then.
        if not self._opened:
            self._opened = True
            opening = _open(self._server, path, markdown)
            self._loop.call_soon_threadsafe(self._server.spawn, opening, "showing a page")

    async def finish(self, markdown: str) -> None:
        """Show the whole."""
        if not self._opened:
            await show_page(self._server, self._project, self._name, markdown)
            return
        try:
            await self._server.run(_write, self._project.root, self._name, markdown)
        except OSError as error:
            logger.warning("the page could not be kept: %s", error.strerror)
            _say(self._server, markdown)


async def show_page(server: PennyproofServer, project: Project | None, name: str, markdown: str) -> None:
    """Open a page in the editor, or say what it says where the client opens nothing.

    Args:
        server: Whose client shows it.
        project: What it is about; each workspace folder has one page of each name, which the next one replaces.
            ``None``: something that is the same for all.
        name: What kind of page it is.
        markdown: Its text.
    """
    try:
        path = await server.run(_write, project.root if project else None, name, markdown)
    except OSError as error:
        logger.warning("the page could not be kept: %s", error.strerror)
        _say(server, markdown)
        return
    # The client may open it whenever it likes; the command's answer does not wait for that.
    server.spawn(_open(server, path, markdown), "showing a page")


async def _open(server: PennyproofServer, path: Path, markdown: str) -> None:
    if _can_open(server):
        try:
            params = types.ShowDocumentParams(path.as_uri(), take_focus=False)
            if (await server.window_show_document_async(params)).success:
                return
        except JsonRpcException as error:
            logger.warning("the client could not open %s: %s", path, error.message)
    _say(server, f"{_headline(markdown)} — {path}")


def _can_open(server: PennyproofServer) -> bool:
    window = server.client_capabilities.window
    return bool(window and window.show_document and window.show_document.support)


def _say(server: PennyproofServer, message: str) -> None:
    server.window_show_message(types.ShowMessageParams(types.MessageType.Info, message))


def _headline(markdown: str) -> str:
    """The title and the first sentence."""
    return ": ".join(line.lstrip("# ") for line in markdown.split("\n\n")[:2])


def _write(root: Path | None, name: str, markdown: str) -> Path:
    """Write a page whole or not at all, readable by the user alone: it may quote secrets."""
    folder = state_directory(os.environ) / "pages"
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    mark = f"-{hashlib.sha256(str(root).encode()).hexdigest()[:12]}" if root else ""
    path = folder / f"{name}{mark}.md"
    handle, draft = tempfile.mkstemp(dir=folder, suffix=".tmp")
    try:
        with os.fdopen(handle, "w", encoding="utf-8", errors="backslashreplace") as file:
            file.write(markdown)
        Path(draft).replace(path)
    except OSError:
        Path(draft).unlink(missing_ok=True)
        raise
    return path
