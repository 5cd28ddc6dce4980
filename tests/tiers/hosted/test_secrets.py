"""The key goes to its own provider, and appears in nothing that anybody could read."""

import logging
import socket
import sqlite3
import threading
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from pennyproof.core.candidates import Tier
from pennyproof.core.work import Cancel, Deadline
from pennyproof.errors import UsageError
from pennyproof.settings import BudgetSettings
from pennyproof.tiers.hosted.client import Client
from pennyproof.tiers.hosted.endpoint import Endpoint
from pennyproof.tiers.hosted.errors import Fault, ProviderError
from pennyproof.tiers.hosted.ledger import Account, Action, Ledger
from pennyproof.tiers.hosted.prices import Prices
from tests.standin import BEHAVIOURS, Reply, Script, Standin
from tests.tiers.hosted.paid import CHAT, Records, ask, client

KEY = "recognisable-key-0123456789"


@pytest.fixture
def everything_logged(caplog: pytest.LogCaptureFixture) -> pytest.LogCaptureFixture:
    caplog.set_level(logging.DEBUG)
    for name in ("httpx", "httpcore", "asyncio", "pennyproof"):
        caplog.set_level(logging.DEBUG, name)
    return caplog


def shown(error: BaseException | None) -> str:
    """All that a crash report could make of an error: text, attributes, traceback with variables, and its causes."""
    if error is None:
        return ""
    trace = "".join(traceback.TracebackException.from_exception(error, capture_locals=True).format())
    return f"{error!s} {error!r} {vars(error)} {trace} {shown(error.__cause__)} {shown(error.__context__)}"


def failure(hosted: Client, account: Account) -> ProviderError | None:
    """Why a call gave no answer; made in a frame of its own, which knows no key."""
    try:
        hosted.chat(CHAT, recorder=account, deadline=Deadline(30), cancel=Cancel())
    except ProviderError as error:
        return error
    return None


def logged(caplog: pytest.LogCaptureFixture) -> str:
    return caplog.text + " ".join(f"{record.__dict__}" for record in caplog.records)


@pytest.mark.parametrize("behaviour", BEHAVIOURS)
def test_whatever_happens(behaviour: str, tmp_path: Path, everything_logged: pytest.LogCaptureFixture) -> None:
    script = Script((Reply("yes", behaviour=behaviour, times=None),), key=KEY)
    ledger = Ledger(tmp_path)
    account = ledger.account(Action("debug", tmp_path), Tier.FAST, BudgetSettings(), Prices())
    with Standin(script) as standin:
        hosted = client(standin.url, KEY, idle=0.2 if behaviour in {"silence", "stall"} else 10.0)
        text = f"{shown(failure(hosted, account))} {hosted!r} {vars(hosted)}"
        hosted.close()
    ledger.close()
    assert "recognisable" not in text
    assert "httpcore" in everything_logged.text, "nothing was logged, so nothing was tested"
    assert "recognisable" not in logged(everything_logged)
    assert b"recognisable" not in b"".join(file.read_bytes() for file in tmp_path.iterdir())


@contextmanager
def answering(response: bytes) -> Iterator[tuple[str, list[bytes]]]:
    """A server that gives everybody the same answer, with ``{key}`` for what they sent; its URL, and what came."""
    came: list[bytes] = []
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve() -> None:
            while True:
                try:
                    connection, _ = server.accept()
                except OSError:
                    return
                with connection:
                    came.append(connection.recv(65536))
                    connection.sendall(response.replace(b"{key}", KEY.encode()))

        thread = threading.Thread(target=serve)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.getsockname()[1]}", came
        finally:
            server.shutdown(socket.SHUT_RDWR)
            thread.join()


def response(status: str, body: str = "", *headers: str) -> bytes:
    return "\r\n".join([f"HTTP/1.1 {status}", "Connection: close", *headers, "", body]).encode()


@pytest.mark.parametrize(
    "sent",
    [
        response(
            "400 Bad", '{"error": {"message": "your key {key} is odd"}}', "x-ds-trace-id: {key}", "x-other: {key}"
        ),
        response("401 {key}", "Bearer {key}"),
        response("429 Slow", "{key}", "retry-after: {key}"),
        response("307 Moved", "", "location: /elsewhere?{key}"),
        response("200 OK", 'data: {"error": {"message": "{key}"}}\n\n'),
        response("200 OK", "{key}"),
        response("200 OK", 'data: {"id": "{key}", "choices": [{"finish_reason": "{key}"}]}\n\n', "x-request-id: {key}"),
        b"{key}\r\n\r\n",
        response("200 OK", "", "content-encoding: {key}", "{key}"),
    ],
)
def test_a_server_that_quotes_the_key(sent: bytes, tmp_path: Path, everything_logged: pytest.LogCaptureFixture) -> None:
    ledger, records = Ledger(tmp_path), Records()
    account = ledger.account(Action("debug", tmp_path), Tier.FAST, BudgetSettings(), Prices())
    with answering(sent) as (url, came):
        hosted = client(url, KEY)
        with pytest.raises(ProviderError) as caught:
            hosted.chat(CHAT, recorder=account, deadline=Deadline(30), cancel=Cancel())
        with pytest.raises(ProviderError):
            ask(hosted, CHAT, records)
        hosted.close()
    ledger.close()
    assert KEY.encode() in came[0], "the key was not sent, so nothing was tested"
    assert "recognisable" not in f"{caught.value} {caught.value!r} {vars(caught.value)}"
    assert "recognisable" not in logged(everything_logged)
    assert "recognisable" not in "".join(entry.trace for entry in records.entries)
    connection = sqlite3.connect(tmp_path / "ledger.sqlite")
    assert "recognisable" not in str(connection.execute("SELECT * FROM calls").fetchall())
    connection.close()


def test_redirects_are_not_followed() -> None:
    with (
        answering(response("200 OK")) as (elsewhere, came),
        answering(response("307 Moved", "", f"location: {elsewhere}/chat/completions")) as (url, _),
    ):
        hosted = client(url, KEY)
        with pytest.raises(ProviderError, match=r"is not followed; correct model\.baseUrl") as caught:
            ask(hosted, CHAT)
        hosted.close()
    assert caught.value.fault is Fault.NOT_FOUND
    assert came == []


def test_a_proxy_sees_no_key(monkeypatch: pytest.MonkeyPatch, everything_logged: pytest.LogCaptureFixture) -> None:
    with answering(response("502 No", "")) as (proxy, came):
        for name in ("HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"):
            monkeypatch.setenv(name, proxy)
        for name in ("NO_PROXY", "no_proxy"):
            monkeypatch.delenv(name, raising=False)
        encrypted = client("https://api.example.com", KEY)
        with pytest.raises(ProviderError) as caught:
            ask(encrypted, CHAT)
        encrypted.close()
        assert caught.value.fault is Fault.UNREACHABLE
        through = len(came)
        assert came[0].startswith(b"CONNECT api.example.com:443 ")
        with Standin(Script((Reply("yes"),), key=KEY)) as standin:
            plain = client(standin.url, KEY)
            assert ask(plain, CHAT).text == "yes"
            plain.close()
    assert len(came) == through
    assert KEY.encode() not in b"".join(came)


@pytest.mark.parametrize(
    "url",
    [
        "",
        "api.example.com",
        "ftp://api.example.com",
        "https://",
        "https://a:b@api.example.com",
        "http://[::1",
        "http://h:99999",
    ],
)
def test_addresses_that_cannot_be(url: str) -> None:
    with pytest.raises(UsageError, match=r"model\.baseUrl") as caught:
        Endpoint(url)
    assert "a:b" not in str(caught.value)


def test_the_host_is_what_users_agree_to() -> None:
    hosts = [Endpoint(url).host for url in ("https://api.deepseek.com", "http://127.0.0.1:8080/path")]
    assert hosts == ["api.deepseek.com", "127.0.0.1:8080"]
