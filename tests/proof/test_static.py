"""The gates that need no run."""

from collections.abc import Iterator

import pytest

from pennyproof.core.verdicts import Gate, Level
from pennyproof.proof.static import StaticGates


@pytest.fixture(scope="module")
def gates() -> Iterator[StaticGates]:
    made = StaticGates()
    made.warm()
    yield made
    made.close()


@pytest.mark.parametrize(
    ("before", "after", "level", "gate"),
    [
        ("x = 1\n", "x = 1\ny = x\n", Level.PARSES, None),
        ("x = 1\n", "x = 1\ny = (\n", Level.REJECTED, Gate.PARSES),
        ("x = 1\n", "x = 1\nreturn x\n", Level.REJECTED, Gate.LINT),
        ("x = 1\n", "x = 1\ny = gone\n", Level.REJECTED, Gate.NAMES),
        ("print(gone)\n", "print(gone)\ny = gone\n", Level.PARSES, None),
        ("print(gone)\n", "print(gone)\ny = lost\n", Level.REJECTED, Gate.NAMES),
        ("def f(\n", "def f(\n\nx = 1\n", Level.UNCHECKED, None),
        ("x = 1\ndef f() -> int\n", "x = )\ndef f() -> int\n", Level.REJECTED, Gate.PARSES),
        ("", "match 1:\n    case 1: pass\n", Level.PARSES, None),
        ("", "type X = int\n", Level.PARSES, None),
        ("", "x = '\0'\n", Level.REJECTED, Gate.PARSES),
    ],
)
def test_an_edit_is_blamed_for_what_was_not_wrong_before(
    gates: StaticGates, before: str, after: str, level: Level, gate: Gate | None
) -> None:
    verdict = gates.check("a.py", (before,), after)
    assert (verdict.level, verdict.gate) == (level, gate)
    assert verdict.ran == ()


def test_the_soundest_reading_of_the_text_before_counts(gates: StaticGates) -> None:
    before = ("x = \ny = gone\n", "0\ny = gone\n")
    assert gates.check("a.py", before, "x = 1\ny = gone\n").level is Level.PARSES
    assert gates.check("a.py", before, "x = lost\ny = gone\n").gate is Gate.NAMES
