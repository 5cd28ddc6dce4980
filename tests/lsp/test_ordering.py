"""One request, one response, in whatever order requests, changes, cancels, shutdown and exit come."""

import asyncio
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.lsp import handlers
from tests.lsp.client import PATIENCE, Client, frame
from tests.lsp.session import Session, notification
from tests.lsp.test_protocol import ENVIRON, MISBEHAVING

URI = "file:///project/a.py"
AT = {"textDocument": {"uri": URI}, "position": {"line": 0, "character": 0}}
ACTIONS = ["echo", "hold", "block", "cancel-itself", "cancelled", "server-cancelled", "crash", "usage", "unwritable"]

STEPS = st.one_of(
    st.tuples(st.just("command"), st.sampled_from(ACTIONS)),
    st.tuples(
        st.just("request"),
        st.sampled_from(
            [
                ("textDocument/definition", AT),
                ("textDocument/documentSymbol", AT),
                ("textDocument/definition", None),
                ("textDocument/definition", {"textDocument": 3}),
                ("textDocument/definition", []),
                ("no/such/method", None),
            ]
        ),
    ),
    st.tuples(st.just("look"), st.none()),
    st.tuples(st.just("change"), st.text("ab\n😀", max_size=4)),
    st.tuples(st.just("cancel"), st.integers(0, 12)),
    st.tuples(st.just("pause"), st.integers(1, 3)),
    st.tuples(st.just("shutdown"), st.none()),
)
ENDINGS = st.sampled_from(["exit", "end of input", "shutdown and exit"])


class Script:
    """The messages of one run, and what is known beforehand of their responses."""

    def __init__(self) -> None:
        self.chunks: list[list[Any]] = [[]]
        self.ids: list[int] = []
        self.looks: dict[int, str] = {}
        self.shutdown = False
        self._text, self._version, self._id = "", 1, 0
        self._request("initialize", {"processId": None, "rootUri": None, "capabilities": {}})
        item = {"uri": URI, "languageId": "python", "version": 1, "text": ""}
        self._say(notification("initialized", {}), notification("textDocument/didOpen", {"textDocument": item}))

    def add(self, kind: str, detail: Any) -> None:
        match kind:
            case "command":
                arguments = [{"action": detail}]
                self._request("workspace/executeCommand", {"command": "test.do", "arguments": arguments})
            case "request":
                self._request(*detail)
            case "look":
                if not self.shutdown:
                    self.looks[self._id + 1] = f"{self._version}: {self._text}"
                self._request("textDocument/hover", AT)
            case "change":
                self._text, self._version = detail, self._version + 1
                document = {"uri": URI, "version": self._version}
                params = {"textDocument": document, "contentChanges": [{"text": detail}]}
                self._say(notification("textDocument/didChange", params))
            case "cancel":
                self._say(notification("$/cancelRequest", {"id": detail}))
                self.looks.pop(detail, None)
            case "pause":
                self.chunks += [[] for _ in range(detail)]
            case "shutdown":
                self._request("shutdown", None)
                # It cancels what is under way.
                self.looks.clear()
                self.shutdown = True

    def _request(self, method: str, params: Any) -> None:
        self._id += 1
        self.ids.append(self._id)
        self._say({"jsonrpc": "2.0", "id": self._id, "method": method, "params": params})

    def _say(self, *messages: Any) -> None:
        self.chunks[-1] += messages


async def play(script: Script, ending: str, cut: int) -> tuple[Session, int]:
    session = Session()
    async with session:
        for chunk in script.chunks:
            data = b"".join(map(frame, chunk))
            session.reader.feed_data(data[:cut])
            await asyncio.sleep(0)
            session.reader.feed_data(data[cut:])
            await asyncio.sleep(0.001)
        if ending == "shutdown and exit":
            script.add("shutdown", None)
            session.send(*script.chunks[-1][-1:])
        elif script.looks:
            # The last answers are promised only to those who stay.
            await session.until(lambda: all(look in session.responses for look in script.looks))
        if ending != "end of input":
            session.notify("exit")
        else:
            session.reader.feed_eof()
        return session, await session.ended()


@settings(max_examples=60)
@given(steps=st.lists(STEPS, max_size=14), ending=ENDINGS, cut=st.integers(0, 300))
def test_every_request_gets_one_response(steps: list[tuple[str, Any]], ending: str, cut: int) -> None:
    handlers.RELEASE.set()
    script = Script()
    for step in steps:
        script.add(*step)

    async def main() -> tuple[Session, int]:
        async with asyncio.timeout(PATIENCE):
            return await play(script, ending, cut)

    session, code = asyncio.run(main())
    assert {request: len(session.responses.get(request, [])) for request in script.ids} == dict.fromkeys(script.ids, 1)
    assert set(session.responses) == set(script.ids)
    assert code == (0 if script.shutdown else 1)
    for request, seen in script.looks.items():
        assert session.responses[request][0]["result"]["contents"] == seen


@pytest.mark.parametrize("ending", ["exit", "shutdown"])
def test_every_request_gets_one_response_over_pipes_too(ending: str) -> None:
    """All kinds of requests in one burst, half of them cancelled; leaving the block counts the responses."""
    with Client(command=MISBEHAVING, environ=ENVIRON) as client:
        client.initialize()
        client.command("test.do", {"action": "echo"})
        asked = [client.ask_command("test.do", {"action": action}) for action in ACTIONS * 4]
        for pending in asked[::2]:
            pending.cancel()
        client.notify("textDocument/didOpen", {"textDocument": 3})
        if ending == "shutdown":
            client.ask("shutdown")
            client.ask("textDocument/hover", AT)
        client.notify("exit")
        client.expect_exit = 0 if ending == "shutdown" else 1
        client.wait()
        assert {pending.response is None for pending in asked} == {False}
