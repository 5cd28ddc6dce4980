"""The zygote: a process that has imported what every run needs, and forks the fork servers.

It never runs tests, and imports nothing that lies in the project. Its standard input is a socket on which it gets lines
of JSON, some with descriptors, and answers each of them exactly once. The first one sets it up, and is answered with
what it is and could not import. Then:

``{"fork": number, "warming": bool}`` with two descriptors
    Fork a server (``server``), which reads requests from the first and answers on the second.
``{"end": number}``
    Kill that server and everything it runs.
``{"start": [argument]}`` with one descriptor
    Fork another zygote, in which pytest is started with these arguments (``ahead``); the descriptor is its socket, on
    which it first says whether that worked, and what it looked at.

It ends with whoever holds the other end of its socket, and with it end the servers.
"""

from __future__ import annotations

import array
import gc
import itertools
import json
import os
import signal
import socket
import sys
import time
import traceback
from typing import Any, Dict, List, NoReturn, Optional, Tuple

from . import wire
from .ahead import Ahead
from .child_setup import close_all_but
from .children import Asked, Opened
from .copied import Copied
from .isolate import Isolation, Namespaces
from .preload import Jobs, load_jobs, preload
from .removing import remove_tree
from .seal import seal
from .server import Server
from .twins import find_folders

_DESCRIPTORS = 2
"""At most so many come with a message."""
_PATIENCE = 5.0
"""Seconds within which servers whose requests have ended are to have ended, too."""


def main() -> None:
    """Get ready, and fork servers until nobody wants any more."""
    gc.disable()
    channel = Channel(_take_input())
    message = channel.receive()
    if message is None:
        return
    setup = message[0]
    jobs = load_jobs(setup["jobs"])
    seal()
    skipped = preload(setup["preload"], setup["root"], setup["plugins"])
    if setup["kind"] == "bubblewrap":
        setup["folders"] = find_folders(setup["root"])
    if setup["pycache"]:
        sys.pycache_prefix = setup["pycache"]
    gc.enable()
    # What is alive now is never looked at again by a collection, which would copy its pages into every child.
    gc.collect()
    gc.freeze()
    pytest = getattr(sys.modules.get("pytest"), "__version__", "")
    channel.send({"skipped": skipped, "version": sys.version_info[:3], "pytest": pytest})
    _do(jobs, Zygote(channel, setup, jobs).serve())


class Channel:
    """Lines of JSON on a socket, with the descriptors that come along."""

    def __init__(self, descriptor: int) -> None:
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM, fileno=descriptor)

    def receive(self) -> Optional[Tuple[Dict[str, Any], List[int]]]:
        """The next message, or None when there will be none."""
        text, descriptors = bytearray(), array.array("i")
        while not text.endswith(b"\n"):
            room = socket.CMSG_SPACE(_DESCRIPTORS * descriptors.itemsize)
            data, attached, _, _ = self._socket.recvmsg(1 << 16, room)
            if not data:
                return None
            text += data
            for level, kind, body in attached:
                if (level, kind) == (socket.SOL_SOCKET, socket.SCM_RIGHTS):
                    descriptors.frombytes(body)
        return json.loads(text), list(descriptors)

    def send(self, message: Dict[str, Any]) -> None:
        """Send one message."""
        self._socket.sendall(json.dumps(message).encode() + b"\n")


class Zygote:
    """Forks servers as it is asked to.

    Args:
        channel: Where it is asked.
        setup: The first message, which says how runs are isolated.
        jobs: What runs can be asked to do.
        opened: What pytest has opened, if it was started in this process; else None.
    """

    def __init__(self, channel: Channel, setup: Dict[str, Any], jobs: Jobs, opened: Optional[Opened] = None) -> None:
        self._channel = channel
        self._setup = setup
        self._jobs = jobs
        self._opened = opened
        self._servers: Dict[int, int] = {}

    def serve(self) -> Asked:
        """Do what is asked until there is nobody to ask; returns in each run, with what that is to do."""
        while True:
            message = self._channel.receive()
            if message is None:
                self._leave()
            request, descriptors = message
            if "end" in request:
                self._end(self._servers.pop(request["end"]))
            else:
                process = os.fork()
                if process == 0 and "start" in request:
                    self._become_started(request["start"], *descriptors)
                if process == 0:
                    return self._become_server(request, *descriptors)
                for descriptor in descriptors:
                    os.close(descriptor)
                if "fork" in request:
                    self._servers[request["fork"]] = process
            self._channel.send({})

    def _become_server(self, request: Dict[str, Any], requests: int, answers: int) -> Asked:
        """Returns in the runs alone."""
        try:
            close_all_but([0, 1, 2, requests, answers, *itertools.chain(*self._opened or ())])
            warming: bool = request["warming"]
            sys.dont_write_bytecode = not warming
            if warming:
                os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
            isolation = _isolation(self._setup, request["fork"], warming)
            isolation.enter()
            return Server(isolation, requests, answers, self._opened).serve()
        except BaseException:  # noqa: BLE001 - the zygote's own code must never go on in here
            traceback.print_exc()
            os._exit(1)

    def _become_started(self, args: List[str], descriptor: int) -> NoReturn:
        try:
            close_all_but([0, 1, 2, descriptor])
            channel = Channel(descriptor)
            channel.receive()  # The first message only asks whether this works.

            def serve(told: Dict[str, Any], opened: Opened) -> Asked:
                channel.send(told)
                return Zygote(channel, self._setup, self._jobs, opened).serve()

            Ahead(self._setup["root"], self._setup["scratch"], args, self._jobs, channel.send, serve).run()
        except BaseException:  # noqa: BLE001 - as above
            traceback.print_exc()
        finally:
            os._exit(1)

    def _end(self, process: int) -> None:
        os.kill(process, signal.SIGKILL)
        os.waitpid(process, 0)

    def _leave(self) -> NoReturn:
        """End with all servers."""
        if self._setup["kind"] == "bubblewrap":
            os._exit(0)  # The kernel sees to them.
        # They end by themselves, with what they run, unless something is wrong with them.
        deadline = time.monotonic() + _PATIENCE
        for process in self._servers.values():
            while os.waitpid(process, os.WNOHANG) == (0, 0):
                if time.monotonic() > deadline:
                    self._end(process)
                    break
                time.sleep(0.002)
        remove_tree(self._setup["scratch"])
        os._exit(0)


def _take_input() -> int:
    """Standard input, of which nobody else gets to know; what prints from now on goes to the log."""
    channel = os.dup(0)
    null = os.open(os.devnull, os.O_RDONLY)
    os.dup2(null, 0)
    os.dup2(2, 1)
    os.close(null)
    return channel


def _isolation(setup: Dict[str, Any], number: int, warming: bool) -> Isolation:
    if setup["kind"] == "bubblewrap":
        return Namespaces(
            setup["root"], setup["scratch"], setup["keep"], setup["folders"], None if warming else setup["pycache"]
        )
    return Copied(setup, number, warming)


def _do(jobs: Jobs, asked: Asked) -> NoReturn:
    """A run from its beginning to its end."""
    code = 1
    try:
        with wire.telling(asked.context):
            result = jobs[asked.job](asked.params, asked.context)
        if result is not None:
            asked.context.reply(result)
        code = 0
    except BaseException:  # noqa: BLE001 - the process ends here whatever happens, and its output is kept
        traceback.print_exc()
    finally:
        os._exit(code)
