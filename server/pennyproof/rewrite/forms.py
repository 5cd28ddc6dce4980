"""What a rewrite makes of a text, in a form in which equal programs are equal."""

import ast
from collections.abc import Hashable, Iterator

from pennyproof.core.edits import Edit, apply
from pennyproof.rewrite.module import Module, Span
from pennyproof.rewrite.template import Rewrite

_WRAPPER = "if 1:"
_OPENING = f"{_WRAPPER}\n"
_LINES_PARSED = 400
"""Larger pieces are taken by their text; parsing them for each candidate would take too long."""


class Forms:
    """Normal forms of the statements of one module."""

    def __init__(self, module: Module) -> None:
        self._module = module
        self._unchanged: dict[Span, Hashable] = {}

    def changed(self, statement: ast.stmt, rewrite: Rewrite) -> Hashable | None:
        """The normal form of a rewrite: equal for rewrites that make the same program.

        Args:
            statement: A statement that the rewrite changes, or changes a part of.
            rewrite: The rewrite.

        Returns:
            None where it would not parse, or changes nothing but the layout.
        """
        for span, ending, is_header in self._pieces(statement):
            if all(span[0] <= edit.start and edit.end <= span[1] for edit in rewrite.edits):
                form = self._form(span, rewrite.edits, ending, exact=is_header)
                if form is None or form == self._original(span, ending, exact=is_header):
                    return None
                return span[0], form
        return None

    def _pieces(self, statement: ast.stmt) -> Iterator[tuple[Span, str, bool]]:
        """Stretches that can be parsed alone, the smallest first, each with what must follow it."""
        module = self._module
        around: ast.AST | None = statement
        while isinstance(around, (ast.stmt, ast.ExceptHandler, ast.match_case)):
            if isinstance(around, ast.stmt) and (indentation := module.indentation(around)) is not None:
                lines = module.header_lines(around)
                start = module.line_start(lines[0])
                last = around.end_lineno or around.lineno
                if lines[-1] < last and not module.text[: module.line_start(lines[-1] + 1)].rstrip().endswith("else:"):
                    header_end = module.line_start(lines[-1] + 1)
                    yield (start, header_end), f"{indentation} pass", True
                yield (start, module.line_start(last + 1)), f"\n{indentation}pass", lines[-1] >= last
            around = module.parent(around)
        yield (0, len(module.text)), "", False

    def _original(self, span: Span, ending: str, *, exact: bool) -> Hashable:
        if span not in self._unchanged:
            self._unchanged[span] = self._form(span, (), ending, exact=exact)
        return self._unchanged[span]

    def _form(self, span: Span, edits: tuple[Edit, ...], ending: str, *, exact: bool) -> Hashable | None:
        text = self._module.text[slice(*span)]
        try:
            changed = apply(text, [Edit(each.start - span[0], each.end - span[0], each.replacement) for each in edits])
            if not exact and changed.count("\n") > _LINES_PARSED:
                return changed
            tree = ast.parse(_whole(changed, ending))
        except (SyntaxError, ValueError):
            return None
        return ast.dump(tree) if exact else changed


def _whole(piece: str, ending: str) -> str:
    """A piece of a module as a program of its own."""
    stripped = piece.lstrip()
    if stripped.startswith("elif"):
        piece = piece.replace("elif", "if", 1)
    opening = _OPENING if piece[:1].isspace() or (not stripped and ending[1:2].isspace()) else ""
    return f"{opening}{piece}{ending}"
