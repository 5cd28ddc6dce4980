"""Handlers that misbehave in every way a protocol has to survive, and a server made of them."""

import asyncio
import logging
import os
import subprocess
import sys
import threading
from typing import Literal

from lsprotocol import types
from pydantic import BaseModel

from pennyproof.core.work import Cancel
from pennyproof.errors import Cancelled, NoTests, UsageError
from pennyproof.lsp.calls import CURRENT
from pennyproof.lsp.failures import ServerCancelled
from pennyproof.lsp.server import PennyproofServer, Route

ROUTES = {
    types.TEXT_DOCUMENT_HOVER: Route(f"{__name__}:see"),
    types.TEXT_DOCUMENT_DEFINITION: Route(f"{__name__}:hold"),
    types.TEXT_DOCUMENT_DOCUMENT_SYMBOL: Route(f"{__name__}:at_once"),
    types.TEXT_DOCUMENT_DID_SAVE: Route(f"{__name__}:fail"),
}
COMMANDS = {"test.do": __name__}

EVENTS: list[str] = []
"""What began and what stopped, in its order."""
RELEASE = threading.Event()
"""Ends what heeds no Cancel."""


def make_server(**options: object) -> PennyproofServer:
    return PennyproofServer(ROUTES, COMMANDS, **options)  # type: ignore[arg-type]


async def see(server: PennyproofServer, params: types.HoverParams) -> types.Hover:
    """The document as this request sees it, after others had their turn."""
    for _ in range(5):
        await asyncio.sleep(0)
    document = server.documents.get(params.text_document.uri)
    return types.Hover(f"{document.version}: {document.text}" if document else "closed")


async def hold(server: PennyproofServer, params: object) -> None:
    """Wait until cancelled."""
    EVENTS.append("hold began")
    try:
        await asyncio.get_running_loop().create_future()
    finally:
        EVENTS.append("hold stopped")


def at_once(server: PennyproofServer, params: types.DocumentSymbolParams) -> list[types.DocumentSymbol]:
    return []


async def fail(server: PennyproofServer, params: types.DidSaveTextDocumentParams) -> None:
    raise RuntimeError("saving failed")


class Params(BaseModel):
    action: Literal[
        "echo", "hold", "block", "heedless", "cancel-itself", "cancelled", "server-cancelled", "crash", "usage",
        "environment", "unwritable", "ask", "work", "print",
    ]  # fmt: skip
    text: str = ""


async def run(server: PennyproofServer, params: Params) -> object:
    failures = {
        "cancelled": Cancelled("cancelled"),
        "server-cancelled": ServerCancelled(),
        "crash": RuntimeError(f"a secret: {params.text}"),
        "usage": UsageError("this makes no sense"),
        "environment": NoTests("there are no tests"),
    }
    if params.action in failures:
        raise failures[params.action]
    actions = {
        "hold": hold,
        "block": _block_on_thread,
        "heedless": _heed_nothing,
        "cancel-itself": _cancel_itself,
        "ask": _ask,
        "work": _work,
        "print": _print,
    }
    if params.action in actions:
        return await actions[params.action](server, params)
    return object() if params.action == "unwritable" else {"text": params.text}


async def _block_on_thread(server: PennyproofServer, params: Params) -> None:
    call = CURRENT.get()
    assert call is not None
    await server.run(_block, call.cancel)


async def _heed_nothing(server: PennyproofServer, params: Params) -> None:
    await server.run(RELEASE.wait)


async def _cancel_itself(server: PennyproofServer, params: Params) -> None:
    task = asyncio.current_task()
    assert task is not None
    task.cancel()
    await asyncio.sleep(0)


async def _ask(server: PennyproofServer, params: Params) -> str | None:
    answer = await server.window_show_message_request_async(
        types.ShowMessageRequestParams(types.MessageType.Info, "?", [types.MessageActionItem("yes")])
    )
    return answer.title if answer else None


async def _work(server: PennyproofServer, params: Params) -> None:
    async with server.work("long work") as work:
        work.progress.report("half-way", 0.5)
        await server.run(_block, work.cancel)


async def _print(server: PennyproofServer, params: Params) -> None:
    print(params.text)
    os.write(1, b"to descriptor 1\n")
    child = [sys.executable, "-c", "import sys; print(sys.stdin.read()); print('from a child')"]
    await server.run(subprocess.run, child, check=True)


def _block(cancel: Cancel) -> None:
    """Blocking work that heeds its Cancel."""
    EVENTS.append("block began")
    stop = threading.Event()
    cancel.on_cancel(stop.set)
    stop.wait()
    EVENTS.append("block stopped")
    cancel.check()


if __name__ == "__main__":
    from pennyproof.lsp import stdio

    stdio.PennyproofServer = make_server  # type: ignore[misc, assignment]
    logging.captureWarnings(True)
    sys.exit(stdio.serve_stdio())
