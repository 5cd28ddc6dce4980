"""When a call is made again, and after how long."""

from itertools import repeat

import pytest

from pennyproof.tiers.hosted.errors import Fault, ProviderError
from pennyproof.tiers.hosted.retries import Retries


def failed(fault: Fault, retry_after: float | None = None, *, retryable: bool = True) -> ProviderError:
    return ProviderError(fault, "it failed; try again", retryable=retryable, retry_after=retry_after)


@pytest.mark.parametrize(
    ("errors", "pauses"),
    [
        (repeat(failed(Fault.SERVER), 6), [0.5, 1.0, 2.0, 4.0, 8.0, None]),
        (repeat(failed(Fault.EMPTY), 2), [0.5, None]),
        (repeat(failed(Fault.SERVER, retryable=False), 1), [None]),
        (repeat(failed(Fault.BALANCE), 1), [None]),
        ([failed(Fault.RATE_LIMIT, 7.0), failed(Fault.RATE_LIMIT, 0.1)], [7.0, 1.0]),
        ([failed(Fault.EMPTY), failed(Fault.SERVER), failed(Fault.EMPTY)], [0.5, 1.0, None]),
        ([*repeat(failed(Fault.SERVER), 5), failed(Fault.RATE_LIMIT)], [0.5, 1.0, 2.0, 4.0, 8.0, 10.0]),
    ],
)
def test_pauses(errors: list[ProviderError], pauses: list[float | None]) -> None:
    retries = Retries(jitter=0.0)
    assert [retries.pause(error) for error in errors] == pauses


def test_those_who_failed_together_do_not_come_back_together() -> None:
    pauses = {Retries().pause(failed(Fault.SERVER)) for _ in range(20)}
    assert len(pauses) > 10
    assert all(pause is not None and 0.5 <= pause <= 0.55 for pause in pauses)
