"""An LSP client that speaks raw bytes to a server subprocess, and is strict about what comes back.

    with Client(workspace=folder) as client:
        client.initialize()
        client.open(folder / "a.py", text)
        answer = client.request("textDocument/codeAction", {...})

Leaving the block shuts the server down and asserts that it ended cleanly, answered every request exactly once, and sent
nothing that nobody expected. On failure the whole traffic is printed.
"""

from __future__ import annotations

import json
import os
import queue
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any

Json = Any
Handler = Callable[[Json], Json]

SERVER = (sys.executable, "-m", "pennyproof.lsp")
PATIENCE = 120.0
"""Seconds that anything may take before a test gives up: long, because machines are slow; never a measurement."""
UNSOLICITED = frozenset(
    {"pennyproof/status", "$/progress", "$/cancelRequest", "window/logMessage", "textDocument/publishDiagnostics"}
)
"""Notifications that a server may send at any time, so that leaving them unread is no mistake: it takes back questions,
too, that a busy client is slow to answer."""
CAPABILITIES: Mapping[str, Json] = {
    "general": {"positionEncodings": ["utf-16"]},
    "workspace": {"applyEdit": True, "configuration": True, "workspaceFolders": True},
    "window": {"workDoneProgress": True, "showMessage": {}, "showDocument": {"support": True}},
}


class ResponseError(Exception):
    """The server answered a request with an error."""

    def __init__(self, error: Mapping[str, Json]) -> None:
        super().__init__(f"{error['code']}: {error['message']}")
        self.code: int = error["code"]
        self.message: str = error["message"]
        self.data: Json = error.get("data")


class Pending:
    """A request whose response may not have come yet."""

    def __init__(self, client: Client, request_id: int | str) -> None:
        self._client = client
        self.id = request_id
        self.response: Mapping[str, Json] | None = None

    def result(self, patience: float = PATIENCE) -> Json:
        """Wait for the response.

        Raises:
            ResponseError: It is an error.
        """
        self._client.wait_until(lambda: self.response is not None, f"the response to {self.id}", patience)
        assert self.response is not None
        if "error" in self.response:
            raise ResponseError(self.response["error"])
        return self.response["result"]

    def cancel(self) -> None:
        self._client.notify("$/cancelRequest", {"id": self.id})


class Client:
    """One session with one server process.

    Args:
        workspace: The workspace folder; ``None`` for single-file mode.
        command: How to start the server.
        environ: Added to the server's environment.
        handlers: Answers to the server's requests, by method; the usual ones have defaults.
        settings: The answer to ``workspace/configuration``, for every folder.
    """

    def __init__(
        self,
        workspace: Path | Sequence[Path] | None = None,
        *,
        command: Sequence[str] = SERVER,
        environ: Mapping[str, str] | None = None,
        handlers: Mapping[str, Handler] | None = None,
        settings: Json = None,
    ) -> None:
        folders = [workspace] if isinstance(workspace, Path) else list(workspace or [])
        self.folders = [{"uri": folder.as_uri(), "name": folder.name} for folder in folders]
        self.handlers: dict[str, Handler] = {
            "workspace/configuration": lambda params: [settings for _ in params["items"]],
            "window/workDoneProgress/create": lambda _: None,
            "client/registerCapability": lambda _: None,
            **(handlers or {}),
        }
        self.notifications: list[tuple[str, Json]] = []
        """What the server said and nobody has read yet, in its order."""
        self.requests: list[tuple[str, Json]] = []
        """What the server asked, in its order."""
        self.unexpected: list[str] = []
        self.traffic: list[str] = []
        self.expect_exit = 0
        """The exit code that leaving the block asserts; ``None`` stands for any."""
        self._pending: dict[int | str, Pending] = {}
        self._next_id = 0
        self._changed = threading.Condition()
        self._errors: queue.SimpleQueue[bytes] = queue.SimpleQueue()
        self.process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            # Compiling every module anew for every process would take longer than the tests.
            env={**os.environ, "PYTHONDONTWRITEBYTECODE": "", **(environ or {})},
        )
        self._threads = [
            threading.Thread(target=self._read_messages, daemon=True),
            threading.Thread(target=self._read_errors, daemon=True),
        ]
        for thread in self._threads:
            thread.start()

    # Speaking

    def request(self, method: str, params: Json = None, patience: float = PATIENCE) -> Json:
        """Send a request and wait for its result."""
        return self.ask(method, params).result(patience)

    def ask(self, method: str, params: Json = None, request_id: int | str | None = None) -> Pending:
        """Send a request; its response is waited for where it is needed."""
        if request_id is None:
            self._next_id += 1
            request_id = self._next_id
        pending = self._pending[request_id] = Pending(self, request_id)
        self.send({"jsonrpc": "2.0", "id": request_id, "method": method, "params": params})
        return pending

    def notify(self, method: str, params: Json = None) -> None:
        self.send({"jsonrpc": "2.0", "method": method, "params": params})

    def send(self, *messages: Json) -> None:
        """Send messages in one write."""
        self.send_bytes(b"".join(frame(message) for message in messages))
        self.traffic += [f"→ {json.dumps(message)[:2000]}" for message in messages]

    def send_bytes(self, data: bytes) -> None:
        assert self.process.stdin is not None
        try:
            self.process.stdin.write(data)
            self.process.stdin.flush()
        except BrokenPipeError:
            self.traffic.append("→ (the server does not read any more)")

    # The usual exchanges

    def initialize(self, capabilities: Json = None, options: Json = None, **params: Json) -> Json:
        """Begin the session; returns the server's capabilities."""
        result = self.request(
            "initialize",
            {
                "processId": os.getpid(),
                "rootUri": self.folders[0]["uri"] if self.folders else None,
                "workspaceFolders": self.folders or None,
                "capabilities": CAPABILITIES if capabilities is None else capabilities,
                "initializationOptions": options,
                **params,
            },
        )
        self.notify("initialized", {})
        return result["capabilities"]

    def open(self, path: Path, text: str | None = None, version: int = 1, language: str = "python") -> str:
        """Open a document; returns its URI."""
        item = {"uri": path.as_uri(), "languageId": language, "version": version}
        self.notify(
            "textDocument/didOpen", {"textDocument": {**item, "text": path.read_text() if text is None else text}}
        )
        return path.as_uri()

    def change(self, uri: str, version: int, *changes: Json) -> None:
        """Change a document: whole texts, or changes with ranges."""
        content = [{"text": change} if isinstance(change, str) else change for change in changes]
        self.notify(
            "textDocument/didChange", {"textDocument": {"uri": uri, "version": version}, "contentChanges": content}
        )

    def command(self, name: str, argument: Json = None, **params: Json) -> Json:
        """Run a command and wait for its result."""
        return self.ask_command(name, argument, **params).result()

    def ask_command(self, name: str, argument: Json = None, **params: Json) -> Pending:
        arguments = [] if argument is None else [argument]
        return self.ask("workspace/executeCommand", {"command": name, "arguments": arguments, **params})

    # Listening

    def wait_for_notification(
        self, method: str, matches: Callable[[Json], bool] = lambda _: True, patience: float = PATIENCE
    ) -> Json:
        """Take the first unread notification of ``method`` that matches, waiting for it where need be."""
        found: list[Json] = []

        def take() -> bool:
            for index, (name, params) in enumerate(self.notifications):
                if name == method and matches(params):
                    del self.notifications[index]
                    found.append(params)
                    return True
            return False

        self.wait_until(take, f"the notification {method}", patience)
        return found[0]

    def wait_until(self, condition: Callable[[], bool], what: str, patience: float = PATIENCE) -> None:
        """Wait until something that the server sends makes ``condition`` true."""
        deadline = time.monotonic() + patience
        with self._changed:
            while not condition():
                left = deadline - time.monotonic()
                if left <= 0 or not self._threads[0].is_alive():
                    if condition():
                        return
                    ended = "the server ended" if left > 0 else f"{patience:g} s passed"
                    raise AssertionError(f"{ended} without {what}\n{self.transcript()}")
                self._changed.wait(min(left, 0.2))

    # The end

    def shutdown(self) -> None:
        """Ask the server to end, in the two steps of the protocol."""
        self.request("shutdown")
        self.notify("exit")

    def wait(self, patience: float = PATIENCE) -> int:
        """Wait until the server has ended; returns its exit code."""
        try:
            code = self.process.wait(patience)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            raise AssertionError(f"the server did not end within {patience:g} s\n{self.transcript()}") from None
        for thread in self._threads:
            thread.join(patience)
        return code

    @property
    def log(self) -> str:
        """What the server wrote to standard error so far."""
        lines = []
        while not self._errors.empty():
            lines.append(self._errors.get())
        for line in lines:
            self._errors.put(line)
        return b"".join(lines).decode(errors="replace")

    def transcript(self) -> str:
        return "\n".join(["--- traffic", *self.traffic, "--- log", self.log])

    def __enter__(self) -> Client:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            if error is None:
                if self.process.poll() is None and self.process.stdin and not self.process.stdin.closed:
                    self.shutdown()
                code = self.wait()
                self.assert_clean(code)
            else:
                print(self.transcript(), file=sys.stderr)
        finally:
            if self.process.poll() is None:
                self.process.kill()
                self.process.wait()
            for thread in self._threads:
                thread.join(PATIENCE)
            for stream in (self.process.stdin, self.process.stdout, self.process.stderr):
                if stream is not None and not stream.closed:
                    try:
                        stream.close()
                    except BrokenPipeError:
                        self.traffic.append("→ (unsent bytes)")

    def assert_clean(self, code: int) -> None:
        """Nothing is owed, nothing came twice, nothing was left unread, and the exit code is right."""
        owed = [pending.id for pending in self._pending.values() if pending.response is None]
        unread = [method for method, _ in self.notifications if method not in UNSOLICITED]
        assert not owed, f"no response to {owed}\n{self.transcript()}"
        assert not self.unexpected, f"{self.unexpected}\n{self.transcript()}"
        assert not unread, f"unread notifications: {unread}\n{self.transcript()}"
        assert code == self.expect_exit, f"exit code {code}\n{self.transcript()}"

    # The threads

    def _read_messages(self) -> None:
        stdout = self.process.stdout
        assert stdout is not None
        while (header := stdout.readline()) != b"":
            name, _, length = header.partition(b":")
            if name.lower() != b"content-length" or stdout.readline() != b"\r\n":
                with self._changed:
                    self.unexpected.append(f"bytes outside of the protocol: {header!r}")
                break
            body = stdout.read(int(length))
            with self._changed:
                self.traffic.append(f"← {body[:2000].decode(errors='replace')}")
                self._receive(json.loads(body))
                self._changed.notify_all()
        with self._changed:
            self._changed.notify_all()

    def _receive(self, message: Json) -> None:
        if "method" not in message:
            pending = self._pending.get(message["id"])
            if pending is None or pending.response is not None:
                self.unexpected.append(f"a response that nobody waits for: {json.dumps(message)[:500]}")
            else:
                pending.response = message
        elif "id" in message:
            self.requests.append((message["method"], message.get("params")))
            threading.Thread(target=self._answer, args=(message,), daemon=True).start()
        else:
            self.notifications.append((message["method"], message.get("params")))

    def _answer(self, message: Json) -> None:
        """Answer on a thread of its own: a handler may wait for something that the server sends."""
        handler = self.handlers.get(message["method"])
        if handler is None:
            self.unexpected.append(f"the server asked {message['method']}, which nothing here answers")
            error = {"code": -32601, "message": f"no handler for {message['method']}"}
            self.send({"jsonrpc": "2.0", "id": message["id"], "error": error})
            return
        result = handler(message.get("params"))
        self.send({"jsonrpc": "2.0", "id": message["id"], "result": result})

    def _read_errors(self) -> None:
        assert self.process.stderr is not None
        for line in self.process.stderr:
            self._errors.put(line)


def frame(message: Json) -> bytes:
    """A message as its bytes on the wire."""
    body = json.dumps(message).encode()
    return b"Content-Length: %d\r\n\r\n%b" % (len(body), body)
