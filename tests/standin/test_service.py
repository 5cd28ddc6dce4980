"""Who may ask for what, which reply is given, and what is remembered."""

import contextlib
import math
import socket
import threading
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import urlsplit

import httpx
import pytest

from tests.standin import Reply, Script, Standin
from tests.standin.wire import ask, chat, complete, told

CHAT = {"model": "deepseek-flash", "messages": [{"role": "user", "content": "say"}]}
KEY = {"authorization": "Bearer sk-standin"}


def get(standin: Standin, path: str, header: str | None = None) -> httpx.Response:
    return httpx.get(standin.url + path, headers=KEY if header is None else {"authorization": header})


# Routes.


@pytest.mark.parametrize("prefix", ["", "/v1", "/beta"])
def test_chats_are_answered_on_every_host(standin: Standin, prefix: str) -> None:
    assert told(chat(standin, Reply("yes"), path=f"{prefix}/chat/completions")) == "200 'yes'=stop$ ended"
    assert standin.requests[0].route == "chat"


@pytest.mark.parametrize("path", ["/models", "/v1/models"])
def test_models(standin: Standin, path: str) -> None:
    listed = get(standin, path).json()
    assert [model["id"] for model in listed["data"]] == ["deepseek-flash", "deepseek-v4-pro"]
    assert get(standin, f"{path}/deepseek-v4-pro").json() == listed["data"][1]
    assert get(standin, f"{path}/gpt").status_code == 404


def test_balance(standin: Standin) -> None:
    assert get(standin, "/user/balance").json() == {
        "is_available": True,
        "balance_infos": [
            {"currency": "CNY", "total_balance": "110.00", "granted_balance": "10.00", "topped_up_balance": "100.00"}
        ],
    }


@pytest.mark.parametrize("path", ["/", "/embeddings", "/chat/completions", "/beta/models", "/v1/beta/completions"])
def test_nothing_else_is_there(standin: Standin, path: str) -> None:
    assert get(standin, path).status_code == 404


@pytest.mark.parametrize(
    ("header", "message"),
    [
        ("Bearer sk-wrong-1234", "Authentication Fails, Your api key: ****1234 is invalid"),
        ("sk-standin", "Authentication Fails (auth header format should be Bearer sk-...)"),
        ("", "Authentication Fails (auth header format should be Bearer sk-...)"),
    ],
)
@pytest.mark.parametrize("path", ["/models", "/user/balance"])
def test_a_wrong_key_opens_nothing(standin: Standin, path: str, header: str, message: str) -> None:
    answer = get(standin, path, header)
    error = {"message": message, "type": "authentication_error", "param": None, "code": "invalid_request_error"}
    assert (answer.status_code, answer.json()) == (401, {"error": error})
    assert not standin.requests[0].authorised


# Which reply is given.


def test_replies_are_given_in_order_until_none_is_left(standin: Standin) -> None:
    standin.add(Reply("one"), Reply("two", times=2))
    given = [told(ask(standin.url, CHAT)) for _ in range(4)]
    used_up = "500 !stand-in: no reply of the script is left for this chat request to deepseek-flash ended"
    assert given == ["200 'one'=stop$ ended", *["200 'two'=stop$ ended"] * 2, used_up]


def test_a_reply_waits_for_the_request_it_fits() -> None:
    script = [
        Reply("fim", route="fim"),
        Reply("pro", when="deepseek-v4-pro"),
        Reply("sum", when="def total"),
        Reply("any", times=None),
    ]
    with Standin(script) as standin:
        ask_for = {"model": "deepseek-v4-pro"}
        said = {"messages": [{"role": "system", "content": "def total(): ..."}, {"role": "user", "content": "mend"}]}
        given = [told(ask(standin.url, {**CHAT, **body})) for body in ({}, said, ask_for, said)]
        assert given == [f"200 '{text}'=stop$ ended" for text in ("any", "sum", "pro", "any")]
        assert told(ask(standin.url, {"model": "deepseek-flash", "prompt": "a"}, path="/beta/completions")) == (
            "200 'fim'=stop$ ended"
        )


def test_refused_requests_use_up_no_reply(standin: Standin) -> None:
    standin.add(Reply("one"))
    assert ask(standin.url, {**CHAT, "n": 2}).status == 400
    assert told(ask(standin.url, CHAT)) == "200 'one'=stop$ ended"


def test_a_behaviour_that_does_not_exist() -> None:
    with pytest.raises(ValueError, match="no such behaviour: sucess"):
        Standin([Reply(behaviour="sucess")])


# What is remembered.


def test_requests_are_remembered_without_the_key(standin: Standin) -> None:
    chat(standin, Reply("yes"))
    complete(standin, Reply(behaviour="server_error"), path="/beta/completions?x=1")
    first, second = standin.requests
    assert (first.method, first.path, first.route, first.authorised) == ("POST", "/chat/completions", "chat", True)
    assert first.body["messages"] == CHAT["messages"]
    assert "authorization" not in first.headers
    assert (second.path, second.route, second.behaviour) == ("/beta/completions", "fim", "server_error")
    assert first.at <= second.at


def test_calls_are_refused_without_money(standin: Standin) -> None:
    standin.set_balance("0.00")
    assert told(chat(standin, Reply())) == "402 !Insufficient Balance ended"
    assert get(standin, "/user/balance").json()["is_available"] is False


def test_more_requests_at_once_than_allowed() -> None:
    script = Script((Reply(behaviour="stall", seconds=math.inf), Reply("late")), models={"deepseek-flash": 1})
    with Standin(script) as standin, httpx.Client(headers=KEY, base_url=standin.url) as client:
        with client.stream("POST", "/chat/completions", json=CHAT | {"stream": True}):
            refused = told(ask(standin.url, {**CHAT, "model": "deepseek-v4-flash"}))
        assert refused.startswith("429 !Your current concurrency is 2, which exceeds your concurrency limit of 1 based")
        standin.wait_for(lambda: standin.requests[0].outcome == "abandoned")
        assert told(ask(standin.url, CHAT)) == "200 'late'=stop$ ended"


def test_many_requests_at_once(standin: Standin) -> None:
    standin.add(Reply("yes", times=None))
    together = threading.Barrier(8)

    def one(_: int) -> str:
        together.wait()
        return told(ask(standin.url, CHAT))

    with ThreadPoolExecutor(8) as pool:
        assert set(pool.map(one, range(8))) == {"200 'yes'=stop$ ended"}


# How it ends.


def test_leaving_ends_what_still_stalls() -> None:
    with ThreadPoolExecutor(1) as pool:
        with Standin([Reply(behaviour="silence", seconds=math.inf)]) as standin:
            waiting = pool.submit(ask, standin.url, CHAT)
            standin.wait_for(lambda: bool(standin.requests))
        assert waiting.result().end == "cut"


def test_what_is_no_http_ends_only_its_own_connection(standin: Standin) -> None:
    address = urlsplit(standin.url)
    with socket.create_connection((address.hostname or "", address.port or 0), timeout=10) as connection:
        connection.sendall(b"\x16\x03\x01 hello\r\n\r\n")
        with contextlib.suppress(ConnectionResetError):
            assert connection.recv(100) == b""
    assert told(chat(standin, Reply("yes"))) == "200 'yes'=stop$ ended"


def test_a_port_that_is_taken(standin: Standin) -> None:
    with pytest.raises(OSError, match="address already in use"), Standin(port=urlsplit(standin.url).port or 0):
        pass
