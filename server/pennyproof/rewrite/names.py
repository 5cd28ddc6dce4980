"""Variables and attributes taken for one another."""

import ast
from collections import Counter
from collections.abc import Iterator

from pennyproof.rewrite.scope import Scope, similarity
from pennyproof.rewrite.template import Rewrite, template


@template(ast.Name, prior=0.022)
def swap_name(node: ast.Name, scope: Scope) -> Iterator[Rewrite]:
    """Read another variable of the function.

    Before::

        def clean(values):
            kept = [value for value in values if value]
            return values

    After::

        def clean(values):
            kept = [value for value in values if value]
            return kept
    """
    if not isinstance(node.ctx, ast.Load) or _is_callee(node, scope):
        return
    for name, weight in scope.variables(node, scope.kinds.get(node.id)):
        if name != node.id:
            yield scope.replace(node, name, weight * (0.7 + similarity(name, node.id)))


def _is_callee(node: ast.Name, scope: Scope) -> bool:
    parent = scope.module.parent(node)
    return isinstance(parent, ast.Call) and node is parent.func


@template(ast.Name, ast.Attribute, ast.Call, ast.Subscript, ast.Constant, prior=0.004)
def use_variable(node: ast.expr, scope: Scope) -> Iterator[Rewrite]:
    """Read a variable, above all one that is not used yet, where a value was computed or written out.

    Before::

        def price(base, rate):
            return base * 2

    After::

        def price(base, rate):
            return base * rate
    """
    if isinstance(node, ast.Name) and (node.id in scope.bindings or _is_callee(node, scope)):
        return
    if not isinstance(getattr(node, "ctx", ast.Load()), ast.Load):
        return
    parent = scope.module.parent(node)
    if isinstance(parent, (ast.Attribute, ast.Expr)) or (isinstance(parent, ast.Call) and node is parent.func):
        return
    inside = scope.free_names(node)
    for name, weight in scope.variables(node, scope.kind(node)):
        yield scope.replace(node, name, weight * (0.5 if name in inside else 1.0))


@template(ast.Name, ast.Attribute, prior=0.004)
def use_converted_variable(node: ast.expr, scope: Scope) -> Iterator[Rewrite]:
    """Read a variable that nothing reads yet, converted to what is needed.

    Before::

        by_ones = sorted(numbers, key=lambda number: numbers.count("1"))

    After::

        by_ones = sorted(numbers, key=lambda number: bin(number).count("1"))
    """
    if not isinstance(getattr(node, "ctx", None), ast.Load) or (isinstance(node, ast.Name) and _is_callee(node, scope)):
        return
    for name, _ in scope.variables(node):
        if not scope.loads[name]:
            for function, weight in (
                ("str", 1.0),
                ("bin", 0.5),
                ("len", 0.5),
                ("int", 0.5),
                ("abs", 0.3),
                ("set", 0.3),
            ):
                yield scope.replace(node, f"{function}({name})", weight)


@template(ast.Name, prior=0.015)
def swap_target(node: ast.Name, scope: Scope) -> Iterator[Rewrite]:
    """Assign to another variable of the function.

    Before::

        depth = deepest = 0
        deepest -= 1

    After::

        depth = deepest = 0
        depth -= 1
    """
    parent = scope.module.parent(node)
    if not isinstance(node.ctx, ast.Store) or not isinstance(parent, (ast.Assign, ast.AugAssign)):
        return
    for name, weight in scope.variables(node):
        if name != node.id:
            yield scope.replace(node, name, weight * (2.0 if isinstance(parent, ast.AugAssign) else 1.0))


@template(ast.Attribute, prior=0.02)
def swap_attribute(node: ast.Attribute, scope: Scope) -> Iterator[Rewrite]:
    """Use another attribute that the module knows on the same receiver.

    Before::

        area = box.width * box.height
        ratio = box.width / box.width

    After::

        area = box.width * box.height
        ratio = box.width / box.height
    """
    receiver = node.value.id if isinstance(node.value, ast.Name) else ast.unparse(node.value)
    seen = scope.attributes.get(receiver, Counter())
    for name in sorted(seen, key=lambda name: -similarity(name, node.attr))[:12]:
        if name != node.attr:
            called = isinstance(scope.module.parent(node), ast.Call) == (name in scope.methods)
            end = scope.module.end(node)
            yield scope.splice(
                (end - len(node.attr), end), name, (0.4 + similarity(name, node.attr)) * (1.0 if called else 0.5)
            )


@template(ast.Name, ast.Attribute, prior=0.015)
def add_or_drop_receiver(node: ast.Name | ast.Attribute, scope: Scope) -> Iterator[Rewrite]:
    """Use an attribute of ``self`` for a variable of that name, or the other way round.

    Before::

        class Tank:
            def fill(self, level):
                self.level = self.level

    After::

        class Tank:
            def fill(self, level):
                self.level = level
    """
    if not isinstance(node.ctx, ast.Load):
        return
    if isinstance(node, ast.Name):
        if "self" in scope.bindings and node.id in scope.attributes.get("self", {}):
            yield scope.replace(node, f"self.{node.id}")
    elif isinstance(node.value, ast.Name) and node.value.id == "self" and node.attr in scope.bindings:
        yield scope.replace(node, node.attr)


@template(ast.Name, prior=0.006)
def add_attribute(node: ast.Name, scope: Scope) -> Iterator[Rewrite]:
    """Read an attribute of an object instead of the object.

    Before::

        show(user.name)
        send(user)

    After::

        show(user.name)
        send(user.name)
    """
    if not isinstance(node.ctx, ast.Load) or isinstance(scope.module.parent(node), ast.Attribute):
        return
    if node.id in {"self", "cls"} or _is_callee(node, scope):
        return
    for name in list(scope.attributes.get(node.id, {}))[:6]:
        yield scope.replace(node, f"{node.id}.{name}")


@template(ast.Attribute, prior=0.006)
def drop_attribute(node: ast.Attribute, scope: Scope) -> Iterator[Rewrite]:
    """Use an object itself instead of an attribute of it.

    Before::

        send(user.name)

    After::

        send(user)
    """
    parent = scope.module.parent(node)
    if isinstance(node.ctx, ast.Load) and not (isinstance(parent, ast.Call) and node is parent.func):
        yield scope.replace(node, scope.source(node.value), 0.3 if scope.source(node.value) == "self" else 1.0)
