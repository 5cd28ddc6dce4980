"""The language server on standard input and output.

The protocol gets copies of file descriptors 0 and 1. The originals are then led elsewhere: whatever prints, here or in
a child process, ends up in the log, and no child can take a byte of the client's.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import queue
import sys
import threading

from pennyproof.lsp.server import PennyproofServer
from pennyproof.lsp.session import ended_by_signals, log_to_stderr, run_session

logger = logging.getLogger(__name__)

_CHUNK = 1 << 16


def serve_stdio() -> int:
    """Serve one client on standard input and output; returns the exit code."""
    log_to_stderr()
    source, sink = os.dup(0), os.dup(1)
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.close(nothing)
    os.dup2(2, 1)
    return leave(*asyncio.run(_serve(source, sink)))


def leave(code: int, idle: bool) -> int:
    """Return the exit code, or end the process at once where threads still run.

    Python waits for its threads before it ends, and one that does not heed its Cancel would keep the process for as
    long as it likes.
    """
    if idle:
        return code
    logging.shutdown()
    sys.stderr.flush()
    os._exit(code)


async def _serve(source: int, sink: int) -> tuple[int, bool]:
    server = PennyproofServer(watch_parent=True)
    reader = asyncio.StreamReader()
    writer = ThreadedWriter(sink)
    server.protocol.set_writer(writer)
    loop = asyncio.get_running_loop()
    threading.Thread(target=_pump, args=(source, loop, reader), name="stdin", daemon=True).start()
    with ended_by_signals(server.protocol.end):
        code = await run_session(server, reader)
    await asyncio.to_thread(writer.close)
    return code, server.background.running == 0


def _pump(source: int, loop: asyncio.AbstractEventLoop, reader: asyncio.StreamReader) -> None:
    """Feed the reader from a thread of its own, which works for pipes, files and terminals alike."""
    # The loop may be closed while this thread waits for a byte.
    with contextlib.suppress(RuntimeError):
        try:
            while data := os.read(source, _CHUNK):
                loop.call_soon_threadsafe(reader.feed_data, data)
        except OSError as error:
            logger.warning("standard input failed: %s", error.strerror)
        loop.call_soon_threadsafe(reader.feed_eof)


class ThreadedWriter:
    """Writes to a file descriptor from a thread, so that a client that does not read never stops the reading.

    Two that write and do not read would otherwise wait for each other for ever.
    """

    def __init__(self, sink: int) -> None:
        self._sink = sink
        self._queue: queue.SimpleQueue[bytes | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._write_all, name="stdout", daemon=True)
        self._thread.start()

    def write(self, data: bytes) -> None:
        """Write a whole message, soon."""
        self._queue.put(data)

    def close(self, seconds: float = 1) -> None:
        """Write what is left, but wait no longer than ``seconds`` for a client that does not read."""
        self._queue.put(None)
        self._thread.join(seconds)

    def _write_all(self) -> None:
        try:
            while (data := self._queue.get()) is not None:
                left = memoryview(data)
                while left:
                    left = left[os.write(self._sink, left) :]
        except OSError as error:
            logger.info("the client does not read any more: %s", error.strerror)
