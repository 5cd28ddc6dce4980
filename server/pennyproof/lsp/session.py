"""One session, whatever carries it: read until it ends, then leave nothing behind."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import signal
import sys
from collections.abc import Callable, Iterator

from pennyproof.lsp.framing import Framer
from pennyproof.lsp.protocol import PennyproofProtocol
from pennyproof.lsp.server import PennyproofServer

logger = logging.getLogger(__name__)

_CHUNK = 1 << 16


async def run_session(server: PennyproofServer, reader: asyncio.StreamReader) -> int:
    """Read and handle messages until ``exit`` or the end of the input; returns the exit code.

    Args:
        server: The server; its protocol has its writer.
        reader: The client's bytes.
    """
    protocol = server.protocol
    protocol.ended = asyncio.get_running_loop().create_future()
    reading = asyncio.create_task(_read(protocol, reader), name="reading")
    reading.add_done_callback(_tell_failure)
    try:
        return await protocol.ended
    finally:
        reading.cancel()
        await protocol.settle(seconds=1)
        await server.close()


async def _read(protocol: PennyproofProtocol, reader: asyncio.StreamReader) -> None:
    framer = Framer()
    try:
        while data := await reader.read(_CHUNK):
            for frame in framer.feed(data):
                protocol.receive(frame)
                if protocol.over:
                    return
                # Handlers get their turn within a burst, too.
                await asyncio.sleep(0)
    except OSError as error:
        logger.info("the connection is lost: %s", error.strerror)
    finally:
        protocol.end()


def _tell_failure(reading: asyncio.Task[None]) -> None:
    if not reading.cancelled() and (error := reading.exception()) is not None:
        logger.error("reading failed", exc_info=error)


@contextlib.contextmanager
def ended_by_signals(end: Callable[[], None]) -> Iterator[None]:
    """Call ``end`` on SIGINT and SIGTERM, so that workers end before this process does."""
    loop, signals = asyncio.get_running_loop(), (signal.SIGINT, signal.SIGTERM)
    try:
        for number in signals:
            loop.add_signal_handler(number, end)
    except (NotImplementedError, RuntimeError):
        # Windows, or not the main thread: the default handling of signals stays.
        yield
        return
    try:
        yield
    finally:
        for number in signals:
            loop.remove_signal_handler(number)


def log_to_stderr() -> None:
    """Log to standard error; pygls would log whole messages, with keys and sources in them."""
    logging.basicConfig(
        stream=sys.stderr, level=logging.WARNING, format="%(asctime)s %(levelname)s %(name)s: %(message)s"
    )
    logging.getLogger("pennyproof").setLevel(logging.INFO)
    logging.getLogger("pygls").setLevel(logging.WARNING)
