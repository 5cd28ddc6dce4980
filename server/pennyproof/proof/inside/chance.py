"""Chances of its own for every run: what was forked from one process would otherwise draw the same numbers."""

import sys


def renew() -> None:
    """Seed anew what does not notice a fork, as Python's own ``random`` does."""
    numpy = sys.modules.get("numpy.random")
    if numpy is not None:
        numpy.seed()
