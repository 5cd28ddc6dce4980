"""What the bytes of every behaviour look like to a client that hides nothing."""

import math
from typing import Any

import httpx
import pytest

from tests.standin import BEHAVIOURS, Reply, Standin
from tests.standin.wire import chat, told

KEY = {"authorization": "Bearer sk-standin"}

WHOLE = "200 'abcdéf'=stop$ ended"
STREAM = "200 '' 'abc' 'd' 'é' 'f' =stop$ [DONE] ended"
HALF = "200 '' 'abc' 'd'"
FIELDS = ": a comment|event: message|id: 7|retry: 3000|unknown"
PAGE = "200 <!doctype html><title>Sign in</title><p>Sign in to use this network.</p> ended"
CONCURRENCY = (
    "429 !Your current concurrency is 40, which exceeds your concurrency limit of 39 based on your remaining balance. "
    "Please top up your balance to restore your concurrency. ended"
)
CONTEXT = (
    "400 !This model's maximum context length is 131072 tokens. However, you requested 131134 tokens (122942 in the "
    "messages, 8192 in the completion). Please reduce the length of the messages or completion. ended"
)
BUSY = "503 !Service is too busy. We advise users to temporarily switch to alternative LLM API service providers. ended"
THINKING_ON = "200 '' (Let) ( me) ( th) (ink) ( ab) (out) ( th) (at ) =length$ [DONE] ended"

TOLD: dict[str, tuple[str, str]] = {
    # name: (as a stream, in one piece)
    "success": (STREAM, WHOLE),
    "slow_success": (STREAM, WHOLE),
    "queued": (f"200 : keep-alive : keep-alive {STREAM[4:]}", f"200 ~ ~ {WHOLE[4:]}"),
    "queued_in_vain": ("200 : keep-alive : keep-alive ended", "200 ~ ~ ended"),
    "reasoning_success": (
        "200 '' (Let) ( me) ( se) (e.) 'abc' 'd' 'é' 'f' =stop$ [DONE] ended",
        "200 (Let me see.)'abcdéf'=stop$ ended",
    ),
    "reasoning_eats_budget": (THINKING_ON, "200 (Let me think about that )=length$ ended"),
    "tool_call_success": (
        "200 '' 'abc' 'd' 'é' 'f' look[] [{}] =tool_calls$ [DONE] ended",
        "200 'abcdéf'look[{}]=tool_calls$ ended",
    ),
    "max_tokens": (STREAM.replace("stop", "length"), WHOLE.replace("stop", "length")),
    "empty": ("200 '' =stop$ [DONE] ended", "200 =stop$ ended"),
    "empty_body": ("200 ended", "200 ended"),
    "usage_on_last": (STREAM, WHOLE),
    "usage_trailing_chunk": (STREAM.replace("=stop$", "=stop $"), WHOLE),
    "unknown_finish_reason": (STREAM.replace("stop", "paused_for_review"), WHOLE.replace("stop", "paused_for_review")),
    "dsml_leak": (
        "200 '' 'abc' 'd' 'é' 'f<' '｜' 'DSM' 'L' '｜' =length$ [DONE] ended",
        "200 'abcdéf<｜DSML｜'=length$ ended",
    ),
    "silence": ("0 cut", "0 cut"),
    "stall": (f"{HALF} cut", "200 ? cut"),
    "connection_reset": ("0 reset", "0 reset"),
    "stream_disconnect": ("200 '' cut", "200 ? cut"),
    "partial_disconnect": (f"{HALF} cut", "200 ? cut"),
    "half_closed": (f"{HALF} cut", "200 ? cut"),
    "stream_eof": ("200 '' 'abc' 'd' 'é' 'f' ended", "200 ? ended"),
    "partial_eof": (f"{HALF} ended", "200 ? ended"),
    "finish_without_done": ("200 '' 'abc' 'd' 'é' 'f' =stop$ ended", "200 ? ended"),
    "malformed_json": (
        HALF + ' {"id":"broken","choices":[{"index" ' + "'é' 'f' =stop$ [DONE] ended",
        "200 ? ended",
    ),
    "malformed_event": (
        f'{HALF} ["not", "a", "chunk"] \'é\' \'f\' =stop$ [DONE] ended',
        '200 ["not", "a", "chunk"] ended',
    ),
    "other_fields": (f"200 {FIELDS} '' 'abc' 'd' {FIELDS} 'é' 'f' =stop$ [DONE] ended", WHOLE),
    "wrong_content_type": (PAGE, PAGE),
    "utf8_split": (STREAM, WHOLE),
    "crlf": (STREAM, WHOLE),
    "no_space": (STREAM, WHOLE),
    "rate_limit": ("429 !Rate limit reached for TPM ended",) * 2,
    "balance_429": (CONCURRENCY,) * 2,
    "quota_exceeded": ("402 !Insufficient Balance ended",) * 2,
    "server_error": ("500 !Internal Server Error ended",) * 2,
    "service_unavailable": (BUSY,) * 2,
    "auth_error": ("401 !Authentication Fails, Your api key: ****gone is invalid ended",) * 2,
    "invalid_request": ("400 !abcdéf ended",) * 2,
    "context_overflow": (CONTEXT,) * 2,
    "error_as_bytes": ("500 !Internal Server Error ended",) * 2,
    "error_as_text": ("502 upstream connect error or disconnect/reset before headers ended",) * 2,
    "openrouter_midstream_error": (
        f"200 : OPENROUTER PROCESSING {HALF[4:]} =error!Provider disconnected unexpectedly ended",
        "502 !Provider disconnected unexpectedly ended",
    ),
    "vllm_midstream_error": (
        f"{HALF} !EngineCore encountered an issue [DONE] ended",
        "500 !EngineCore encountered an issue ended",
    ),
    "vllm_suffix_400": (STREAM, WHOLE),
    "sglang_suffix_ignored": (STREAM, WHOLE),
    "ollama_zero_usage": ("200 ''$0 'abc'$0 'd'$0 'é'$0 'f'$0 =stop$0 $ [DONE] ended", WHOLE),
}


@pytest.mark.parametrize("stream", [True, False], ids=["stream", "whole"])
@pytest.mark.parametrize("name", BEHAVIOURS)
def test_bytes(standin: Standin, name: str, *, stream: bool) -> None:
    options = {"include_usage": True} if stream else None
    thoughts = "Let me see." if name == "reasoning_success" else ""
    reply = Reply("abcdéf", behaviour=name, reasoning=thoughts, seconds=0.002, keep_alive_seconds=0.001)
    body: dict[str, Any] = {"stream": stream, "stream_options": options, "max_tokens": 8}
    if name.startswith("reasoning"):
        body["thinking"] = {"type": "enabled"}
    if name == "tool_call_success":
        body["tools"] = [{"type": "function", "function": {"name": "look"}}]
    received = chat(standin, reply, **body)
    assert told(received) == TOLD[name][0 if stream else 1]
    standin.wait_for(lambda: standin.requests[-1].outcome != "open")
    assert standin.requests[-1].behaviour == name


def test_no_behaviour_is_left_out() -> None:
    assert TOLD.keys() == BEHAVIOURS.keys()


def test_every_event_is_a_chunk_of_http(standin: Standin) -> None:
    received = chat(standin, Reply("abcdef", behaviour="finish_without_done"), stream=True)
    assert [piece.startswith(b"data: {") and piece.endswith(b"}\n\n") for piece in received.pieces] == [True] * 4


def test_tokens_share_chunks(standin: Standin) -> None:
    received = chat(standin, Reply("abcdefg", tokens_per_chunk=2), stream=True)
    assert told(received) == "200 '' 'abcdef' 'g' =stop$ [DONE] ended"


@pytest.mark.parametrize(
    ("behaviour", "bytes_in_it"),
    [
        ("success", b'data: {"id":'),
        ("success", '"content":"é"'.encode()),
        ("crlf", b"data: [DONE]\r\n\r\n"),
        ("no_space", b'data:{"id":'),
        ("no_space", b"data:[DONE]\n\n"),
    ],
)
def test_bytes_in_a_stream(standin: Standin, behaviour: str, bytes_in_it: bytes) -> None:
    assert bytes_in_it in chat(standin, Reply("é", behaviour=behaviour), stream=True).body


def test_letters_come_in_parts(standin: Standin) -> None:
    pieces = chat(standin, Reply("é", behaviour="utf8_split"), stream=True).pieces
    assert {len(piece) for piece in pieces} == {1}


@pytest.mark.parametrize(
    ("behaviour", "header", "value"),
    [
        ("success", "content-type", "application/json"),
        ("wrong_content_type", "content-type", "text/html"),
        ("server_error", "content-type", "application/json"),
        ("error_as_bytes", "content-type", "application/octet-stream"),
        ("error_as_text", "content-type", "text/plain"),
        ("rate_limit", "retry-after", "2.5"),
        ("balance_429", "retry-after", None),
    ],
)
def test_headers(standin: Standin, behaviour: str, header: str, value: str | None) -> None:
    assert chat(standin, Reply("x", behaviour=behaviour, seconds=2.5)).headers.get(header) == value


def test_a_stalled_answer_is_abandoned_when_the_client_leaves(standin: Standin) -> None:
    standin.add(Reply("abcdef", behaviour="stall", seconds=math.inf))
    body = {"model": "deepseek-flash", "messages": [{"role": "user", "content": "say"}], "stream": True}
    with httpx.stream("POST", f"{standin.url}/chat/completions", json=body, headers=KEY) as response:
        arriving = response.iter_bytes()
        assert next(arriving)
        assert standin.requests[-1].outcome == "open"
    standin.wait_for(lambda: standin.requests[-1].outcome == "abandoned")


def test_a_connection_serves_many_requests(standin: Standin) -> None:
    standin.add(Reply("a"), Reply(behaviour="server_error"), Reply("b"))
    body = {"model": "deepseek-flash", "prompt": "x"}
    with httpx.Client(base_url=standin.url, headers=KEY) as client:
        answers = [client.post("/beta/completions", json=body) for _ in range(3)]
        ports = {answer.extensions["network_stream"].get_extra_info("client_addr")[1] for answer in answers}
    assert [answer.status_code for answer in answers] == [200, 500, 200]
    assert len(ports) == 1
