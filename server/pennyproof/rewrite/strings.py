"""String literals and string methods."""

import ast
import re
from collections.abc import Iterator

from pennyproof.rewrite.precedence import operand
from pennyproof.rewrite.scope import Scope, similarity, unique
from pennyproof.rewrite.template import Rewrite, template

_SIMPLE = re.compile(r"""([bBuU]?)('''|\"""|'|")(.*)\2""", re.DOTALL)
_METHODS = (
    ("lower", 1.0, ("case", "insensitive", "lower", "regardless")), ("upper", 0.7, ("upper", "capital")),
    ("strip", 0.8, ("strip", "trim", "space", "blank")), ("split", 0.3, ("word", "split", "separat")),
    ("encode", 0.15, ("byte", "encod", "hash")), ("rstrip", 0.3, ("trailing",)), ("lstrip", 0.3, ("leading",)),
    ("title", 0.15, ("title",)), ("capitalize", 0.15, ("capital",)), ("swapcase", 0.1, ("case",)),
    ("isdigit", 0.1, ("digit",)), ("isalpha", 0.1, ("alphabet", "letter")),
)  # fmt: skip


@template(ast.Constant, prior=0.025)
def change_string(node: ast.Constant, scope: Scope) -> Iterator[Rewrite]:
    """Change a string: to one seen elsewhere, another case, without what was added, with or without a space.

    Before::

        text = " ".join(parts)

    After::

        text = "".join(parts)
    """
    found = _SIMPLE.fullmatch(scope.source(node)) if isinstance(node.value, (str, bytes)) else None
    statement = scope.module.statement(node)
    if found is None or "\\" in found[3] or (statement is not None and scope.module.is_docstring(statement)):
        return
    prefix, quote, body = found.groups()
    yield from unique(
        scope.replace(node, f"{prefix}{quote}{new}{quote}", weight)
        for new, weight in _strings(body, scope)
        if new != body and quote not in new and "\\" not in new and new.isprintable()
    )


def _strings(body: str, scope: Scope) -> Iterator[tuple[str, float]]:
    added = re.fullmatch(r"(XX|mutated|_+|\W)?(.*?)(XX|mutated|_+|\W)?", body, re.DOTALL)
    if added and (added[1] or added[3]):
        yield added[2], 0.8
    if body.strip() != body:
        yield body.strip(), 1.0
    yield "", 1.0 if len(body) <= 1 else 0.2
    for text in ("", " ", ", ", ",", "-", "_", ".", "0") if len(body) <= 2 else ():
        yield text, 0.6 if text in ("", " ") else 0.15
    if len(body) > 1:
        yield body[:-1], 0.5
        yield body[1:], 0.5
        yield f"{body} ", 0.1
        yield f" {body}", 0.1
    if len(set(body)) == 1 and body:
        yield body * 2, 0.2
    for changed in (body.lower(), body.upper(), body.capitalize(), body.swapcase()):
        yield changed, 0.6
    yield from _strings_at_hand(body, scope)


def _strings_at_hand(body: str, scope: Scope) -> Iterator[tuple[str, float]]:
    """Strings of the same function, and those of the failing tests that look like this one."""
    for literal in scope.literals(str):
        if (other := _SIMPLE.fullmatch(literal)) is not None:
            yield other[3], 0.5 if (len(other[3]) == 1) == (len(body) == 1) else 0.15
    for seen in scope.clues.strings:
        if len(seen) <= 2:
            yield seen, 0.15
        elif len(body) > 2:
            for part in {seen, *re.findall(r"\w+", seen)}:
                if (alike := similarity(part, body)) > 0.7:
                    yield part, 3.0 * alike
    if len(body) == 1 and not body.isalnum():
        for index, character in enumerate(scope.clues.characters()[:8]):
            yield character, 1.0 / (1 + index)


@template(ast.Name, ast.Call, ast.Attribute, ast.Subscript, prior=0.012)
def add_string_method(node: ast.expr, scope: Scope) -> Iterator[Rewrite]:
    """Bring a string into form by a method.

    Before::

        def distinct(string: str) -> int:
            return len(set(string))

    After::

        def distinct(string: str) -> int:
            return len(set(string.lower()))
    """
    kind = scope.kind(node)
    if kind not in {"str", None} or not isinstance(getattr(node, "ctx", ast.Load()), ast.Load):
        return
    parent = scope.module.parent(node)
    if (isinstance(parent, ast.Call) and node is parent.func) or isinstance(parent, (ast.Attribute, ast.Expr)):
        return
    if kind is None and (not isinstance(node, ast.Name) or isinstance(parent, (ast.BinOp, ast.Subscript))):
        return
    for method, weight, stems in _METHODS:
        factor = (1.0 if kind else 0.25) * scope.mentioned(*stems)
        yield scope.replace(node, f"{operand(scope.source(node))}.{method}()", weight * factor)


@template(ast.Constant, prior=0.05)
def unquote_variable(node: ast.Constant, scope: Scope) -> Iterator[Rewrite]:
    """Use the variable that a string literal names.

    Before::

        def load(path):
            return open('path')

    After::

        def load(path):
            return open(path)
    """
    name = node.value
    if isinstance(name, str) and (name in scope.bindings or name in scope.globals):
        if isinstance(scope.module.parent(node), (ast.Subscript, ast.Dict)):
            return
        yield scope.replace(node, name)
        if scope.kinds.get(name) in {None, "str"}:
            yield scope.replace(node, f"{name}.encode()", 0.4)
            yield scope.replace(node, f"str({name})", 0.1)
