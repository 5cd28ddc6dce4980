"""A bare LSP client: frames and JSON over a server's pipes, sharing no code with what it measures."""

import itertools
import json
import os
import re
import subprocess
import threading
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from pathlib import Path
from types import TracebackType
from typing import IO, Any, Self
from urllib.parse import unquote, urlsplit

_PATIENCE = 10.0
"""Seconds that the server has to end once it was told to."""

Handler = Callable[[Any], Any]


class RefusedError(RuntimeError):
    """The server answered with an error."""


class Session:
    """One server process and one workspace folder.

    Args:
        command: Starts the server, which speaks on its stdin and stdout.
        root: The workspace folder.
        environment: The server's whole environment.
        handlers: Method of a server's request → makes its result from the params; others get ``null``. Of a
            notification: is told the params.
    """

    def __init__(
        self,
        command: Sequence[str],
        root: Path,
        environment: Mapping[str, str],
        handlers: Mapping[str, Handler] | None = None,
    ) -> None:
        self.root = root
        self.process = subprocess.Popen(
            command,
            cwd=root,
            env=dict(environment),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        )
        self._handlers = {"workspace/configuration": lambda params: [None] * len(params["items"]), **(handlers or {})}
        self._ids = itertools.count(1)
        self._waiting: dict[int, Future[Any]] = {}
        self._sending = threading.Lock()
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        try:
            if error is None:
                self.request("shutdown", None, timeout=_PATIENCE)
                self.notify("exit", None)
                self.process.wait(_PATIENCE)
        finally:
            self.process.kill()
            self.process.wait()
            self._reader.join(_PATIENCE)

    def initialize(self, options: Mapping[str, Any] | None = None) -> Any:
        """Say hello as an editor would; returns the server's answer."""
        result = self.request(
            "initialize",
            {
                "processId": os.getpid(),
                "rootUri": self.root.as_uri(),
                "workspaceFolders": [{"uri": self.root.as_uri(), "name": self.root.name}],
                "initializationOptions": options or {},
                "capabilities": {
                    "general": {"positionEncodings": ["utf-16"]},
                    "window": {"workDoneProgress": True},
                    "workspace": {
                        "applyEdit": True,
                        "workspaceEdit": {"documentChanges": True},
                        "workspaceFolders": True,
                        "configuration": True,
                    },
                },
            },
        )
        self.notify("initialized", {})
        return result

    def command(self, name: str, argument: Mapping[str, Any], timeout: float = 120.0) -> Any:
        """Run one of the server's commands and return its result."""
        return self.request("workspace/executeCommand", {"command": name, "arguments": [argument]}, timeout=timeout)

    def request(self, method: str, params: Any, timeout: float = 60.0) -> Any:
        """Send a request and wait for its result.

        Raises:
            RefusedError: The server answered with an error, or ended.
            TimeoutError: It did not answer in ``timeout`` seconds.
        """
        number, future = next(self._ids), Future[Any]()
        self._waiting[number] = future
        self._send({"id": number, "method": method, "params": params})
        return future.result(timeout)

    def notify(self, method: str, params: Any) -> None:
        """Send a notification."""
        self._send({"method": method, "params": params})

    def _send(self, message: Mapping[str, Any]) -> None:
        body = json.dumps({"jsonrpc": "2.0", **message}).encode()
        with self._sending:
            stdin = _open(self.process.stdin)
            stdin.write(b"Content-Length: %d\r\n\r\n" % len(body) + body)
            stdin.flush()

    def _read(self) -> None:
        stdout = _open(self.process.stdout)
        while (message := _receive(stdout)) is not None:
            if "method" not in message:
                self._settle(message)
                continue
            handler = self._handlers.get(message["method"])
            result = handler(message.get("params")) if handler else None
            if "id" in message:
                self._send({"id": message["id"], "result": result})
        for future in self._waiting.values():
            future.set_exception(RefusedError("the server has ended"))

    def _settle(self, message: Mapping[str, Any]) -> None:
        future = self._waiting.pop(message["id"])
        if "error" in message:
            future.set_exception(RefusedError(message["error"]["message"]))
        else:
            future.set_result(message["result"])


def _receive(stream: IO[bytes]) -> Any:
    """The next message, or ``None`` at the end of the stream."""
    length = 0
    while line := stream.readline().strip():
        name, _, value = line.partition(b":")
        if name.lower() == b"content-length":
            length = int(value)
    return json.loads(stream.read(length)) if length else None


def _open(stream: IO[bytes] | None) -> IO[bytes]:
    assert stream is not None, "the process was started with pipes"
    return stream


def write_edit(edit: Mapping[str, Any], root: Path) -> None:
    """Make a ``WorkspaceEdit`` in the files below ``root``, positions counted in UTF-16."""
    changes = [(change["textDocument"]["uri"], change["edits"]) for change in edit.get("documentChanges", ())]
    for uri, edits in changes or edit.get("changes", {}).items():
        path = Path(unquote(urlsplit(uri).path))
        if not path.is_relative_to(root):
            raise RefusedError(f"the server wants to edit {path}, which is not in the workspace")
        text = path.read_bytes().decode()
        for change in sorted(edits, key=lambda change: _place(change["range"]["start"]), reverse=True):
            start, end = (_offset(text, change["range"][side]) for side in ("start", "end"))
            text = text[:start] + change["newText"] + text[end:]
        path.write_bytes(text.encode())


def _place(position: Mapping[str, int]) -> tuple[int, int]:
    return position["line"], position["character"]


def _offset(text: str, position: Mapping[str, int]) -> int:
    lines = re.split(r"(?<=\n)|(?<=\r)(?!\n)", text)
    within = "".join(lines[position["line"] : position["line"] + 1]).encode("utf-16-le")[: 2 * position["character"]]
    return sum(map(len, lines[: position["line"]])) + len(within.decode("utf-16-le"))
