"""A small editor without a screen: speaks LSP to a server over its stdin and stdout, as an editor would."""

import contextlib
import itertools
import json
import os
import subprocess
import threading
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import IO, Any, Self
from urllib.parse import unquote, urlsplit

from pennyproof.core.edits import Edit, apply
from pennyproof.core.positions import Encoding, LineIndex, Position
from pennyproof.errors import PennyproofError

_END_OF_SERVER = 30.0
"""Seconds a server may take to go once it was told to."""

_METHOD_NOT_FOUND = -32601

CAPABILITIES = {
    "general": {"positionEncodings": ["utf-16"]},
    "window": {"workDoneProgress": True, "showMessage": {"messageActionItem": {"additionalPropertiesSupport": True}}},
    "workspace": {
        "applyEdit": True,
        "workspaceEdit": {"documentChanges": True},
        "workspaceFolders": True,
    },
    "textDocument": {
        "synchronization": {"didSave": True},
        "publishDiagnostics": {"relatedInformation": True, "dataSupport": True},
    },
}


class ServerError(PennyproofError):
    """The server ended, fell silent, or answered with an error."""


@dataclass(frozen=True, slots=True)
class AppliedEdit:
    """An edit that the server asked for and the editor made."""

    label: str
    files: Mapping[str, tuple[str, str]]
    """Relative path → text before and after."""


class Editor:
    """One editor with one workspace folder.

    Args:
        command: Starts the server.
        root: The workspace folder.
        environment: The server's whole environment.
        log: The file that takes what the server writes to stderr.
        answer: Chooses among the actions of a question that the server asks its user.
        on_progress: Is told what the server says it is doing.
    """

    def __init__(
        self,
        command: Sequence[str],
        root: Path,
        environment: Mapping[str, str],
        log: Path,
        *,
        answer: Callable[[str, Sequence[str]], str],
        on_progress: Callable[[str], None],
    ) -> None:
        self.root = root
        self.diagnostics: dict[str, list[dict[str, Any]]] = {}
        """Relative path → the server's diagnostics."""
        self.edits: list[AppliedEdit] = []
        self._answer = answer
        self._on_progress = on_progress
        self._buffers: dict[str, str] = {}
        self._versions: dict[str, int] = {}
        self._ids = itertools.count(1)
        self._waiting: dict[int, Future[Any]] = {}
        self._sending = threading.Lock()
        self._log = log
        with log.open("wb") as stderr:
            self._process = subprocess.Popen(
                command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=stderr, cwd=root, env=dict(environment)
            )
        self._reader = threading.Thread(target=self._read, name="editor", daemon=True)
        self._reader.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close(graceful=error is None)

    def start(self, options: Mapping[str, Any]) -> Mapping[str, Any]:
        """Initialise the server; ``options`` are the settings under ``pennyproof``. Returns its answer."""
        folder = {"uri": self.root.as_uri(), "name": self.root.name}
        result: Mapping[str, Any] = self.request(
            "initialize",
            {
                "processId": os.getpid(),
                "clientInfo": {"name": "pennyproof demo"},
                "rootUri": folder["uri"],
                "workspaceFolders": [folder],
                "capabilities": CAPABILITIES,
                "initializationOptions": options,
            },
        )
        self.notify("initialized", {})
        return result

    def open(self, path: str) -> None:
        """Open a file, as in a tab."""
        self._buffers[path] = (self.root / path).read_bytes().decode("utf-8")
        self._versions[path] = 1
        document = {"uri": self.uri(path), "languageId": "python", "version": 1, "text": self._buffers[path]}
        self.notify("textDocument/didOpen", {"textDocument": document})

    def text(self, path: str) -> str:
        """The text of an open file."""
        return self._buffers[path]

    def write(self, path: str, text: str) -> None:
        """Give an open file another text, and save it."""
        self._buffers[path] = text
        self._versions[path] += 1
        identifier = {"uri": self.uri(path), "version": self._versions[path]}
        self.notify("textDocument/didChange", {"textDocument": identifier, "contentChanges": [{"text": text}]})
        (self.root / path).write_bytes(text.encode("utf-8"))
        self.notify("textDocument/didSave", {"textDocument": {"uri": self.uri(path)}})

    def command(self, name: str, argument: Mapping[str, Any]) -> Any:
        """Run one of the server's commands and return its result."""
        return self.request("workspace/executeCommand", {"command": name, "arguments": [argument]})

    def request(self, method: str, params: object, timeout: float = 120.0) -> Any:
        """Send a request and wait for its result.

        Raises:
            ServerError: It was answered by an error, or not within ``timeout`` seconds.
        """
        identity, future = next(self._ids), Future[Any]()
        self._waiting[identity] = future
        self._send({"id": identity, "method": method, "params": params})
        try:
            return future.result(timeout)
        except TimeoutError as error:
            raise ServerError(f"the server did not answer {method} within {timeout:.0f} s") from error

    def notify(self, method: str, params: object) -> None:
        """Send a notification."""
        self._send({"method": method, "params": params})

    def close(self, *, graceful: bool = True) -> None:
        """Shut the server down, as an editor does at its own end; kill it where it does not go."""
        try:
            if graceful and self._process.poll() is None:
                self.request("shutdown", None, _END_OF_SERVER)
                self.notify("exit", None)
                self._process.wait(_END_OF_SERVER)
        except (ServerError, subprocess.TimeoutExpired):
            pass  # It is killed below, and whatever the session was to show has been shown.
        finally:
            self._process.kill()
            self._process.wait()
            self._reader.join(_END_OF_SERVER)
            for stream in (self._process.stdin, self._process.stdout):
                if stream is not None:
                    stream.close()

    def uri(self, path: str) -> str:
        """The URI of a file of the workspace."""
        return (self.root / path).as_uri()

    def path(self, uri: str) -> str:
        """The path of a file of the workspace, relative to its root."""
        return Path(unquote(urlsplit(uri).path)).relative_to(self.root).as_posix()

    def _send(self, message: Mapping[str, object]) -> None:
        body = json.dumps({"jsonrpc": "2.0", **message}).encode()
        stdin = self._process.stdin
        try:
            with self._sending:
                if stdin is None or stdin.closed:
                    raise BrokenPipeError
                stdin.write(b"Content-Length: %d\r\n\r\n" % len(body) + body)
                stdin.flush()
        except OSError as error:
            raise self._ended() from error

    def _read(self) -> None:
        stdout = self._process.stdout
        with contextlib.suppress(ServerError):  # An answer to a server that has ended: the reading is over, too.
            while stdout is not None and (message := _receive(stdout)) is not None:
                self._handle(message)
        for future in list(self._waiting.values()):
            if not future.done():
                future.set_exception(self._ended())

    def _ended(self) -> ServerError:
        last = self._log.read_text("utf-8", errors="replace").strip().rpartition("\n")[2]
        return ServerError("the server has ended" + (f": {last}" if last else ""))

    def _handle(self, message: Mapping[str, Any]) -> None:
        if "method" not in message:
            self._settle(message)
        elif "id" in message:
            self._reply(message)
        else:
            self._notified(message["method"], message.get("params") or {})

    def _settle(self, response: Mapping[str, Any]) -> None:
        future = self._waiting.pop(response["id"])
        if error := response.get("error"):
            future.set_exception(ServerError(error["message"]))
        else:
            future.set_result(response.get("result"))

    def _reply(self, request: Mapping[str, Any]) -> None:
        params = request.get("params") or {}
        match request["method"]:
            case "workspace/applyEdit":
                outcome: dict[str, object] = {"result": {"applied": self._apply(params)}}
            case "window/showMessageRequest":
                titles = [action["title"] for action in params.get("actions") or ()]
                outcome = {"result": {"title": self._answer(params["message"], titles)} if titles else None}
            case "window/workDoneProgress/create" | "client/registerCapability":
                outcome = {"result": None}
            case method:
                outcome = {"error": {"code": _METHOD_NOT_FOUND, "message": f"{method} is not supported"}}
        self._send({"id": request["id"], **outcome})

    def _notified(self, method: str, params: Mapping[str, Any]) -> None:
        if method == "textDocument/publishDiagnostics":
            self.diagnostics[self.path(params["uri"])] = params["diagnostics"]
        elif method == "$/progress" and (message := params["value"].get("message")):
            self._on_progress(message)

    def _apply(self, params: Mapping[str, Any]) -> bool:
        """Make the edits in the buffers, save them, and tell the server of both; not if they are for older texts."""
        edit = params["edit"]
        by_uri = dict(edit.get("changes") or {})
        for change in edit.get("documentChanges") or ():
            identifier = change["textDocument"]
            if identifier.get("version") not in (None, self._versions.get(self.path(identifier["uri"]))):
                return False
            by_uri[identifier["uri"]] = change["edits"]
        files: dict[str, tuple[str, str]] = {}
        for uri, edits in by_uri.items():
            path = self.path(uri)
            if path not in self._buffers:
                self.open(path)
            before = self._buffers[path]
            after = _edited(before, edits)
            files[path] = (before, after)
            self.write(path, after)
        self.edits.append(AppliedEdit(params.get("label") or "", files))
        return True


def _receive(stream: IO[bytes]) -> dict[str, Any] | None:
    """The next message, or ``None`` at the end."""
    length = 0
    while (line := stream.readline()) not in (b"\r\n", b""):
        name, _, value = line.partition(b":")
        if name.lower() == b"content-length":
            length = int(value)
    if not length:
        return None
    message: dict[str, Any] = json.loads(stream.read(length))
    return message


def _edited(text: str, edits: Sequence[Mapping[str, Any]]) -> str:
    index = LineIndex(text)

    def offset(position: Mapping[str, int]) -> int:
        return index.offset(Position(position["line"], position["character"]), Encoding.UTF16)

    return apply(
        text,
        [Edit(offset(edit["range"]["start"]), offset(edit["range"]["end"]), edit["newText"]) for edit in edits],
    )
