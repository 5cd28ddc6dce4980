"""What a fork would draw again."""

import sys
from types import SimpleNamespace

import pytest

from pennyproof.proof.inside import chance


def test_numpy_is_seeded_anew_where_it_was_imported(monkeypatch: pytest.MonkeyPatch) -> None:
    seeded: list[tuple[object, ...]] = []
    monkeypatch.setitem(sys.modules, "numpy.random", SimpleNamespace(seed=lambda *how: seeded.append(how)))
    chance.renew()
    assert seeded == [()]
    monkeypatch.delitem(sys.modules, "numpy.random")
    chance.renew()
    assert "numpy.random" not in sys.modules
