"""With which tests a proof is to be made."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self


@dataclass(frozen=True, slots=True)
class Scope:
    """What is asked of a proof, whoever makes it; ``assist.ports.Prover.prove`` says what each of these means."""

    targets: tuple[str, ...] = ()
    test_ids: tuple[str, ...] | None = None
    selection: str = "asked"
    every_test: bool = False

    @classmethod
    def of(cls, targets: Sequence[str], test_ids: Sequence[str] | None, selection: str, *, every_test: bool) -> Self:
        """From what ``prove`` is called with."""
        return cls(tuple(targets), None if test_ids is None else tuple(test_ids), selection, every_test)
