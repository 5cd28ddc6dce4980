"""What answers look like as JSON, and how far a reply comes."""

from typing import Any

import pytest

from tests.standin import Reply, Standin, ToolCall
from tests.standin.wire import chat, complete, told


def test_a_chat_in_one_piece(standin: Standin) -> None:
    reply = Reply("hi", reasoning="hm", tool_calls=(ToolCall("look", '{"at": 1}', "call_1"),))
    answer = chat(standin, reply, thinking={"type": "enabled"}).json
    assert answer["object"] == "chat.completion"
    assert answer["choices"] == [
        {
            "index": 0,
            "message": {
                "role": "assistant",
                "content": "hi",
                "reasoning_content": "hm",
                "tool_calls": [
                    {
                        "index": 0,
                        "id": "call_1",
                        "type": "function",
                        "function": {"name": "look", "arguments": '{"at": 1}'},
                    }
                ],
            },
            "logprobs": None,
            "finish_reason": "tool_calls",
        }
    ]
    assert answer["usage"]["completion_tokens_details"] == {"reasoning_tokens": 1}


def test_deltas_of_a_chat_that_thinks(standin: Standin) -> None:
    reply = Reply("hi", reasoning="hm", tool_calls=(ToolCall("look", "{}", "call_1"),))
    chunks = chat(standin, reply, thinking={"type": "enabled"}, stream=True).chunks
    first_call = {"index": 0, "id": "call_1", "type": "function", "function": {"name": "look", "arguments": ""}}
    assert [chunk["choices"][0]["delta"] for chunk in chunks] == [
        {"role": "assistant", "content": None, "reasoning_content": ""},
        {"content": None, "reasoning_content": "hm"},
        {"content": "hi", "reasoning_content": None},
        {"tool_calls": [first_call]},
        {"tool_calls": [{"index": 0, "function": {"arguments": "{}"}}]},
        {"content": "", "reasoning_content": None},
    ]


def test_deltas_of_a_chat_that_does_not_think(standin: Standin) -> None:
    chunks = chat(standin, Reply("hi", reasoning="hm"), stream=True).chunks
    assert [chunk["choices"][0]["delta"] for chunk in chunks] == [
        {"role": "assistant", "content": ""},
        {"content": "hi"},
        {"content": ""},
    ]
    assert "completion_tokens_details" not in chunks[-1]["usage"]


def test_a_completion(standin: Standin) -> None:
    answer = complete(standin, Reply("b")).json
    assert answer["object"] == "text_completion"
    assert answer["choices"] == [{"index": 0, "text": "b", "logprobs": None, "finish_reason": "stop"}]


def test_a_streamed_completion(standin: Standin) -> None:
    chunks = complete(standin, Reply("b"), stream=True).chunks
    assert [chunk["choices"][0]["text"] for chunk in chunks] == ["", "b", ""]
    assert {chunk["object"] for chunk in chunks} == {"text_completion"}


@pytest.mark.parametrize(
    ("behaviour", "body", "expected"),
    [
        ("vllm_suffix_400", {}, "400 !suffix is not currently supported ended"),
        ("vllm_suffix_400", {"suffix": None}, "200 'b'=stop$ ended"),
        ("sglang_suffix_ignored", {}, "200 'b + c'=stop$ ended"),
        ("success", {"echo": True}, "200 'a = b'=stop$ ended"),
        ("success", {"thinking": True}, "200 'b'=stop$ ended"),
    ],
)
def test_completions(standin: Standin, behaviour: str, body: dict[str, Any], expected: str) -> None:
    assert told(complete(standin, Reply("b", behaviour=behaviour), **body)) == expected


# How far a reply comes.


@pytest.mark.parametrize(
    ("text", "body", "expected"),
    [
        ("abcdef", {"max_tokens": 1}, "200 'abc'=length$ ended"),
        ("abcdef", {"max_tokens": 2}, "200 'abcdef'=stop$ ended"),
        ("one\n\ntwo```", {"stop": ["```", "\n\n"]}, "200 'one'=stop$ ended"),
        ("one", {"stop": "o"}, "200 =stop$ ended"),
        ("{}", {"response_format": {"type": "json_object"}, "max_tokens": 1}, "200 '   '=length$ ended"),
    ],
)
def test_how_far_a_text_comes(standin: Standin, text: str, body: dict[str, Any], expected: str) -> None:
    assert told(chat(standin, Reply(text), **body)) == expected


def test_thoughts_count_against_the_budget(standin: Standin) -> None:
    received = chat(standin, Reply("abcdef", reasoning="hmmmmm"), thinking={"type": "enabled"}, max_tokens=3)
    assert told(received) == "200 (hmmmmm)'abc'=length$ ended"


@pytest.mark.parametrize(
    ("stream_options", "trailing", "expected"),
    [
        (None, False, [False, False, True]),
        ({"include_usage": True}, False, [None, None, True]),
        (None, True, [False, False, False]),
        ({"include_usage": True}, True, [None, None, None, True]),
    ],
    ids=["on last", "on last, asked for", "trailing", "trailing, asked for"],
)
def test_where_usage_is(
    standin: Standin, stream_options: object, *, trailing: bool, expected: list[bool | None]
) -> None:
    """False where the key is missing, None where it is null."""
    behaviour = "usage_trailing_chunk" if trailing else "usage_on_last"
    chunks = chat(standin, Reply("hi", behaviour=behaviour), stream=True, stream_options=stream_options).chunks
    assert [chunk.get("usage", False) and True for chunk in chunks] == expected
