"""A source file as the tests see it: which of its lines run, and in which scope each lies."""

import ast
import contextlib
import inspect
import itertools
import operator
import re
import warnings
from collections.abc import Iterable, Iterator
from functools import lru_cache
from types import CodeType
from typing import NamedTuple

Function = ast.FunctionDef | ast.AsyncFunctionDef
Scope = Function | ast.ClassDef

_NAME = "<candidate>"
_GENERATOR = inspect.CO_GENERATOR | inspect.CO_ASYNC_GENERATOR
_MISCOUNTS = 3
"""How often parsing is tried again when Python itself fails."""
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
    """The lines of the definition after the edit; ``None``: all are there."""
    header: range = range(0)
    """The lines of the class around it, up to the first statement of that: they are there, too."""
    in_place: bool = False
    """Whether the edit stays within the definition's body, and moves no line: nothing else compiles to other code."""


@lru_cache(maxsize=16)
def narrowed(before: str, after: str) -> Narrowed:
    """Both texts of a file with blank lines for all but the function, method or class in which they differ.

    What holds of these holds of the whole, if ``before`` parses: a definition that is complete in itself can stand
    between any others. Parsing a large file whole takes longer than most tests.

    Returns:
        The texts as they are, where they differ elsewhere, or do not parse.
    """
    try:
        module = parse(before)
    except (SyntaxError, ValueError, RecursionError):
        return Narrowed(before, after)
    old, new = lines_of(before), lines_of(after)
    start, end = equal_ends(before, after)
    grown = len(new) - len(old)
    for part in module.parts(start + 1, len(old) - end):
        edited = range(part.lines.start, part.lines.stop + grown)
        alone = _alone(new, edited, part.header)
        if _is_complete(alone, part):
            in_place = grown == 0 and start + 1 >= first_line(part.scope.body[0])
            return Narrowed(_alone(old, part.lines, part.header), alone, edited, part.header, in_place)
    return Narrowed(before, after)


@lru_cache(maxsize=16)
def equal_ends(before: str, after: str) -> tuple[int, int]:
    """How many lines of two texts are equal at the beginning and at the end."""
    old, new = lines_of(before), lines_of(after)
    shortest = min(len(old), len(new))
    start = _equal(old, new, shortest)
    return start, _equal(reversed(old), reversed(new), shortest - start)


@lru_cache(maxsize=16)
def lines_of(text: str) -> list[str]:
    """The lines of a text, as Python counts them."""
    return _LINE_END.split(text) if "\r" in text else text.split("\n")


def _equal(old: Iterable[str], new: Iterable[str], most: int) -> int:
    """How many of them, from the first on, are equal, and at most so many."""
    differing = itertools.compress(itertools.count(), map(operator.ne, old, new))
    return min(next(differing, most), most)


class Part(NamedTuple):
    """A definition at the top level of a file, or a method of a class there."""

    scope: Scope
    lines: range
    """Up to what follows it."""
    header: range = range(0)
    """The lines of the class around it, up to the first statement of that."""


def tree_of(text: str) -> ast.Module:
    """The tree of a file, where nothing has to be compiled.

    Raises:
        SyntaxError: It does not parse; and as for ``parse``.
    """
    # Before 3.11.8 and 3.12.2, Python may take threads that parse at the same time for one that has lost count.
    for _ in range(_MISCOUNTS):
        with contextlib.suppress(SystemError):
            return ast.parse(text, _NAME)
    return ast.parse(text, _NAME)


class Module:
    """One parsed file. Lines count from one; a *point* lies before the line whose number it has."""

    def __init__(self, text: str) -> None:
        # What the compiler only warns of is for ruff to judge. This adds no second filter, and needs no lock.
        warnings.filterwarnings("ignore", module=_NAME)
        tree = tree_of(text)
        codes = list(_codes(compile(tree, _NAME, "exec", dont_inherit=True)))
        self.running = frozenset(line for code in codes for _, _, line in code.co_lines() if line)
        """Lines that have code of their own."""
        self._yielding = {(code.co_name, code.co_firstlineno) for code in codes if code.co_flags & _GENERATOR}
        self._scopes: list[tuple[Scope, ...]] = []
        self._statements: list[ast.stmt] = []
        self._gather(tree, ())
        self._top = tree.body
        self._end = len(lines_of(text)) + 1

    def yields(self, function: Function) -> bool:
        """Whether calling the function makes a generator."""
        return (function.name, first_line(function)) in self._yielding

    def parts(self, first: int, last: int) -> Iterator[Part]:
        """The method, then the definition at the top level, behind whose first line these lines lie."""
        for scope, lines in _definitions(self._top, self._end, first, last):
            if isinstance(scope, ast.ClassDef):
                header = range(lines.start, first_line(scope.body[0]))
                for inner, inner_lines in _definitions(scope.body, lines.stop, first, last):
                    if isinstance(inner, Function):
                        yield Part(inner, inner_lines, header)
            yield Part(scope, lines)

    def is_one_method(self) -> bool:
        """Whether the file is a class with nothing in it but one method."""
        block = self._top[0].body if len(self._top) == 1 and isinstance(self._top[0], ast.ClassDef) else []
        return len(block) == 1 and isinstance(block[0], Function)

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


def _definitions(body: list[ast.stmt], end: int, first: int, last: int) -> Iterator[tuple[Scope, range]]:
    """The definition in a block, and its lines up to what follows it, behind whose first line these lines lie."""
    starts = [*map(first_line, body), end]
    for statement, start, stop in zip(body, starts, starts[1:], strict=False):
        if isinstance(statement, Scope) and start < first and last < stop:
            yield statement, range(start, stop)


def _alone(lines: list[str], part: range, header: range) -> str:
    alone = [""] * (part.stop - 1)
    for kept in (header, part):
        alone[kept.start - 1 : kept.stop - 1] = lines[kept.start - 1 : kept.stop - 1]
    return "\n".join(alone) + "\n"


def _is_complete(alone: str, part: Part) -> bool:
    """Whether a definition is still one, so that nothing of it reaches into what is left out."""
    try:
        module = parse(alone)
    except (SyntaxError, ValueError, RecursionError):
        return False
    return not part.header or module.is_one_method()


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


def _codes(code: CodeType) -> Iterator[CodeType]:
    yield code
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from _codes(constant)
