"""The official client of the protocol works against the stand-in, so the stand-in speaks it honestly."""

import math
from collections.abc import Iterator

import openai
import pytest
from openai.types.chat import ChatCompletionMessageParam, ChatCompletionToolParam

from tests.standin import Reply, Standin, ToolCall

MODEL = "deepseek-flash"
ASKED: list[ChatCompletionMessageParam] = [{"role": "user", "content": "say"}]
LOOK: ChatCompletionToolParam = {
    "type": "function",
    "function": {"name": "look", "parameters": {"type": "object", "properties": {}}},
}


@pytest.fixture(scope="module")
def connections() -> Iterator[openai.OpenAI]:
    """Made once, since certificates take long to load."""
    with openai.OpenAI(api_key="sk-standin", base_url="http://127.0.0.1", max_retries=0, timeout=20) as connected:
        yield connected


@pytest.fixture
def client(connections: openai.OpenAI, standin: Standin) -> openai.OpenAI:
    return connections.with_options(base_url=standin.url)


@pytest.fixture
def beta(connections: openai.OpenAI, standin: Standin) -> openai.OpenAI:
    return connections.with_options(base_url=f"{standin.url}/beta")


# Chats.


def test_a_chat(standin: Standin, client: openai.OpenAI) -> None:
    standin.add(Reply("hello", reasoning="hm"))
    answer = client.chat.completions.create(model=MODEL, messages=ASKED)
    message = answer.choices[0].message
    assert (message.content, message.model_extra) == ("hello", {"reasoning_content": "hm"})
    assert answer.choices[0].finish_reason == "stop"
    assert answer.usage
    assert (answer.usage.prompt_tokens, answer.usage.completion_tokens) == (7, 3)


@pytest.mark.parametrize(
    "behaviour", ["success", "queued", "usage_trailing_chunk", "utf8_split", "crlf", "no_space", "finish_without_done"]
)
def test_a_streamed_chat(standin: Standin, client: openai.OpenAI, behaviour: str) -> None:
    standin.add(Reply("héllo", behaviour=behaviour))
    text, usage = "", None
    for chunk in client.chat.completions.create(
        model=MODEL, messages=ASKED, stream=True, stream_options={"include_usage": True}
    ):
        text += "".join(choice.delta.content or "" for choice in chunk.choices)
        usage = chunk.usage or usage
    assert text == "héllo"
    assert usage
    assert usage.completion_tokens == 3


def test_a_chat_that_calls_a_function(standin: Standin, client: openai.OpenAI) -> None:
    standin.add(Reply(behaviour="tool_call_success", tool_calls=(ToolCall("look", '{"at": 1}', "call_1"),)))
    answer = client.chat.completions.create(model=MODEL, messages=ASKED, tools=[LOOK])
    assert answer.choices[0].finish_reason == "tool_calls"
    calls = answer.choices[0].message.tool_calls or []
    assert len(calls) == 1
    call = calls[0]
    assert call.type == "function"
    assert (call.id, call.function.name, call.function.arguments) == ("call_1", "look", '{"at": 1}')


def test_a_streamed_chat_that_calls_a_function(standin: Standin, client: openai.OpenAI) -> None:
    standin.add(Reply(behaviour="tool_call_success", tool_calls=(ToolCall("look", '{"at": 1}', "call_1"),)))
    with client.chat.completions.stream(model=MODEL, messages=ASKED, tools=[LOOK]) as stream:
        answer = stream.get_final_completion()
    calls = answer.choices[0].message.tool_calls or []
    assert len(calls) == 1
    call = calls[0]
    assert (call.id, call.function.name, call.function.arguments) == ("call_1", "look", '{"at": 1}')


def test_a_conversation_with_a_function(standin: Standin, client: openai.OpenAI) -> None:
    standin.add(Reply(behaviour="tool_call_success", reasoning="hm"), Reply("done"))
    asked: list[ChatCompletionMessageParam] = list(ASKED)
    first = client.chat.completions.create(model=MODEL, messages=asked, tools=[LOOK]).choices[0].message
    asked.append(first.to_dict())  # type: ignore[arg-type] # the client has no type for messages with thoughts
    asked.append({"role": "tool", "tool_call_id": "call_00_standin", "content": "seen"})
    second = client.chat.completions.create(model=MODEL, messages=asked, tools=[LOOK]).choices[0].message
    assert second.content == "done"


# Completions and what is known of models.


def test_a_completion(standin: Standin, beta: openai.OpenAI) -> None:
    standin.add(Reply("b + "))
    answer = beta.completions.create(model=MODEL, prompt="a = ", suffix="c", max_tokens=64)
    assert (answer.choices[0].text, answer.choices[0].finish_reason) == ("b + ", "stop")


def test_a_streamed_completion(standin: Standin, beta: openai.OpenAI) -> None:
    standin.add(Reply("b + b + "))
    chunks = list(beta.completions.create(model=MODEL, prompt="a = ", suffix="c", stream=True))
    assert "".join(chunk.choices[0].text for chunk in chunks) == "b + b + "


def test_models(client: openai.OpenAI) -> None:
    assert [model.id for model in client.models.list()] == ["deepseek-flash", "deepseek-v4-pro"]
    assert client.models.retrieve(MODEL).owned_by == "deepseek"


# Errors.


@pytest.mark.parametrize(
    ("behaviour", "error"),
    [
        ("auth_error", openai.AuthenticationError),
        ("rate_limit", openai.RateLimitError),
        ("balance_429", openai.RateLimitError),
        ("invalid_request", openai.BadRequestError),
        ("context_overflow", openai.BadRequestError),
        ("quota_exceeded", openai.APIStatusError),
        ("server_error", openai.InternalServerError),
        ("service_unavailable", openai.InternalServerError),
        ("error_as_text", openai.InternalServerError),
        ("connection_reset", openai.APIConnectionError),
        ("silence", openai.APIConnectionError),
    ],
)
def test_errors(standin: Standin, client: openai.OpenAI, behaviour: str, error: type[openai.APIError]) -> None:
    standin.add(Reply(behaviour=behaviour))
    with pytest.raises(error):
        client.chat.completions.create(model=MODEL, messages=ASKED)


def test_a_rate_limit_says_when_to_come_back(standin: Standin, client: openai.OpenAI) -> None:
    standin.add(Reply(behaviour="rate_limit", seconds=7))
    with pytest.raises(openai.RateLimitError) as raised:
        client.chat.completions.create(model=MODEL, messages=ASKED)
    assert raised.value.response.headers["retry-after"] == "7"
    assert raised.value.body == {
        "message": "Rate limit reached for TPM",
        "type": "rate_limit_error",
        "param": None,
        "code": "invalid_request_error",
    }


def test_an_error_in_the_middle_of_a_stream(standin: Standin, client: openai.OpenAI) -> None:
    standin.add(Reply("hello", behaviour="openrouter_midstream_error"))
    with pytest.raises(openai.APIError, match="Provider disconnected unexpectedly"):
        list(client.chat.completions.create(model=MODEL, messages=ASKED, stream=True))


def test_silence_is_the_clients_to_end(standin: Standin, client: openai.OpenAI) -> None:
    standin.add(Reply("hello", behaviour="silence", seconds=math.inf))
    with pytest.raises(openai.APITimeoutError):
        client.with_options(timeout=0.05).chat.completions.create(model=MODEL, messages=ASKED)
    standin.wait_for(lambda: standin.requests[0].outcome == "abandoned")


@pytest.mark.parametrize(
    ("body", "error"),
    [
        ({"n": 2}, openai.BadRequestError),
        ({"model": "gpt"}, openai.BadRequestError),
        ({"extra_body": {"thinking": True}}, openai.UnprocessableEntityError),
    ],
)
def test_refused_bodies(client: openai.OpenAI, body: dict[str, object], error: type[openai.APIError]) -> None:
    with pytest.raises(error):
        client.chat.completions.create(**{"model": MODEL, "messages": ASKED, **body})  # type: ignore[call-overload] # on purpose


def test_a_wrong_key(client: openai.OpenAI) -> None:
    with pytest.raises(openai.AuthenticationError, match=r"Your api key: \*\*\*\*ster is invalid"):
        client.with_options(api_key="sk-imposter").models.list()
