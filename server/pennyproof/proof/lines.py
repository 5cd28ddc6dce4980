"""Lines of JSON to a process and back."""

import contextlib
import json
import os
import select
import socket
import sys
import threading
from array import array
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol

from pennyproof.core.work import Cancel, Deadline
from pennyproof.errors import Cancelled

if sys.platform == "linux":
    import fcntl

_LONGEST_LINE = 96 << 20
_PIECE = 1 << 20


class LostError(Exception):
    """The process has ended, or does not speak as it should."""


class SilentError(LostError):
    """The process did not answer in time."""


class Wire(Protocol):
    """What lines travel on; neither way blocks."""

    outgoing: int
    """The descriptor that is written to."""
    incoming: int
    """The descriptor that is read from."""

    def write(self, data: memoryview, descriptors: Sequence[int]) -> int:
        """Write some of the data, with descriptors beside; returns how much."""

    def end(self) -> None:
        """Tell the other side that nothing more comes; what it still says can be read."""

    def close(self) -> None:
        """Close both ways."""


class Pipes:
    """A wire of two pipes."""

    def __init__(self, outgoing: int, incoming: int) -> None:
        self.outgoing, self.incoming = outgoing, incoming
        os.set_blocking(outgoing, False)

    def write(self, data: memoryview, descriptors: Sequence[int]) -> int:
        if descriptors:
            raise ValueError("descriptors cannot be sent through a pipe")
        return os.write(self.outgoing, data)

    def end(self) -> None:
        if self.outgoing >= 0:
            os.close(self.outgoing)
            self.outgoing = -1

    def close(self) -> None:
        self.end()
        os.close(self.incoming)


def long_pipe() -> tuple[int, int]:
    """A pipe that takes a whole source file at once, so that its writer need not wait for the reader."""
    reading, writing = os.pipe()
    if sys.platform == "linux":
        with contextlib.suppress(OSError):  # This user has had enough of them.
            fcntl.fcntl(writing, fcntl.F_SETPIPE_SZ, _PIECE)
    return reading, writing


class Socket:
    """A wire by which descriptors can be sent."""

    def __init__(self, channel: socket.socket) -> None:
        self._channel = channel
        self.outgoing = self.incoming = channel.fileno()
        channel.setblocking(False)

    def write(self, data: memoryview, descriptors: Sequence[int]) -> int:
        rights = [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array("i", descriptors))] if descriptors else []
        return self._channel.sendmsg([data], rights)

    def end(self) -> None:
        self._channel.shutdown(socket.SHUT_WR)

    def close(self) -> None:
        self._channel.close()


class Lines:
    """One exchange at a time; any thread may end this, and with it the exchange that is under way.

    Args:
        wire: What they travel on; closed with this.
        last_words: What there is to be said of the process when it is lost.
    """

    def __init__(self, wire: Wire, last_words: Callable[[], str]) -> None:
        self._wire = wire
        self._last_words = last_words
        self._rest = bytearray()
        self._talking = threading.Lock()
        self._ringing = threading.Lock()
        self._owed = 0
        """Answers that have not been read yet: that to what is being asked, and one that nobody waited for."""
        self._torn = False
        """Whether the last message was sent in part only."""
        self._ended = False
        self._closed = False
        self._bell, self._ringer = os.pipe()
        os.set_blocking(self._bell, False)

    def exchange(
        self,
        message: Mapping[str, Any],
        seconds: float,
        cancel: Cancel,
        descriptors: Sequence[int] = (),
        sent: Callable[[], None] | None = None,
    ) -> dict[str, Any]:
        """Send a message and wait for its answer, passing over one that was not waited for.

        Args:
            message: What can be said in JSON.
            seconds: How long that may take.
            cancel: Ends the waiting; if all of the message had been sent by then, the next one may be.
            descriptors: What to send along; they stay open here.
            sent: Called when the message is on its way.

        Raises:
            Cancelled: ``cancel`` was asked, or ``end`` called.
            LostError: There will be no answer.
        """
        with self._talking:
            self._silence_bell()
            if self._ended:
                raise Cancelled("the worker was ended")
            forget = cancel.on_cancel(self._ring)
            deadline = Deadline(seconds)
            try:
                self._send(json.dumps(message).encode() + b"\n", descriptors, deadline, cancel)
                if sent:
                    sent()
                answer: dict[str, Any] = json.loads(self._last_line(deadline, cancel))
            except ValueError as error:
                raise LostError("it answered with something else than JSON") from error
            finally:
                forget()
            return answer

    def end(self, patience: float) -> bool:
        """Tell the process that nothing more comes, and close this when it has ended.

        Args:
            patience: Seconds to wait for that.

        Returns:
            Whether it ended in time.
        """
        self._ended = True
        self._ring()
        with self._talking:
            if self._closed:
                return True
            self._wire.end()
            in_time = self._silent(Deadline(patience))
            with self._ringing:
                self._closed = True
                self._wire.close()
                os.close(self._bell)
                os.close(self._ringer)
            return in_time

    def _silent(self, deadline: Deadline) -> bool:
        """Read until the other side has closed its end."""
        while select.select([self._wire.incoming], [], [], deadline.left)[0]:
            try:
                if not os.read(self._wire.incoming, _PIECE):
                    return True
            except OSError:  # It was killed while something was under way to it.
                return True
        return False

    def _send(self, data: bytes, descriptors: Sequence[int], deadline: Deadline, cancel: Cancel) -> None:
        if self._torn:
            raise LostError("it was sent a part of a message")
        unsent = memoryview(data)
        while unsent:
            self._wait(self._wire.outgoing, select.POLLOUT, deadline, cancel)
            try:
                sent = self._wire.write(unsent[:_PIECE], descriptors)
            except BlockingIOError:
                continue
            except OSError as error:
                raise LostError(f"it ended{self._last_words()}") from error
            descriptors = ()
            unsent = unsent[sent:]
            self._torn = bool(unsent)
        self._owed += 1

    def _last_line(self, deadline: Deadline, cancel: Cancel) -> bytes:
        """The last of the answers that are owed."""
        line = b""
        while self._owed:
            line = self._line(deadline, cancel)
            self._owed -= 1
        return line

    def _line(self, deadline: Deadline, cancel: Cancel) -> bytes:
        searched = 0
        while (end := self._rest.find(b"\n", searched)) < 0:
            searched = len(self._rest)
            self._wait(self._wire.incoming, select.POLLIN, deadline, cancel)
            try:
                data = os.read(self._wire.incoming, _PIECE)
            except OSError as error:
                raise LostError(f"it ended{self._last_words()}") from error
            if not data or len(self._rest) > _LONGEST_LINE:
                raise LostError(f"it ended{self._last_words()}")
            self._rest += data
        line = bytes(self._rest[:end])
        del self._rest[: end + 1]
        return line

    def _wait(self, descriptor: int, event: int, deadline: Deadline, cancel: Cancel) -> None:
        poll = select.poll()
        poll.register(self._bell, select.POLLIN)
        poll.register(descriptor, event)
        ready = poll.poll(deadline.left * 1000)
        cancel.check()
        if self._ended:
            raise Cancelled("the worker was ended")
        if not ready:
            raise SilentError(f"it does not answer{self._last_words()}")

    def _ring(self) -> None:
        """Wake whoever waits for an answer."""
        with self._ringing:
            if not self._closed:
                os.write(self._ringer, b"!")

    def _silence_bell(self) -> None:
        """Forget what it was rung for before."""
        with self._ringing:
            if not self._closed:
                with contextlib.suppress(BlockingIOError):
                    os.read(self._bell, _PIECE)
