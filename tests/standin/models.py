"""What the API tells of its models."""

from collections.abc import Collection
from typing import Any

_KNOWN: dict[str, dict[str, Any]] = {
    "deepseek-flash": {"name": "DeepSeek-V4.1-Flash", "input_modalities": ["text", "image"]},
    "deepseek-v4-pro": {"name": "DeepSeek-V4-Pro", "input_modalities": ["text"]},
}


def described(model: str) -> dict[str, Any]:
    """One model as ``/models`` lists it."""
    return {
        "id": model,
        "object": "model",
        "owned_by": "deepseek",
        "name": model,
        "context_window": 1_048_576,
        "max_output_tokens": 393_216,
        "input_modalities": ["text"],
        "output_modalities": ["text"],
        "effort": {"supported_levels": ["low", "high", "max"], "default_level": "high"},
        **_KNOWN.get(model, {}),
    }


def listed(models: Collection[str]) -> dict[str, Any]:
    """The answer of ``/models``."""
    return {"object": "list", "data": [described(model) for model in models]}
