"""What passes between the fork server and the child that runs a job.

Both ways, a frame is the length of its body, a MAC of the body keyed with the request's nonce, and the body. A
request's body is the worker's JSON. An answer's body is one letter, ``R`` (result), ``E`` (error), ``A`` (to be asked
again, of another child) or ``W`` (it waits for one more request), and JSON. The child's own code knows the nonce;
whatever else writes to the answer pipe does not. The one frame without a nonce is what a child says before its request,
when nothing of the project has run.
"""

from __future__ import annotations

import contextlib
import hashlib
import hmac
import json
import json.encoder
import os
import struct
import sys
from typing import Any, Callable, Dict, Iterator, List, Optional

from .seal import take_seal

if sys.platform != "win32":
    import fcntl

MAX_BODY = 64 << 20
"""Bytes; a longer answer is none."""
_F_SETPIPE_SZ = 1031
"""As in Linux's fcntl.h; Python knows it by name since 3.10."""
_ROOM = 1 << 20
"""Bytes; the most that Linux allows to everybody."""
MEDDLED = 71
"""Exit code of a child that will not sign an answer, since somebody else may have made it."""
_HEAD = struct.Struct(">Q32s")


class ForgedError(Exception):
    """Bytes that are no frame, or a frame that was not made with the nonce."""


class Context:
    """What a job is given beside its parameters.

    A job for one run returns its result (a dict), which is then sent as the one answer, or calls ``reply`` itself and
    returns None. The job ``prime`` loops: ``reply`` answers the request that started it, then each ``receive`` is
    followed by one ``reply``; it returns when ``receive`` gives None.

    Attributes:
        root: The project's folder as this run sees it; also the working directory. It is not on ``sys.path``.
        scratch: A writable folder of this run alone.
        receive: The ``params`` of the next request, or None when there are no more. For ``prime`` only.
        reply: Sends the one answer to the request at hand. Does nothing in a fork of the process it was made in.
        error: Answers that the job cannot be done, with one line that says why; otherwise as ``reply``.
        again: Answers that another child has to do the job; otherwise as ``reply``.
        wait: Answers that this run waits, and receives what it waits for; its result is then given as that of any run.
        detach: For a fork of a primed child: closes the pipes, which belong to its parent.
    """

    __slots__ = ("again", "detach", "error", "receive", "reply", "root", "scratch", "wait")

    reply: Callable[[Dict[str, Any]], None]
    error: Callable[[str], None]
    again: Callable[[Dict[str, Any]], None]
    wait: Callable[[], Optional[Dict[str, Any]]]

    def __init__(self, root: str, scratch: str, requests: int, answers: int, nonce: str, alone: bool = True) -> None:
        """Make the context of a request that has been read.

        Args:
            root: See the class.
            scratch: See the class.
            requests: The descriptor of the pipe that further requests come from.
            answers: The descriptor of the pipe for answers.
            nonce: The nonce of the request at hand.
            alone: Whether answers are given when all else has returned, as for one run, and not in the midst of it.
        """
        self.root = root
        self.scratch = scratch
        # Everything below is held by the closures alone, and calls nothing but C functions that were looked up before
        # any code of the project ran: patching modules changes no answer.
        owner, getpid, write, encode, mac = os.getpid(), os.getpid, os.write, _c_encoder(), hashlib.blake2b
        head, loads, read = _HEAD.pack, json.loads, read_frame
        open_nonces, (intact, ours), leave = [nonce], take_seal(), os._exit
        by_itself = [alone]

        def send(letter: bytes, value: Any) -> None:
            if getpid() != owner or not open_nonces:
                return
            if not intact() or (by_itself[0] and letter == b"R" and not ours()):
                leave(MEDDLED)
            body = letter + encode(value)
            key = open_nonces.pop().encode()
            data = memoryview(head(len(body), mac(body, key=key, digest_size=32).digest()) + body)
            while data:
                data = data[write(answers, data) :]

        def receive() -> Optional[Dict[str, Any]]:
            body = read(requests) if getpid() == owner else None
            if body is None:
                return None
            request = loads(body)
            open_nonces[:] = [request["nonce"]]
            params: Dict[str, Any] = request["params"]
            return params

        def detach() -> None:
            if getpid() != owner:
                os.close(requests)
                os.close(answers)

        self.receive = receive
        self.wait = _wait(send, receive, by_itself)

        def reply(result: Dict[str, Any]) -> None:
            send(b"R", result)

        self.reply = reply
        self.error = lambda message: send(b"E", message)
        self.again = lambda why: send(b"A", why)
        self.detach = detach


def _wait(
    send: Callable[[bytes, Any], None], receive: Callable[[], Optional[Dict[str, Any]]], by_itself: List[bool]
) -> Callable[[], Optional[Dict[str, Any]]]:
    def wait() -> Optional[Dict[str, Any]]:
        send(b"W", {})
        by_itself[0] = True
        return receive()

    return wait


@contextlib.contextmanager
def telling(context: Context) -> Iterator[None]:
    """Answer with what is raised, which is raised on."""
    try:
        yield
    except Exception as error:
        context.error("%s: %s" % (type(error).__name__, error))
        raise


def _c_encoder() -> Callable[[Any], bytes]:
    """JSON from the C encoder itself, around which ``json.JSONEncoder`` is only a wrapper that can be patched."""
    make = getattr(json.encoder, "c_make_encoder", None)
    quote = getattr(json.encoder, "c_encode_basestring_ascii", None)
    if make is None or quote is None:
        plain = json.JSONEncoder().encode
        return lambda value: plain(value).encode()

    def refuse(value: Any) -> Any:
        raise TypeError("not JSON: " + type(value).__name__)

    chunks = make(None, refuse, quote, None, ":", ",", False, False, True)
    return lambda value: "".join(chunks(value, 0)).encode()


def pipe() -> "tuple[int, int]":
    """A pipe that takes a whole source file at once, so that its writer need not wait for the reader."""
    reading, writing = os.pipe()
    if sys.platform != "win32":
        with contextlib.suppress(OSError):  # no Linux, or this user has had enough of them
            fcntl.fcntl(writing, _F_SETPIPE_SZ, _ROOM)
    return reading, writing


def frame(body: bytes, nonce: str) -> bytes:
    """A body with its length and MAC in front."""
    return _HEAD.pack(len(body), _mac(body, nonce)) + body


def take(received: bytearray, nonce: str) -> Optional[bytes]:
    """Remove one frame from the front of what was received.

    Returns:
        Its body, or None while it is incomplete.

    Raises:
        ForgedError: It is too long, or was not made with ``nonce``.
    """
    if len(received) < _HEAD.size:
        return None
    length, mac = _HEAD.unpack_from(received)
    if length > MAX_BODY:
        raise ForgedError("it is longer than %d bytes" % MAX_BODY)
    end = _HEAD.size + length
    if len(received) < end:
        return None
    body = bytes(received[_HEAD.size : end])
    del received[:end]
    if not hmac.compare_digest(mac, _mac(body, nonce)):
        raise ForgedError("it is not signed by the reporter")
    return body


def read_frame(pipe: int) -> Optional[bytes]:
    """The body of the next frame of a trusted pipe, or None at its end."""
    head = _read(pipe, _HEAD.size)
    return None if head is None else _read(pipe, _HEAD.unpack(head)[0])


def _read(pipe: int, length: int) -> Optional[bytes]:
    pieces = []
    while length:
        piece = os.read(pipe, min(length, 1 << 20))
        if not piece:
            return None
        pieces.append(piece)
        length -= len(piece)
    return b"".join(pieces)


def _mac(body: bytes, nonce: str) -> bytes:
    return hashlib.blake2b(body, key=nonce.encode(), digest_size=32).digest()
