"""What a model would have answered, and the JSON that says so: in one piece or in chunks, for chats and for FIM."""

import time
import uuid
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from tests.standin import usage
from tests.standin.asked import Asked
from tests.standin.script import Reply, ToolCall, UsagePlacement
from tests.standin.usage import PrefixCache, Usage

FINGERPRINT = "fp_standin"

Chunk = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Answer:
    """A reply as far as the request let it come. `dataclasses.replace` makes others of it."""

    asked: Asked
    id: str
    created: int
    reasoning: Sequence[str]
    """Tokens."""
    text: Sequence[str]
    """Tokens."""
    tool_calls: Sequence[ToolCall]
    finish_reason: str
    usage: Usage
    usage_placement: UsagePlacement
    tokens_per_chunk: int = 1

    def whole(self) -> Chunk:
        """The response that is not a stream."""
        choice: Chunk = {"index": 0, "logprobs": None, "finish_reason": self.finish_reason}
        if self.asked.route == "fim":
            choice |= {"text": "".join(self.text)}
        else:
            choice |= {"message": self.message()}
        return self._envelope("chat.completion", [choice]) | {"usage": self.usage.as_json()}

    def message(self) -> Chunk:
        """The answer as the next request's conversation holds it."""
        message: Chunk = {"role": "assistant", "content": "".join(self.text)}
        if self.asked.thinking:
            message["reasoning_content"] = "".join(self.reasoning)
        if self.tool_calls:
            message["tool_calls"] = [_whole_call(at, call) for at, call in enumerate(self.tool_calls)]
        return message

    def opening(self) -> Chunk:
        """The chunk before any text."""
        if self.asked.route == "fim":
            return self._chunk({"text": ""})
        if self.asked.thinking:
            return self._chunk({"delta": {"role": "assistant", "content": None, "reasoning_content": ""}})
        return self._chunk({"delta": {"role": "assistant", "content": ""}})

    def body(self) -> Iterator[Chunk]:
        """The chunks with text: thoughts, then content, then calls, never two of them in one."""
        size = self.tokens_per_chunk
        for thought in _grouped(self.reasoning, size):
            yield self._chunk({"delta": {"content": None, "reasoning_content": thought}})
        for text in _grouped(self.text, size):
            yield self._text(text)
        for at, call in enumerate(self.tool_calls):
            function = {"name": call.name, "arguments": ""}
            yield self._call({"index": at, "id": call.id, "type": "function", "function": function})
            for piece in _grouped(usage.tokens(call.arguments), size):
                yield self._call({"index": at, "function": {"arguments": piece}})

    def ending(self) -> Iterator[Chunk]:
        """The chunk that says why the text ended, and the usage: on it, or on a chunk of its own if asked for."""
        last = self._text("")
        last["choices"][0]["finish_reason"] = self.finish_reason
        if self.usage_placement == "on_last":
            yield last | {"usage": self.usage.as_json()}
            return
        yield last
        if self.asked.include_usage:
            yield self.trailing_usage()

    def trailing_usage(self) -> Chunk:
        """The chunk that has nothing but usage."""
        return self._envelope("chat.completion.chunk", []) | {"usage": self.usage.as_json()}

    def _text(self, text: str) -> Chunk:
        if self.asked.route == "fim":
            return self._chunk({"text": text})
        if self.asked.thinking:
            return self._chunk({"delta": {"content": text, "reasoning_content": None}})
        return self._chunk({"delta": {"content": text}})

    def _call(self, call: Chunk) -> Chunk:
        return self._chunk({"delta": {"tool_calls": [call]}})

    def _chunk(self, content: Mapping[str, Any]) -> Chunk:
        choice = {"index": 0, **content, "logprobs": None, "finish_reason": None}
        no_usage_yet = {"usage": None} if self.asked.include_usage else {}
        return self._envelope("chat.completion.chunk", [choice]) | no_usage_yet

    def _envelope(self, kind: str, choices: list[Chunk]) -> Chunk:
        return {
            "id": self.id,
            "object": "text_completion" if self.asked.route == "fim" else kind,
            "created": self.created,
            "model": self.asked.body["model"],
            "system_fingerprint": FINGERPRINT,
            "choices": choices,
        }


def answer(asked: Asked, reply: Reply, cache: PrefixCache, placement: UsagePlacement) -> Answer:
    """What a request gets of a reply: up to its stop texts and within its budget, with the usage that makes.

    Args:
        asked: A valid request.
        reply: What the script says.
        cache: Knows the prompts so far, and from now on this one with its answer.
        placement: Where a stream has its usage.
    """
    all_thoughts = usage.tokens(reply.reasoning) if asked.thinking else []
    all_text = usage.tokens(_text(asked, reply))
    thoughts = all_thoughts[: asked.max_tokens]
    text = all_text[: asked.max_tokens - len(thoughts)]
    is_whole = len(thoughts) + len(text) == len(all_thoughts) + len(all_text)
    calls = reply.tool_calls if asked.route == "chat" and is_whole else ()
    completion = len(thoughts) + len(text) + sum(usage.count(call.name + call.arguments) for call in calls)
    true_reason = "length" if not is_whole else "tool_calls" if calls else "stop"
    made = Answer(
        asked=asked,
        id=str(uuid.uuid4()),
        created=int(time.time()),
        reasoning=thoughts,
        text=text,
        tool_calls=calls,
        finish_reason=reply.finish_reason or true_reason,
        usage=Usage(
            prompt=asked.prompt_tokens,
            cached=cache.hit(asked.user_id, asked.model, asked.prompt),
            completion=completion,
            reasoning=len(thoughts) if asked.thinking else None,
        ),
        usage_placement=placement,
        tokens_per_chunk=reply.tokens_per_chunk,
    )
    cache.answered(asked.user_id, asked.model, asked.continued(made.message()))
    return made


def _text(asked: Asked, reply: Reply) -> str:
    """The reply's text, cut before a stop text.

    In JSON mode a model that was never told of JSON writes blanks for ever.
    """
    if asked.wants_json and "json" not in asked.prompt.lower():
        return "   " * (asked.max_tokens + 1)
    ends = [at for stop in asked.stop if (at := reply.text.find(stop)) >= 0]
    text = reply.text[: min(ends, default=len(reply.text))]
    return f"{asked.body['prompt']}{text}" if asked.body.get("echo") and asked.route == "fim" else text


def _whole_call(at: int, call: ToolCall) -> Chunk:
    function = {"name": call.name, "arguments": call.arguments}
    return {"index": at, "id": call.id, "type": "function", "function": function}


def _grouped(pieces: Sequence[str], size: int) -> Iterator[str]:
    return ("".join(pieces[at : at + size]) for at in range(0, len(pieces), size))
