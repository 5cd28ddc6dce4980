"""What the arguments of several commands have in common."""

from __future__ import annotations

from lsprotocol import types
from pydantic import BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel


class Argument(BaseModel):
    """A command's one argument; what newer clients add is left aside."""

    model_config = ConfigDict(frozen=True, strict=True, alias_generator=to_camel, hide_input_in_errors=True)


class Position(Argument):
    """A position as LSP writes it."""

    line: int = Field(ge=0)
    character: int = Field(ge=0)


class Range(Argument):
    """A range as LSP writes it."""

    start: Position
    end: Position

    def to_lsp(self) -> types.Range:
        """The same as LSP's own type."""
        return types.Range(
            types.Position(self.start.line, self.start.character), types.Position(self.end.line, self.end.character)
        )
