"""A source file as its functions and what remains, by checksum: what an edit changes, and where the rest lies now."""

import ast
import hashlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache

from pennyproof.proof.syntax import Function, first_line


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


@lru_cache(maxsize=32)  # The same few files are edited, and each edit is compared with the same original.
def outline(text: str) -> Outline | None:
    """The outline of a file; ``None`` where it is no Python that can be read here."""
    try:
        tree = ast.parse(text)
        return _outline(tree)
    except (SyntaxError, ValueError, RecursionError):
        return None


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
