"""Counted tokens and cached prefixes."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.standin import Reply, Standin
from tests.standin.usage import PrefixCache, count, tokens
from tests.standin.wire import chat

LONG = "0123456789ab" * 100
"""400 tokens."""


@pytest.mark.parametrize(
    ("text", "expected"), [("", 0), ("a", 1), ("abc", 1), ("abcd", 2), ("é", 1), ("日本", 2), ("ab\ncd", 2)]
)
def test_tokens(text: str, expected: int) -> None:
    assert count(text) == expected


@given(st.text())
def test_tokens_make_the_text(text: str) -> None:
    assert "".join(tokens(text)) == text
    assert count(text) == len(tokens(text))


def check(*prompts: str, hits: list[int]) -> None:
    cache = PrefixCache()
    assert [cache.hit("me", "flash", prompt) for prompt in prompts] == hits


def test_a_prompt_asked_again_is_cached_in_steps_of_64() -> None:
    check(LONG, LONG, hits=[0, 384])


def test_a_conversation_that_goes_on_finds_its_beginning() -> None:
    check(LONG, LONG + "more", hits=[0, 384])


def test_a_common_beginning_is_found_by_the_third_request() -> None:
    check(LONG + "one", LONG + "two", LONG + "three", hits=[0, 0, 384])


def test_a_unit_is_found_whole_or_not_at_all() -> None:
    check(LONG, LONG[:900], hits=[0, 0])


def test_a_beginning_that_differs_finds_nothing() -> None:
    check(LONG, "x" + LONG, hits=[0, 0])


def test_long_texts_are_found_at_fixed_distances() -> None:
    check(LONG * 11 + "one", LONG * 11 + "two", hits=[0, 4096])


def test_users_and_models_share_nothing() -> None:
    cache = PrefixCache()
    cache.hit("me", "flash", LONG)
    assert [cache.hit("you", "flash", LONG), cache.hit("me", "pro", LONG), cache.hit("me", "flash", LONG)] == [
        0,
        0,
        384,
    ]


def usage(standin: Standin, text: str, **body: Any) -> tuple[int, int]:
    """Tokens that were cached, and those that were not."""
    shown = chat(standin, Reply(text), **body).json["usage"]
    assert shown["prompt_tokens_details"] == {"cached_tokens": shown["prompt_cache_hit_tokens"]}
    assert shown["prompt_tokens"] == shown["prompt_cache_hit_tokens"] + shown["prompt_cache_miss_tokens"]
    assert shown["total_tokens"] == shown["prompt_tokens"] + shown["completion_tokens"]
    return shown["prompt_cache_hit_tokens"], shown["prompt_cache_miss_tokens"]


def test_an_answer_is_cached_with_its_prompt(standin: Standin) -> None:
    asked = [{"role": "user", "content": "say"}]
    went_on = [*asked, {"role": "assistant", "content": LONG}, {"role": "user", "content": "more"}]
    assert usage(standin, LONG, messages=asked) == (0, 3)
    assert usage(standin, "", messages=went_on) == (384, 26)


def test_thoughts_need_not_be_replayed_for_the_answer_to_be_cached(standin: Standin) -> None:
    thinks: dict[str, Any] = {"thinking": {"type": "enabled"}}
    asked = [{"role": "user", "content": LONG}]
    chat(standin, Reply("yes", reasoning=LONG), messages=asked, **thinks)
    went_on = [*asked, {"role": "assistant", "content": "yes"}, {"role": "user", "content": "more"}]
    assert usage(standin, "", messages=went_on, **thinks)[0] == 384


@pytest.mark.parametrize(
    "other",
    [
        {"reasoning_effort": "max", "thinking": {"type": "enabled"}},
        {"tools": [{"type": "function", "function": {"name": "look"}}]},
        {"user_id": "you"},
        {"model": "deepseek-v4-pro"},
    ],
)
def test_what_changes_the_beginning_of_a_prompt(standin: Standin, other: dict[str, Any]) -> None:
    messages = [{"role": "user", "content": LONG}]
    usage(standin, "", messages=messages)
    assert usage(standin, "", messages=messages, **other)[0] == 0
