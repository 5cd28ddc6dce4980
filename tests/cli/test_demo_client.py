"""The demo's editor does what editors do: answers the server's requests and makes its edits."""

import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from pennyproof.cli.demo_client import Editor, ServerError

SERVER = """
import json, sys

def send(**message):
    body = json.dumps({"jsonrpc": "2.0", **message}).encode()
    sys.stdout.buffer.write(b"Content-Type: x\\r\\nContent-Length: %d\\r\\n\\r\\n" % len(body) + body)
    sys.stdout.buffer.flush()

def receive():
    length = 0
    while (line := sys.stdin.buffer.readline().strip()):
        if line.lower().startswith(b"content-length:"):
            length = int(line.partition(b":")[2])
    return json.loads(sys.stdin.buffer.read(length)) if length else None

notified = []
while (message := receive()) is not None:
    method, params = message.get("method"), message.get("params")
    if method == "exit":
        sys.exit(0)
    elif method == "die":
        sys.exit("out of pennies")
    elif method == "fail":
        send(id=message["id"], error={"code": -32803, "message": "no tests here"})
    elif method == "ask":  # Make a request of the editor's choosing and answer with its answer.
        send(id="q", method=params["method"], params=params["params"])
        while (answer := receive()) and answer.get("id") != "q":
            notified.append(answer["method"])
        send(id=message["id"], result=answer.get("result", answer.get("error")))
    elif method == "tell":
        send(method=params["method"], params=params["params"])
        send(id=message["id"], result=None)
    elif method == "notified":
        send(id=message["id"], result=notified)
    elif "id" in message:
        send(id=message["id"], result={"echo": params})
    else:
        notified.append(method)
"""


@pytest.fixture
def root(tmp_path: Path) -> Path:
    folder = tmp_path.resolve() / "with spaces"
    folder.mkdir()
    (folder / "a.py").write_bytes("x = '😀', 1\r\ny = 2\r\n".encode())
    return folder


@pytest.fixture
def told() -> list[str]:
    return []


@pytest.fixture
def editor(root: Path, told: list[str]) -> Iterator[Editor]:
    command = [sys.executable, "-c", SERVER]
    log = root.parent / "log"
    with Editor(command, root, os.environ, log, answer=lambda _, titles: titles[0], on_progress=told.append) as editor:
        yield editor


def ask(editor: Editor, method: str, params: object) -> object:
    return editor.request("ask", {"method": method, "params": params}, timeout=30)


def one_edit(start: int, end: int, text: str, line: int = 0) -> dict[str, object]:
    span = {"start": {"line": line, "character": start}, "end": {"line": line, "character": end}}
    return {"range": span, "newText": text}


def test_it_introduces_itself(editor: Editor, root: Path) -> None:
    echo = editor.start({"trust": "ask"})["echo"]
    assert echo["processId"] == os.getpid()
    assert echo["workspaceFolders"] == [{"uri": root.as_uri(), "name": "with spaces"}]
    assert echo["initializationOptions"] == {"trust": "ask"}


@pytest.mark.parametrize("shape", ["documentChanges", "changes"])
def test_an_edit_is_made_in_utf16_and_saved(editor: Editor, root: Path, shape: str) -> None:
    edits = [one_edit(10, 11, "3"), one_edit(4, 5, "z", line=1)]
    uri = editor.uri("a.py")
    changes = [{"textDocument": {"uri": uri, "version": None}, "edits": edits}]
    edit = {shape: changes if shape == "documentChanges" else {uri: edits}}
    assert ask(editor, "workspace/applyEdit", {"label": "fixes 1 test", "edit": edit}) == {"applied": True}
    assert (root / "a.py").read_bytes() == "x = '😀', 3\r\ny = z\r\n".encode()
    (made,) = editor.edits
    assert made.label == "fixes 1 test"
    assert made.files == {"a.py": ("x = '😀', 1\r\ny = 2\r\n", "x = '😀', 3\r\ny = z\r\n")}
    opened = ["textDocument/didOpen", "textDocument/didChange", "textDocument/didSave"]
    assert editor.request("notified", None, timeout=30) == opened


@pytest.mark.parametrize(("version", "applied"), [(1, True), (0, False), (2, False)])
def test_an_edit_of_an_older_text_is_refused(editor: Editor, root: Path, version: int, applied: bool) -> None:
    editor.open("a.py")
    before = (root / "a.py").read_bytes()
    change = {"textDocument": {"uri": editor.uri("a.py"), "version": version}, "edits": [one_edit(10, 11, "3")]}
    assert ask(editor, "workspace/applyEdit", {"edit": {"documentChanges": [change]}}) == {"applied": applied}
    assert ((root / "a.py").read_bytes() != before) == applied
    assert len(editor.edits) == applied


def test_questions_are_answered_by_the_user(editor: Editor) -> None:
    actions = [{"title": "Trust"}, {"title": "Never"}]
    assert ask(editor, "window/showMessageRequest", {"message": "Trust?", "actions": actions}) == {"title": "Trust"}
    assert ask(editor, "window/showMessageRequest", {"message": "Well?"}) is None


def test_requests_it_does_not_know_are_refused(editor: Editor) -> None:
    assert ask(editor, "workspace/unheardOf", {}) == {"code": -32601, "message": "workspace/unheardOf is not supported"}


def test_diagnostics_and_progress_are_kept(editor: Editor, told: list[str]) -> None:
    diagnostics = {"uri": editor.uri("a.py"), "diagnostics": [{"message": "fails"}]}
    editor.request("tell", {"method": "textDocument/publishDiagnostics", "params": diagnostics}, timeout=30)
    progress = {"token": 1, "value": {"kind": "report", "message": "running the tests"}}
    editor.request("tell", {"method": "$/progress", "params": progress}, timeout=30)
    assert editor.diagnostics == {"a.py": [{"message": "fails"}]}
    assert told == ["running the tests"]


def test_an_error_is_raised(editor: Editor) -> None:
    with pytest.raises(ServerError, match="no tests here"):
        editor.request("fail", {}, timeout=30)


def test_a_server_that_ends_fails_what_was_asked(editor: Editor) -> None:
    with pytest.raises(ServerError, match="the server has ended: out of pennies"):
        editor.request("die", {}, timeout=30)
