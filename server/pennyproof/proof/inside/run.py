"""The job ``run``: pytest, in this process, under the project's own configuration."""

from __future__ import annotations

from typing import Any, Dict

from .wire import Context


def run_tests(params: Dict[str, Any], context: Context) -> Dict[str, Any]:
    """Run tests and tell what they did; see ``jobs`` for both shapes."""
    raise NotImplementedError
