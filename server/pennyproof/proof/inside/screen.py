"""The job ``prime``: the project imported once, each candidate tried in a fork of it."""

from __future__ import annotations

from typing import Any, Dict, Optional

from .wire import Context


def prime(params: Dict[str, Any], context: Context) -> Optional[Dict[str, Any]]:
    """Collect the targets, then answer requests until there are no more; see ``jobs`` for the shapes."""
    raise NotImplementedError
