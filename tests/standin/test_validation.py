"""What is refused about a body, in which words."""

from typing import Any

import pytest

from tests.standin import Reply, Standin
from tests.standin.wire import Received, ask, chat, complete

USER = {"role": "user", "content": "say"}
CALL = {"id": "call_1", "type": "function", "function": {"name": "look", "arguments": "{}"}}
CALLED = {"role": "assistant", "content": "", "reasoning_content": "", "tool_calls": [CALL]}
RESULT = {"role": "tool", "tool_call_id": "call_1", "content": "seen"}
BEGUN = {"role": "assistant", "content": "```python\n", "prefix": True}
PICTURE = {"role": "user", "content": [{"type": "image_url", "image_url": {"url": "data:,"}}]}
THINK = {"thinking": {"type": "enabled"}}
MUST_BE_PASSED_BACK = "The `reasoning_content` in the thinking mode must be passed back to the API."
CALLS_UNANSWERED = (
    "An assistant message with 'tool_calls' must be followed by tool messages responding to each 'tool_call_id'. "
    "(insufficient tool messages following tool_calls message)"
)
TOO_LONG = (
    "This model's maximum context length is 1048576 tokens. However, you requested 1048588 tokens (1048578 in the "
    "messages, 10 in the completion). Please reduce the length of the messages or completion."
)
FORCED = {"type": "function", "function": {"name": "look"}}


def tool(name: str = "look", **function: object) -> dict[str, Any]:
    return {"type": "function", "function": {"name": name, **function}}


def unreadable(problem: str) -> str:
    return f"Failed to deserialize the JSON body into the target type: {problem}"


REFUSED_CHATS: list[tuple[dict[str, Any], int, str]] = [
    ({"model": "gpt"}, 400, "The supported API model names are deepseek-flash, deepseek-v4-pro, but you passed gpt."),
    ({"model": None}, 422, unreadable("missing field `model`")),
    ({"model": 5}, 422, unreadable("model: invalid type: integer, expected a string")),
    ({"messages": []}, 400, "Empty input messages"),
    ({"messages": None}, 422, unreadable("missing field `messages`")),
    ({"messages": ["say"]}, 422, unreadable("messages[0]: invalid type: string, expected struct Message")),
    ({"messages": [{"content": "say"}]}, 422, unreadable("messages[0]: missing field `role`")),
    (
        {"messages": [{"role": "developer", "content": "say"}]},
        422,
        unreadable(
            "messages[0].role: unknown variant `developer`, expected one of `system`, `user`, `assistant`, `tool`"
        ),
    ),
    ({"messages": [USER, {"role": "user"}]}, 422, unreadable("messages[1]: missing field `content`")),
    (
        {"messages": [{"role": "user", "content": 1}]},
        422,
        unreadable("messages[0]: invalid type: integer, expected a string"),
    ),
    (
        {"messages": [PICTURE], "model": "deepseek-v4-pro"},
        422,
        unreadable("messages[0]: unknown variant `image_url`, expected one of `text`"),
    ),
    ({"messages": [USER, {"role": "assistant", "content": None}]}, 400, "content or tool_calls must be set"),
    (
        {"messages": [USER, RESULT]},
        400,
        "Messages with role 'tool' must be a response to a preceding message with 'tool_calls'",
    ),
    (
        {"messages": [USER, CALLED, USER]},
        400,
        CALLS_UNANSWERED,
    ),
    ({"thinking": True}, 422, unreadable("thinking: invalid type: boolean, expected struct ThinkingOptions")),
    (
        {"thinking": {"type": "on"}},
        422,
        unreadable("thinking.type: unknown variant `on`, expected one of `enabled`, `disabled`, `adaptive`"),
    ),
    (
        {"reasoning_effort": "some"},
        422,
        unreadable(
            "reasoning_effort: unknown variant `some`, expected one of `none`, `minimal`, `low`, `medium`, `high`, "
            "`xhigh`, `max`, `ultra`"
        ),
    ),
    (
        THINK | {"tools": [tool()], "messages": [USER, {"role": "assistant", "content": "hi"}, USER]},
        400,
        MUST_BE_PASSED_BACK,
    ),
    (THINK | {"tools": [tool()], "tool_choice": "required"}, 400, "Thinking mode does not support this tool_choice"),
    (THINK | {"tools": [tool()], "tool_choice": FORCED}, 400, "Thinking mode does not support this tool_choice"),
    ({"tool_choice": "required"}, 400, "tool_choice is only allowed when 'tools' are specified"),
    ({"n": 2}, 400, "Invalid n value (currently only n = 1 is supported)"),
    ({"max_tokens": 0}, 400, "Invalid max_tokens value, the valid range of max_tokens is [1, 393216]"),
    ({"max_tokens": 393_217}, 400, "Invalid max_tokens value, the valid range of max_tokens is [1, 393216]"),
    ({"max_tokens": True}, 422, unreadable("max_tokens: invalid type: boolean, expected u32")),
    ({"max_tokens": 1.5}, 422, unreadable("max_tokens: invalid type: floating point, expected u32")),
    ({"temperature": 2.1}, 400, "Invalid temperature value, the valid range of temperature is [0, 2]"),
    ({"top_logprobs": 21}, 400, "Invalid logprobs value, the valid range of logprobs is [0, 20]"),
    ({"stop": list("abcdefghijklmnopq")}, 400, "Invalid stop value, at most 16 strings are supported"),
    ({"user_id": "a b"}, 400, "Invalid user_id value, it must match '^[a-zA-Z0-9_-]{1,512}$'"),
    ({"stream_options": {"include_usage": True}}, 400, "stream_options should be set along with stream = true"),
    ({"response_format": {"type": "json_schema"}}, 400, "This response_format type is unavailable now"),
    (
        {"messages": [USER, BEGUN]},
        400,
        'prefix is only available when using beta api (set base_url="https://api.deepseek.com/beta")',
    ),
    ({"tools": [tool()] * 129}, 400, "Invalid 'tools': array too long. Expected an array with maximum length 128."),
    ({"tools": [tool("a b")]}, 400, "Invalid 'tools[0].function.name': it must match '^[a-zA-Z0-9_-]{1,64}$'"),
    (
        {"tools": [tool(strict=True)]},
        400,
        'strict is only available when using beta api (set base_url="https://api.deepseek.com/beta")',
    ),
    (
        {"messages": [{"role": "user", "content": "abc" * 1_048_576}], "max_tokens": 10},
        400,
        TOO_LONG,
    ),
]


@pytest.mark.parametrize(("body", "status", "message"), REFUSED_CHATS, ids=lambda value: None)
def test_chats_that_are_refused(standin: Standin, body: dict[str, Any], status: int, message: str) -> None:
    check(chat(standin, Reply(), **body), status, message)
    assert standin.requests[0].refusal == message


@pytest.mark.parametrize(
    "body",
    [
        {"model": "deepseek-v4-flash"},
        {"model": "deepseek-v4-flash-vision-exp"},
        {"enable_thinking": True, "top_p": 7, "presence_penalty": 9},
        {"reasoning_effort": "xhigh"},
        {"messages": [PICTURE]},
        {"messages": [USER, CALLED, RESULT], "tools": [tool()], **THINK},
        {"messages": [USER, {"role": "assistant", "content": "hi"}, USER], **THINK},
        {"tools": [tool()], "tool_choice": "required"},
        {"max_tokens": 393_216, "temperature": 2, "n": 1, "stop": ["a"] * 16, "user_id": "a-B_9"},
    ],
    ids=lambda value: None,
)
def test_chats_that_are_answered(standin: Standin, body: dict[str, Any]) -> None:
    assert chat(standin, Reply("yes"), **body).status == 200


@pytest.mark.parametrize(
    ("body", "refusal"),
    [
        ({"messages": [USER, BEGUN]}, None),
        (
            {"messages": [USER, BEGUN, USER]},
            "prefix may only be set on the last message, which must be of role assistant",
        ),
        ({"tools": [tool(strict=True, parameters={"properties": {"path": {}}})]}, None),
        ({"tools": [tool(strict=True), tool()]}, "All functions must set strict to true if one of them does"),
        ({"tools": [tool(strict=True, parameters={})]}, "An object with no properties is not allowed."),
    ],
    ids=lambda value: None,
)
def test_chats_on_the_beta_host(standin: Standin, body: dict[str, Any], refusal: str | None) -> None:
    received = chat(standin, Reply("yes"), path="/beta/chat/completions", **body)
    check(received, 400 if refusal else 200, refusal)


@pytest.mark.parametrize(
    ("body", "status", "refusal"),
    [
        ({"prompt": None}, 422, unreadable("missing field `prompt`")),
        ({"prompt": ["a"]}, 422, unreadable("prompt: invalid type: sequence, expected a string")),
        ({"max_tokens": 4097}, 400, "Invalid max_tokens value, the valid range of max_tokens is [1, 4096]"),
        ({"max_tokens": 4096}, 200, None),
        ({"logprobs": 21}, 400, "Invalid logprobs value, the valid range of logprobs is [0, 20]"),
        ({"thinking": True, "reasoning_effort": 3}, 200, None),
    ],
    ids=lambda value: None,
)
def test_completions(standin: Standin, body: dict[str, Any], status: int, refusal: str | None) -> None:
    check(complete(standin, Reply("yes"), **body), status, refusal)


@pytest.mark.parametrize("path", ["/completions", "/v1/completions"])
def test_completions_off_the_beta_host(standin: Standin, path: str) -> None:
    refusal = 'completions api is only available when using beta api (set base_url="https://api.deepseek.com/beta")'
    check(complete(standin, Reply(), path=path), 400, refusal)


@pytest.mark.parametrize(
    ("body", "problem"),
    [(b"{", "expected struct Request"), (b"[]", "expected struct Request"), (b"\xff", "expected struct Request")],
)
def test_bodies_that_are_no_objects(standin: Standin, body: bytes, problem: str) -> None:
    check(ask(standin.url, body), 422, unreadable(problem))


def check(received: Received, status: int, message: str | None) -> None:
    assert received.status == status
    if message is not None:
        kinds = {"type": "invalid_request_error", "param": None, "code": "invalid_request_error"}
        assert received.json == {"error": {"message": message, **kinds}}
