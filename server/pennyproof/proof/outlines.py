"""A source file as its functions and what remains, by checksum: what an edit changes, and where the rest lies now."""

import ast
import hashlib
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

from pennyproof.proof.syntax import Function, equal_ends, first_line, lines_of


@dataclass(frozen=True, slots=True)
class Body:
    """The body of a function that lies in no other."""

    checksum: str
    first: int
    last: int
    """The lines of the definition, decorators included."""
    marks: tuple[int, ...]
    """First lines of the function, and of all that lie in its body, as they are recorded when these run."""


@dataclass(frozen=True, slots=True)
class Outline:
    """One file."""

    rest: str
    """Checksum of all but the bodies: what runs at import, and what others see of the functions."""
    marks: tuple[int, ...]
    """First lines of the functions (lambdas) in the rest."""
    bodies: Mapping[str, Body]
    """By qualified name; those that share one are numbered."""

    def changed(self, new: "Outline") -> list[Body] | None:
        """The functions whose bodies a new text changes; ``None``: more than these."""
        if self.rest != new.rest or self.bodies.keys() != new.bodies.keys():
            return None
        return [body for name, body in self.bodies.items() if body.checksum != new.bodies[name].checksum]

    def moved(self, new: "Outline") -> dict[int, frozenset[int]]:
        """First lines of functions in the old text → those in a new text that changes no more than bodies.

        Functions whose bodies change are left out.
        """
        lines: dict[int, set[int]] = {}
        pairs = [(self.marks, new.marks)]
        pairs += [
            (body.marks, new.bodies[name].marks)
            for name, body in self.bodies.items()
            if body.checksum == new.bodies[name].checksum
        ]
        for old, now in pairs:
            for before, after in zip(old, now, strict=True):
                lines.setdefault(before, set()).add(after)
        return {line: frozenset(found) for line, found in lines.items()}


@lru_cache(maxsize=32)
def edited(before: str, after: str) -> list[Body] | None:
    """The functions, as they lie in a text, whose bodies an edit of it changes; ``None``: it may change more.

    Only the statements in which the texts differ are looked at: a large file takes long to parse.
    """
    parts = _differing(before, after)
    old, new = (outline(part) for part in parts) if parts else (None, None)
    return old.changed(new) if old and new else None


@lru_cache(maxsize=32)  # The same few files are edited, and each edit is compared with the same original.
def outline(text: str) -> Outline | None:
    """The outline of a file; ``None`` where it is no Python that can be read here."""
    try:
        tree = ast.parse(text)
        return _outline(tree)
    except (SyntaxError, ValueError, RecursionError):
        return None


@dataclass(frozen=True, slots=True)
class _Block:
    """Where the statements begin that stand one under another."""

    starts: tuple[int, ...]
    """Lines on which one begins, and nothing of the one before stands."""
    indent: int
    classes: Mapping[int, "_Block"]
    """First lines of classes → their bodies."""

    def around(self, first: int, last: int, outer: range) -> range:
        """The lines of the statements in which these lie, of all in ``outer``.

        What is inserted between two statements (``last`` is before ``first``) stands behind the first of them.
        """
        before = bisect_right(self.starts, first if first <= last else first - 1)
        after = bisect_left(self.starts, last + 1)
        start = self.starts[before - 1] if before else outer.start
        return range(start, self.starts[after] if after < len(self.starts) else outer.stop)

    def holds_one(self, lines: range) -> bool:
        """Whether a single statement begins in these lines."""
        return bisect_left(self.starts, lines.stop) - bisect_left(self.starts, lines.start) == 1


@lru_cache(maxsize=128)
def _block(text: str) -> _Block | None:
    """The statements of a file; ``None`` where it is no Python that can be read here."""
    try:
        return _block_of(ast.parse(text).body)
    except (SyntaxError, ValueError, RecursionError):
        return None


def _block_of(body: Sequence[ast.stmt]) -> _Block:
    starts = list[int]()
    classes = dict[int, _Block]()
    end = 0
    for statement in body:
        if first_line(statement) > end:
            starts.append(first_line(statement))
            if isinstance(statement, ast.ClassDef):
                classes[starts[-1]] = _block_of(statement.body)
        end = statement.end_lineno or statement.lineno
    return _Block(tuple(starts), body[0].col_offset if body else 0, classes)


def _differing(before: str, after: str) -> tuple[str, str] | None:
    """Both texts with blank lines for all but the statements, of the file or of one class, in which they differ.

    Returns:
        ``None`` where these statements are not complete in themselves after the edit, so that what it does to others
        cannot be told without them.
    """
    block = _block(before)
    if block is None:
        return None
    old, new = lines_of(before), lines_of(after)
    start, end = equal_ends(before, after)
    first, last = start + 1, len(old) - end
    header = range(0)
    lines = block.around(first, last, range(1, len(old) + 1))
    body = block.classes.get(lines.start) if block.holds_one(lines) else None
    if body:
        within = body.around(first, last, lines)
        if within.start > lines.start:
            header, lines = range(lines.start, body.starts[0]), within
    alone = _alone(new, header, range(lines.start, lines.stop + len(new) - len(old)))
    if body and header and not _is_body(alone, body.indent):
        return None
    return _alone(old, header, lines), alone


def _alone(lines: Sequence[str], header: range, part: range) -> str:
    alone = [""] * (part.stop - 1)
    for kept in filter(None, (header, part)):
        alone[kept.start - 1 : kept.stop - 1] = lines[kept.start - 1 : kept.stop - 1]
    return "\n".join(alone) + "\n"


def _is_body(text: str, indent: int) -> bool:
    """Whether this is a class, whose body is indented so and does not continue what has been left out."""
    try:
        body = ast.parse(text).body
    except (SyntaxError, ValueError, RecursionError):
        return False
    return len(body) == 1 and isinstance(body[0], ast.ClassDef) and body[0].body[0].col_offset == indent


def _outline(tree: ast.Module) -> Outline:
    bodies: dict[str, Body] = {}
    for name, function in _functions(tree, ""):
        key, number = name, 1
        while key in bodies:
            number += 1
            key = f"{name}#{number}"
        docstring = ast.get_docstring(function, clean=False)
        within = function.body[1 if docstring is not None else 0 :]
        inner = [node for statement in within for node in ast.walk(statement)]
        bodies[key] = Body(
            _checksum(within),
            first_line(function),
            function.end_lineno or function.lineno,
            (first_line(function), *_marks(inner)),
        )
        # What stays in the rest is all that others can tell of a function without running its body.
        kind = "yields" if _yields(within) else "returns"
        function.body = [ast.Expr(ast.Constant(docstring)), ast.Expr(ast.Constant(kind))]
    lambdas = (node for node in ast.walk(tree) if isinstance(node, ast.Lambda))
    return Outline(_checksum(tree.body), _marks(lambdas), bodies)


def _functions(node: ast.AST, prefix: str) -> Iterator[tuple[str, Function]]:
    """The functions that lie in no other, with their qualified names."""
    for child in list(ast.iter_child_nodes(node)):
        if isinstance(child, Function):
            yield prefix + child.name, child
        elif isinstance(child, ast.ClassDef):
            yield from _functions(child, f"{prefix}{child.name}.")
        elif not isinstance(child, ast.expr):
            yield from _functions(child, prefix)


def _marks(nodes: Iterable[ast.AST]) -> tuple[int, ...]:
    found: list[int] = []
    for node in nodes:
        if isinstance(node, Function):
            found.append(first_line(node))
        elif isinstance(node, ast.Lambda):
            found.append(node.lineno)
    return tuple(found)


def _yields(block: list[ast.stmt]) -> bool:
    """Whether a function with this body is a generator: what lies in inner functions does not count."""
    ahead: list[ast.AST] = [*block]
    while ahead:
        node = ahead.pop()
        if isinstance(node, ast.Yield | ast.YieldFrom):
            return True
        if not isinstance(node, Function | ast.Lambda | ast.ClassDef):
            ahead += ast.iter_child_nodes(node)
    return False


def _checksum(block: list[ast.stmt]) -> str:
    dumped = "\n".join(map(ast.dump, block))
    return hashlib.sha256(dumped.encode("utf-8", "surrogatepass")).hexdigest()[:16]
