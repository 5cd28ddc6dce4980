"""What running the failing tests told, as far as it helps to choose among rewrites."""

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Clues:
    """Evidence from failing tests: values seen and values asked for."""

    kinds: Mapping[str, str] = field(default_factory=dict)
    """Name of a local variable → the name of the type it was seen to have."""
    numbers: tuple[str, ...] = ()
    """Numeric literals in the failing tests and their messages."""
    strings: tuple[str, ...] = ()
    """String values in the failing tests, their messages and the locals of their frames."""
    words: frozenset[str] = frozenset()
    """Words of the failing tests' names and messages, in lower case."""
    exceptions: tuple[str, ...] = ()
    """Names of exceptions that the failing tests raised or expected."""

    def characters(self) -> tuple[str, ...]:
        """Single characters that occur in the strings, letters and digits left out, the commonest first."""
        counts: dict[str, int] = {}
        for character in "".join(self.strings):
            if not character.isalnum():
                counts[character] = counts.get(character, 0) + 1
        return tuple(sorted(counts, key=lambda character: -counts[character]))


NO_CLUES = Clues()
