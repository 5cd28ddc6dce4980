"""Sub-expressions: an operand dropped, one put in the place of another, a call of another shape."""

import ast
from collections.abc import Iterator

from pennyproof.rewrite import kinds
from pennyproof.rewrite.precedence import operand, signed
from pennyproof.rewrite.scope import Scope, shown
from pennyproof.rewrite.template import Rewrite, template


@template(ast.BinOp, prior=0.05)
def drop_operand(node: ast.BinOp, scope: Scope) -> Iterator[Rewrite]:
    """Leave out an operand, and its operator.

    Before::

        part = number % 1.0 + 1.0

    After::

        part = number % 1.0
    """
    for kept, dropped, weight in ((node.left, node.right, 1.0), (node.right, node.left, 0.6)):
        summary = f"remove `{shown(scope.source(dropped))}` from `{shown(scope.source(node))}`"
        yield scope.replace(node, scope.source(kept), weight, summary)


@template(ast.BinOp, prior=0.012)
def drop_middle_operand(node: ast.BinOp, scope: Scope) -> Iterator[Rewrite]:
    """Leave out the operand between two operators, and the second of them.

    Before::

        sign = (-1) ** 2 * len(negative)

    After::

        sign = (-1) ** len(negative)
    """
    if isinstance(node.left, ast.BinOp) and not scope.module.parenthesised(node.left):
        start = scope.module.start(node.left.right)
        yield scope.splice((start, scope.module.start(node.right)), "", 1.0)


@template(ast.Name, ast.Attribute, ast.Subscript, ast.Call, ast.BinOp, ast.UnaryOp, ast.Constant, prior=0.006)
def use_expression(node: ast.expr, scope: Scope) -> Iterator[Rewrite]:
    """Use another expression of the same function.

    Before::

        def mean(numbers):
            middle = sum(numbers) / len(numbers)
            return sum(abs(x - middle) for x in numbers) / middle

    After::

        def mean(numbers):
            middle = sum(numbers) / len(numbers)
            return sum(abs(x - middle) for x in numbers) / len(numbers)
    """
    parent = scope.module.parent(node)
    if not isinstance(getattr(node, "ctx", ast.Load()), ast.Load) or isinstance(parent, (ast.Expr, ast.Attribute)):
        return
    if isinstance(parent, ast.Call) and node is parent.func:
        return
    kind, around = scope.kind(node), {node, *scope.module.ancestors(node)}
    own = scope.source(node)
    for other in scope.expressions:
        known = scope.kind(other)
        if other in around or scope.source(other) == own or not kinds.alike(kind, known):
            continue
        if scope.visible(other, node):
            nested = 0.5 if own in scope.source(other) or scope.source(other) in own else 1.0
            weight = nested * (1.5 if kind and known else 0.8) * (1.0 if isinstance(other, type(node)) else 0.7)
            yield scope.replace(node, scope.source(other), weight)


@template(ast.Constant, ast.Name, ast.Attribute, prior=0.004)
def use_literal(node: ast.expr, scope: Scope) -> Iterator[Rewrite]:
    """Use a literal of the same function where a variable or another literal stands.

    Before::

        codes = [ord(letter) - ord("a") + ord(letter) for letter in text]

    After::

        codes = [ord(letter) - ord("a") + ord("a") for letter in text]
    """
    parent = scope.module.parent(node)
    if not isinstance(getattr(node, "ctx", ast.Load()), ast.Load) or isinstance(parent, (ast.Attribute, ast.Expr)):
        return
    if isinstance(parent, ast.Call) and node is parent.func:
        return
    if isinstance(node, ast.Constant):
        return
    for kind, name in ((int, "int"), (str, "str"), (float, "float")):
        if kinds.alike(scope.kind(node), name):
            for text in scope.literals(kind)[:5]:
                yield scope.replace(node, text)


@template(ast.Call, ast.Subscript, prior=0.006)
def reduce_otherwise(node: ast.Call | ast.Subscript, scope: Scope) -> Iterator[Rewrite]:
    """Reduce a sequence in another way: an element, a sum, the least, the greatest, the length.

    Before::

        total = [int(digit) for digit in text][-1]

    After::

        total = sum([int(digit) for digit in text])
    """
    if not isinstance(getattr(node, "ctx", ast.Load()), ast.Load):
        return
    match node:
        case ast.Subscript(slice=ast.Constant() | ast.UnaryOp(operand=ast.Constant())):
            source = scope.source(node.value)
            for name, stem in (("sum", "sum"), ("max", "larg"), ("min", "small"), ("len", "number")):
                yield scope.replace(node, f"{name}({source})", scope.mentioned(name, stem))
        case ast.Call(func=ast.Name(id="sum" | "max" | "min" | "len"), args=[ast.Name() | ast.ListComp() as values]):
            yield scope.replace(node, f"{operand(scope.source(values))}[0]", 0.5)
            yield scope.replace(node, f"{operand(scope.source(values))}[-1]", 0.5)
        case _:
            return


@template(ast.Call, ast.BinOp, ast.Name, prior=0.002)
def use_negated_variable(node: ast.expr, scope: Scope) -> Iterator[Rewrite]:
    """Use the negative of a variable.

    Before::

        def least(values):
            most = largest(-value for value in values)
            return min(values)

    After::

        def least(values):
            most = largest(-value for value in values)
            return -most
    """
    parent = scope.module.parent(node)
    if not isinstance(parent, (ast.Assign, ast.Return)) or scope.kind(node) not in {None, "int", "float"}:
        return
    if isinstance(node, ast.Name) and not isinstance(node.ctx, ast.Load):
        return
    for name, weight in scope.variables(node):
        if name != scope.source(node) and scope.kinds.get(name) in {None, "int", "float"}:
            yield scope.replace(node, f"-{signed(name)}", weight)


@template(ast.Name, ast.Subscript, ast.Attribute, prior=0.004)
def combine_with_variable(node: ast.expr, scope: Scope) -> Iterator[Rewrite]:
    """Combine a value with a variable that nothing reads yet, or with one nearby.

    Before::

        def scaled(size, factor):
            return size

    After::

        def scaled(size, factor):
            return size * factor
    """
    parent = scope.module.parent(node)
    if not isinstance(getattr(node, "ctx", ast.Load()), ast.Load):
        return
    if not isinstance(parent, (ast.Return, ast.Assign, ast.AugAssign, ast.Slice, ast.ListComp, ast.GeneratorExp)):
        return
    kind = scope.kind(node)
    if kind not in {None, "int", "float", "str", "list"}:
        return
    source = scope.source(node)
    for name, weight in scope.variables(node, kind):
        if name == source or scope.kinds.get(name) in {"dict", "set", "bool"}:
            continue
        for symbol in ("+",) if kind in {"str", "list"} else ("*", "+", "-", "/"):
            yield scope.replace(node, f"{operand(source)} {symbol} {name}", weight * (1.0 if symbol in "+*" else 0.6))


@template(ast.For, ast.comprehension, prior=0.012)
def change_iterable(node: ast.For | ast.comprehension, scope: Scope) -> Iterator[Rewrite]:
    """Loop over something else that is at hand, in another form.

    Before::

        def total(prices):
            for price in []:
                count(price)

    After::

        def total(prices):
            for price in prices:
                count(price)
    """
    empty = isinstance(node.iter, (ast.List, ast.Tuple)) and not node.iter.elts
    inner = scope.free_names(node.target)
    pair = isinstance(node.target, ast.Tuple) and len(node.target.elts) == 2
    for name, usual in scope.variables(node.iter):
        counted = scope.kinds.get(name) in {"int", "float", "bool"}
        if name in inner | scope.free_names(node.iter) or (counted and not empty):
            continue
        forms = [f"{name}.items()", f"enumerate({name})", name]
        if not pair:
            forms = [name, f"range({name})", f"range(len({name}))", f"{name}.values()", f"reversed({name})"]
        for index, text in enumerate(forms[1:2] if counted else forms):
            yield scope.replace(node.iter, text, usual * (4.0 if empty else 0.5) / (1 + index))
    if empty:
        yield from _other_iterables(node.iter, inner, scope)
    else:
        yield from _other_orders(node.iter, pair=pair, scope=scope)


def _other_iterables(iterated: ast.expr, inner: frozenset[str], scope: Scope) -> Iterator[Rewrite]:
    """Attributes and expressions at hand that a loop over nothing may have been meant to run over."""
    if "self" in scope.bindings:
        for attribute in [name for name in scope.attributes.get("self", ()) if name not in scope.methods][:12]:
            yield scope.replace(iterated, f"self.{attribute}")
    for text in scope.iterables:
        if scope.visible(ast.parse(text, mode="eval").body, iterated):
            yield scope.replace(iterated, text, 1.5)
    for other in scope.expressions:
        if scope.visible(other, iterated) and not scope.free_names(other) & inner:
            yield scope.replace(iterated, scope.source(other))


def _other_orders(iterated: ast.expr, *, pair: bool, scope: Scope) -> Iterator[Rewrite]:
    """The same elements in another order, or with their places."""
    source = scope.source(iterated)
    yield scope.replace(iterated, f"reversed({source})", 0.4 * scope.mentioned("revers", "backward", "last"))
    if isinstance(iterated, ast.Name):
        yield scope.replace(iterated, f"sorted({source})", 0.4 * scope.mentioned("sort", "order"))
        yield scope.replace(iterated, f"enumerate({source})" if pair else f"range(len({source}))", 0.3)
        if pair:
            yield scope.replace(iterated, f"{source}.items()", 0.5)
