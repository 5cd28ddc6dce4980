"""One HTTP/1.1 connection whose bytes, chunks and ends are decided by whoever answers."""

import asyncio
import contextlib
import math
import socket
import struct
import time
from collections.abc import Mapping
from dataclasses import dataclass

import h11

READ = 65_536
_TIMED = 8


class ClientGone(Exception):
    """The client closed the connection before its answer was complete."""


@dataclass(frozen=True, slots=True)
class Incoming:
    """A request as it came."""

    method: str
    path: str
    headers: Mapping[str, str]
    """Names in lower case."""
    body: bytes


class Connection:
    """The server's end of a connection. Every write goes out as it is, without waiting for more."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer
        self._http = h11.Connection(h11.SERVER)
        self._gone = asyncio.Event()
        self._watcher: asyncio.Task[None] | None = None
        self.written: list[float] = []
        """When the first pieces of the body were sent, in seconds of ``time.monotonic``."""

    async def receive(self) -> Incoming | None:
        """The next request of this connection; None if the client has no more.

        Raises:
            h11.RemoteProtocolError: If it is no HTTP.
        """
        head: h11.Request | None = None
        body = bytearray()
        while True:
            event = self._http.next_event()
            if event is h11.NEED_DATA:
                if self._http.they_are_waiting_for_100_continue:
                    self._send(h11.InformationalResponse(status_code=100, headers=[]))
                self._http.receive_data(await self._reader.read(READ))
            elif isinstance(event, h11.Request):
                head = event
            elif isinstance(event, h11.Data):
                body += event.data
            elif isinstance(event, h11.EndOfMessage) and head is not None:
                self._watcher = asyncio.create_task(self._watch())
                headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in head.headers}
                return Incoming(head.method.decode(), head.target.decode(), headers, bytes(body))
            else:
                return None

    async def again(self) -> bool:
        """Makes the connection ready for another request, if both sides have ended this one and want to go on."""
        await self._stop_watching()
        if self._http.our_state is not h11.DONE or self._http.their_state is not h11.DONE:
            return False
        self._http.start_next_cycle()
        return True

    def start(self, status: int, content_type: str, headers: Mapping[str, str] | None = None) -> None:
        """Sends the head of a response, whose body comes in chunks."""
        self.written = []
        shown = {"content-type": content_type, "transfer-encoding": "chunked", **(headers or {})}
        self._send(h11.Response(status_code=status, headers=list(shown.items()), reason=b""))

    async def write(self, data: bytes) -> None:
        """Sends part of the body as one chunk.

        Raises:
            ClientGone: If nobody is there to read it.
        """
        if self._gone.is_set():
            raise ClientGone
        if len(self.written) < _TIMED:
            self.written.append(time.monotonic())
        self._send(h11.Data(data=data))
        try:
            await self._writer.drain()
        except ConnectionError as lost:
            raise ClientGone from lost

    def end(self) -> None:
        """Ends the response as it should be ended."""
        self._send(h11.EndOfMessage())

    def cut(self) -> None:
        """Closes the connection in the middle of the body."""
        self._http.send_failed()
        self._writer.close()

    async def half_close(self) -> None:
        """Ends what is sent in the middle of the body, and stays until the client has closed too."""
        self._http.send_failed()
        self._writer.write_eof()
        await self._gone.wait()

    def reset(self) -> None:
        """Breaks the connection, so that the client is told of a reset."""
        self._http.send_failed()
        connected = self._writer.get_extra_info("socket")
        connected.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self._writer.transport.abort()

    async def pause(self, seconds: float) -> None:
        """Lets time pass.

        Raises:
            ClientGone: If the client goes away meanwhile.
        """
        if seconds <= 0:
            return
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._gone.wait(), None if math.isinf(seconds) else seconds)
            raise ClientGone

    def abort(self) -> None:
        """Gives up the connection at once, whatever is still to be sent."""
        self._writer.transport.abort()

    async def close(self) -> None:
        """Frees what the connection holds, once all that was written is sent."""
        await self._stop_watching()
        self._writer.close()
        try:
            with contextlib.suppress(ConnectionError):
                await self._writer.wait_closed()
        finally:
            self.abort()

    async def _watch(self) -> None:
        """Notices when the client goes away while it is answered; what else it sends belongs to its next request."""
        try:
            while data := await self._reader.read(READ):
                self._http.receive_data(data)
        except ConnectionError:
            pass
        self._gone.set()

    async def _stop_watching(self) -> None:
        if self._watcher is not None:
            self._watcher.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._watcher
            self._watcher = None

    def _send(self, event: h11.Event) -> None:
        self._writer.write(self._http.send(event) or b"")
