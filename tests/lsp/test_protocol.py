"""What pygls gets wrong, mended: a test for each."""

import asyncio
import logging
import os
import subprocess
import sys
from pathlib import Path

import pytest
from lsprotocol import types
from pygls.exceptions import FeatureNotificationError

from pennyproof.lsp.server import PennyproofServer, Route
from tests.lsp import handlers
from tests.lsp.client import Client, frame
from tests.lsp.session import Session, in_session, notification

CANCELLED, INVALID_REQUEST, INVALID_PARAMS, INTERNAL = -32800, -32600, -32602, -32603
NOT_INITIALIZED, NOT_FOUND, PARSE_ERROR, FAILED, SERVER_CANCELLED = -32002, -32601, -32700, -32803, -32802
URI = "file:///project/a.py"
AT = {"textDocument": {"uri": URI}, "position": {"line": 0, "character": 0}}
MISBEHAVING = (sys.executable, "-m", "tests.lsp.handlers")
ROOT = Path(__file__).parents[2]
ENVIRON = {"PYTHONPATH": os.pathsep.join([str(ROOT / "server"), str(ROOT)])}


@pytest.fixture(autouse=True)
def _fresh() -> None:
    handlers.EVENTS.clear()
    handlers.RELEASE.clear()


@in_session
async def test_cancelling_a_command_stops_it(session: Session) -> None:
    request = session.command("hold")
    await session.eventually(lambda: handlers.EVENTS == ["hold began"])
    session.notify("$/cancelRequest", {"id": request})
    assert await session.error_code(request) == CANCELLED
    assert handlers.EVENTS == ["hold began", "hold stopped"]


@in_session
async def test_cancelling_blocking_work_asks_its_cancel(session: Session) -> None:
    request = session.command("block")
    await session.eventually(lambda: handlers.EVENTS == ["block began"])
    session.notify("$/cancelRequest", {"id": request})
    assert await session.error_code(request) == CANCELLED
    await session.eventually(lambda: handlers.EVENTS == ["block began", "block stopped"])


@in_session
async def test_a_command_that_cancels_itself_is_answered(session: Session) -> None:
    assert await session.error_code(session.command("cancel-itself")) == CANCELLED


@in_session
async def test_shutdown_succeeds_with_requests_in_flight_and_answers_them(session: Session) -> None:
    held = [session.command("hold"), session.ask("textDocument/definition", AT), session.command("block")]
    await session.eventually(lambda: len(session.server.protocol._owed) == len(held))
    assert "result" in await session.response(session.ask("shutdown"))
    assert [await session.error_code(request) for request in held] == [CANCELLED] * 3


@pytest.mark.parametrize(("shutdown", "code"), [(True, 0), (False, 1)])
def test_the_exit_code_tells_whether_shutdown_came_first(shutdown: bool, code: int) -> None:
    with Client(command=MISBEHAVING, environ=ENVIRON) as client:
        client.initialize()
        if shutdown:
            client.request("shutdown")
        client.notify("exit")
        assert client.wait() == code
        client.expect_exit = code


@in_session
async def test_invalid_params_are_answered(session: Session) -> None:
    request = session.ask("textDocument/definition", {"textDocument": {"uri": URI}, "position": {"line": "x"}})
    response = await session.response(request)
    assert response["error"]["code"] == INVALID_PARAMS
    assert "position" in response["error"]["message"]
    assert session.notifications == []


@in_session
async def test_a_late_answer_to_a_withdrawn_question_hurts_nobody(session: Session) -> None:
    request = session.command("ask")
    await session.until(lambda: bool(session.requests))
    question = session.requests[0]["id"]
    session.notify("$/cancelRequest", {"id": request})
    assert await session.error_code(request) == CANCELLED
    assert session.notifications == [notification("$/cancelRequest", {"id": question})]
    session.send({"jsonrpc": "2.0", "id": question, "result": {"title": "yes"}})
    assert "result" in await session.response(session.command("echo"))
    assert len(session.notifications) == 1


@in_session
async def test_an_answer_reaches_the_one_who_asked(session: Session) -> None:
    request = session.command("ask")
    await session.until(lambda: bool(session.requests))
    session.send({"jsonrpc": "2.0", "id": session.requests[0]["id"], "result": {"title": "yes"}})
    assert (await session.response(request))["result"] == "yes"


@pytest.mark.parametrize(
    "answer", [{"error": {"code": -32601, "message": "what?"}}, {"error": 3}, {"result": 17}, {"result": {}}]
)
def test_an_answer_that_cannot_be_used_fails_the_request_only(answer: object) -> None:
    @in_session
    async def check(session: Session) -> None:
        request = session.command("ask")
        await session.until(lambda: bool(session.requests))
        session.send({"jsonrpc": "2.0", "id": session.requests[0]["id"], **answer})  # type: ignore[dict-item]
        assert "error" in await session.response(request)
        assert "result" in await session.response(session.command("echo"))

    check()


def test_requests_outside_of_the_session_are_refused() -> None:
    async def main() -> None:
        async with Session() as session:
            assert await session.error_code(session.ask("textDocument/definition", AT)) == NOT_INITIALIZED
            assert await session.error_code(session.ask("shutdown")) == NOT_INITIALIZED
            await session.initialize()
            assert await session.error_code(session.ask("initialize", {"capabilities": {}})) == INVALID_REQUEST
            await session.response(session.ask("shutdown"))
            assert await session.error_code(session.ask("textDocument/definition", AT)) == INVALID_REQUEST

    asyncio.run(main())


@in_session
async def test_reading_goes_on_while_every_thread_is_taken(session: Session) -> None:
    held = [session.command("block") for _ in range(20)]
    assert "result" in await session.response(session.command("echo"))
    session.send(*(notification("$/cancelRequest", {"id": request}) for request in held))
    assert {await session.error_code(request) for request in held} == {CANCELLED}


@pytest.mark.parametrize("action", ["block", "heedless", "hold"])
def test_the_end_of_input_ends_the_process_whatever_runs(action: str) -> None:
    with Client(command=MISBEHAVING, environ=ENVIRON) as client:
        client.expect_exit = 1
        client.initialize()
        pending = client.ask_command("test.do", {"action": action})
        client.command("test.do", {"action": "echo"})
        assert client.process.stdin is not None
        client.process.stdin.close()
        client.wait()
        assert pending.response is not None
        assert pending.response["error"]["code"] == CANCELLED


def test_the_death_of_the_editor_ends_the_process() -> None:
    with (
        subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as editor,
        Client(command=MISBEHAVING, environ=ENVIRON) as client,
    ):
        client.expect_exit = 1
        client.initialize(processId=editor.pid)
        client.command("test.do", {"action": "echo"})
        editor.kill()
        editor.wait()
        client.wait()


@in_session
async def test_a_request_sees_the_documents_as_they_were_when_it_arrived(session: Session) -> None:
    item = {"uri": URI, "languageId": "python", "version": 1, "text": "one"}
    changes = [
        {"textDocument": {"uri": URI, "version": version}, "contentChanges": [{"text": text}]}
        for version, text in ((2, "two"), (3, "three"))
    ]
    requests = [session.message("textDocument/hover", AT) for _ in range(4)]
    session.send(
        notification("textDocument/didOpen", {"textDocument": item}),
        requests[0],
        notification("textDocument/didChange", changes[0]),
        requests[1],
        notification("textDocument/didChange", changes[1]),
        requests[2],
        notification("textDocument/didClose", {"textDocument": {"uri": URI}}),
        requests[3],
    )
    seen = [(await session.response(request["id"]))["result"]["contents"] for request in requests]
    assert seen == ["1: one", "2: two", "3: three", "closed"]


@in_session
async def test_the_token_of_a_command_shows_its_progress_and_is_forgotten(session: Session) -> None:
    request = session.command("work", workDoneToken="mine")
    await session.until(lambda: any(n["method"] == "$/progress" for n in session.notifications))
    begin = next(n["params"] for n in session.notifications if n["method"] == "$/progress")
    value = {"kind": "begin", "title": "long work", "cancellable": True, "message": "half-way", "percentage": 50}
    assert begin == {"token": "mine", "value": value}
    session.notify("window/workDoneProgress/cancel", {"token": "mine"})
    assert await session.error_code(request) == CANCELLED
    kinds = [n["params"]["value"]["kind"] for n in session.notifications if n["method"] == "$/progress"]
    assert (kinds[0], kinds[-1]) == ("begin", "end")
    assert session.server.tokens == {}
    states = [n["params"]["kind"] for n in session.notifications if n["method"] == "pennyproof/status"]
    assert states == ["busy", "normal"]


def test_progress_asks_the_client_for_a_token_where_it_sent_none() -> None:
    async def main() -> None:
        async with Session() as session:
            await session.initialize(window={"workDoneProgress": True})
            request = session.command("work")
            await session.until(lambda: bool(session.requests))
            created = session.requests[0]
            assert created["method"] == "window/workDoneProgress/create"
            session.send({"jsonrpc": "2.0", "id": created["id"], "result": None})
            await session.until(lambda: any(n["method"] == "$/progress" for n in session.notifications))
            session.notify("window/workDoneProgress/cancel", {"token": created["params"]["token"]})
            assert await session.error_code(request) == CANCELLED
            assert session.server.tokens == {}

    asyncio.run(main())


def test_no_log_and_no_error_tells_what_messages_hold(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    logging.getLogger("pygls").setLevel(logging.WARNING)

    async def main() -> None:
        async with Session() as session:
            options = {"key": "hush-hush"}
            params = {"processId": None, "rootUri": None, "capabilities": {}, "initializationOptions": options}
            await session.response(session.ask("initialize", params))
            item = {"uri": URI, "languageId": "python", "version": 1, "text": "hush-hush"}
            session.notify("textDocument/didOpen", {"textDocument": item})
            session.notify("textDocument/didOpen", {"textDocument": {**item, "version": "hush-hush"}})
            await session.response(session.command("echo", "hush-hush"))
            await session.response(session.ask("workspace/executeCommand", {"command": 1, "arguments": "hush-hush"}))
            assert "hush-hush" in str(await session.response(session.ask("textDocument/hover", AT)))
            crash = await session.response(session.command("crash", "hush-hush"))
            assert crash["error"] == {"code": INTERNAL, "message": "internal error, see the log"}

    asyncio.run(main())
    told = [record for record in caplog.records if "hush-hush" in record.getMessage()]
    assert told == []


@pytest.mark.parametrize(
    "arguments", [[{"action": "dance"}], [{}], [], ["echo"], [{"action": "echo"}, {}], [{"action": "echo", "text": 3}]]
)
def test_a_malformed_command_argument_is_refused_without_repeating_it(arguments: list[object]) -> None:
    @in_session
    async def check(session: Session) -> None:
        request = session.ask("workspace/executeCommand", {"command": "test.do", "arguments": arguments})
        response = await session.response(request)
        assert response["error"]["code"] == INVALID_PARAMS
        assert "dance" not in response["error"]["message"]

    check()


@in_session
async def test_a_command_takes_a_pydantic_model(session: Session) -> None:
    assert (await session.response(session.command("echo", "é\ud83d\ude00")))["result"] == {"text": "é😀"}


def test_only_what_works_is_advertised() -> None:
    def check(server: PennyproofServer) -> dict[str, object]:
        async def main() -> dict[str, object]:
            async with Session(server) as session:
                return dict(await session.initialize())

        return asyncio.run(main())

    assert "inlineCompletionProvider" not in check(PennyproofServer())
    assert "completionProvider" not in check(PennyproofServer())
    routes = {types.TEXT_DOCUMENT_INLINE_COMPLETION: Route("nowhere:handle", types.InlineCompletionOptions())}
    assert "inlineCompletionProvider" in check(PennyproofServer(routes, {}))


@pytest.mark.parametrize(
    ("action", "code", "message"),
    [
        ("server-cancelled", SERVER_CANCELLED, "the server cancelled the request"),
        ("cancelled", CANCELLED, "the request was cancelled"),
        ("usage", INVALID_PARAMS, "this makes no sense"),
        ("environment", FAILED, "there are no tests"),
        ("crash", INTERNAL, "internal error, see the log"),
        ("unwritable", INTERNAL, "internal error, see the log"),
    ],
)
def test_every_error_has_its_code(action: str, code: int, message: str) -> None:
    @in_session
    async def check(session: Session) -> None:
        response = await session.response(session.command(action))
        assert response["error"] == {"code": code, "message": message}

    check()


@in_session
async def test_failing_notifications_pop_nothing_up(session: Session) -> None:
    session.notify("textDocument/didSave", {"textDocument": {"uri": URI}})
    session.notify("textDocument/didSave", {"textDocument": 3})
    session.server.report_server_error(RuntimeError("?"), FeatureNotificationError)
    assert "result" in await session.response(session.command("echo"))
    assert session.notifications == []


def test_printing_and_children_touch_neither_end_of_the_protocol() -> None:
    with Client(command=MISBEHAVING, environ=ENVIRON) as client:
        client.initialize()
        client.command("test.do", {"action": "print", "text": "Content-Length: 1"})
        assert client.command("test.do", {"action": "echo", "text": "still here"}) == {"text": "still here"}
    assert all(text in client.log for text in ("Content-Length: 1", "to descriptor 1", "from a child"))


def _raw(body: bytes) -> bytes:
    return b"Content-Length: %d\r\n\r\n%b" % (len(body), body)


_ECHO = frame(
    {
        "jsonrpc": "2.0",
        "id": "after",
        "method": "workspace/executeCommand",
        "params": {"command": "test.do", "arguments": [{"action": "echo"}]},
    }
)


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (_raw(b'{"jsonrpc": "2.0", "id": 1,'), PARSE_ERROR),
        (_raw(b"\xff\xfe{}"), PARSE_ERROR),
        (_raw(b"[" * 100_000), PARSE_ERROR),
        (_raw(b'{"id": ' + b"9" * 5000 + b"}"), PARSE_ERROR),
        (_raw(b"[]"), INVALID_REQUEST),
        (_raw(b'[{"jsonrpc": "2.0", "id": 1, "method": "shutdown"}]'), INVALID_REQUEST),
        (_raw(b"17"), INVALID_REQUEST),
        (_raw(b"{}"), INVALID_REQUEST),
        (_raw(b'{"jsonrpc": "2.0", "id": null, "method": "shutdown"}'), INVALID_REQUEST),
        (_raw(b'{"jsonrpc": "2.0", "id": [1], "method": "shutdown"}'), INVALID_REQUEST),
        (_raw(b'{"jsonrpc": "2.0", "method": 3}'), INVALID_REQUEST),
        (_raw(b'{"jsonrpc": "1.0", "method": "exit"}'), INVALID_REQUEST),
        (b"Content-Length: -5\r\n\r\n", PARSE_ERROR),
        (b"Content-Length: many\r\n\r\n{}", PARSE_ERROR),
        (b"Content-Length: 99999999999999\r\n\r\n{}", PARSE_ERROR),
        (b"Content-Length: 9999999999\r\n\r\n{}", PARSE_ERROR),
        (b"Content-Type: utf-8\r\n\r\n{}", PARSE_ERROR),
        (b"x" * 5000, PARSE_ERROR),
        (b'Content-Length: 4\r\n\r\n{"jsonrpc": "2.0"}', PARSE_ERROR),
    ],
)
def test_what_is_no_message_gets_one_error_and_the_session_goes_on(data: bytes, code: int) -> None:
    @in_session
    async def check(session: Session) -> None:
        session.reader.feed_data(data + _ECHO)
        assert "result" in await session.response("after")
        assert [response["error"]["code"] for response in session.responses[None]] == [code]
        assert session.exit_code is None

    check()


@in_session
async def test_headers_may_be_written_in_any_way_the_protocol_allows(session: Session) -> None:
    body = _ECHO.partition(b"\r\n\r\n")[2]
    header = b"content-type: application/vscode-jsonrpc; charset=utf-8\r\nCONTENT-LENGTH:%d\r\n\r\n" % len(body)
    for byte in header + body:
        session.reader.feed_data(bytes([byte]))
        await asyncio.sleep(0)
    assert "result" in await session.response("after")


@in_session
async def test_unknown_methods_are_refused_and_unknown_notifications_left_aside(session: Session) -> None:
    session.notify("$/whatever", {"a": 1})
    session.notify("whatever")
    assert await session.error_code(session.ask("whatever")) == NOT_FOUND
    assert await session.error_code(session.ask("$/whatever", {})) == NOT_FOUND
    assert None not in session.responses


@in_session
async def test_an_id_in_use_is_refused(session: Session) -> None:
    message = session.message("textDocument/definition", AT)
    session.send(message, message)
    assert await session.error_code(message["id"]) == INVALID_REQUEST
    session.notify("$/cancelRequest", {"id": message["id"]})
    await session.until(lambda: len(session.responses[message["id"]]) == 2)


@in_session
async def test_a_cancel_for_what_is_over_or_never_was_does_nothing(session: Session) -> None:
    request = session.command("echo")
    await session.response(request)
    session.notify("$/cancelRequest", {"id": request})
    session.notify("$/cancelRequest", {"id": "nobody"})
    session.notify("window/workDoneProgress/cancel", {"token": "nobody"})
    assert "result" in await session.response(session.command("echo"))
    assert len(session.responses[request]) == 1
