"""Arithmetic, bitwise, boolean, unary and augmented operators."""

import ast
import itertools
from collections.abc import Iterator

from pennyproof.rewrite import kinds
from pennyproof.rewrite.precedence import binding, operand, required, signed
from pennyproof.rewrite.scope import Scope
from pennyproof.rewrite.template import Rewrite, template

SYMBOLS: dict[type[ast.operator], str] = {
    ast.Add: "+", ast.Sub: "-", ast.Mult: "*", ast.Div: "/", ast.FloorDiv: "//", ast.Mod: "%", ast.Pow: "**",
    ast.LShift: "<<", ast.RShift: ">>", ast.BitOr: "|", ast.BitXor: "^", ast.BitAnd: "&", ast.MatMult: "@",
}  # fmt: skip
_LIKELY = {
    "+": {"-", "*", "|"}, "-": {"+", "%", "*", "/"}, "*": {"+", "/", "**", "-"}, "/": {"*", "//", "-"},
    "//": {"/", "%", "*"}, "%": {"//", "/", "*"}, "**": {"*", "+", "/"},
    "<<": {">>", "*", "&"}, ">>": {"<<", "//", "&"},
    "|": {"&", "^", "+"}, "^": {"|", "&", "**"}, "&": {"|", "^"}, "@": {"*"},
}  # fmt: skip
_COMMON = {"+": 0.9, "-": 0.7, "*": 0.5, "/": 0.4, "//": 0.3, "%": 0.4, "**": 0.3}
"""How often an operator is used at all, which counts where it is seldom taken for the other one."""
_BITS = frozenset({"<<", ">>", "|", "^", "&"})
_IDLE = frozenset({("*", 1), ("/", 1), ("//", 1), ("**", 1)})
"""Operations that change nothing, which nobody writes on purpose."""


def _alternatives(symbol: str, kind: str | None) -> Iterator[tuple[str, float]]:
    """Other operators for ``symbol``, each with its weight."""
    likely = _LIKELY[symbol]
    for other in SYMBOLS.values():
        if other in {symbol, "@"}:
            continue
        if kind in kinds.SEQUENCES and other not in {"+", "*", "%"}:
            continue
        if kind == "float" and other in _BITS:
            continue
        weight = 1.0 if other in likely else _COMMON.get(other, 0.4 if symbol in _BITS else 0.15)
        weight *= 1.5 if symbol in _BITS and other not in _BITS else 1.0  # few programs mean the bits of a number
        yield other, weight * (0.3 if kind == "float" and other in {"//", "%"} else 1.0)


@template(ast.BinOp, prior=0.030)
def swap_arithmetic(node: ast.BinOp, scope: Scope) -> Iterator[Rewrite]:
    """Use another arithmetic or bitwise operator.

    Before::

        def rest(n, i):
            return n - i

    After::

        def rest(n, i):
            return n % i
    """
    symbol = SYMBOLS[type(node.op)]
    span = scope.module.operator(node.left, node.right)
    idle = isinstance(node.right, ast.Constant) and (symbol, node.right.value) in _IDLE
    for other, usual in _alternatives(symbol, scope.kind(node.left)):
        weight = 2.0 * usual if idle and other in {"+", "-"} else usual
        changed = ast.BinOp(node.left, _operator(other), node.right)
        if _still_nested(node, changed, scope):
            yield scope.splice(span, other, weight, f"replace `{symbol}` by `{other}`")
        else:
            left, right = scope.source(node.left), scope.source(node.right)
            text = f"{_fitting(left, changed, node.left)} {other} {_fitting(right, changed, node.right)}"
            yield scope.replace(node, text, weight, f"replace `{symbol}` by `{other}`")


def _operator(symbol: str) -> ast.operator:
    return next(kind for kind, text in SYMBOLS.items() if text == symbol)()


def _still_nested(node: ast.BinOp, changed: ast.BinOp, scope: Scope) -> bool:
    """Whether the operands stay the operands when only the operator's characters change."""
    parent = scope.module.parent(node)
    outer = binding(changed) >= required(parent, node) or scope.module.parenthesised(node)
    return outer and all(
        binding(side) >= required(changed, side) or scope.module.parenthesised(side) for side in (node.left, node.right)
    )


def _fitting(source: str, around: ast.BinOp, side: ast.expr) -> str:
    return source if binding(side, source) >= required(around, side) else f"({source})"


@template(ast.AugAssign, prior=0.030)
def swap_augmented(node: ast.AugAssign, scope: Scope) -> Iterator[Rewrite]:
    """Use another operator in an augmented assignment, or a plain assignment.

    Before::

        total -= price

    After::

        total += price
    """
    symbol = SYMBOLS[type(node.op)]
    span = scope.module.operator(node.target, node.value)
    for other, weight in _alternatives(symbol, scope.kind(node.target)):
        yield scope.splice(span, f"{other}=", weight)
    yield scope.splice(span, "=", 0.6)


@template(ast.Assign, prior=0.008)
def accumulate(node: ast.Assign, scope: Scope) -> Iterator[Rewrite]:
    """Turn a plain assignment into one that adds to what was there.

    Before::

        total = 0
        for price in prices:
            total = price

    After::

        total = 0
        for price in prices:
            total += price
    """
    target = node.targets[0]
    if len(node.targets) != 1 or not isinstance(target, (ast.Name, ast.Attribute, ast.Subscript)):
        return
    if isinstance(target, ast.Name) and scope.bindings.get(target.id, node.lineno) >= node.lineno:
        return
    for symbol, weight in (("+=", 1.0), ("-=", 0.5), ("*=", 0.4), ("|=", 0.2)):
        yield scope.splice(scope.module.operator(target, node.value), symbol, weight)


@template(ast.BoolOp, prior=0.06)
def swap_boolean(node: ast.BoolOp, scope: Scope) -> Iterator[Rewrite]:
    """Replace ``and`` by ``or``, or the other way round.

    Before::

        if low < n or n < high:
            found = True

    After::

        if low < n and n < high:
            found = True
    """
    old, new = ("and", "or") if isinstance(node.op, ast.And) else ("or", "and")
    loosened = new == "or" and isinstance(scope.module.parent(node), ast.BoolOp)
    grouped = new == "and" and any(isinstance(value, ast.BoolOp) for value in node.values)
    operators = [scope.module.operator(left, right) for left, right in zip(node.values, node.values[1:], strict=False)]
    edits = tuple(edit for span in operators for edit in scope.splice(span, new).edits)
    if not (loosened and not scope.module.parenthesised(node)) and not grouped:
        yield Rewrite(edits, f"replace `{old}` by `{new}`")
    if loosened or len(operators) > 1 or grouped:
        for span in operators:
            yield scope.splice(span, new, 0.5)


@template(ast.UnaryOp, prior=0.05)
def drop_unary(node: ast.UnaryOp, scope: Scope) -> Iterator[Rewrite]:
    """Drop a ``not``, a sign or a ``~``.

    Before::

        if not ready:
            start()

    After::

        if ready:
            start()
    """
    yield scope.replace(node, scope.source(node.operand))


@template(ast.UnaryOp, prior=0.02)
def swap_unary(node: ast.UnaryOp, scope: Scope) -> Iterator[Rewrite]:
    """Use another unary operator.

    Before::

        mask = -bits

    After::

        mask = ~bits
    """
    old = {ast.USub: "-", ast.UAdd: "+", ast.Invert: "~", ast.Not: "not "}[type(node.op)]
    for new in ("-", "~", "not ", "+"):
        if new != old:
            yield scope.replace(node, f"{new}{signed(scope.source(node.operand))}", 0.4 if new == "+" else 1.0)


@template(ast.Name, ast.Attribute, ast.Call, ast.Subscript, ast.Constant, prior=0.006)
def negate_number(node: ast.expr, scope: Scope) -> Iterator[Rewrite]:
    """Change a number's sign.

    Before::

        offset = self.width

    After::

        offset = -self.width
    """
    parent = scope.module.parent(node)
    if not isinstance(getattr(node, "ctx", ast.Load()), ast.Load) or isinstance(parent, (ast.UnaryOp, ast.Attribute)):
        return
    kind = scope.kind(node)
    if kind not in {None, "int", "float"} or (isinstance(node, ast.Constant) and not node.value):
        return
    if isinstance(parent, ast.Call) and node is parent.func:
        return
    if isinstance(parent, (ast.If, ast.While, ast.For, ast.comprehension, ast.Expr)):
        return
    yield scope.replace(node, f"-{operand(scope.source(node))}", 1.0 if kind else 0.5)


@template(ast.BinOp, ast.Compare, prior=0.02)
def swap_operands(node: ast.BinOp | ast.Compare, scope: Scope) -> Iterator[Rewrite]:
    """Let the operands of an operator change places.

    Before::

        while begin - end > limit:
            begin = step(begin)

    After::

        while end - begin > limit:
            begin = step(begin)
    """
    if isinstance(node, ast.BinOp):
        plain = isinstance(node.op, (ast.Add, ast.Mult)) and kinds.alike(scope.kind(node.left), "int")
        yield scope.exchange(node.left, node.right, 0.3 if plain else 1.0)
    elif len(node.ops) == 1 and isinstance(node.ops[0], (ast.In, ast.NotIn)):
        yield scope.exchange(node.left, node.comparators[0])


@template(ast.BinOp, ast.BoolOp, prior=0.015)
def regroup(node: ast.BinOp | ast.BoolOp, scope: Scope) -> Iterator[Rewrite]:
    """Move parentheses, so that operators bind otherwise.

    Before::

        if month in LONG and day < 1 or day > 31:
            reject(day)

    After::

        if month in LONG and (day < 1 or day > 31):
            reject(day)
    """
    match node:
        case ast.BoolOp(op=ast.Or(), values=values):
            yield from _regroup_or(values, scope)
        case ast.BinOp(left=ast.BinOp() as inner) if not scope.module.parenthesised(inner):
            yield _around(inner.right, node.right, scope)
        case ast.BinOp(right=ast.BinOp() as inner) if not scope.module.parenthesised(inner):
            yield _around(node.left, inner.left, scope)
        case ast.BinOp(left=ast.BinOp() as inner) | ast.BinOp(right=ast.BinOp() as inner):
            start, end = scope.module.start(inner), scope.module.end(inner)
            opening = scope.module.text.rindex("(", 0, start)
            closing = scope.module.text.index(")", end) + 1
            yield scope.splice((opening, closing), scope.source(inner))
        case _:
            return


def _regroup_or(values: list[ast.expr], scope: Scope) -> Iterator[Rewrite]:
    for left, right in itertools.pairwise(values):
        if isinstance(left, ast.BoolOp) and not scope.module.parenthesised(left):
            yield _around(left.values[-1], right, scope)
        if isinstance(right, ast.BoolOp) and not scope.module.parenthesised(right):
            yield _around(left, right.values[0], scope)


def _around(first: ast.expr, last: ast.expr, scope: Scope) -> Rewrite:
    """Put one pair of parentheses around what stretches over two expressions."""
    start, end = scope.module.start(first), scope.module.end(last)
    opening, closing = scope.insert(start, "(").edits, scope.insert(end, ")").edits
    return Rewrite((*opening, *closing), "move the parentheses")
