"""Comparisons: another operator, or both sides brought into one form."""

import ast
from collections.abc import Iterator

from pennyproof.core.edits import Edit
from pennyproof.rewrite import kinds
from pennyproof.rewrite.precedence import operand
from pennyproof.rewrite.scope import Scope
from pennyproof.rewrite.template import Rewrite, template

SYMBOLS: dict[type[ast.cmpop], str] = {
    ast.Lt: "<", ast.LtE: "<=", ast.Gt: ">", ast.GtE: ">=", ast.Eq: "==", ast.NotEq: "!=",
    ast.Is: "is", ast.IsNot: "is not", ast.In: "in", ast.NotIn: "not in",
}  # fmt: skip
_ALTERNATIVES: dict[str, tuple[tuple[str, float], ...]] = {
    "<": (("<=", 1.0), (">", 1.0), (">=", 0.8), ("==", 0.4), ("!=", 0.4)),
    "<=": (("<", 1.0), (">=", 0.9), (">", 0.8), ("==", 0.4), ("!=", 0.3)),
    ">": ((">=", 1.0), ("<", 1.0), ("<=", 0.8), ("==", 0.4), ("!=", 0.4)),
    ">=": ((">", 1.0), ("<=", 0.9), ("<", 0.8), ("==", 0.4), ("!=", 0.3)),
    "==": (("!=", 1.2), ("<=", 0.4), (">=", 0.4), ("<", 0.4), (">", 0.4), ("is", 0.2), ("in", 0.3)),
    "!=": (("==", 1.2), ("<", 0.4), (">", 0.4), ("<=", 0.3), (">=", 0.3), ("is not", 0.2), ("not in", 0.2)),
    "is": (("is not", 1.2), ("==", 0.8), ("!=", 0.2), ("<=", 0.2), (">=", 0.2), ("<", 0.2), (">", 0.2)),
    "is not": (("is", 1.2), ("!=", 0.8), ("==", 0.2), ("<=", 0.2), (">=", 0.2), ("<", 0.2), (">", 0.2)),
    "in": (("not in", 1.2), ("==", 0.3)),
    "not in": (("in", 1.2), ("!=", 0.3)),
}
_SAME_FORM = (("set", 1.0, ("same", "distinct", "unique")), ("sorted", 1.0, ("anagram", "same", "order")),
              ("len", 0.7, ("length", "size", "number")), ("abs", 0.5, ("magnitude", "absolute")),
              ("str", 0.2, ()), ("int", 0.2, ()))  # fmt: skip


@template(ast.Compare, prior=0.05)
def swap_comparison(node: ast.Compare, scope: Scope) -> Iterator[Rewrite]:
    """Use another comparison operator.

    Before::

        if age > limit:
            enter()

    After::

        if age >= limit:
            enter()
    """
    sides = [node.left, *node.comparators]
    for left, operator, right in zip(sides, node.ops, sides[1:], strict=False):
        old = SYMBOLS[type(operator)]
        span = scope.module.operator(left, right)
        ordered = kinds.alike(scope.kind(right), "int") or scope.kind(right) in kinds.COLLECTIONS
        misfit = 3.0 if old.startswith("is") and scope.kind(right) in kinds.NUMBERS | {"str"} else 1.0
        alternatives = dict(_ALTERNATIVES[old])
        if isinstance(right, ast.Constant) and right.value is None:
            alternatives |= {new: 1.2 for new in ("is", "is not") if new != old}
        alternatives |= {new: 1.2 for new in _used_with(right, scope) if new != old}
        for new, weight in alternatives.items():
            contains = new in {"in", "not in"}
            if contains and scope.kind(right) in kinds.NUMBERS | {"NoneType"}:
                continue
            usual = 1.0 if ordered or new[0] in "=!in" else 0.2
            yield scope.splice(span, new, weight * usual * (1.0 if new.startswith("is") else misfit))


def _used_with(right: ast.expr, scope: Scope) -> Iterator[str]:
    """The identity tests that the module puts to a name: what it compares by ``is`` once, it compares so always."""
    if isinstance(right, ast.Name) and right.id in scope.tested_by_identity:
        yield from ("is", "is not")


@template(ast.Compare, prior=0.012)
def compare_in_one_form(node: ast.Compare, scope: Scope) -> Iterator[Rewrite]:
    """Bring both sides of a comparison into one form.

    Before::

        same = first == second

    After::

        same = set(first) == set(second)
    """
    if len(node.ops) != 1 or not isinstance(node.ops[0], (ast.Eq, ast.NotEq, ast.Lt, ast.LtE, ast.Gt, ast.GtE)):
        return
    left, right = node.left, node.comparators[0]
    if isinstance(right, ast.Constant):
        return
    for function, weight, stems in _SAME_FORM:
        fits = kinds.NUMBERS if function == "abs" else kinds.COLLECTIONS
        if function in {"str", "int"} or any(side in fits | {None} for side in (scope.kind(left), scope.kind(right))):
            yield _both(left, right, f"{function}(", ")", weight * scope.mentioned(*stems), scope)
    if "str" in {scope.kind(left), scope.kind(right)} or {scope.kind(left), scope.kind(right)} == {None}:
        for method in ("lower", "strip"):
            yield _both(left, right, "", f".{method}()", 0.4 * scope.mentioned("case", "ignor"), scope)


def _both(left: ast.expr, right: ast.expr, before: str, after: str, weight: float, scope: Scope) -> Rewrite:
    edits: list[Edit] = []
    for side in (left, right):
        source = scope.source(side) if before else operand(scope.source(side))
        edits += scope.replace(side, f"{before}{source}{after}").edits
    return Rewrite(tuple(edits), f"compare by `{before}…{after}`", weight)
