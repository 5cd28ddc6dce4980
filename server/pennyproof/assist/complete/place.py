"""Where text is to be completed, and what was found for it."""

from dataclasses import dataclass
from functools import cached_property

from pennyproof.core.candidates import Origin
from pennyproof.core.positions import LineIndex
from pennyproof.core.verdicts import Verdict


@dataclass(frozen=True)
class Place:
    """A cursor in a file."""

    path: str
    """Relative to the root, with forward slashes."""
    index: LineIndex
    """The file's text, as the user sees it."""
    offset: int

    @property
    def text(self) -> str:
        """The file's text."""
        return self.index.text

    @cached_property
    def line(self) -> int:
        """The number of the cursor's line, from zero."""
        return self.index.position(self.offset).line

    @cached_property
    def before(self) -> str:
        """The cursor's line up to the cursor."""
        return self.text[self.index.starts[self.line] : self.offset]

    @cached_property
    def after(self) -> str:
        """The rest of that line, without its ending."""
        return self.index.line(self.line)[len(self.before) :]

    @property
    def newline(self) -> str:
        """How the file ends its lines."""
        return "\r\n" if "\r\n" in self.text[: self.index.starts[min(1, len(self.index) - 1)]] else "\n"

    def with_text(self, text: str) -> str:
        """The whole file with a text put in at the cursor."""
        return self.text[: self.offset] + text + self.text[self.offset :]


@dataclass(frozen=True, slots=True)
class Completion:
    """Text that may be put in at the cursor."""

    text: str
    origin: Origin
    verdict: Verdict
    problem: str | None = None
    """What went wrong on the way, though this could be used."""
