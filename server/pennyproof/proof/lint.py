"""Findings of a resident ``ruff server``, spoken to over LSP: about a millisecond for a file.

It gets its settings from here only. Configuration in the repository cannot change what it finds, and it reads no file.
"""

import contextlib
import json
import logging
import os
import queue
import select
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import IO, Any, cast

import ruff  # type: ignore[import-untyped]  # It ships its binary and no types.

from pennyproof.errors import EnvironmentProblem
from pennyproof.proof.sandbox.places import system_variables

log = logging.getLogger(__name__)

UNRESOLVED = "F821"
FATAL = (
    "E9",
    "F501",
    "F502",
    "F503",
    "F505",
    "F506",
    "F507",
    "F508",
    "F509",
    "F521",
    "F524",
    "F525",
    "F63",
    "F7",
    "F82",
)
"""Rules whose findings mean that running the line fails or can never mean what it says; a matter of style is none."""

_NEWEST = (3, 14)
"""The newest Python whose grammar every supported ruff knows by name."""
_SELECTS = sys.platform != "win32"
"""Whether the system can wait for a pipe."""
_PATIENCE = 10.0
"""Seconds for one answer. Ruff takes about one millisecond; past this it hangs and is started anew."""
_PIECE = 1 << 16


@dataclass(frozen=True, slots=True)
class Finding:
    """One diagnostic."""

    code: str
    message: str
    line: int
    """From one."""


class Linter:
    """One ``ruff server``, started at the first need and again when it dies. Thread-safe."""

    def __init__(self, python: tuple[int, int] = (3, 11)) -> None:
        self._target = "py{}{}".format(*min(python, _NEWEST))
        self._lock = threading.Lock()
        self._server: _Server | None = None
        self._wanted = False
        """Whether it is to be started in the background."""
        # Each candidate is compared with the same unedited file.
        self._remembered = lru_cache(maxsize=256)(self._ask)

    def findings(self, path: str, text: str) -> tuple[Finding, ...]:
        """What is fatal in ``text``.

        Args:
            path: Relative to the root; only its name matters, nothing is read.
            text: The file's whole text.

        Raises:
            EnvironmentProblem: Ruff cannot be started, or dies each time.
        """
        return self._remembered(path, text)

    def start(self) -> None:
        """Begin to start the server, in the background."""
        self._wanted = True
        threading.Thread(target=self._start, name="pennyproof-lint", daemon=True).start()

    def _start(self) -> None:
        with self._lock, contextlib.suppress(OSError, EOFError, ValueError):  # Whoever asks will be told.
            if self._wanted:
                self._running()

    def close(self) -> None:
        """End the server; asking again starts a new one."""
        with self._lock:
            self._wanted = False
            self._end()

    def _ask(self, path: str, text: str) -> tuple[Finding, ...]:
        with self._lock:
            try:
                return self._running().findings(path, text)
            except (OSError, EOFError, ValueError) as error:
                log.warning("ruff server ended (%s); starting it again", error)
                self._end()
            try:
                return self._running().findings(path, text)
            except (OSError, EOFError, ValueError) as error:
                self._end()
                raise EnvironmentProblem(f"ruff server does not answer ({error}): reinstall pennyproof") from error

    def _running(self) -> "_Server":
        if self._server is None:
            self._server = _Server(self._target)
        return self._server

    def _end(self) -> None:
        server, self._server = self._server, None
        if server is not None:
            server.end()


class _Server:
    """The process, and as much LSP as it takes."""

    def __init__(self, target: str) -> None:
        self._folder = tempfile.TemporaryDirectory(prefix="pennyproof-lint-")
        self._process = subprocess.Popen(
            [ruff.find_ruff_bin(), "server"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            cwd=self._folder.name,
            env=system_variables(),
        )
        self._to = cast("IO[bytes]", self._process.stdin)
        self._from = cast("IO[bytes]", self._process.stdout)
        self._read = _selecting(self._from) if _SELECTS else _pumping(self._from)
        self._buffer = b""
        self._requests = 0
        try:
            self._request("initialize", _initialize(self._folder.name, target))
            self._notify("initialized", {})
        except BaseException:
            self.end()
            raise

    def findings(self, path: str, text: str) -> tuple[Finding, ...]:
        document = {"uri": Path(self._folder.name, path).as_uri()}
        self._notify(
            "textDocument/didOpen", {"textDocument": document | {"languageId": "python", "version": 1, "text": text}}
        )
        answer = self._request("textDocument/diagnostic", {"textDocument": document})
        self._notify("textDocument/didClose", {"textDocument": document})
        return tuple(
            Finding(str(item.get("code", "")), item["message"].partition("\n")[0], item["range"]["start"]["line"] + 1)
            for item in answer["items"]
        )

    def end(self) -> None:
        # It holds nothing worth a polite farewell, and may be the one that hangs.
        self._process.kill()
        self._process.wait()
        with contextlib.suppress(BrokenPipeError):  # Closing writes what a failed request left in the buffer.
            self._to.close()
        self._from.close()
        self._folder.cleanup()

    def _request(self, method: str, params: Mapping[str, Any]) -> Any:
        self._requests += 1
        self._send({"id": self._requests, "method": method, "params": params})
        until = time.monotonic() + _PATIENCE
        while True:
            message = self._receive(until)
            if message.get("id") == self._requests and "method" not in message:
                if "error" in message:
                    raise ValueError(str(message["error"]))
                return message["result"]

    def _notify(self, method: str, params: Mapping[str, Any]) -> None:
        self._send({"method": method, "params": params})

    def _send(self, message: Mapping[str, Any]) -> None:
        body = json.dumps({"jsonrpc": "2.0", **message}).encode()
        self._to.write(b"Content-Length: %d\r\n\r\n%s" % (len(body), body))
        self._to.flush()

    def _receive(self, until: float) -> dict[str, Any]:
        head = self._take_until(b"\r\n\r\n", until)
        length = int(head.lower().partition(b"content-length:")[2].split()[0])
        while len(self._buffer) < length:
            self._fill(until)
        body, self._buffer = self._buffer[:length], self._buffer[length:]
        message: dict[str, Any] = json.loads(body)
        return message

    def _take_until(self, mark: bytes, until: float) -> bytes:
        while mark not in self._buffer:
            self._fill(until)
        taken, _, self._buffer = self._buffer.partition(mark)
        return taken

    def _fill(self, until: float) -> None:
        data = self._read(max(0.0, until - time.monotonic()))
        if data is None:
            raise TimeoutError(f"no answer within {_PATIENCE:g} s")
        if not data:
            raise EOFError("it ended")
        self._buffer += data


_Read = Callable[[float], bytes | None]
"""Waits so many seconds for bytes: none at the end, ``None`` where none came in time."""


def _selecting(source: IO[bytes]) -> _Read:
    def read(seconds: float) -> bytes | None:
        return os.read(source.fileno(), _PIECE) if select.select([source], [], [], seconds)[0] else None

    return read


def _pumping(source: IO[bytes]) -> _Read:
    """For Windows: a thread reads, and ends with what it reads from."""
    pieces, descriptor = queue.SimpleQueue[bytes](), os.dup(source.fileno())

    def pump() -> None:
        with os.fdopen(descriptor, "rb", buffering=0) as own:
            while piece := own.read(_PIECE):
                pieces.put(piece)
        pieces.put(b"")

    threading.Thread(target=pump, name="pennyproof-lint-read", daemon=True).start()

    def read(seconds: float) -> bytes | None:
        try:
            return pieces.get(timeout=seconds)
        except queue.Empty:
            return None

    return read


def _initialize(folder: str, target: str) -> dict[str, Any]:
    options = {
        "configurationPreference": "editorOnly",
        # Whatever the file is called and wherever it lies, it is asked about on purpose.
        "configuration": {"exclude": [], "respect-gitignore": False, "target-version": target},
        "lint": {"enable": True, "select": [UNRESOLVED, *FATAL]},
        "showSyntaxErrors": True,
    }
    return {
        "processId": os.getpid(),
        "rootUri": None,
        "workspaceFolders": [{"uri": Path(folder).as_uri(), "name": "pennyproof"}],
        "capabilities": {"textDocument": {"diagnostic": {}}, "general": {"positionEncodings": ["utf-32"]}},
        "initializationOptions": {"globalSettings": options, "settings": []},
    }
