"""When a call that failed is made again."""

import random
from collections import Counter

from pennyproof.tiers.hosted.errors import Fault, ProviderError

_AGAIN = {
    Fault.RATE_LIMIT: 5,
    Fault.SERVER: 5,
    Fault.UNREACHABLE: 3,
    Fault.TRUNCATED: 2,
    Fault.TIMEOUT: 1,
    Fault.EMPTY: 1,
    Fault.UNREADABLE: 1,
    Fault.LEAKED: 1,
}
"""How often at most, by what went wrong."""
_FIRST, _LONGEST = 0.5, 10.0
"""Seconds."""
_JITTER = 0.1


class Retries:
    """The retries of one call.

    Args:
        jitter: A number from 0 to 1, so that those who failed together do not come back together.
    """

    def __init__(self, jitter: float | None = None) -> None:
        self._jitter = random.random() if jitter is None else jitter  # noqa: S311 (nobody gains by guessing it)
        self._failed: Counter[Fault] = Counter()

    def pause(self, error: ProviderError) -> float | None:
        """Seconds to wait before the call is made again; ``None``: it is not made again."""
        if not error.retryable or self._failed[error.fault] >= _AGAIN.get(error.fault, 0):
            return None
        backoff = min(_LONGEST, _FIRST * 2.0 ** self._failed.total()) * (1 + _JITTER * self._jitter)
        self._failed[error.fault] += 1
        return max(backoff, error.retry_after or 0.0)
