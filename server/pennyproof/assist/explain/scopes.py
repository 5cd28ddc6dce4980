"""Scopes of a syntax tree: which statement binds a name, and what lies around a line."""

import ast
import warnings
from collections.abc import Iterator
from typing import TypeAlias

Function: TypeAlias = ast.FunctionDef | ast.AsyncFunctionDef
Scope: TypeAlias = ast.Module | ast.ClassDef | Function
FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)


def scopes_at(tree: ast.Module, line: int) -> tuple[Scope, ...]:
    """The functions and classes around a line, innermost first, the module last."""
    found: list[Scope] = [tree]
    inside: ast.AST | None = tree
    while inside is not None:
        inside = next((child for child in nested(inside) if child.lineno <= line <= (child.end_lineno or 0)), None)
        if inside is not None:
            found.append(inside)
    return tuple(reversed(found))


def nested(node: ast.AST) -> Iterator[Function | ast.ClassDef]:
    """Functions and classes directly inside, blocks such as ``if`` and ``try`` looked through."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, (*FUNCTIONS, ast.ClassDef)):
            yield child
        elif isinstance(child, (ast.stmt, ast.ExceptHandler, ast.match_case)):
            yield from nested(child)


def statements(body: list[ast.stmt]) -> Iterator[ast.stmt]:
    """The statements of one scope: those in its blocks, none in nested functions or classes."""
    for statement in body:
        yield statement
        if not isinstance(statement, (*FUNCTIONS, ast.ClassDef)):
            yield from statements([node for node in _children(statement) if isinstance(node, ast.stmt)])


def _children(statement: ast.stmt) -> Iterator[ast.AST]:
    for child in ast.iter_child_nodes(statement):
        if isinstance(child, (ast.ExceptHandler, ast.match_case)):
            yield from child.body
        else:
            yield child


def binding(scope: Scope, name: str) -> ast.stmt | ast.arg | None:
    """The last statement of a scope that binds a name, or the parameter that does."""
    found: ast.stmt | ast.arg | None = None
    if isinstance(scope, FUNCTIONS):
        found = next((argument for argument in _arguments(scope) if argument.arg == name), None)
    for statement in statements(scope.body):
        if name in _binds(statement):
            found = statement
    return found


def _binds(statement: ast.stmt) -> set[str]:
    match statement:
        case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name) | ast.ClassDef(name=name):
            names = {name}
        case ast.Import(names=aliases):
            names = {alias.asname or alias.name.partition(".")[0] for alias in aliases}
        case ast.ImportFrom(names=aliases):
            names = {alias.asname or alias.name for alias in aliases}
        case ast.Assign(targets=targets):
            names = {name for target in targets for name in _targets(target)}
        case ast.AnnAssign(target=target) | ast.For(target=target) | ast.AsyncFor(target=target):
            names = _targets(target)
        case ast.With(items=items) | ast.AsyncWith(items=items):
            names = {name for item in items if item.optional_vars for name in _targets(item.optional_vars)}
        case _:
            names = set()
    return names


def _targets(target: ast.expr) -> set[str]:
    """Names that an assignment binds; those in ``a.b[i] = …`` are only read."""
    return {node.id for node in ast.walk(target) if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)}


def _arguments(function: Function) -> list[ast.arg]:
    arguments = function.args
    rest = [argument for argument in (arguments.vararg, arguments.kwarg) if argument]
    return [*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs, *rest]


def first_argument(function: Function) -> ast.arg | None:
    """The parameter that a method's instance or class is given to."""
    static = any(isinstance(mark, ast.Name) and mark.id == "staticmethod" for mark in function.decorator_list)
    positional = [*function.args.posonlyargs, *function.args.args]
    return positional[0] if positional and not static else None


def set_on_self(node: ast.ClassDef, name: str) -> ast.stmt | None:
    """The first statement in a class's methods that sets the attribute on ``self``."""
    for statement in ast.walk(node):
        targets = statement.targets if isinstance(statement, ast.Assign) else []
        if isinstance(statement, ast.AnnAssign):
            targets = [statement.target]
        for target in targets:
            match target:
                case ast.Attribute(value=ast.Name(id="self"), attr=attribute) if attribute == name:
                    return statement if isinstance(statement, ast.stmt) else None
    return None


def is_fixture(function: Function) -> bool:
    """Whether a function is marked as a pytest fixture."""
    marks = [mark.func if isinstance(mark, ast.Call) else mark for mark in function.decorator_list]
    return any("fixture" in (getattr(mark, "attr", ""), getattr(mark, "id", "")) for mark in marks)


def qualified(scopes: tuple[Scope, ...], name: str) -> str:
    """A name with those of the functions and classes around it: ``Cart.total``."""
    around = [scope.name for scope in reversed(scopes) if not isinstance(scope, ast.Module)]
    return ".".join([*around, name])


def expressions(tree: ast.Module, first: int, last: int) -> list[ast.expr]:
    """Names and whole attribute chains that begin on the given lines, in reading order."""
    within = [
        node for node in ast.walk(tree) if isinstance(node, (ast.Name, ast.Attribute)) and first <= node.lineno <= last
    ]
    inner = {id(node.value) for node in within if isinstance(node, ast.Attribute)}
    return sorted(
        (node for node in within if isinstance(node, ast.Attribute) or id(node) not in inner),
        key=lambda node: (node.lineno, node.col_offset, -(node.end_col_offset or 0)),
    )


def function_around(text: str, line: int) -> range | None:
    """The lines of the function around a line, decorators included; ``None`` where there is none or no parse."""
    tree = parse(text)
    inner = next((scope for scope in scopes_at(tree, line) if isinstance(scope, FUNCTIONS)), None) if tree else None
    if inner is None:
        return None
    return range(min(function_starts(inner)), (inner.end_lineno or inner.lineno) + 1)


def function_starts(function: Function) -> set[int]:
    """Lines that Python may call a function's first: its own, and that of its first decorator."""
    return {function.lineno, *(mark.lineno for mark in function.decorator_list[:1])}


def parse(text: str) -> ast.Module | None:
    """The syntax tree of a text, or ``None`` where it does not parse."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # Invalid escapes in somebody else's strings are no news here.
            return ast.parse(text)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None
