"""One parsed source text: where every node, operator and block lies in it.

All offsets count code points of the text as given, whatever its line endings, tabs and non-ASCII characters; the
syntax tree's own columns count UTF-8 bytes.
"""

import ast
import re
from collections.abc import Iterator
from functools import cached_property

from pennyproof.core.positions import LineIndex

Function = ast.FunctionDef | ast.AsyncFunctionDef
Located = ast.expr | ast.stmt | ast.excepthandler | ast.keyword | ast.arg
Span = tuple[int, int]
"""Offsets of the first character and of the one after the last."""

_TRIVIA = re.compile(r"(?:\s|\\\r?\n|\#[^\r\n]*|[()])*")
_OPERATOR = re.compile(
    r"not\s+in\b|is\s+not\b|(?:in|is|and|or|not|if|else)\b|(?:\*\*|//|<<|>>|[-+*/%@&|^])=?|[<>=!]=|[<>,:=]"
)
_NOT_CODE = frozenset({"annotation", "returns", "type_comment", "type_params"})


class Module:
    """A source text and its syntax tree.

    Args:
        text: The whole file.

    Raises:
        SyntaxError: The text is no Python.
    """

    def __init__(self, text: str) -> None:
        self.text = text
        self.tree = ast.parse(text)
        self._index = LineIndex(text)
        self._spans: dict[ast.AST, Span] = {}
        self._parents: dict[ast.AST, ast.AST] = {}
        self._blocks: dict[ast.stmt, list[ast.stmt]] = {}
        self.statements: list[ast.stmt] = []
        """Every statement, outer before inner, in the order of the text."""
        self._enter(self.tree)

    def _enter(self, node: ast.AST) -> None:
        for field, value in ast.iter_fields(node):
            children = value if isinstance(value, list) else [value]
            for child in children:
                if not isinstance(child, ast.AST):
                    continue
                self._parents[child] = node
                if isinstance(child, ast.stmt):
                    self._blocks[child] = getattr(node, field)
                    self.statements.append(child)
                self._enter(child)

    # Where things are in the tree.

    def parent(self, node: ast.AST) -> ast.AST | None:
        """The node around ``node``; none for the module itself."""
        return self._parents.get(node)

    def ancestors(self, node: ast.AST) -> Iterator[ast.AST]:
        """The nodes around ``node``, innermost first."""
        around = self._parents.get(node)
        while around is not None:
            yield around
            around = self._parents.get(around)

    def statement(self, node: ast.AST) -> ast.stmt | None:
        """The innermost statement that ``node`` is or lies in."""
        if isinstance(node, ast.stmt):
            return node
        return next((around for around in self.ancestors(node) if isinstance(around, ast.stmt)), None)

    def function(self, node: ast.AST) -> Function | None:
        """The innermost function whose body ``node`` lies in."""
        inner = node
        for around in self.ancestors(node):
            if isinstance(around, Function) and isinstance(inner, ast.stmt) and inner in around.body:
                return around
            inner = around
        return None

    def enclosing_class(self, node: ast.AST) -> ast.ClassDef | None:
        """The innermost class around ``node``."""
        return next((around for around in self.ancestors(node) if isinstance(around, ast.ClassDef)), None)

    def block(self, statement: ast.stmt) -> list[ast.stmt]:
        """The statements of the block that ``statement`` stands in."""
        return self._blocks[statement]

    def own_nodes(self, statement: ast.stmt) -> Iterator[ast.AST]:
        """The nodes of a statement without those of the statements in it, and without annotations."""
        pending: list[ast.AST] = [statement]
        while pending:
            node = pending.pop()
            yield node
            children: list[ast.AST] = []
            for field, value in ast.iter_fields(node):
                if field not in _NOT_CODE:
                    children += [
                        child
                        for child in (value if isinstance(value, list) else [value])
                        if isinstance(child, ast.AST) and not isinstance(child, (ast.stmt, ast.expr_context))
                    ]
            if isinstance(node, ast.JoinedStr):
                children = [child for child in children if isinstance(child, ast.FormattedValue) and self._exact(child)]
            pending.extend(reversed(children))

    def _exact(self, formatted: ast.FormattedValue) -> bool:
        """Whether the positions in a piece of an f-string can be trusted, which they cannot before Python 3.12."""
        try:
            found = ast.parse(self.source(formatted.value), mode="eval").body
        except (SyntaxError, ValueError, IndexError):
            return False
        return ast.dump(found) == ast.dump(formatted.value)

    # Where things are in the text.

    def _offset(self, line: int, column: int) -> int:
        start = self._index.starts[line - 1]
        if self._ascii:
            return start + column
        text = self.text[start : start + column]
        return start + (column if text.isascii() else len(text.encode()[:column].decode(errors="ignore")))

    @cached_property
    def _ascii(self) -> bool:
        return self.text.isascii()

    def start(self, node: Located) -> int:
        """Offset of the first character of ``node``."""
        return self.span(node)[0]

    def end(self, node: Located) -> int:
        """Offset just after the last character of ``node``."""
        return self.span(node)[1]

    def span(self, node: Located) -> Span:
        """Where ``node`` lies, without parentheses around it."""
        if node not in self._spans:
            assert node.end_lineno is not None  # noqa: S101 - the parser always sets it
            assert node.end_col_offset is not None  # noqa: S101 - likewise
            start = self._offset(node.lineno, node.col_offset)
            self._spans[node] = start, self._offset(node.end_lineno, node.end_col_offset)
        return self._spans[node]

    def source(self, node: Located) -> str:
        """The text of ``node``, without parentheses around it."""
        return self.text[slice(*self.span(node))]

    def operator(self, left: ast.expr, right: ast.expr) -> Span:
        """Where the operator between two operands lies, comments and parentheses passed over."""
        return self.operator_after(self.end(left), before=self.start(right))

    def operator_after(self, offset: int, *, before: int | None = None) -> Span:
        """Where the first operator after ``offset`` lies.

        Raises:
            LookupError: There is none before ``before``.
        """
        trivia = _TRIVIA.match(self.text, offset)
        found = _OPERATOR.match(self.text, trivia.end() if trivia else offset)
        if found is None or (before is not None and found.end() > before):
            raise LookupError(f"no operator after offset {offset}")
        return found.span()

    def parenthesised(self, node: ast.expr) -> bool:
        """Whether parentheses stand right around ``node``."""
        before, after = self.text[: self.start(node)].rstrip()[-1:], self.text[self.end(node) :].lstrip()[:1]
        return before == "(" and after == ")"

    # Whole lines and blocks.

    @property
    def newline(self) -> str:
        """The line ending that the text uses first."""
        found = re.search(r"\r\n|\n|\r", self.text)
        return found.group() if found else "\n"

    def first_line(self, statement: ast.stmt) -> int:
        """The line (from one) at which a statement begins, decorators included."""
        decorators: list[ast.expr] = getattr(statement, "decorator_list", [])
        return min([statement.lineno, *(decorator.lineno for decorator in decorators)])

    def header_lines(self, statement: ast.stmt) -> range:
        """The lines (from one) of a statement, those of the block in it left out."""
        body: list[ast.stmt] = getattr(statement, "body", [])
        last = statement.end_lineno or statement.lineno
        if body and isinstance(body[0], ast.stmt):
            last = max(statement.lineno, self.first_line(body[0]) - 1)
        return range(self.first_line(statement), last + 1)

    def line_start(self, line: int) -> int:
        """Offset at which a line (from one) begins."""
        starts = self._index.starts
        return starts[line - 1] if line <= len(starts) else len(self.text)

    def indentation(self, statement: ast.stmt) -> str | None:
        """The white space before a statement, or none where something else stands before it on its line."""
        before = self.text[self.line_start(statement.lineno) : self.start(statement)]
        return before if not before.strip() else None

    def lines_span(self, first: ast.stmt, last: ast.stmt | None = None) -> Span | None:
        """The whole lines of one statement, or from one to another; none where they share a line with something."""
        last = last or first
        start, end = self.line_start(self.first_line(first)), self.line_start((last.end_lineno or last.lineno) + 1)
        rest = self.text[self.end(last) : end].strip()
        if self.indentation(first) is None or (rest and not rest.startswith("#")):
            return None
        return start, end

    def is_docstring(self, statement: ast.stmt) -> bool:
        """Whether a statement is but a string, as docstrings are."""
        return (
            isinstance(statement, ast.Expr)
            and isinstance(statement.value, ast.Constant)
            and isinstance(statement.value.value, str)
        )
