"""The service on a port of loopback, in a thread of its own beside a test or as all that a process does."""

import asyncio
from collections.abc import Callable, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from types import TracebackType
from typing import Self

import h11

from tests.standin.connection import Connection
from tests.standin.script import Reply, Script
from tests.standin.service import Request, Service


class Standin:
    """A stand-in for the hosted API, up as long as the ``with`` block lasts.

    Args:
        script: What it answers; replies alone make a script too.
        port: 0 for any that is free.
    """

    def __init__(self, script: Script | Iterable[Reply] = (), *, port: int = 0) -> None:
        self.script = script if isinstance(script, Script) else Script(tuple(script))
        self.url = ""
        """Without a path, as ``http://127.0.0.1:1234``."""
        self._service = Service(self.script)
        self._port = port
        self._stop: Callable[[], object] = lambda: None
        self._ended: Future[None]

    @property
    def key(self) -> str:
        """The key that is right."""
        return self.script.key

    @property
    def requests(self) -> list[Request]:
        """All that came so far, in order."""
        return self._service.requests

    def add(self, *replies: Reply) -> None:
        """Appends replies to the script.

        Raises:
            ValueError: If a behaviour does not exist.
        """
        self._service.add(*replies)

    def set_balance(self, amount: str) -> None:
        """Changes what is left on the account from now on."""
        self._service.balance = amount

    def wait_for(self, condition: Callable[[], bool], timeout: float = 10.0) -> None:
        """Waits until something is true of the requests, such as that one has come or was abandoned.

        Raises:
            TimeoutError: If it does not become true in so many seconds.
        """
        with self._service.changed:
            if not self._service.changed.wait_for(condition, timeout):
                raise TimeoutError(f"never became true of {self.requests}")

    def __enter__(self) -> Self:
        listening: Future[str] = Future()
        thread = ThreadPoolExecutor(1, "standin")
        self._ended = thread.submit(lambda: asyncio.run(self._run(listening)))
        thread.shutdown(wait=False)
        self._ended.add_done_callback(lambda ended: _pass_on_failure(ended, listening))
        self.url = listening.result()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Ends all connections.

        Raises:
            ExceptionGroup: If the stand-in itself failed at a request.
        """
        self._stop()
        self._ended.result()

    async def _run(self, listening: "Future[str]") -> None:
        loop, stop = asyncio.get_running_loop(), asyncio.Event()
        self._stop = lambda: loop.call_soon_threadsafe(stop.set)
        await serve(self._service, stop, listening.set_result, self._port)


async def serve(service: Service, stop: asyncio.Event, listening: Callable[[str], None], port: int = 0) -> None:
    """Serves on loopback until told to stop.

    Args:
        service: What answers.
        stop: Ends all connections when it is set.
        listening: Called with the URL once connections are accepted.
        port: 0 for any that is free.

    Raises:
        ExceptionGroup: If the stand-in itself failed at a request.
        OSError: If the port is taken.
    """
    connections: set[asyncio.Task[None]] = set()

    def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        connections.add(asyncio.create_task(_converse(service, Connection(reader, writer))))

    server = await asyncio.start_server(connected, "127.0.0.1", port)
    try:
        listening("http://{}:{}".format(*server.sockets[0].getsockname()))
        await stop.wait()
    finally:
        server.close()
        for connection in connections:
            connection.cancel()
        ends = await asyncio.gather(*connections, return_exceptions=True)
    failures = [end for end in ends if isinstance(end, Exception)]
    if failures:
        raise ExceptionGroup("the stand-in failed", failures)


async def _converse(service: Service, connection: Connection) -> None:
    """Answers all requests of one connection."""
    try:
        while (incoming := await connection.receive()) is not None:
            await service.handle(connection, incoming)
            if not await connection.again():
                break
    except (h11.RemoteProtocolError, ConnectionError):
        # Whoever speaks no HTTP, or leaves in the middle of a request, is not owed an answer.
        return
    except asyncio.CancelledError:
        connection.abort()
        raise
    finally:
        await connection.close()


def _pass_on_failure(ended: "Future[None]", listening: "Future[str]") -> None:
    if not listening.done() and (failure := ended.exception()) is not None:
        listening.set_exception(failure)
