"""Tokens counted by a rule of thumb, and prefixes of prompts that would be cached.

A token is up to three ASCII characters in a row, or one other character: about a third of the UTF-8 bytes, which for
Python is a third more than the real tokenizer counts.
"""

import re
from collections import defaultdict, deque
from dataclasses import dataclass, field

_TOKEN = re.compile(r"[\x00-\x7f]{1,3}|.", re.DOTALL)

CACHED_IN_STEPS_OF = 64
"""Observed counts of cached tokens are multiples of it."""
LONG_TEXT = 4096
"""Long prompts can be found again up to any multiple of so many tokens. The true distance is not published."""


def tokens(text: str) -> list[str]:
    """The text cut into tokens."""
    return _TOKEN.findall(text)


def count(text: str) -> int:
    """How many tokens a text has."""
    return -(-len(text) // 3) if text.isascii() else len(tokens(text))


@dataclass(frozen=True, slots=True)
class Usage:
    """What a request cost, in tokens."""

    prompt: int = 0
    cached: int = 0
    completion: int = 0
    reasoning: int | None = None
    """Part of ``completion``; None where no thinking was allowed."""

    def as_json(self) -> dict[str, object]:
        """The ``usage`` object of a response."""
        shown: dict[str, object] = {
            "prompt_tokens": self.prompt,
            "completion_tokens": self.completion,
            "total_tokens": self.prompt + self.completion,
            "prompt_tokens_details": {"cached_tokens": self.cached},
            "prompt_cache_hit_tokens": self.cached,
            "prompt_cache_miss_tokens": self.prompt - self.cached,
        }
        if self.reasoning is not None:
            shown["completion_tokens_details"] = {"reasoning_tokens": self.reasoning}
        return shown


@dataclass(slots=True)
class _Stored:
    """What one user's requests to one model left. The oldest are forgotten, so that long benchmarks stay quick."""

    prompts: deque[str] = field(default_factory=lambda: deque(maxlen=64))
    units: dict[str, None] = field(default_factory=dict)
    """In the order in which they were last stored."""

    def store(self, unit: str) -> None:
        self.units.pop(unit, None)
        self.units[unit] = None
        if len(self.units) > 256:
            del self.units[next(iter(self.units))]


class PrefixCache:
    """Prefixes seen before, apart for each user and model.

    A prompt is a hit as far as a whole stored unit begins it. Units are prompts, prompts with their answers, and what
    two prompts had in common once both were seen; so of three requests with the same beginning the third is the first
    hit.
    """

    def __init__(self) -> None:
        self._stored: defaultdict[tuple[str, str], _Stored] = defaultdict(_Stored)

    def hit(self, user_id: str, model: str, prompt: str) -> int:
        """How many tokens of the prompt were cached; the prompt is known from now on."""
        stored = self._stored[user_id, model]
        shared = {_shared_length(prompt, earlier) for earlier in stored.prompts}
        whole = max((count(unit) for unit in stored.units if prompt.startswith(unit)), default=0)
        in_steps = count(prompt[: max(shared, default=0)]) // LONG_TEXT * LONG_TEXT
        for length in shared:
            stored.store(prompt[:length])
        stored.store(prompt)
        stored.prompts.append(prompt)
        return max(whole, in_steps) // CACHED_IN_STEPS_OF * CACHED_IN_STEPS_OF

    def answered(self, user_id: str, model: str, conversation: str) -> None:
        """Remembers a prompt with its answer, which may begin the next prompt."""
        self._stored[user_id, model].store(conversation)


def _shared_length(one: str, other: str) -> int:
    """How many characters both texts begin with: bisected, since comparing slices is quick and a loop is not."""
    low, high = 0, min(len(one), len(other))
    while low < high:
        middle = (low + high + 1) // 2
        if one[low:middle] == other[low:middle]:
            low = middle
        else:
            high = middle - 1
    return low
