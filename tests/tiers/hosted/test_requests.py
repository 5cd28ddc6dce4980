"""Requests are written in the words of each provider."""

import json
from dataclasses import replace
from typing import Any

import pytest

from pennyproof.tiers.hosted.errors import ProviderError
from pennyproof.tiers.hosted.requests import (
    DEEPSEEK,
    LLAMA_CPP,
    OPENAI,
    Capabilities,
    ChatRequest,
    FimRequest,
    Message,
    capabilities,
    chat_wire,
    fim_wire,
)

CHAT = ChatRequest("deepseek-flash", (Message("system", "be brief"), Message("user", "why?")), 100)
FIM = FimRequest("deepseek-flash", "def one():\n", "\nprint(one())", 64, ("\n\n",), 0.0)
TURNS = [{"role": "system", "content": "be brief"}, {"role": "user", "content": "why?"}]
STREAMED = {"stream": True, "stream_options": {"include_usage": True}}


def sent(request: ChatRequest | FimRequest, able: Capabilities) -> tuple[str, Any]:
    wire = chat_wire(request, able) if isinstance(request, ChatRequest) else fim_wire(request, able)
    return wire.path, json.loads(wire.body)


@pytest.mark.parametrize(
    ("request_", "able", "path", "body"),
    [
        (
            CHAT,
            DEEPSEEK,
            "/chat/completions",
            {"model": "deepseek-flash", "messages": TURNS, "max_tokens": 100, "thinking": {"type": "disabled"}},
        ),
        (
            replace(CHAT, thinking="max", temperature=0.2, stop=("a", "b")),
            DEEPSEEK,
            "/chat/completions",
            {"model": "deepseek-flash", "messages": TURNS, "max_tokens": 100, "thinking": {"type": "enabled"},
             "reasoning_effort": "max", "temperature": 0.2, "stop": ["a", "b"]},
        ),
        (
            replace(CHAT, prefix="```python\n"),
            DEEPSEEK,
            "/beta/chat/completions",
            {"model": "deepseek-flash", "max_tokens": 100, "thinking": {"type": "disabled"},
             "messages": [*TURNS, {"role": "assistant", "content": "```python\n", "prefix": True}]},
        ),
        (CHAT, OPENAI, "/v1/chat/completions", {"model": "deepseek-flash", "messages": TURNS, "max_tokens": 100}),
        (
            replace(CHAT, extra={"grammar": 'root ::= "a"'}),
            LLAMA_CPP,
            "/v1/chat/completions",
            {"model": "deepseek-flash", "messages": TURNS, "max_tokens": 100, "grammar": 'root ::= "a"'},
        ),
        (
            FIM,
            DEEPSEEK,
            "/beta/completions",
            {"model": "deepseek-flash", "prompt": FIM.prompt, "suffix": FIM.suffix, "max_tokens": 64,
             "stop": ["\n\n"], "temperature": 0.0},
        ),
    ],
)  # fmt: skip
def test_body(request_: ChatRequest | FimRequest, able: Capabilities, path: str, body: dict[str, Any]) -> None:
    assert sent(request_, able) == (path, body | STREAMED)


def test_infill() -> None:
    assert sent(FIM, LLAMA_CPP) == (
        "/infill",
        {
            "input_prefix": FIM.prompt,
            "input_suffix": FIM.suffix,
            "n_predict": 64,
            "cache_prompt": True,
            "stream": True,
            "stop": ["\n\n"],
            "temperature": 0.0,
        },
    )


def test_what_a_provider_limits_is_kept_to() -> None:
    _, body = sent(replace(FIM, max_tokens=100_000, stop=tuple(map(str, range(20)))), DEEPSEEK)
    assert (body["max_tokens"], len(body["stop"])) == (4096, 16)


@pytest.mark.parametrize(
    ("request_", "able"),
    [(FIM, OPENAI), (replace(CHAT, prefix="x"), OPENAI), (replace(CHAT, extra={"grammar": "x"}), DEEPSEEK)],
)
def test_what_a_provider_cannot_do(request_: ChatRequest | FimRequest, able: Capabilities) -> None:
    with pytest.raises(ProviderError, match="this provider cannot"):
        sent(request_, able)


def test_the_bound_is_above_what_the_text_can_use() -> None:
    wire = chat_wire(replace(CHAT, messages=(Message("user", "漢" * 3000),)), DEEPSEEK)
    assert wire.bound.miss >= 3000
    assert wire.bound.output == 100


def test_equal_requests_have_equal_bytes() -> None:
    assert chat_wire(CHAT, DEEPSEEK).body == chat_wire(replace(CHAT), DEEPSEEK).body


@pytest.mark.parametrize("text", ["\ud800", "<｜fim▁hole｜>", "<|im_start|>", "\x00", "🪙", "<｜deepseek_image｜>"])
def test_any_text_can_be_sent(text: str) -> None:
    _, body = sent(replace(FIM, prompt=text), DEEPSEEK)
    assert body["prompt"] == text.encode("utf-8", "replace").decode()


def test_kinds_that_nobody_knows_count_as_compatible() -> None:
    assert [capabilities(kind) for kind in ("deepseek", "llamacpp", "openai", "odd")] == [
        DEEPSEEK,
        LLAMA_CPP,
        OPENAI,
        OPENAI,
    ]
