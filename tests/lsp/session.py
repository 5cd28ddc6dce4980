"""The real server and protocol in this process, over memory instead of pipes."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import Any

from pennyproof.lsp.framing import Framer
from pennyproof.lsp.server import PennyproofServer
from pennyproof.lsp.session import run_session
from tests.lsp.client import PATIENCE, frame
from tests.lsp.handlers import make_server

Json = Any


class Session:
    """A client and a server in one event loop."""

    def __init__(self, server: PennyproofServer | None = None) -> None:
        self.server = server or make_server()
        self.reader = asyncio.StreamReader()
        self.responses: dict[int | str | None, list[Json]] = {}
        self.requests: list[Json] = []
        self.notifications: list[Json] = []
        self.answers: dict[str, Callable[[Json], Json]] = {}
        """How the client answers the server's requests, by method; it keeps silent on others."""
        self.exit_code: int | None = None
        self._framer = Framer()
        self._came = asyncio.Condition()
        self._wake: set[asyncio.Task[None]] = set()
        self._next_id = 0
        self.server.protocol.set_writer(self)  # type: ignore[arg-type]

    async def __aenter__(self) -> Session:
        self._running = asyncio.create_task(run_session(self.server, self.reader))
        return self

    async def __aexit__(self, *_: object) -> None:
        self.reader.feed_eof()
        await self.ended()

    async def ended(self) -> int:
        async with asyncio.timeout(PATIENCE):
            self.exit_code = await self._running
        return self.exit_code

    def write(self, data: bytes) -> None:
        """What the server writes."""
        for body in self._framer.feed(data):
            assert isinstance(body, bytes)
            message = json.loads(body)
            if "method" not in message:
                self.responses.setdefault(message["id"], []).append(message)
            elif "id" in message:
                self.requests.append(message)
                if message["method"] in self.answers:
                    result = self.answers[message["method"]](message["params"])
                    self.send({"jsonrpc": "2.0", "id": message["id"], "result": result})
            else:
                self.notifications.append(message)
        task = asyncio.create_task(self._notify())
        self._wake.add(task)
        task.add_done_callback(self._wake.discard)

    async def _notify(self) -> None:
        async with self._came:
            self._came.notify_all()

    def send(self, *messages: Json) -> None:
        """Messages that arrive in one burst."""
        self.reader.feed_data(b"".join(frame(message) for message in messages))

    def ask(self, method: str, params: Json = None) -> int:
        message = self.message(method, params)
        self.send(message)
        return int(message["id"])

    def message(self, method: str, params: Json = None) -> Json:
        self._next_id += 1
        return {"jsonrpc": "2.0", "id": self._next_id, "method": method, "params": params}

    def notify(self, method: str, params: Json = None) -> None:
        self.send(notification(method, params))

    def command(self, action: str, text: str = "", **params: Json) -> int:
        """Start ``test.do``; returns the request's id."""
        argument = {"action": action, "text": text}
        return self.ask("workspace/executeCommand", {"command": "test.do", "arguments": [argument], **params})

    async def response(self, request_id: int | str | None) -> Json:
        await self.until(lambda: bool(self.responses.get(request_id)))
        return self.responses[request_id][0]

    async def error_code(self, request_id: int | str | None) -> int:
        return int((await self.response(request_id))["error"]["code"])

    async def until(self, condition: Callable[[], bool]) -> None:
        async with asyncio.timeout(PATIENCE), self._came:
            await self._came.wait_for(condition)

    async def eventually(self, condition: Callable[[], bool]) -> None:
        """Until something that no message tells of is so."""
        async with asyncio.timeout(PATIENCE):
            while not condition():
                await asyncio.sleep(0.005)

    async def initialize(self, *, options: Json = None, folders: Sequence[Path] = (), **capabilities: Json) -> Json:
        params = {
            "processId": None,
            "rootUri": None,
            "workspaceFolders": [folder_of(folder) for folder in folders],
            "initializationOptions": options,
            "capabilities": capabilities,
        }
        request = self.ask("initialize", params)
        response = await self.response(request)
        self.notify("initialized", {})
        return response["result"]["capabilities"]


def notification(method: str, params: Json = None) -> Json:
    return {"jsonrpc": "2.0", "method": method, "params": params}


def folder_of(path: Path) -> Json:
    return {"uri": path.as_uri(), "name": path.name}


def in_session(test: Callable[[Session], Awaitable[None]]) -> Callable[[], None]:
    """Run an async test in a session that has been initialized."""

    def run() -> None:
        async def main() -> None:
            async with Session() as session:
                await session.initialize()
                await test(session)

        asyncio.run(main())

    run.__name__ = test.__name__
    run.__doc__ = test.__doc__
    return run
