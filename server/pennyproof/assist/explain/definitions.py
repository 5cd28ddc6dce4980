"""What the names in a piece of code stand for, found without running anything.

A small resolver: scopes, imports within the workspace and into installed packages, methods through base
classes, attributes of ``self``, fixtures, and variables whose class is plain to see. What it cannot follow
it leaves out; it never guesses.
"""

import ast
from collections.abc import Iterator
from dataclasses import dataclass

from pennyproof.assist.explain.modules import Module, Modules
from pennyproof.assist.explain.scopes import (
    FUNCTIONS,
    Scope,
    binding,
    expressions,
    first_argument,
    is_fixture,
    qualified,
    scopes_at,
    set_on_self,
    statements,
)

_DEEPEST = 24
"""Steps followed before giving up: chains of re-exports are short, and circular imports have no end."""


@dataclass(frozen=True)
class Definition:
    """Where something is defined."""

    module: Module
    name: str
    """Qualified within the module, ``Cart.total``; empty for the module itself."""
    node: ast.stmt | ast.arg | None
    scopes: tuple[Scope, ...] = ()
    """The scopes around ``node``, innermost first."""

    @property
    def line(self) -> int:
        return self.node.lineno if self.node is not None else 1

    @property
    def end(self) -> int:
        return (self.node.end_lineno or self.line) if self.node is not None else 1

    @property
    def full_name(self) -> str:
        return ".".join(part for part in (self.module.name, self.name) if part)


class Resolver:
    """Follows names from where they are used to where they are defined."""

    def __init__(self, modules: Modules) -> None:
        self._modules = modules

    def used_in(self, module: Module, first: int, last: int) -> Iterator[Definition]:
        """Definitions of the names used on these lines, in order of appearance, each once."""
        seen: set[int] = set()
        for node in expressions(module.tree, first, last):
            found = self.resolve(module, scopes_at(module.tree, node.lineno), node)
            if found is not None and found.node is not None and id(found.node) not in seen:
                seen.add(id(found.node))
                yield found

    def declared(self, module: Module, scopes: tuple[Scope, ...]) -> Definition | None:
        """The innermost of ``scopes`` itself, as a definition."""
        scope, around = scopes[0], scopes[1:]
        return (
            None if isinstance(scope, ast.Module) else Definition(module, qualified(around, scope.name), scope, around)
        )

    def resolve(
        self, module: Module, scopes: tuple[Scope, ...], node: ast.expr, depth: int = _DEEPEST
    ) -> Definition | None:
        """What an expression stands for: a name, or an attribute of something that can be resolved."""
        if depth <= 0:
            return None
        match node:
            case ast.Name(id=name):
                return self._name(module, scopes, name, depth - 1)
            case ast.Attribute(value=value, attr=attribute):
                owner = self.resolve(module, scopes, value, depth - 1)
                return self._member(owner, attribute, depth - 1) if owner else None
            case ast.Call(func=function):
                called = self.resolve(module, scopes, function, depth - 1)
                return self._type_of(called, depth - 1) if called else None
            case ast.Constant(value=str(text)):
                return self._annotation(module, scopes, text, depth - 1)
        return None

    def _name(self, module: Module, scopes: tuple[Scope, ...], name: str, depth: int) -> Definition | None:
        for at, scope in enumerate(scopes):
            if isinstance(scope, ast.ClassDef) and at > 0:
                continue  # A class body's names are not visible from its methods.
            bound = binding(scope, name)
            if bound is not None:
                return self._follow(module, scopes[at:], bound, name, depth)
        return self._starred(module, name, depth)

    def _starred(self, module: Module, name: str, depth: int) -> Definition | None:
        for statement in statements(module.tree.body):
            if isinstance(statement, ast.ImportFrom) and statement.names[0].name == "*":
                target = self._imported_from(module, statement)
                found = self._member(Definition(target, "", None), name, depth - 1) if target and depth > 0 else None
                if found is not None:
                    return found
        return None

    def _follow(
        self, module: Module, scopes: tuple[Scope, ...], bound: ast.stmt | ast.arg, name: str, depth: int
    ) -> Definition | None:
        if depth <= 0:
            return None
        match bound:
            case ast.Import(names=aliases):
                alias = next(alias for alias in aliases if name in (alias.asname, alias.name.partition(".")[0]))
                target = self._modules.named(alias.name if alias.asname else name, module)
                return Definition(target, "", None) if target else None
            case ast.ImportFrom(names=aliases):
                alias = next(alias for alias in aliases if name == (alias.asname or alias.name))
                target = self._imported_from(module, bound)
                if target is module:  # ``from . import util`` in a package names its module, not the name it binds.
                    target = self._modules.submodule(module, alias.name)
                    return Definition(target, "", None) if target else None
                return self._member(Definition(target, "", None), alias.name, depth - 1) if target else None
            case ast.arg():
                return self._argument(module, scopes, bound, depth)
        return Definition(module, qualified(scopes, name), bound, scopes)

    def _argument(self, module: Module, scopes: tuple[Scope, ...], argument: ast.arg, depth: int) -> Definition | None:
        around = scopes[1] if len(scopes) > 1 else None
        function = scopes[0]
        if (
            isinstance(around, ast.ClassDef)
            and isinstance(function, FUNCTIONS)
            and first_argument(function) is argument
        ):
            return Definition(module, qualified(scopes[2:], around.name), around, scopes[2:])
        if argument.annotation is not None:
            return self.resolve(module, scopes[1:], argument.annotation, depth - 1)
        return self._fixture(module, argument.arg) if module.in_project else None

    def _fixture(self, module: Module, name: str) -> Definition | None:
        for place in (module, *self._modules.conftests(module)):
            for statement in statements(place.tree.body):
                if isinstance(statement, FUNCTIONS) and is_fixture(statement) and statement.name == name:
                    return Definition(place, name, statement, (place.tree,))
        return None

    def _imported_from(self, module: Module, statement: ast.ImportFrom) -> Module | None:
        if statement.level:
            return self._modules.relative(module, statement.level, statement.module or "")
        return self._modules.named(statement.module or "", module)

    def _member(self, owner: Definition, name: str, depth: int) -> Definition | None:
        if depth <= 0:
            return None
        module, node = owner.module, owner.node
        if node is None:
            bound = binding(module.tree, name)
            if bound is not None:
                return self._follow(module, (module.tree,), bound, name, depth - 1)
            submodule = self._modules.submodule(module, name)
            return Definition(submodule, "", None) if submodule else self._starred(module, name, depth - 1)
        if isinstance(node, ast.ClassDef):
            return self._class_member(owner, node, name, depth)
        value = self._type_of(owner, depth - 1)
        return self._member(value, name, depth - 1) if value and value.node is not node else None

    def _class_member(self, owner: Definition, node: ast.ClassDef, name: str, depth: int) -> Definition | None:
        bound = binding(node, name) or set_on_self(node, name)
        if bound is not None:
            return Definition(owner.module, f"{owner.name}.{name}", bound, (node, *owner.scopes))
        for base in node.bases:
            parent = self.resolve(owner.module, owner.scopes, base, depth - 1)
            found = self._member(parent, name, depth - 1) if parent and parent.node is not node else None
            if found is not None:
                return found
        return None

    def _type_of(self, definition: Definition, depth: int) -> Definition | None:
        """The class of what calling, or reading, a definition gives."""
        module, scopes = definition.module, definition.scopes
        match definition.node:
            case ast.ClassDef():
                return definition
            case ast.FunctionDef(returns=annotation) | ast.AsyncFunctionDef(returns=annotation) if annotation:
                return self.resolve(module, scopes, annotation, depth - 1)
            case ast.AnnAssign(annotation=annotation):
                return self.resolve(module, scopes, annotation, depth - 1)
            case ast.Assign(value=ast.Call() as call):
                return self.resolve(module, scopes, call, depth - 1)
            case ast.FunctionDef() as function if is_fixture(function):
                given = [node.value for node in ast.walk(function) if isinstance(node, (ast.Return, ast.Yield))]
                inside = (function, *scopes)
                return self.resolve(module, inside, given[-1], depth - 1) if given and given[-1] else None
        return None

    def _annotation(self, module: Module, scopes: tuple[Scope, ...], text: str, depth: int) -> Definition | None:
        try:
            return self.resolve(module, scopes, ast.parse(text, mode="eval").body, depth)
        except (SyntaxError, ValueError):
            return None
