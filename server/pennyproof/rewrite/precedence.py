"""How tightly expressions bind, and which need parentheses where."""

import ast
from functools import lru_cache

_TUPLE, _NAMED, _TEST, _TERNARY, _OR, _AND, _NOT, _COMPARISON = range(8)
_BIT_OR, _BIT_XOR, _BIT_AND, _SHIFT, _SUM, _TERM, _SIGN, _POWER, _AWAIT, _ATOM = range(8, 18)
_OPERATORS: dict[type[ast.operator], int] = {
    ast.BitOr: _BIT_OR, ast.BitXor: _BIT_XOR, ast.BitAnd: _BIT_AND, ast.LShift: _SHIFT, ast.RShift: _SHIFT,
    ast.Add: _SUM, ast.Sub: _SUM, ast.Mult: _TERM, ast.MatMult: _TERM, ast.Div: _TERM, ast.FloorDiv: _TERM,
    ast.Mod: _TERM, ast.Pow: _POWER,
}  # fmt: skip
_KINDS: dict[type[ast.expr], int] = {
    ast.Starred: _TUPLE, ast.Yield: _TUPLE, ast.YieldFrom: _TUPLE, ast.NamedExpr: _NAMED, ast.Lambda: _TEST,
    ast.IfExp: _TERNARY, ast.Compare: _COMPARISON, ast.Await: _AWAIT,
}  # fmt: skip


def binding(node: ast.expr, source: str | None = None) -> int:
    """How tightly an expression binds; greater is tighter.

    Args:
        node: The expression.
        source: Its text, which tells whether a tuple brings its own parentheses.
    """
    match node:
        case ast.BinOp():
            return _OPERATORS[type(node.op)]
        case ast.BoolOp():
            return _OR if isinstance(node.op, ast.Or) else _AND
        case ast.UnaryOp():
            return _NOT if isinstance(node.op, ast.Not) else _SIGN
        case ast.Tuple():
            return _ATOM if source and source.startswith("(") and source.endswith(")") else _TUPLE
        case ast.Constant(value=int()) if source and not source.isidentifier():
            return _AWAIT  # `1.real` is a syntax error, hence not an atom
        case _:
            return _KINDS.get(type(node), _ATOM)


def required(parent: ast.AST | None, child: ast.AST) -> int:  # noqa: C901, PLR0911, PLR0912 - a table, by type of node
    """How tightly an expression must bind to stand at ``child``'s place in ``parent`` without parentheses."""
    match parent:
        case ast.BinOp(op=ast.Pow()):
            return _AWAIT if child is parent.left else _SIGN
        case ast.BinOp():
            return _OPERATORS[type(parent.op)] + (child is parent.right)
        case ast.UnaryOp():
            return _NOT if isinstance(parent.op, ast.Not) else _SIGN
        case ast.BoolOp():
            return (_OR if isinstance(parent.op, ast.Or) else _AND) + 1
        case ast.Compare():
            return _BIT_OR
        case ast.IfExp():
            return _TERNARY if child is parent.orelse else _OR
        case ast.Subscript() if child is parent.slice:
            return _TUPLE
        case ast.Attribute() | ast.Subscript():
            return _ATOM
        case ast.Call() if child is parent.func:
            return _ATOM
        case ast.Await():
            return _ATOM
        case ast.Starred():
            return _BIT_OR
        case ast.comprehension():
            return _OR
        case ast.Return() | ast.Assign() | ast.AugAssign() | ast.Expr():
            return _TUPLE
        case ast.For() | ast.AsyncFor():
            return _TUPLE
        case ast.If() | ast.While():
            return _NAMED
        case _:
            return _TEST


@lru_cache(maxsize=20_000)
def binding_of(source: str) -> int:
    """How tightly the expression in ``source`` binds.

    Raises:
        SyntaxError: ``source`` is no expression.
    """
    # The parentheses let the text go on over several lines.
    return binding(ast.parse(f"(\n{source}\n)", mode="eval").body, source.strip())


def parenthesise(source: str, needed: int) -> str:
    """``source``, in parentheses where it binds less tightly than ``needed``."""
    return source if binding_of(source) >= needed else f"({source})"


def operand(source: str) -> str:
    """``source`` as it may stand before a dot, a call or an index."""
    return parenthesise(source, _ATOM)


def term(source: str) -> str:
    """``source`` as it may stand on either side of ``+`` and ``-``."""
    return parenthesise(source, _TERM)


def condition(source: str) -> str:
    """``source`` as it may stand on either side of ``and`` and ``or``."""
    return parenthesise(source, _NOT)


def signed(source: str) -> str:
    """``source`` as it may stand after a sign."""
    return parenthesise(source, _SIGN)
