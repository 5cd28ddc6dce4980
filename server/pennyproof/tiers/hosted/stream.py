"""From the events of a stream to an answer.

One reader for every shape: chat (``choices[0].delta``), completions (``choices[0].text``), llama.cpp's ``/infill``
(``content`` beside ``stop``), and an answer that came whole although a stream was asked for (``choices[0].message``).
Usage may ride on the last chunk or on one of its own, and counts that come later win.
"""

import json
from collections.abc import Mapping
from typing import Any

from pennyproof.tiers.hosted.answers import Answer, Usage
from pennyproof.tiers.hosted.classify import from_event
from pennyproof.tiers.hosted.errors import Fault, ProviderError
from pennyproof.tiers.hosted.keys import Key, scrub
from pennyproof.tiers.hosted.wellformed import well_formed

DONE = "[DONE]"
_LONGEST = 4 * 1024 * 1024
"""Characters of an answer; what is longer is no answer to anything that was asked."""
_STOP_TYPES = {"limit": "length", "eos": "stop", "word": "stop"}
"""llama.cpp's words for why it stopped."""


class Reader:
    """Reads the stream of one call.

    Args:
        host: The provider's, for error messages.
        key: What the call was sent with, and nobody gets to see.
        watch_for_leaks: Whether DeepSeek's own markup in the text is an error.
        may_be_empty: Whether an answer without text is one.
    """

    def __init__(self, host: str, key: Key | None, *, watch_for_leaks: bool = True, may_be_empty: bool = False) -> None:
        self._host = host
        self._key = key
        self._guard = LeakGuard() if watch_for_leaks else None
        self._may_be_empty = may_be_empty
        self._text: list[str] = []
        self._reasoning: list[str] = []
        self._length = 0
        self._finish_reason: str | None = None
        self._model = self._id = ""
        self.usage: Usage | None = None
        self.done = False
        """Whether the end of the stream was announced."""

    @property
    def finished(self) -> bool:
        """Whether the answer is complete, though something may still follow it."""
        return self.done or self._finish_reason is not None

    @property
    def partial(self) -> Answer:
        """What has arrived."""
        return Answer(
            "".join(self._text), "".join(self._reasoning), self._finish_reason, self.usage, self._model, self._id
        )

    def take(self, event: str) -> str:
        """Take in one event.

        Returns:
            The text that it adds to the answer and that may be shown.

        Raises:
            ProviderError: The event is an error, or no event of such a stream.
        """
        shown = self._read(event)
        return shown + self._rest() if self.finished else shown

    def finish(self) -> Answer:
        """The answer, when the stream has ended.

        Raises:
            ProviderError: There is none; ``partial`` has what came.
        """
        self._rest()
        answer = self.partial
        match self._finish_reason:
            case None if not self.done:
                raise self._failed(Fault.TRUNCATED, "broke off in the midst of its answer", retryable=True)
            case "content_filter":
                raise self._failed(Fault.CONTENT_FILTER, "filtered its answer")
            case "insufficient_system_resource":
                raise self._failed(Fault.SERVER, "is overloaded", retryable=True)
            case "length" if not answer.text:
                line = f"{self._host} used up its tokens before it answered; let it think less or write more"
                raise ProviderError(Fault.RAN_OUT, line, partial=answer)
            case None | "stop" | "length":
                if not answer.text.strip() and not self._may_be_empty:
                    raise self._failed(Fault.EMPTY, "gave an empty answer", retryable=True)
                return answer
            case _:
                raise self._failed(Fault.TRUNCATED, "did not end its answer properly", retryable=True)

    def _read(self, event: str) -> str:
        if event.strip() == DONE:
            self.done = True
            return ""
        try:
            chunk = json.loads(event)
        except (ValueError, RecursionError):
            chunk = None
        if not isinstance(chunk, dict):
            raise self._failed(Fault.UNREADABLE, "answered with something that is not JSON", retryable=True)
        if error := chunk.get("error"):
            failure = from_event(self._host, error, self._key)
            failure.partial = self.partial
            raise failure
        self._model = self._model or scrub(_text(chunk, "model"), self._key)
        self._id = self._id or scrub(_text(chunk, "id"), self._key)
        self.usage = Usage.from_json(chunk.get("usage")) or self.usage
        choices = chunk.get("choices")
        if isinstance(choices, list):
            return self._choice(choices[0]) if choices and isinstance(choices[0], dict) else ""
        return self._infill(chunk) if "content" in chunk else ""

    def _choice(self, choice: Mapping[str, Any]) -> str:
        if reason := _text(choice, "finish_reason"):
            self._finish_reason = scrub(reason, self._key)
        part = choice.get("delta") or choice.get("message") or choice
        if not isinstance(part, dict):
            return ""
        self._think(_text(part, "reasoning_content") or _text(part, "reasoning"))
        return self._write(_text(part, "content") or _text(part, "text"))

    def _infill(self, chunk: Mapping[str, Any]) -> str:
        if chunk.get("stop") is True:
            self._finish_reason = _STOP_TYPES.get(_text(chunk, "stop_type"), "stop")
            counts = {
                "prompt_tokens": chunk.get("tokens_evaluated"),
                "completion_tokens": chunk.get("tokens_predicted"),
            }
            self.usage = Usage.from_json(counts) or self.usage
        return self._write(_text(chunk, "content"))

    def _think(self, text: str) -> None:
        if text:
            self._count(text)
            self._reasoning.append(text)

    def _write(self, text: str) -> str:
        if not text:
            return ""
        self._count(text)
        if self._guard is None:
            return self._let(text)
        shown = self._let(self._guard.pass_on(text))
        if self._guard.leaked:
            raise self._failed(Fault.LEAKED, "answered in a markup of its own", retryable=True)
        return shown

    def _let(self, text: str) -> str:
        if text:
            self._text.append(text)
        return text

    def _rest(self) -> str:
        return self._let(self._guard.rest()) if self._guard else ""

    def _count(self, text: str) -> None:
        self._length += len(text)
        if self._length > _LONGEST:
            raise self._failed(Fault.UNREADABLE, "wrote without an end")

    def _failed(self, fault: Fault, what: str, *, retryable: bool = False) -> ProviderError:
        line = f"{self._host} {what}; try again in a little while"
        return ProviderError(fault, line, retryable=retryable, partial=self.partial)


class LeakGuard:
    """Holds text back while it may be the beginning of DeepSeek's markup for tool calls.

    Some servers forget to take that markup out of the text; no tool was offered, so it is never part of an answer.
    """

    _MARKERS = tuple(f"<{bar}DSML{bar}" for bar in ("｜", "|", "｜｜", "||"))

    def __init__(self) -> None:
        self._held = ""
        self.leaked = False

    def pass_on(self, text: str) -> str:
        """The text that may be shown now."""
        text = self._held + text
        starts = [at for marker in self._MARKERS if (at := text.find(marker)) >= 0]
        if starts:
            self.leaked, self._held = True, ""
            return text[: min(starts)]
        at = text.rfind("<")
        held_from = at if at >= 0 and any(marker.startswith(text[at:]) for marker in self._MARKERS) else len(text)
        self._held = text[held_from:]
        return text[:held_from]

    def rest(self) -> str:
        """What was held back for nothing, at the end."""
        rest, self._held = self._held, ""
        return rest


def _text(mapping: Mapping[str, Any], name: str) -> str:
    value = mapping.get(name)
    return well_formed(value) if isinstance(value, str) else ""
