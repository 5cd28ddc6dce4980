"""How much a completion may write: one line, or several."""

from dataclasses import dataclass
from typing import Literal

from pennyproof.assist.complete.place import Place

Multiline = Literal["auto", "always", "never"]


@dataclass(frozen=True, slots=True)
class Shape:
    """What is asked of the model."""

    several_lines: bool
    stop: tuple[str, ...]
    max_tokens: int


ONE_LINE = Shape(several_lines=False, stop=("\n",), max_tokens=96)
SEVERAL_LINES = Shape(several_lines=True, stop=("\n\n\n", "\ndef ", "\nclass ", "\nasync def ", "\n@"), max_tokens=256)
"""A block ends before the next definition at the top level; where else it ends is for ``tidy`` to see."""


def shape_at(place: Place, multiline: Multiline) -> Shape:
    """One line or several.

    Args:
        place: Where the cursor is. Within a line there is never room for more than the rest of it.
        multiline: The setting; ``auto`` allows several lines on an empty line and where a block begins.
    """
    if place.after.strip() or multiline == "never":
        return ONE_LINE
    code = place.before.partition("#")[0].strip()
    return SEVERAL_LINES if multiline == "always" or not code or code.endswith(":") else ONE_LINE
