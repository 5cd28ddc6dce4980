"""The language server on a TCP port.

One client is served, as on standard input; its ``exit`` ends the process. A connection that never gets past
``initialize`` (a port scan, a wrong token) ends nothing but itself.
"""

from __future__ import annotations

import asyncio
import ipaddress
import logging

from pennyproof.errors import UsageError
from pennyproof.lsp.server import PennyproofServer
from pennyproof.lsp.session import ended_by_signals, log_to_stderr, run_session
from pennyproof.lsp.stdio import leave

logger = logging.getLogger(__name__)


def serve_tcp(host: str, port: int, *, allow_remote: bool = False, token: str | None = None) -> int:
    """Serve one client that connects to ``host:port``; returns the exit code.

    Args:
        host: A loopback address, unless ``allow_remote``.
        port: 0 lets the system choose; the log says which it is.
        allow_remote: Listen where other machines can connect; then ``token`` is required.
        token: What the client must present as ``initializationOptions.token``.

    Raises:
        UsageError: The address is not a loopback address and remote clients were not allowed, or have no token.
        OSError: The port cannot be had.
    """
    if not _is_loopback(host):
        if not allow_remote:
            raise UsageError(f"{host} can be reached from other machines; say so with --allow-remote")
        if not token:
            raise UsageError("remote clients need a token; set PENNYPROOF_TOKEN")
    log_to_stderr()
    return leave(*asyncio.run(_Listener(token).serve(host, port)))


class _Listener:
    def __init__(self, token: str | None) -> None:
        self._token = token
        self._served: PennyproofServer | None = None
        self._connections: set[asyncio.Task[None]] = set()

    async def serve(self, host: str, port: int) -> tuple[int, bool]:
        self._done: asyncio.Future[tuple[int, bool]] = asyncio.get_running_loop().create_future()
        listener = await asyncio.start_server(self._connected, host, port)
        addresses = ", ".join("{}:{}".format(*socket.getsockname()[:2]) for socket in listener.sockets)
        logger.info("listening on %s", addresses)
        with ended_by_signals(self._interrupted):
            code, idle = await self._done
        listener.close()
        for connection in self._connections - {asyncio.current_task()}:
            connection.cancel()
        if self._connections:
            await asyncio.wait(self._connections, timeout=1)
        return code, idle

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        if self._served is not None or task is None:
            writer.close()
            return
        self._connections.add(task)
        task.add_done_callback(self._connections.discard)
        server = PennyproofServer(access_token=self._token, on_initialize=self._initialized)
        server.protocol.set_writer(writer)
        code = await run_session(server, reader)
        if not writer.is_closing():
            writer.close()
        if self._served is server and not self._done.done():
            self._done.set_result((code, server.background.running == 0))

    def _initialized(self, server: PennyproofServer) -> None:
        if self._served is not None:
            raise UsageError("another client is being served")
        self._served = server

    def _interrupted(self) -> None:
        if self._served is not None:
            self._served.protocol.end()
        elif not self._done.done():
            self._done.set_result((1, True))


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
