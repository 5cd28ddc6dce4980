"""Inline completion and completion, as an editor sees them, with a stand-in for the model."""

from __future__ import annotations

import asyncio
import math
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from pennyproof.lsp.features import completing
from tests.lsp.features.hosted import MENU, HostedSession, play
from tests.standin import Reply, Request, Standin

Json = Any


@pytest.fixture
def standin() -> Iterator[Standin]:
    with Standin() as running:
        yield running


@pytest.fixture(autouse=True)
def user(standin: Standin, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PENNYPROOF_HOME", str(tmp_path / "state"))
    monkeypatch.setenv("PENNYPROOF_MODEL_BASE_URL", standin.url)
    monkeypatch.setenv("DEEPSEEK_API_KEY", standin.key)
    monkeypatch.setenv("PENNYPROOF_TRUST", "always")
    monkeypatch.setattr(completing, "DEBOUNCE", 0.0)


async def until(standin: Standin, outcome: str, number: int = 0) -> Request:
    """The stand-in's request of this number, once it has come to this."""
    await asyncio.to_thread(
        standin.wait_for, lambda: len(standin.requests) > number and standin.requests[number].outcome == outcome
    )
    return standin.requests[number]


def texts(answer: Json) -> list[str]:
    return [item["insertText"] for item in answer["items"]]


def test_an_item_goes_to_the_cursor(tmp_path: Path, standin: Standin) -> None:
    standin.add(Reply("a, b):"))

    async def script(session: HostedSession) -> None:
        position = session.edit("shop.py", "# 😀 é\ndef 𝒻($0):\n    return a + b\n")
        answer = await session.inline("shop.py", position)
        here = {"line": 1, "character": 7}
        command = {"title": "Accepted", "command": "pennyproof.accepted", "arguments": [{"offerId": "c1"}]}
        item = {"insertText": "a, b", "range": {"start": here, "end": here}, "command": command}
        assert answer == {"items": [item]}
        assert await session.command("pennyproof.accepted", command["arguments"][0]) is None
        session.notify("textDocument/didShowCompletion", {"item": item})
        session.notify("textDocument/didPartiallyAcceptCompletion", {"item": item, "acceptedLength": 2})
        session.notify("textDocument/didShowCompletion", None)

    session = play(tmp_path / "root", script)
    body = standin.requests[0].body
    assert body["prompt"] == "# shop.py\n# 😀 é\ndef 𝒻("
    assert body["suffix"] == "):\n    return a + b\n"
    assert session.popups == []


@pytest.mark.parametrize(
    ("client", "advertised"),
    [
        ({"inlineCompletion": {}}, {"inlineCompletionProvider"}),
        ({"inlineCompletion": {}, "completion": {}}, {"inlineCompletionProvider"}),
        ({"completion": {}}, {"completionProvider"}),
        ({}, set()),
    ],
)
def test_only_what_the_client_can_show_is_advertised(tmp_path: Path, client: Json, advertised: set[str]) -> None:
    async def script(session: HostedSession) -> None:
        assert {"inlineCompletionProvider", "completionProvider"} & session.capabilities.keys() == advertised

    play(tmp_path / "root", script, capabilities={"textDocument": client})


def test_cancelling_closes_the_connection(tmp_path: Path, standin: Standin) -> None:
    standin.add(Reply("1", first_token_seconds=math.inf))

    async def script(session: HostedSession) -> None:
        pending = session.inline("shop.py", session.edit("shop.py", "x = $0\n"))
        await until(standin, "open")
        session.notify("$/cancelRequest", {"id": 2})
        assert (await pending)["code"] == -32800
        await until(standin, "abandoned")

    session = play(tmp_path / "root", script)
    assert session.statuses == []


def test_a_stream_is_given_up_in_its_midst(tmp_path: Path, standin: Standin) -> None:
    standin.add(Reply("1 + 2 + 3 + 4", behaviour="stall", seconds=math.inf))

    async def script(session: HostedSession) -> None:
        position = session.edit("shop.py", "x = $0\n")
        pending = session.inline("shop.py", position)
        await until(standin, "open")
        session.change("shop.py", "x = 1\n")
        assert await pending == {"items": []}
        await until(standin, "abandoned")

    play(tmp_path / "root", script)


def test_a_newer_request_of_the_document_takes_the_place_of_the_older(tmp_path: Path, standin: Standin) -> None:
    standin.add(Reply("1", first_token_seconds=math.inf), Reply("2"))

    async def script(session: HostedSession) -> None:
        position = session.edit("shop.py", "x = $0\n")
        first = session.inline("shop.py", position)
        await until(standin, "open")
        second = session.inline("shop.py", position)
        assert await first == {"items": []}
        assert texts(await second) == ["2"]
        await until(standin, "abandoned")

    session = play(tmp_path / "root", script)
    assert session.statuses == []


def test_requests_of_other_documents_do_not_matter(tmp_path: Path, standin: Standin) -> None:
    standin.add(Reply("1", when="a.py", token_seconds=0.02), Reply("2", when="b.py"))

    async def script(session: HostedSession) -> None:
        first = session.inline("a.py", session.edit("a.py", "x = $0\n"))
        await until(standin, "open")
        assert texts(await session.inline("b.py", session.edit("b.py", "x = $0\n"))) == ["2"]
        assert texts(await first) == ["1"]

    play(tmp_path / "root", script)


def test_an_answer_to_text_that_has_moved_on_is_dropped(tmp_path: Path, standin: Standin) -> None:
    standin.add(Reply("1", first_token_seconds=math.inf), Reply("1", first_token_seconds=math.inf))

    async def script(session: HostedSession) -> None:
        for number, end in enumerate((lambda: session.change("shop.py", "x = 2\n"), lambda: close(session))):
            pending = session.inline("shop.py", session.edit("shop.py", "x = $0\n"))
            await asyncio.to_thread(standin.wait_for, lambda number=number: len(standin.requests) > number)
            end()
            assert await pending == {"items": []}
            await until(standin, "abandoned", number)

    play(tmp_path / "root", script)


def close(session: HostedSession) -> None:
    session.notify("textDocument/didClose", {"textDocument": {"uri": session.uri("shop.py")}})


def test_of_what_is_typed_only_the_last_key_stroke_asks(
    tmp_path: Path, standin: Standin, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(completing, "DEBOUNCE", 0.05)
    standin.add(Reply("1", times=None))

    async def script(session: HostedSession) -> None:
        position = session.edit("shop.py", "x = $0\n")
        pending = [session.inline("shop.py", position, automatic=True) for _ in range(5)]
        assert [texts(await one) for one in pending] == [[], [], [], [], ["1"]]
        assert len(standin.requests) == 1

    play(tmp_path / "root", script)


@pytest.mark.parametrize("marked", ["", "x = pr$0int\n", "print()$0\n", "# a$0\n", "$0\n"])
def test_what_only_disturbs_is_asked_by_hand_alone(tmp_path: Path, standin: Standin, marked: str) -> None:
    standin.add(Reply("", times=None))

    async def script(session: HostedSession) -> None:
        position = session.edit("shop.py", marked)
        assert await session.inline("shop.py", position, automatic=True) == {"items": []}
        assert standin.requests == []
        await session.inline("shop.py", position)
        assert len(standin.requests) == 1

    play(tmp_path / "root", script)


@pytest.mark.parametrize(
    ("settings", "automatic", "asked"),
    [
        ({"enabled": False}, False, 0),
        ({"trigger": "manual"}, True, 0),
        ({"trigger": "manual"}, False, 1),
        ({"trigger": "automatic"}, True, 1),
    ],
)
def test_the_settings_say_when(tmp_path: Path, standin: Standin, settings: Json, automatic: bool, asked: int) -> None:
    standin.add(Reply("1", times=None))

    async def script(session: HostedSession) -> None:
        answer = await session.inline("shop.py", session.edit("shop.py", "x = $0\n"), automatic=automatic)
        assert texts(answer) == ["1"] * asked
        assert len(standin.requests) == asked

    play(tmp_path / "root", script, options={"completion": settings})


FAULTS = {
    "auth_error": "key",
    "quota_exceeded": "balance",
    "rate_limit": "",
    "server_error": "",
    "connection_reset": "",
    "silence": "",
    "stall": "",
    "queued_in_vain": "",
    "empty_body": "",
    "malformed_json": "",
    "wrong_content_type": "",
    "dsml_leak": "",
    "vllm_midstream_error": "",
    "vllm_suffix_400": "",
    "context_overflow": "",
    "unknown_finish_reason": "",
}
"""Behaviour → a word that the status has."""


@pytest.mark.parametrize("behaviour", FAULTS)
def test_a_failure_is_an_empty_answer_and_a_status(
    tmp_path: Path, standin: Standin, behaviour: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(completing, "PATIENCE", 0.4)
    standin.add(
        Reply("1", behaviour=behaviour, times=None, seconds=math.inf if behaviour != "queued_in_vain" else 0.01)
    )

    async def script(session: HostedSession) -> None:
        position = session.edit("shop.py", "x = $0\n")
        assert await session.inline("shop.py", position) == {"items": []}
        [(kind, message)] = session.statuses
        assert kind == "warning"
        assert "\n" not in message
        assert FAULTS[behaviour] in message
        assert message in caplog.text
        assert standin.key not in caplog.text

        asked = len(standin.requests)
        assert await session.inline("shop.py", position, automatic=True) == {"items": []}
        assert len(standin.requests) == asked  # It rests.

    session = play(tmp_path / "root", script)
    assert session.popups == []


def test_after_a_failure_all_is_well_again(tmp_path: Path, standin: Standin) -> None:
    standin.add(Reply(behaviour="auth_error"), Reply("1"))

    async def script(session: HostedSession) -> None:
        position = session.edit("shop.py", "x = $0\n")
        await session.inline("shop.py", position)
        assert texts(await session.inline("shop.py", position)) == ["1"]
        assert [kind for kind, _ in session.statuses] == ["warning", "normal"]

    play(tmp_path / "root", script)


def test_whole_lines_of_a_broken_stream_are_shown(tmp_path: Path, standin: Standin) -> None:
    standin.add(Reply("a = 1\n    b = 2\n    return a + b + 1 + 2 + 3", behaviour="partial_disconnect"))

    async def script(session: HostedSession) -> None:
        answer = await session.inline("shop.py", session.edit("shop.py", "def f():\n    $0\n"))
        assert texts(answer) == ["a = 1\n    b = 2"]
        assert [kind for kind, _ in session.statuses] == ["warning"]

    play(tmp_path / "root", script)


def test_a_wrong_key_is_told_once_and_shown_nowhere(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("DEEPSEEK_API_KEY", "sk-quite-the-wrong-one")

    async def script(session: HostedSession) -> None:
        position = session.edit("shop.py", "x = $0\n")
        for _ in range(3):
            assert await session.inline("shop.py", position) == {"items": []}
        assert len(session.statuses) == 1

    session = play(tmp_path / "root", script)
    assert "quite-the-wrong-one" not in caplog.text + str(session.notifications)


def test_without_a_key_only_those_who_ask_are_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DEEPSEEK_API_KEY")

    async def script(session: HostedSession) -> None:
        position = session.edit("shop.py", "x = $0\n")
        assert await session.inline("shop.py", position, automatic=True) == {"items": []}
        assert session.statuses == []
        assert await session.inline("shop.py", position) == {"items": []}
        assert "DEEPSEEK_API_KEY" in session.statuses[0][1]

    play(tmp_path / "root", script)


def test_ignored_files_and_files_outside_are_not_sent(tmp_path: Path, standin: Standin) -> None:
    root = tmp_path / "root"
    root.mkdir()
    (root / ".gitignore").write_text("private/\n")

    async def script(session: HostedSession) -> None:
        for path in (".env", "private/a.py", "local/b.py"):
            assert await session.inline(path, session.edit(path, "x = $0\n")) == {"items": []}
        assert await session.inline("gone.py", {"line": 0, "character": 0}) == {"items": []}
        untitled = {"uri": "untitled:Untitled-1", "languageId": "python", "version": 1, "text": "x = "}
        session.notify("textDocument/didOpen", {"textDocument": untitled})
        asked = {"textDocument": {"uri": untitled["uri"]}, "position": {"line": 0, "character": 4}}
        context = {"context": {"triggerKind": 1}}
        assert await session.request("textDocument/inlineCompletion", {**asked, **context}) == {"items": []}
        assert standin.requests == []

    play(root, script, options={"context": {"ignore": ["local/"]}})


@pytest.mark.parametrize(("chosen", "sent"), [("Send", 1), ("Not now", 0), ("Never", 0), (None, 0)])
def test_nothing_is_sent_before_the_user_agrees(
    tmp_path: Path, standin: Standin, monkeypatch: pytest.MonkeyPatch, chosen: str | None, sent: int
) -> None:
    monkeypatch.setenv("PENNYPROOF_TRUST", "ask")
    standin.add(Reply("1", times=None))

    async def script(session: HostedSession) -> None:
        answered = asyncio.Event()

        def answer(_: Json) -> Json:
            asyncio.get_running_loop().call_later(0.05, answered.set)
            return {"title": chosen} if chosen else None

        session.answers["window/showMessageRequest"] = answer
        position = session.edit("shop.py", "x = $0\n")
        assert await session.inline("shop.py", position, automatic=True) == {"items": []}
        await answered.wait()
        await session.settle()
        for _ in range(2):
            assert texts(await session.inline("shop.py", position)) == ["1"] * sent
        assert len(standin.requests) == 2 * sent
        [(_, question)] = session.requests
        assert standin.url.removeprefix("http://") in question["message"]
        assert str(session.root) in question["message"]

    play(tmp_path / "root", script)


def test_clients_that_cannot_ask_are_told_once(
    tmp_path: Path, standin: Standin, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PENNYPROOF_TRUST", "ask")

    async def script(session: HostedSession) -> None:
        position = session.edit("shop.py", "x = $0\n")
        for _ in range(2):
            assert (await session.menu("shop.py", position))["items"] == []
            await session.settle()
        assert len(session.popups) == 1
        assert "PENNYPROOF_TRUST=always" in session.popups[0]
        assert standin.requests == []

    play(tmp_path / "root", script, capabilities={})


def test_completions_do_not_wait_behind_runs_of_tests(tmp_path: Path, standin: Standin) -> None:
    standin.add(Reply("1"))

    async def script(session: HostedSession) -> None:
        release = threading.Event()
        runs = [asyncio.ensure_future(session.server.run(release.wait)) for _ in range(20)]
        assert texts(await session.inline("shop.py", session.edit("shop.py", "x = $0\n"))) == ["1"]
        release.set()
        await asyncio.gather(*runs)

    play(tmp_path / "root", script)


def test_a_selected_suggestion_is_gone_on_with(tmp_path: Path, standin: Standin) -> None:
    standin.add(Reply("[1, 2])"))

    async def script(session: HostedSession) -> None:
        position = session.edit("shop.py", "x = su$0\n")
        place = {"start": {"line": 0, "character": 4}, "end": position}
        selected = {"range": place, "text": "sum("}
        [item] = (await session.inline("shop.py", position, selectedCompletionInfo=selected))["items"]
        assert (item["insertText"], item["range"]) == ("sum([1, 2])", place)

    play(tmp_path / "root", script)
    assert standin.requests[0].body["prompt"] == "# shop.py\nx = sum("


def test_a_client_without_ghost_text_gets_an_item_of_its_menu(tmp_path: Path, standin: Standin) -> None:
    standin.add(Reply("nt(x)\n"))

    async def script(session: HostedSession) -> None:
        answer = await session.menu("shop.py", session.edit("shop.py", "x = '😀'; pri$0\n"))
        assert answer["isIncomplete"] is True
        [item] = answer["items"]
        place = {"start": {"line": 0, "character": 10}, "end": {"line": 0, "character": 13}}
        assert item["textEdit"] == {"range": place, "newText": "print(x)"}
        assert item["filterText"] == item["label"] == "print(x)"
        assert item["detail"] == "Pennyproof, deepseek-flash: parses; no test was run"
        assert item["command"]["command"] == "pennyproof.accepted"
        assert (await session.menu("gone.py", {"line": 0, "character": 0}))["items"] == []

    play(tmp_path / "root", script, capabilities=MENU)


@pytest.mark.parametrize(
    ("client", "shown"),
    [
        ({}, "if b:\n    return a\nreturn b"),
        (
            {"completionItem": {"documentationFormat": ["markdown", "plaintext"]}},
            {"kind": "markdown", "value": "```\nif b:\n    return a\nreturn b\n```"},
        ),
    ],
)
def test_a_menu_shows_the_whole_text(tmp_path: Path, standin: Standin, client: Json, shown: Json) -> None:
    standin.add(Reply("\n    if b:\n        return a\n    return b"))

    async def script(session: HostedSession) -> None:
        [item] = (await session.menu("shop.py", session.edit("shop.py", "def either(a, b):$0\n")))["items"]
        assert (item["label"], item["documentation"]) == ("if b:…", shown)
        assert item["textEdit"]["newText"] == "\n    if b:\n        return a\n    return b"

    play(tmp_path / "root", script, capabilities={"textDocument": {"completion": client}})


def test_a_menu_that_opens_by_itself_is_filtered(tmp_path: Path, standin: Standin) -> None:
    standin.add(Reply("1", times=None))

    async def script(session: HostedSession) -> None:
        position = session.edit("shop.py", "x = $0\n")
        assert len((await session.menu("shop.py", position, kind=1))["items"]) == 1
        assert len((await session.menu("shop.py", position, kind=3))["items"]) == 0

    play(tmp_path / "root", script, capabilities=MENU, options={"completion": {"trigger": "manual"}})
