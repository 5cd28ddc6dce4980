"""A source file as the tests see it: which of its lines run, and in which scope each lies."""

import ast
import re
import warnings
from collections.abc import Iterator
from functools import lru_cache
from types import CodeType
from typing import NamedTuple

Function = ast.FunctionDef | ast.AsyncFunctionDef
Scope = Function | ast.ClassDef

_NAME = "<candidate>"
_LINE_END = re.compile(r"\r\n|\n|\r")


@lru_cache(
    maxsize=16
)  # Every gate looks at the same candidate, and every candidate is compared with the same original.
def parse(text: str) -> "Module":
    """Parse and compile a file.

    Raises:
        SyntaxError: It does not compile.
        ValueError: It holds null characters.
        RecursionError: It is nested too deeply.
    """
    return Module(text)


class Narrowed(NamedTuple):
    """What has to be parsed of a file before and after an edit, with blank lines for the rest."""

    before: str
    after: str
    part: range | None = None
    """The lines, after the edit, that are not blank; ``None``: all are there."""
    in_place: bool = False
    """Whether the edit stays within the definition's body, and moves no line: nothing else compiles to other code."""


@lru_cache(maxsize=16)
def narrowed(before: str, after: str) -> Narrowed:
    """Both texts of a file with blank lines for all but the definition at its top level in which they differ.

    What holds of these holds of the whole, if ``before`` parses: a definition that is complete in itself can stand
    between any others. Parsing a large file whole takes longer than most tests.

    Returns:
        The texts as they are, where they differ elsewhere, or ``before`` does not parse.
    """
    try:
        module = parse(before)
    except (SyntaxError, ValueError, RecursionError):
        return Narrowed(before, after)
    old, new = lines_of(before), lines_of(after)
    start, end = equal_ends(old, new)
    found = module.part(start + 1, len(old) - end)
    if found is None:
        return Narrowed(before, after)
    scope, part = found
    grown = len(new) - len(old)
    edited = range(part.start, part.stop + grown)
    in_place = grown == 0 and start + 1 >= first_line(scope.body[0])
    return Narrowed(_alone(old, part), _alone(new, edited), edited, in_place)


def lines_of(text: str) -> list[str]:
    """The lines of a text, as Python counts them."""
    return _LINE_END.split(text) if "\r" in text else text.split("\n")


def equal_ends(old: list[str], new: list[str]) -> tuple[int, int]:
    """How many lines are equal at the beginning and at the end."""
    start, end = 0, 0
    shortest = min(len(old), len(new))
    while start < shortest and old[start] == new[start]:
        start += 1
    while end < shortest - start and old[-1 - end] == new[-1 - end]:
        end += 1
    return start, end


class Module:
    """One parsed file. Lines count from one; a *point* lies before the line whose number it has."""

    def __init__(self, text: str) -> None:
        # What the compiler only warns of is for ruff to judge. This adds no second filter, and needs no lock.
        warnings.filterwarnings("ignore", module=_NAME)
        tree = ast.parse(text, _NAME)
        self.running = frozenset(_code_lines(compile(tree, _NAME, "exec", dont_inherit=True)))
        """Lines that have code of their own."""
        self._scopes: list[tuple[Scope, ...]] = []
        self._statements: list[ast.stmt] = []
        self._gather(tree, ())
        starts = [*map(first_line, tree.body), len(lines_of(text)) + 1]
        self._parts = [
            (statement, range(start, stop))
            for statement, start, stop in zip(tree.body, starts, starts[1:], strict=False)
            if isinstance(statement, Scope)
        ]

    def part(self, first: int, last: int) -> tuple[Scope, range] | None:
        """A definition at the top level, and the lines up to what follows it, if these lie behind its first one."""
        return next(((scope, part) for scope, part in self._parts if part.start < first and last < part.stop), None)

    def enclosing(self, start: int, end: int) -> tuple[Scope, ...]:
        """The scopes, outermost first, in whose bodies lie the lines from ``start`` up to the point ``end``.

        A mere point at either edge of a body counts as inside.
        """
        inside = [scopes for scopes in self._scopes if _holds(body_lines(scopes[-1]), start, end)]
        return max(inside, key=len, default=())

    def showing(self, lines: range) -> frozenset[int]:
        """The lines that show whether these ran: each itself, or the beginning of the statement it is part of.

        A definition's own line runs when its scope does, which says nothing of what it defines; there the first
        statement of its body speaks for it. Comments and docstrings have none.
        """
        found = set[int]()
        for line in lines:
            statement = self._statement_at(line)
            if isinstance(statement, Function):
                found |= self._first(body_lines(statement))
            elif line in self.running:
                found.add(line)
            elif statement is not None:
                found |= self._first(own_lines(statement))
        return frozenset(found)

    def around(self, point: int) -> frozenset[int]:
        """The nearest lines that run before and after a point, in the scope in which that lies."""
        scopes = self.enclosing(point, point)
        inside = body_lines(scopes[-1]) if scopes else range(1, max(self.running, default=0) + 1)

        def first(lines: range) -> list[int]:
            mine = (at for at in lines if at in self.running and len(self.enclosing(at, at + 1)) <= len(scopes))
            return [line for line, _ in zip(mine, range(1), strict=False)]

        return frozenset(first(range(point - 1, inside.start - 1, -1)) + first(range(point, inside.stop)))

    def _gather(self, node: ast.AST, scopes: tuple[Scope, ...]) -> None:
        for child in ast.iter_child_nodes(node):
            inner = scopes
            if isinstance(child, ast.stmt):
                self._statements.append(child)
            if isinstance(child, Scope):
                inner = (*scopes, child)
                self._scopes.append(inner)
            if not isinstance(child, ast.expr):  # No statement lies in an expression.
                self._gather(child, inner)

    def _statement_at(self, line: int) -> ast.stmt | None:
        """The innermost statement of whose own lines this is one."""
        found = [statement for statement in self._statements if line in own_lines(statement)]
        return found[-1] if found else None

    def _first(self, lines: range) -> set[int]:
        return set(sorted(self.running.intersection(lines))[:1])


def _alone(lines: list[str], part: range) -> str:
    return "\n" * (part.start - 1) + "\n".join(lines[part.start - 1 : part.stop - 1]) + "\n"


def own_lines(statement: ast.stmt) -> range:
    """The lines of a statement without those of the statements in it."""
    start = first_line(statement)
    body = getattr(statement, "body", None) or getattr(statement, "cases", None)
    if not body:
        return range(start, (statement.end_lineno or statement.lineno) + 1)
    first = body[0].pattern.lineno if isinstance(body[0], ast.match_case) else first_line(body[0])
    return range(start, max(first, statement.lineno + 1))


def all_lines(scope: Scope) -> range:
    """The lines of a definition, decorators included."""
    return range(first_line(scope), (scope.end_lineno or scope.lineno) + 1)


def body_lines(scope: Scope) -> range:
    """The lines of a definition's body; one on the line of its header counts as header."""
    return range(max(first_line(scope.body[0]), scope.lineno + 1), (scope.end_lineno or scope.lineno) + 1)


def first_line(statement: ast.stmt) -> int:
    """The line on which a statement begins, or the first of its decorators."""
    decorators: list[ast.expr] = getattr(statement, "decorator_list", [])
    return min([statement.lineno, *(decorator.lineno for decorator in decorators)])


def _holds(body: range, start: int, end: int) -> bool:
    return body.start <= start and end <= body.stop


def _code_lines(code: CodeType) -> Iterator[int]:
    yield from (line for _, _, line in code.co_lines() if line)
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from _code_lines(constant)
