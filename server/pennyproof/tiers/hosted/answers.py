"""What a model answered, and what of it is billed."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Usage:
    """Tokens of one call, as they are billed."""

    hit: int = 0
    """Tokens of the prompt that the provider had in its cache."""
    miss: int = 0
    """Tokens of the prompt that it had not."""
    output: int = 0
    """Tokens written, those of the reasoning included."""
    reasoning: int = 0

    @property
    def total(self) -> int:
        """All tokens together."""
        return self.hit + self.miss + self.output

    @classmethod
    def from_json(cls, usage: object) -> "Usage | None":
        """What a provider says was used; ``None`` where it says nothing, or only noughts, as some do before the end."""
        if not isinstance(usage, Mapping):
            return None
        prompt = _count(usage, "prompt_tokens")
        hit = _count(usage, "prompt_cache_hit_tokens") or _count(_part(usage, "prompt_tokens_details"), "cached_tokens")
        reasoning = _count(_part(usage, "completion_tokens_details"), "reasoning_tokens")
        found = cls(min(hit, prompt), max(0, prompt - hit), _count(usage, "completion_tokens"), reasoning)
        return found if found.total else None


@dataclass(frozen=True, slots=True)
class Answer:
    """What a model wrote."""

    text: str
    reasoning: str = ""
    finish_reason: str | None = None
    usage: Usage | None = None
    """``None`` where it never arrived."""
    model: str = ""
    """The model that answered, as the provider names it."""
    id: str = ""
    """The provider's own name for the call."""

    @property
    def cut(self) -> bool:
        """Whether the answer ends because it reached ``max_tokens``."""
        return self.finish_reason == "length"


def _part(usage: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    part = usage.get(name)
    return part if isinstance(part, Mapping) else {}


def _count(usage: Mapping[str, Any], name: str) -> int:
    value = usage.get(name)
    return max(0, value) if isinstance(value, int) else 0
