"""LSP's types from the core's, and back."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeVar

from lsprotocol import types
from pydantic import BaseModel, ValidationError

from pennyproof.core.edits import Edit
from pennyproof.core.positions import Encoding, LineIndex, Position
from pennyproof.errors import UsageError

Model = TypeVar("Model", bound=BaseModel)


def read_argument(model: type[Model], arguments: Sequence[Any]) -> Model:
    """A command's one argument; a command that needs nothing may be called without.

    Raises:
        UsageError: It is malformed; the message says where, and never repeats values.
    """
    if len(arguments) > 1:
        raise UsageError("the command takes one JSON object as its only argument")
    try:
        return model.model_validate(arguments[0] if arguments else {})
    except ValidationError as error:
        details = error.errors(include_url=False, include_context=False, include_input=False)
        problems = [".".join(map(str, detail["loc"])) + ": " + detail["msg"] for detail in details[:3]]
        raise UsageError(
            "malformed argument: " + "; ".join(problem.removeprefix(": ") for problem in problems)
        ) from error


def to_position(position: Position) -> types.Position:
    """A position for the client."""
    return types.Position(position.line, position.character)


def to_range(index: LineIndex, start: int, end: int, encoding: Encoding) -> types.Range:
    """The range between two offsets."""
    return types.Range(to_position(index.position(start, encoding)), to_position(index.position(end, encoding)))


def from_position(index: LineIndex, position: types.Position, encoding: Encoding) -> int:
    """The offset of the client's position."""
    return index.offset(Position(position.line, position.character), encoding)


def line_range(index: LineIndex, line: int, encoding: Encoding) -> types.Range:
    """A line (from zero) without its indentation and its ending; the last line for one past the end."""
    line = min(max(line, 0), len(index) - 1)
    text = index.line(line)
    start = index.starts[line] + len(text) - len(text.lstrip())
    return to_range(index, start, max(start, index.starts[line] + len(text.rstrip())), encoding)


def to_text_edits(index: LineIndex, edits: Sequence[Edit], encoding: Encoding) -> list[types.TextEdit]:
    """Edits of one text, for the client."""
    return [types.TextEdit(to_range(index, edit.start, edit.end, encoding), edit.replacement) for edit in edits]
