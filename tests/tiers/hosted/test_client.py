"""The client against a stand-in of the hosted API, over everything that this is known to do."""

import math
import os
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import replace

import pytest

from pennyproof.core.work import Cancel
from pennyproof.errors import Cancelled
from pennyproof.tiers.hosted.answers import Usage
from pennyproof.tiers.hosted.client import Client
from pennyproof.tiers.hosted.endpoint import Endpoint
from pennyproof.tiers.hosted.errors import BudgetUsedUp, Fault, ProviderError
from pennyproof.tiers.hosted.keys import Key
from pennyproof.tiers.hosted.requests import DEEPSEEK, ChatRequest, FimRequest
from pennyproof.tiers.hosted.retries import Retries
from tests.standin import BEHAVIOURS, Reply, Standin
from tests.tiers.hosted.paid import CHAT, FIM, THINKING, Records, ask, client

TEXT = "It fails since `größe` is 0: 漢字 🪙."
NOTHING, BOUND, SAID = "nothing", "an upper bound", "what was used"
"""What is billed."""

ANSWERED = {
    "success": [SAID],
    "slow_success": [SAID],
    "queued": [SAID],
    "reasoning_success": [SAID],
    "max_tokens": [SAID],
    "usage_on_last": [SAID],
    "usage_trailing_chunk": [SAID],
    "finish_without_done": [SAID],
    "other_fields": [SAID],
    "utf8_split": [SAID],
    "crlf": [SAID],
    "no_space": [SAID],
    "sglang_suffix_ignored": [SAID],
    "ollama_zero_usage": [SAID],
    "tool_call_success": [SAID],
    "vllm_suffix_400": [SAID],
}
"""Behaviour → what each attempt of a chat is billed."""

FAILED = {
    "queued_in_vain": (Fault.TRUNCATED, [BOUND] * 3),
    "empty_body": (Fault.TRUNCATED, [BOUND] * 3),
    "silence": (Fault.TIMEOUT, [BOUND] * 2),
    "stall": (Fault.TIMEOUT, [BOUND] * 2),
    "connection_reset": (Fault.UNREACHABLE, [BOUND] * 4),
    "stream_disconnect": (Fault.UNREACHABLE, [BOUND] * 4),
    "partial_disconnect": (Fault.TRUNCATED, [BOUND] * 3),
    "half_closed": (Fault.TRUNCATED, [BOUND] * 3),
    "stream_eof": (Fault.TRUNCATED, [BOUND] * 3),
    "partial_eof": (Fault.TRUNCATED, [BOUND] * 3),
    "malformed_json": (Fault.UNREADABLE, [BOUND] * 2),
    "malformed_event": (Fault.UNREADABLE, [BOUND] * 2),
    "wrong_content_type": (Fault.UNREADABLE, [BOUND] * 2),
    "openrouter_midstream_error": (Fault.SERVER, [BOUND] * 6),
    "vllm_midstream_error": (Fault.SERVER, [BOUND] * 6),
    "empty": (Fault.EMPTY, [SAID] * 2),
    "reasoning_eats_budget": (Fault.RAN_OUT, [SAID]),
    "unknown_finish_reason": (Fault.TRUNCATED, [SAID] * 3),
    "dsml_leak": (Fault.LEAKED, [BOUND] * 2),
    "rate_limit": (Fault.RATE_LIMIT, [NOTHING] * 6),
    "balance_429": (Fault.BALANCE, [NOTHING]),
    "quota_exceeded": (Fault.BALANCE, [NOTHING]),
    "server_error": (Fault.SERVER, [NOTHING] * 6),
    "service_unavailable": (Fault.SERVER, [NOTHING] * 6),
    "auth_error": (Fault.AUTH, [NOTHING]),
    "invalid_request": (Fault.BAD_REQUEST, [NOTHING]),
    "context_overflow": (Fault.CONTEXT_OVERFLOW, [NOTHING]),
    "error_as_bytes": (Fault.SERVER, [NOTHING] * 6),
    "error_as_text": (Fault.SERVER, [NOTHING] * 6),
}
"""Behaviour → the fault, and what each attempt of a chat is billed."""

WAITS = {"slow_success": 0.05, "queued": 0.1, "queued_in_vain": 0.1, "silence": math.inf, "stall": math.inf}
"""Seconds that a behaviour takes."""


@pytest.fixture(scope="module")
def standin() -> Iterator[Standin]:
    with Standin() as running:
        yield running


@pytest.fixture(scope="module")
def hosted(standin: Standin) -> Iterator[Client]:
    made = client(standin.url)
    yield made
    made.close()


def script(
    standin: Standin, *behaviours: str, request: ChatRequest | FimRequest = CHAT, text: str = TEXT
) -> ChatRequest | FimRequest:
    """Have the stand-in behave like this to one request, which is marked so that no other test's reply fits it."""
    mark = f"#{len(standin.requests)}-{'-'.join(behaviours)}"
    for place, behaviour in enumerate(behaviours, start=1):
        times = None if place == len(behaviours) else 1
        seconds = WAITS.get(behaviour, 0.0)
        standin.add(Reply(text, behaviour=behaviour, when=mark, times=times, seconds=seconds, keep_alive_seconds=0.02))
    if isinstance(request, FimRequest):
        return replace(request, prompt=mark + request.prompt)
    return replace(request, messages=(*request.messages, replace(request.messages[0], content=mark)))


def billed(records: Records) -> list[str]:
    kinds = {True: NOTHING, False: SAID}
    return [BOUND if entry.usage is None else kinds[entry.usage == Usage()] for entry in records.entries]


def test_every_behaviour_has_its_row() -> None:
    assert {*ANSWERED, *FAILED} == BEHAVIOURS.keys()
    assert not ANSWERED.keys() & FAILED.keys()


@pytest.mark.parametrize("behaviour", ANSWERED)
@pytest.mark.parametrize("request_", [CHAT, FIM], ids=["chat", "fim"])
def test_a_right_answer(standin: Standin, hosted: Client, behaviour: str, request_: ChatRequest | FimRequest) -> None:
    # A gap has a suffix, which some servers do not take: see below.
    asked = replace(FIM, suffix="") if isinstance(request_, FimRequest) else request_
    records, shown = Records(), list[str]()
    answer = ask(hosted, script(standin, behaviour, request=asked), records, on_text=shown.append)
    assert answer.text == TEXT
    assert "".join(shown) == TEXT
    assert billed(records) == ANSWERED[behaviour]
    assert records.outcomes == ["ok"]
    assert answer.usage is not None
    assert answer.usage.miss + answer.usage.hit <= records.entries[0].bound.miss


@pytest.mark.parametrize("behaviour", FAILED)
def test_one_clear_error(standin: Standin, behaviour: str) -> None:
    hosted = client(standin.url, idle=0.5 if behaviour in {"silence", "stall"} else 10.0)
    request = THINKING if behaviour == "reasoning_eats_budget" else CHAT
    records = Records()
    with pytest.raises(ProviderError) as caught:
        ask(hosted, script(standin, behaviour, request=request), records)
    hosted.close()
    fault, bills = FAILED[behaviour]
    assert caught.value.fault is fault
    assert billed(records) == bills
    assert records.outcomes == [fault] * len(bills)
    assert [entry.settled for entry in records.entries] == [1] * len(bills)
    assert "\n" not in str(caught.value)


RETRIED = [name for name, (_, bills) in FAILED.items() if len(bills) > 1]


@pytest.mark.parametrize("behaviour", RETRIED)
def test_what_passes_is_retried(standin: Standin, behaviour: str) -> None:
    hosted = client(standin.url, idle=0.5 if behaviour in {"silence", "stall"} else 10.0)
    records = Records()
    assert ask(hosted, script(standin, behaviour, "success"), records).text == TEXT
    hosted.close()
    assert records.outcomes == [FAILED[behaviour][0], "ok"]


@pytest.mark.parametrize("behaviour", ["stall", "partial_disconnect", "malformed_json", "openrouter_midstream_error"])
def test_text_that_was_shown_is_not_asked_for_again(standin: Standin, behaviour: str) -> None:
    hosted = client(standin.url, idle=0.5)
    records, shown = Records(), list[str]()
    with pytest.raises(ProviderError) as caught:
        ask(hosted, script(standin, behaviour), records, on_text=shown.append)
    hosted.close()
    assert len(records.entries) == 1
    assert caught.value.partial is not None
    assert TEXT.startswith(caught.value.partial.text)
    assert "".join(shown) == caught.value.partial.text != ""


def test_a_gap_may_need_no_text(standin: Standin, hosted: Client) -> None:
    records = Records()
    assert ask(hosted, script(standin, "empty", request=FIM), records).text == ""
    assert records.outcomes == ["ok"]


def test_a_server_that_takes_no_suffix(standin: Standin, hosted: Client) -> None:
    with pytest.raises(ProviderError, match="refused the request: suffix is not currently supported"):
        ask(hosted, script(standin, "vllm_suffix_400", request=FIM))


def test_what_is_sent(standin: Standin, hosted: Client) -> None:
    ask(hosted, script(standin, "success"))
    ask(hosted, script(standin, "success", request=FIM))
    chat, gap = standin.requests[-2:]
    assert (chat.path, gap.path) == ("/chat/completions", "/beta/completions")
    assert chat.body["thinking"] == {"type": "disabled"}
    assert "thinking" not in gap.body
    assert chat.headers["user-agent"].startswith("pennyproof/")


def test_the_cache_is_seen(standin: Standin, hosted: Client) -> None:
    request = script(standin, "success", text="a")
    assert isinstance(request, ChatRequest)
    long = replace(request, messages=(replace(request.messages[0], content="x = 1\n" * 200), *request.messages))
    first, second = ask(hosted, long).usage, ask(hosted, long).usage
    assert first is not None
    assert second is not None
    assert first.hit == 0
    assert second.hit > 0
    assert first.miss == second.hit + second.miss


def test_markup_in_the_prompt_may_come_back(standin: Standin, hosted: Client) -> None:
    said = "The marker is `<｜DSML｜tool_calls>`."
    request = script(standin, "success", text=said)
    assert isinstance(request, ChatRequest)
    asked = replace(request.messages[0], content="what is <｜DSML｜tool_calls>?")
    assert ask(hosted, replace(request, messages=(*request.messages, asked))).text == said


# --- deadlines, cancels, connections


@pytest.mark.parametrize("behaviour", ["queued", "silence", "stall", "slow_success"])
def test_the_deadline_holds_whatever_comes(standin: Standin, hosted: Client, behaviour: str) -> None:
    standin.add(Reply(TEXT, behaviour=behaviour, when=f"#late {behaviour}", seconds=600, keep_alive_seconds=0.01))
    request = replace(CHAT, messages=(replace(CHAT.messages[0], content=f"#late {behaviour}"),))
    records = Records()
    with pytest.raises(ProviderError) as caught:
        ask(hosted, request, records, seconds=0.5)
    assert caught.value.fault is Fault.TIMEOUT
    assert billed(records) == [BOUND]
    standin.wait_for(lambda: standin.requests[-1].outcome == "abandoned")


def test_no_time_is_no_call(standin: Standin, hosted: Client) -> None:
    records, before = Records(), len(standin.requests)
    with pytest.raises(ProviderError, match="there was no time left"):
        ask(hosted, CHAT, records, seconds=0)
    assert (records.entries, len(standin.requests)) == ([], before)


@pytest.mark.parametrize("behaviour", ["silence", "stall"])
def test_cancel_closes_the_connection_at_once(standin: Standin, hosted: Client, behaviour: str) -> None:
    request, cancel, records = script(standin, behaviour), Cancel(), Records()
    before = len(standin.requests)

    def cancel_when_it_has_come() -> None:
        standin.wait_for(lambda: len(standin.requests) > before)
        cancel.ask()

    canceller = threading.Thread(target=cancel_when_it_has_come)
    canceller.start()
    with pytest.raises(Cancelled):
        ask(hosted, request, records, cancel=cancel)
    canceller.join()
    standin.wait_for(lambda: standin.requests[-1].outcome == "abandoned")
    assert records.outcomes == ["cancelled"]
    assert billed(records) == [BOUND]


def test_cancel_from_within_the_callback(standin: Standin, hosted: Client) -> None:
    cancel, records = Cancel(), Records()
    with pytest.raises(Cancelled):
        ask(hosted, script(standin, "stall"), records, cancel=cancel, on_text=lambda _: cancel.ask())
    standin.wait_for(lambda: standin.requests[-1].outcome == "abandoned")


def test_cancelled_before_it_began(standin: Standin, hosted: Client) -> None:
    cancel, records, before = Cancel(), Records(), len(standin.requests)
    cancel.ask()
    with pytest.raises(Cancelled):
        ask(hosted, CHAT, records, cancel=cancel)
    assert (records.entries, len(standin.requests)) == ([], before)


def test_cancelled_while_it_waits_to_try_again(standin: Standin) -> None:
    class Never(Retries):
        def pause(self, error: ProviderError) -> float | None:
            canceller.start()
            return 600.0

    cancel = Cancel()
    canceller = threading.Thread(target=cancel.ask)
    hosted = Client(Endpoint(standin.url), None, DEEPSEEK, retries=Never)
    with pytest.raises(Cancelled):
        ask(hosted, CHAT, cancel=cancel, seconds=6000)
    canceller.join()
    hosted.close()


def test_a_callback_that_fails_ends_the_call(standin: Standin, hosted: Client) -> None:
    def fail(text: str) -> None:
        raise KeyError(text)

    records = Records()
    with pytest.raises(KeyError):
        ask(hosted, script(standin, "stall"), records, on_text=fail)
    standin.wait_for(lambda: standin.requests[-1].outcome == "abandoned")
    assert records.outcomes == ["failed"]


def test_close_ends_what_is_under_way_and_the_client_can_be_used_again(standin: Standin) -> None:
    hosted, before = client(standin.url), len(standin.requests)
    request = script(standin, "silence", "success")

    def close_when_it_has_come() -> None:
        standin.wait_for(lambda: len(standin.requests) > before)
        hosted.close()

    closer = threading.Thread(target=close_when_it_has_come)
    closer.start()
    with pytest.raises(Cancelled):
        ask(hosted, request)
    closer.join()
    assert ask(hosted, request).text == TEXT
    hosted.close()
    hosted.close()


def test_calls_run_at_the_same_time(standin: Standin, hosted: Client) -> None:
    both_have_text = threading.Barrier(2, timeout=10)
    texts: list[str] = []

    def run(request: ChatRequest | FimRequest) -> None:
        waited = []

        def wait_once(_: str) -> None:
            if not waited:
                waited.append(both_have_text.wait())

        texts.append(ask(hosted, request, on_text=wait_once).text)

    threads = [threading.Thread(target=run, args=(script(standin, "success"),)) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert texts == [TEXT, TEXT]


def test_a_refused_call_is_not_sent(standin: Standin, hosted: Client) -> None:
    before = len(standin.requests)
    with pytest.raises(BudgetUsedUp):
        ask(hosted, CHAT, Records(refuse=BudgetUsedUp("the budget is used up; raise it")))
    assert len(standin.requests) == before


def test_nobody_listens() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # bound, but not listening
        hosted, records = client(f"http://127.0.0.1:{taken.getsockname()[1]}"), Records()
        with pytest.raises(ProviderError, match="cannot be reached; check the network") as caught:
            ask(hosted, CHAT, records)
        hosted.close()
    assert caught.value.fault is Fault.UNREACHABLE
    assert billed(records) == [NOTHING] * 4


def test_what_speaks_no_http() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:

        def answer() -> None:
            for _ in range(4):
                connection, _address = server.accept()
                with connection:
                    connection.recv(65536)
                    connection.sendall(b"220 mail.example.com ESMTP\r\n")

        answering = threading.Thread(target=answer)
        answering.start()
        hosted, records = client(f"http://127.0.0.1:{server.getsockname()[1]}"), Records()
        with pytest.raises(ProviderError, match="broke") as caught:
            ask(hosted, CHAT, records)
        answering.join()
        hosted.close()
    assert caught.value.fault is Fault.UNREACHABLE


def test_nobody_waits_beyond_the_deadline(standin: Standin) -> None:
    hosted, records = Client(Endpoint(standin.url), Key(standin.key, "a test"), DEEPSEEK), Records()
    standin.add(Reply(behaviour="rate_limit", when="#patience", seconds=600))
    request = replace(CHAT, messages=(replace(CHAT.messages[0], content="#patience"),))
    with pytest.raises(ProviderError) as caught:
        ask(hosted, request, records, seconds=60)
    hosted.close()
    assert (caught.value.fault, caught.value.retry_after) == (Fault.RATE_LIMIT, 600)
    assert records.outcomes == [Fault.RATE_LIMIT]


def test_nothing_slow_is_imported_before_something_is_sent() -> None:
    program = (
        "import sys, pennyproof.tiers.hosted.client, pennyproof.tiers.hosted.ledger; "
        "print({'httpx', 'keyring'} & {*sys.modules})"
    )
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    result = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, env=environment, check=True
    )
    assert result.stdout == "set()\n"
