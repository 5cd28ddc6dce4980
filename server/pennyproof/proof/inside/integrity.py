"""Whether pytest is still what it was before anything of the project ran."""

from __future__ import annotations


def original() -> None:
    """Remember what pytest is made of; the first call decides."""
    raise NotImplementedError
