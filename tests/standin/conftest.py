"""A stand-in for each test."""

from collections.abc import Iterator

import pytest

from tests.standin import Standin


@pytest.fixture
def standin() -> Iterator[Standin]:
    """One that answers nothing until a test adds replies."""
    with Standin() as running:
        yield running
