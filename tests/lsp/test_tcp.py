"""The server on a TCP port: the same session, and nobody in it without leave."""

import json
import os
import re
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from pennyproof.errors import UsageError
from pennyproof.lsp.tcp import serve_tcp
from tests.lsp.client import PATIENCE, frame

SERVE = (
    "import sys; from pennyproof.lsp import serve_tcp; sys.exit(serve_tcp('127.0.0.1', 0, token=sys.argv[1] or None))"
)


@contextmanager
def listening(token: str = "") -> Iterator[tuple[subprocess.Popen[str], int]]:
    environ = {**os.environ, "PYTHONDONTWRITEBYTECODE": ""}
    command = [sys.executable, "-c", SERVE, token]
    with subprocess.Popen(command, stderr=subprocess.PIPE, stdin=subprocess.DEVNULL, text=True, env=environ) as process:
        try:
            assert process.stderr is not None
            found = re.search(r"listening on 127\.0\.0\.1:(\d+)", process.stderr.readline())
            assert found is not None
            yield process, int(found[1])
        finally:
            process.kill()


class Connection:
    """A client's end of the connection."""

    def __init__(self, port: int) -> None:
        self.socket = socket.create_connection(("127.0.0.1", port), PATIENCE)
        self.stream = self.socket.makefile("rb")

    def __enter__(self) -> "Connection":
        return self

    def __exit__(self, *_: object) -> None:
        self.stream.close()
        self.socket.close()

    def send(self, *messages: Any) -> None:
        self.socket.sendall(b"".join(map(frame, messages)))

    def response(self) -> Any:
        """The next response, or ``None`` when the server hung up."""
        while (header := self.stream.readline()) != b"":
            self.stream.readline()
            message = json.loads(self.stream.read(int(header.partition(b":")[2])))
            if "method" not in message:
                return message
        return None


def initialize(**options: Any) -> Any:
    params = {"processId": None, "rootUri": None, "capabilities": {}, "initializationOptions": options}
    return {"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": params}


_WORD = "open sesame"
SHUTDOWN = {"jsonrpc": "2.0", "id": 2, "method": "shutdown"}
EXIT = {"jsonrpc": "2.0", "method": "exit"}


@pytest.mark.parametrize(("messages", "code"), [((SHUTDOWN, EXIT), 0), ((EXIT,), 1)])
def test_a_session_as_on_standard_input(messages: tuple[Any, ...], code: int) -> None:
    with listening() as (process, port), Connection(port) as client:
        client.send(initialize(), *messages)
        assert "result" in client.response()
        assert process.wait(PATIENCE) == code


def test_a_connection_that_leads_nowhere_ends_nothing_but_itself() -> None:
    with listening(_WORD) as (process, port):
        with Connection(port):
            pass
        for options in ({}, {"token": "guess"}, {"token": 3}):
            with Connection(port) as stranger:
                stranger.send(initialize(**options))
                assert stranger.response()["error"]["message"] == "initializationOptions.token is missing or wrong"
                assert stranger.response() is None
        with Connection(port) as client:
            client.send(initialize(token=_WORD))
            assert "result" in client.response()
            with Connection(port) as late:
                assert late.response() is None
            client.send(SHUTDOWN, EXIT)
            assert process.wait(PATIENCE) == 0


@pytest.mark.parametrize(
    ("host", "allow_remote", "message"), [("192.0.2.1", False, "--allow-remote"), ("::", True, "need a token")]
)
def test_other_machines_are_let_in_only_by_name_and_token(host: str, allow_remote: bool, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        serve_tcp(host, 0, allow_remote=allow_remote)
