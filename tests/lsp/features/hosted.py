"""A session whose project has the real models, which a stand-in plays."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from itertools import pairwise
from pathlib import Path
from typing import Any

from tests.lsp.features.session import Session

Json = Any
GHOST_TEXT = {
    "textDocument": {"inlineCompletion": {}},
    "window": {"showMessage": {}},
    "general": {"positionEncodings": ["utf-16"]},
}
MENU = {"textDocument": {"completion": {}}, "window": {"showMessage": {}}}


class HostedSession(Session):
    """The client's side; requests can be told apart from their answers."""

    def __init__(self, root: Path, options: Json) -> None:
        super().__init__(root)
        self.options = options
        self.capabilities: Json = None

    async def begin(self, capabilities: Json) -> None:
        self.server.protocol.set_writer(self)
        folder = {"uri": self.root.as_uri(), "name": "shop"}
        params = {
            "processId": None,
            "capabilities": capabilities,
            "workspaceFolders": [folder],
            "initializationOptions": self.options,
        }
        self.capabilities = (await self.request("initialize", params))["capabilities"]
        self.notify("initialized", {})
        await self.server.prepare()

    def edit(self, path: str, marked: str, version: int = 1) -> Json:
        """Open a document; the position of its ``$0``."""
        before, _, after = marked.partition("$0")
        item = {"uri": self.uri(path), "languageId": "python", "version": version, "text": before + after}
        self.notify("textDocument/didOpen", {"textDocument": item})
        line = before.rpartition("\n")[2]
        return {"line": before.count("\n"), "character": len(line.encode("utf-16-le")) // 2}

    def inline(self, path: str, position: Json, *, automatic: bool = False, **context: Json) -> asyncio.Task[Json]:
        params = {
            "textDocument": {"uri": self.uri(path)},
            "position": position,
            "context": {"triggerKind": 2 if automatic else 1, **context},
        }
        return asyncio.ensure_future(self.request("textDocument/inlineCompletion", params))

    def menu(self, path: str, position: Json, kind: int = 1) -> asyncio.Task[Json]:
        params = {
            "textDocument": {"uri": self.uri(path)},
            "position": position,
            "context": {"triggerKind": kind},
        }
        return asyncio.ensure_future(self.request("textDocument/completion", params))

    @property
    def statuses(self) -> list[tuple[str, str]]:
        """Kind and message of each status that differs in these from the one before; all is well at the beginning."""
        told = [(one["kind"], one["message"]) for name, one in self.notifications if name == "pennyproof/status"]
        return [status for before, status in pairwise([("normal", ""), *told]) if status != before]

    @property
    def popups(self) -> list[str]:
        return [one["message"] for name, one in self.notifications if name == "window/showMessage"]


def play(
    root: Path,
    script: Callable[[HostedSession], Coroutine[object, object, None]],
    *,
    capabilities: Json = None,
    options: Json = None,
) -> HostedSession:
    """Run a script against a session over an empty folder."""
    root.mkdir(parents=True, exist_ok=True)
    session = HostedSession(root.resolve(), options or {})

    async def whole() -> None:
        await session.begin(GHOST_TEXT if capabilities is None else capabilities)
        try:
            await script(session)
        finally:
            await session.server.protocol.settle(seconds=1)
            await session.server.close()

    asyncio.run(whole())
    return session
