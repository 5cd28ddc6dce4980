"""Which part of a file an edit is about, and whether a candidate keeps to it."""

import ast
from collections.abc import Iterator
from dataclasses import dataclass

from pennyproof.assist.explain.scopes import FUNCTIONS, Function, function_starts, parse, qualified, scopes_at
from pennyproof.core.positions import LineIndex
from pennyproof.core.sources import Source
from pennyproof.errors import UsageError


@dataclass(frozen=True, slots=True)
class Region:
    """Lines of one file that may be rewritten."""

    path: str
    source: Source
    lines: range
    """From one; empty where text is to be inserted before a line."""
    function: str = ""
    """The qualified name of the function that the lines are; empty where they are something else."""

    @property
    def text(self) -> str:
        """The lines as they are."""
        head, tail = self._around
        return self.source.text[len(head) : len(self.source.text) - len(tail)]

    @property
    def has_surroundings(self) -> bool:
        """Whether the file has more than these lines and imports."""
        head, tail = self._around
        return bool(tail.strip() or _without_imports(self.source.text, head))

    @property
    def indentation(self) -> str:
        """The blanks before the first line that has more than blanks."""
        first = next((line for line in self.text.splitlines() if line.strip()), "")
        return first[: len(first) - len(first.lstrip())]

    def replaced(self, text: str) -> Source:
        """The file with other lines in place of these."""
        head, tail = self._around
        if text and tail and not text.endswith(("\n", "\r")):
            text += _line_end(self.source.text)
        return Source(head + text + tail, self.source.encoding)

    def objection(self, after: Source) -> str | None:
        """Why a new text of the file is no edit of these lines, in words for the model; imports may come and go."""
        head, tail = self._around
        if not after.text.endswith(tail):
            return f"your edit changes {self.path} below line {self.lines.stop - 1}: {self._allowed}"
        kept, found = _without_imports(self.source.text, head), _without_imports(after.text, after.text)
        if found[: len(kept)] != kept:
            return f"your edit changes {self.path} above line {self.lines.start}: {self._allowed}"
        return None

    @property
    def _allowed(self) -> str:
        what = f"the function {self.function}" if self.function else "the marked lines"
        return f"change nothing but {what}, and imports"

    @property
    def _around(self) -> tuple[str, str]:
        text, starts = self.source.text, LineIndex(self.source.text).starts
        begin, end = (
            starts[line - 1] if line <= len(starts) else len(text) for line in (self.lines.start, self.lines.stop)
        )
        return text[:begin], text[end:]


def function_region(path: str, source: Source, first: int, last: int) -> Region:
    """The function that is meant by some lines: the innermost around the first, or the first that begins in them.

    Raises:
        UsageError: There is none, or the file does not parse.
    """
    tree = _parsed(path, source)
    around = scopes_at(tree, first)
    found = next(((scope, around[at + 1 :]) for at, scope in enumerate(around) if isinstance(scope, FUNCTIONS)), None)
    if found is None:
        starting = [(node, scopes_at(tree, node.lineno)[1:]) for node in _functions(tree, first, last)]
        found = min(starting, key=lambda pair: pair[0].lineno, default=None)
    if found is None:
        raise UsageError(f"there is no function at {path}:{first}; put the cursor into one, or give an instruction")
    function, scopes = found
    return Region(path, source, _span(function), qualified(scopes, function.name))


def lines_region(path: str, source: Source, first: int, last: int) -> Region:
    """The given lines; where they are exactly one function, its name is known."""
    tree = parse(source.text)
    lines = range(first, last + 1)
    for function in _functions(tree, first, last) if tree else ():
        if tree and _span(function) == lines:
            return Region(path, source, lines, qualified(scopes_at(tree, function.lineno)[1:], function.name))
    return Region(path, source, lines)


def touched_functions(region: Region) -> list[tuple[str, Function]]:
    """The functions that the region overlaps, by qualified name, in their order; none where the file does not parse."""
    tree = parse(region.source.text)
    if tree is None:
        return []
    found = [
        node
        for node in ast.walk(tree)
        if isinstance(node, FUNCTIONS)
        and node.lineno < region.lines.stop
        and region.lines.start <= _span(node).stop - 1
    ]
    found.sort(key=lambda node: node.lineno)
    return [(qualified(scopes_at(tree, node.lineno)[1:], node.name), node) for node in found]


def unwritten_function(text: str, line: int) -> str | None:
    """The name of the function around a line, where it has a docstring and its body is still missing."""
    tree = parse(text)
    inner = next((scope for scope in scopes_at(tree, line) if isinstance(scope, FUNCTIONS)), None) if tree else None
    return inner.name if inner and is_unwritten(inner) and ast.get_docstring(inner) else None


def is_unwritten(function: Function) -> bool:
    """Whether a function's body is still missing: nothing but a docstring, ``...``, ``pass`` or NotImplementedError."""
    return all(_says_nothing(statement) for statement in function.body)


def _says_nothing(statement: ast.stmt) -> bool:
    match statement:
        case ast.Pass() | ast.Expr(value=ast.Constant()):
            return True
        case ast.Raise(exc=ast.Name(id="NotImplementedError")):
            return True
        case ast.Raise(exc=ast.Call(func=ast.Name(id="NotImplementedError"))):
            return True
    return False


def _functions(tree: ast.Module, first: int, last: int) -> Iterator[Function]:
    for node in ast.walk(tree):
        if isinstance(node, FUNCTIONS) and first <= min(function_starts(node)) <= last:
            yield node


def _span(function: Function) -> range:
    return range(min(function_starts(function)), (function.end_lineno or function.lineno) + 1)


def _parsed(path: str, source: Source) -> ast.Module:
    tree = parse(source.text)
    if tree is None:
        raise UsageError(f"{path} does not parse, so no function is found in it; select lines and give an instruction")
    return tree


def _without_imports(whole: str, part: str) -> list[str]:
    """The lines of the first part of a text, without blank lines and imports."""
    tree = parse(whole)
    imports = {
        line
        for node in (ast.walk(tree) if tree else ())
        if isinstance(node, ast.Import | ast.ImportFrom)
        for line in range(node.lineno, (node.end_lineno or node.lineno) + 1)
    }
    index = LineIndex(part)
    lines = (index.line(number) for number in range(len(index)))
    return [line for number, line in enumerate(lines, 1) if line.strip() and number not in imports]


def _line_end(text: str) -> str:
    return "\r\n" if "\r\n" in text else "\n"
