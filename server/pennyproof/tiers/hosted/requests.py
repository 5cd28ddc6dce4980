"""What is asked of a model, and how each kind of provider wants to be asked."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Literal

from pennyproof.tiers.hosted.answers import Usage
from pennyproof.tiers.hosted.errors import Fault, ProviderError

Thinking = Literal["low", "high", "max"]

_BYTES_PER_TOKEN = 3
"""Few enough to err towards too many tokens, for code in any language."""
_TEMPLATE_TOKENS = 64
"""What a provider's chat template adds at most."""


@dataclass(frozen=True, slots=True)
class Message:
    """One turn of a conversation."""

    role: Literal["system", "user", "assistant"]
    content: str


@dataclass(frozen=True, slots=True)
class ChatRequest:
    """A conversation that the model is to go on with."""

    model: str
    messages: tuple[Message, ...]
    max_tokens: int
    """Of the answer, its reasoning included."""
    thinking: Thinking | None = None
    """How hard to think; ``None``: not at all, which providers must be told."""
    temperature: float | None = None
    stop: tuple[str, ...] = ()
    prefix: str | None = None
    """What the answer is to begin with, where the provider can be told."""
    extra: Mapping[str, Any] = field(default_factory=dict)
    """Further fields, as far as the provider knows them: ``response_format``, ``grammar``."""


@dataclass(frozen=True, slots=True)
class FimRequest:
    """A gap that the model is to fill."""

    model: str
    prompt: str
    """The text before the gap."""
    suffix: str
    """The text after it."""
    max_tokens: int
    stop: tuple[str, ...] = ()
    temperature: float | None = None


class Fim(StrEnum):
    """How a provider is asked to fill a gap."""

    NATIVE_SUFFIX = "native_suffix"
    """By a ``suffix`` beside the ``prompt``."""
    INFILL = "infill"
    """By llama.cpp's own ``/infill``."""
    NONE = "none"


@dataclass(frozen=True, slots=True)
class Capabilities:
    """What one kind of provider can do, and where."""

    chat_path: str
    models_path: str = "/v1/models"
    prefix_path: str | None = None
    """Where a chat with a ``prefix`` goes; ``None`` where there is none."""
    fim: Fim = Fim.NONE
    fim_path: str = ""
    fim_most_tokens: int = 4096
    sends_thinking: bool = False
    """Whether the provider is told to think or not in the way DeepSeek is."""
    most_stops: int = 4
    extra: frozenset[str] = frozenset({"response_format"})
    """Further fields that a chat may have."""


DEEPSEEK = Capabilities(
    "/chat/completions",
    models_path="/models",
    prefix_path="/beta/chat/completions",
    fim=Fim.NATIVE_SUFFIX,
    fim_path="/beta/completions",
    sends_thinking=True,
    most_stops=16,
)
OPENAI = Capabilities("/v1/chat/completions")
LLAMA_CPP = Capabilities(
    "/v1/chat/completions",
    fim=Fim.INFILL,
    fim_path="/infill",
    most_stops=16,
    extra=frozenset({"response_format", "grammar", "json_schema", "chat_template_kwargs", "seed"}),
)
_BY_KIND = {"deepseek": DEEPSEEK, "openai": OPENAI, "llamacpp": LLAMA_CPP}


def capabilities(kind: str) -> Capabilities:
    """What a provider of this kind can do; one that nobody knows counts as compatible with OpenAI's."""
    return _BY_KIND.get(kind, OPENAI)


@dataclass(frozen=True, slots=True)
class Wire:
    """A request as it is sent."""

    model: str
    path: str
    body: bytes
    bound: Usage
    """The most that it can use."""
    may_be_empty: bool
    """Whether nothing is an answer too: a gap may need no text."""
    prompt_mentions_dsml: bool
    """Whether the text speaks of DeepSeek's own markup, so that an answer may do the same."""


def chat_wire(request: ChatRequest, able: Capabilities) -> Wire:
    """A conversation, in the words of a provider.

    Raises:
        ProviderError: The provider cannot do what is asked.
    """
    messages: list[dict[str, Any]] = [{"role": turn.role, "content": turn.content} for turn in request.messages]
    path = able.chat_path
    if request.prefix is not None:
        if able.prefix_path is None:
            raise _unable("begin its answer with a given text")
        path = able.prefix_path
        messages.append({"role": "assistant", "content": request.prefix, "prefix": True})
    if unknown := set(request.extra) - able.extra:
        raise _unable(f"be given {', '.join(sorted(unknown))}")
    body: dict[str, Any] = {"model": request.model, "messages": messages, "max_tokens": request.max_tokens}
    if able.sends_thinking:
        body["thinking"] = {"type": "enabled" if request.thinking else "disabled"}
        if request.thinking:
            body["reasoning_effort"] = request.thinking
    body |= _common(request, able) | dict(request.extra)
    return _wire(request, path, body, most_tokens=request.max_tokens, may_be_empty=False)


def fim_wire(request: FimRequest, able: Capabilities) -> Wire:
    """A gap, in the words of a provider.

    Raises:
        ProviderError: The provider cannot fill gaps.
    """
    most_tokens = min(request.max_tokens, able.fim_most_tokens)
    match able.fim:
        case Fim.NATIVE_SUFFIX:
            body: dict[str, Any] = {
                "model": request.model,
                "prompt": request.prompt,
                "suffix": request.suffix,
                "max_tokens": most_tokens,
            }
        case Fim.INFILL:
            body = {
                "input_prefix": request.prompt,
                "input_suffix": request.suffix,
                "n_predict": most_tokens,
                "cache_prompt": True,
            }
        case Fim.NONE:
            raise _unable("fill gaps in code")
    return _wire(request, able.fim_path, body | _common(request, able), most_tokens=most_tokens, may_be_empty=True)


def _common(request: ChatRequest | FimRequest, able: Capabilities) -> dict[str, Any]:
    common: dict[str, Any] = {"stream": True}
    if able.fim is not Fim.INFILL or isinstance(request, ChatRequest):
        common["stream_options"] = {"include_usage": True}
    if request.temperature is not None:
        common["temperature"] = request.temperature
    if request.stop:
        common["stop"] = list(request.stop[: able.most_stops])
    return common


def _wire(
    request: ChatRequest | FimRequest, path: str, body: dict[str, Any], *, most_tokens: int, may_be_empty: bool
) -> Wire:
    # Half of a surrogate pair, which an editor's buffer may hold, is no text that a server would take.
    text = json.dumps(body, ensure_ascii=False, separators=(",", ":"))
    sent = text.encode("utf-8", "replace")
    bound = Usage(miss=-(-len(sent) // _BYTES_PER_TOKEN) + _TEMPLATE_TOKENS, output=most_tokens)
    return Wire(request.model, path, sent, bound, may_be_empty, "DSML" in text)


def _unable(what: str) -> ProviderError:
    return ProviderError(Fault.BAD_REQUEST, f"this provider cannot {what}; choose another one in model.provider")
