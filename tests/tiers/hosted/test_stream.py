"""Answers are read from every shape of stream, and what is no answer is told apart."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pennyproof.tiers.hosted.answers import Answer, Usage
from pennyproof.tiers.hosted.errors import Fault, ProviderError
from pennyproof.tiers.hosted.keys import Key
from pennyproof.tiers.hosted.stream import LeakGuard, Reader

USED = {"prompt_tokens": 21, "completion_tokens": 12, "prompt_cache_hit_tokens": 16, "prompt_cache_miss_tokens": 5}
USAGE = Usage(16, 5, 12)


def chat(content: str | None = None, reasoning: str | None = None, finish: str | None = None, **more: Any) -> Any:
    choice = {"index": 0, "delta": {"content": content, "reasoning_content": reasoning}, "finish_reason": finish}
    return {"id": "c1", "model": "deepseek-flash", "choices": [choice], "usage": None, **more}


def text(content: str, finish: str | None = None, **more: Any) -> Any:
    return {"id": "c1", "choices": [{"text": content, "index": 0, "finish_reason": finish}], **more}


def read(*chunks: Any, may_be_empty: bool = False, watch_for_leaks: bool = True) -> tuple[Answer, str]:
    reader = Reader("host", None, may_be_empty=may_be_empty, watch_for_leaks=watch_for_leaks)
    shown = "".join(reader.take(chunk if isinstance(chunk, str) else json.dumps(chunk)) for chunk in chunks)
    return reader.finish(), shown


DONE = "[DONE]"


@pytest.mark.parametrize(
    ("chunks", "answer"),
    [
        (
            [chat(""), chat("re"), chat("turn"), chat("", finish="stop", usage=USED), DONE],
            Answer("return", "", "stop", USAGE, "deepseek-flash", "c1"),
        ),
        (
            [chat("a"), chat("", finish="stop"), {"choices": [], "usage": USED}, DONE],
            Answer("a", "", "stop", USAGE, "deepseek-flash", "c1"),
        ),
        (
            [chat(None, ""), chat(None, "hm"), chat("a"), chat("", finish="stop"), DONE],
            Answer("a", "hm", "stop", None, "deepseek-flash", "c1"),
        ),
        ([chat("a"), chat("", finish="length"), DONE], Answer("a", "", "length", None, "deepseek-flash", "c1")),
        ([chat("a", finish="stop")], Answer("a", "", "stop", None, "deepseek-flash", "c1")),
        ([chat("a"), DONE], Answer("a", "", None, None, "deepseek-flash", "c1")),
        ([text("a"), text("b", "stop", usage=USED), DONE], Answer("ab", "", "stop", USAGE, "", "c1")),
        (
            [{"choices": [{"delta": {"reasoning": "hm", "content": "a"}, "finish_reason": "stop"}]}],
            Answer("a", "hm", "stop"),
        ),
        (
            [{"choices": [{"message": {"content": "a"}, "finish_reason": "stop"}], "usage": USED}],
            Answer("a", "", "stop", USAGE),
        ),
        (
            [
                {"content": "a", "stop": False},
                {"content": "", "stop": True, "stop_type": "eos", "tokens_evaluated": 9, "tokens_predicted": 1},
            ],
            Answer("a", "", "stop", Usage(0, 9, 1)),
        ),
        ([{"content": "a", "stop": True, "stop_type": "limit"}], Answer("a", "", "length")),
        (
            [chat("a", usage={"prompt_tokens": 0, "completion_tokens": 0}), {"choices": [], "usage": USED}, DONE],
            Answer("a", "", None, USAGE, "deepseek-flash", "c1"),
        ),
        (
            [chat("a"), {"choices": "odd"}, {"choices": [7]}, {}, DONE],
            Answer("a", "", None, None, "deepseek-flash", "c1"),
        ),
    ],
)
def test_an_answer(chunks: list[Any], answer: Answer) -> None:
    found, shown = read(*chunks)
    assert found == answer
    assert shown == answer.text


@pytest.mark.parametrize(
    ("chunks", "fault", "retryable", "partial"),
    [
        ([], Fault.TRUNCATED, True, ""),
        ([chat("half")], Fault.TRUNCATED, True, "half"),
        ([chat("half", finish="paused_for_review"), DONE], Fault.TRUNCATED, True, "half"),
        ([chat("half", finish="aborted"), DONE], Fault.TRUNCATED, True, "half"),
        ([chat("", finish="tool_calls"), DONE], Fault.TRUNCATED, True, ""),
        ([chat("half", finish="insufficient_system_resource"), DONE], Fault.SERVER, True, "half"),
        ([chat("half", finish="content_filter"), DONE], Fault.CONTENT_FILTER, False, "half"),
        ([chat("", finish="stop"), DONE], Fault.EMPTY, True, ""),
        ([chat(" \n", finish="stop"), DONE], Fault.EMPTY, True, " \n"),
        ([chat(None, "hm", finish="length"), DONE], Fault.RAN_OUT, False, ""),
        ([chat("half"), '{"id":"broken"'], Fault.UNREADABLE, True, "half"),
        ([chat("half"), ["not", "a", "chunk"]], Fault.UNREADABLE, True, "half"),
        (["[" * 100_000], Fault.UNREADABLE, True, ""),
        ([chat("half"), {"error": {"code": "server_error", "message": "gone"}}], Fault.SERVER, True, "half"),
        ([chat("half"), {"error": {"code": 429, "message": "slow"}}], Fault.RATE_LIMIT, True, "half"),
        ([{"error": {"message": "This model's maximum context length is 5"}}], Fault.CONTEXT_OVERFLOW, False, ""),
        ([{"error": "rate_limit_exceeded"}], Fault.RATE_LIMIT, True, ""),
        ([chat("x" * 5_000_000)], Fault.UNREADABLE, False, ""),
        ([chat("half <"), chat("｜DS"), chat("ML｜tool_calls>"), DONE], Fault.LEAKED, True, "half "),
        ([chat("<||DSML||invoke name=")], Fault.LEAKED, True, ""),
    ],
)
def test_no_answer(chunks: list[Any], fault: Fault, retryable: bool, partial: str) -> None:
    with pytest.raises(ProviderError) as caught:
        read(*chunks)
    error = caught.value
    assert (error.fault, error.retryable) == (fault, retryable)
    assert error.partial is not None
    assert error.partial.text == partial


def test_halves_of_letters_do_not_get_in() -> None:
    answer, _ = read(r'{"id": "\ud800", "choices": [{"text": "a\ud83e\ude99\udc00", "finish_reason": "stop"}]}')
    assert (answer.id, answer.text) == ("\ufffd", "a🪙\ufffd")


def test_a_gap_may_need_no_text() -> None:
    assert read(text("", "stop"), may_be_empty=True)[0].text == ""


def test_who_speaks_of_markup_may_be_answered_with_it() -> None:
    assert read(chat("`<｜DSML｜tool_calls>`", finish="stop"), watch_for_leaks=False)[1] == "`<｜DSML｜tool_calls>`"


def test_what_only_began_like_markup_is_shown_in_the_end() -> None:
    assert read(chat("if a <"), chat("", finish="stop"), DONE)[1] == "if a <"
    assert read(chat("if a <"), DONE)[1] == "if a <"


@given(st.lists(st.text("<|｜DSML>a", max_size=6)))
def test_text_without_markup_passes_whole(pieces: list[str]) -> None:
    guard = LeakGuard()
    passed = "".join([*map(guard.pass_on, pieces), guard.rest()])
    whole = "".join(pieces)
    markers = ("<｜DSML｜", "<|DSML|", "<｜｜DSML｜｜", "<||DSML||")
    assert guard.leaked == any(marker in whole for marker in markers)
    assert guard.leaked or passed == whole


def test_errors_in_a_stream_never_show_the_key() -> None:
    reader = Reader("host", Key("recognisable-key", "test"))
    with pytest.raises(ProviderError) as caught:
        reader.take(json.dumps({"error": {"code": 400, "message": "you sent recognisable-key and sk-abcdefgh1234"}}))
    assert "you sent [key] and [key]" in str(caught.value)
    assert "recognisable" not in f"{caught.value!r}{caught.value.__dict__}"


@pytest.mark.parametrize(
    ("usage", "expected"),
    [
        (USED, USAGE),
        (
            {"prompt_tokens": 21, "completion_tokens": 2, "prompt_tokens_details": {"cached_tokens": 16}},
            Usage(16, 5, 2),
        ),
        (
            {"prompt_tokens": 3, "completion_tokens": 9, "completion_tokens_details": {"reasoning_tokens": 7}},
            Usage(0, 3, 9, 7),
        ),
        ({"prompt_tokens": 3, "completion_tokens": 9, "prompt_tokens_details": None}, Usage(0, 3, 9)),
        ({"prompt_tokens": 3, "prompt_cache_hit_tokens": 5}, Usage(3, 0, 0)),
        ({"prompt_tokens": "many", "completion_tokens": -4}, None),
        ({}, None),
        (None, None),
        ("odd", None),
    ],
)
def test_usage(usage: object, expected: Usage | None) -> None:
    assert Usage.from_json(usage) == expected
