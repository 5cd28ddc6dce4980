"""How long others make things take."""

import pytest

from pennyproof.proof import stretch
from pennyproof.proof.stretch import Stretch, Ticks


@pytest.mark.parametrize(
    ("load", "before", "after", "expected"),
    [
        (0.3, (100, 0), (200, 0), 1),
        (1.4, (100, 0), (200, 0), 1),
        (1.5, (100, 0), (200, 0), 2),
        (1.0, (100, 50), (200, 100), 2),
        (2.0, (100, 50), (200, 100), 4),
        (1.0, (100, 0), (200, 99), 8),
        (40.0, (100, 0), (200, 0), 8),
        (1.0, (100, 0), (100, 0), 1),
        (1.0, None, None, 1),
    ],
    ids=[
        "idle",
        "a little",
        "load",
        "stolen",
        "both",
        "nearly all stolen",
        "overrun",
        "no time passed",
        "nobody tells",
    ],
)
def test_factor(load: float, before: Ticks | None, after: Ticks | None, expected: int) -> None:
    now, told = [0.0], iter([before, after])
    watched = Stretch(lambda: next(told), lambda: load, lambda: now[0])
    assert watched.factor() == 1
    now[0] = 1.0
    assert watched.factor() == expected
    now[0] = 1.1
    assert watched.factor() == expected


def test_this_machine() -> None:
    told = stretch.ticks()
    assert told is None or told[0] >= told[1] >= 0
    assert stretch.load() >= 0
    assert 1 <= stretch.MACHINE.factor() <= 8
