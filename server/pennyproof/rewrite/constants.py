"""Numbers, truth values, None, empty containers; and bounds that are off by one."""

import ast
from collections.abc import Iterator

from pennyproof.rewrite import kinds
from pennyproof.rewrite.precedence import term
from pennyproof.rewrite.scope import Scope, unique
from pennyproof.rewrite.template import Rewrite, template

_IDLE = 2.0
"""The weight of changing a number with which an operation changes nothing: nobody writes that on purpose."""
_EMPTY = ("None", "[]", "{}", "0", "''", "set()", "()", "False", "True", "1")


@template(ast.Constant, ast.UnaryOp, prior=0.04)
def change_number(node: ast.Constant | ast.UnaryOp, scope: Scope) -> Iterator[Rewrite]:
    """Change a number: by one, by a factor of ten, its sign, to another that is at hand.

    Before::

        start = 1

    After::

        start = 0
    """
    value = number(node)
    if value is None or number(scope.module.parent(node)) is not None:
        return  # the sign belongs to the number
    rare = _one_of_many(node, scope) * (_IDLE if _does_nothing(value, node, scope) else 1.0)
    found = [(text, weight * rare) for text, weight in _numbers(value, scope)]
    found += [(repr(between), 2.0) for between in _between_neighbours(node, scope)]
    yield from unique(scope.replace(node, text, weight) for text, weight in found if text != scope.source(node))


def number(node: ast.AST | None) -> float | None:
    """The value of a number that is written out, its sign included."""
    match node:
        case ast.UnaryOp(op=ast.USub(), operand=ast.Constant(value=int() | float() as value)):
            return None if isinstance(value, bool) else -value
        case ast.Constant(value=int() | float() as value):
            return None if isinstance(value, bool) else value
        case _:
            return None


def _does_nothing(value: float, node: ast.expr, scope: Scope) -> bool:
    """Whether a number is added or taken away and is nought."""
    parent = scope.module.parent(node)
    return not value and isinstance(parent, (ast.BinOp, ast.AugAssign)) and isinstance(parent.op, (ast.Add, ast.Sub))


def _between_neighbours(node: ast.expr, scope: Scope) -> Iterator[float]:
    """The number that makes the steps to both neighbours in a literal equal, where they are whole and are not.

    Numbers written out in a row are often evenly spaced; one that is not stands out.
    """
    parent = scope.module.parent(node)
    if isinstance(parent, (ast.List, ast.Tuple)):
        place = parent.elts.index(node)
        before, value, after = (number(each) for each in [None, *parent.elts, None][place : place + 3])
        if isinstance(before, int) and isinstance(value, int) and isinstance(after, int):
            middle, odd = divmod(before + after, 2)
            if not odd and before != after and middle != value:
                yield middle


def _one_of_many(node: ast.expr, scope: Scope) -> float:
    """A factor below one for an element of a long literal, where each element is seldom the one at fault."""
    parent = scope.module.parent(node)
    return 1.0 / max(1.0, len(parent.elts) / 2) if isinstance(parent, (ast.List, ast.Tuple, ast.Set)) else 1.0


def _numbers(value: float, scope: Scope) -> Iterator[tuple[str, float]]:
    yield repr(value + 1), 1.0
    yield repr(value - 1), 1.0
    for text, weight in (("0", 0.7), ("1", 0.7), ("2", 0.4), ("-1", 0.25), ("10", 0.1)):
        yield text if isinstance(value, int) else f"{text}.0", weight
    if value > 0:
        yield repr(-value), 0.6
    yield repr(value * 2), 0.12
    yield repr(value * 10), 0.25
    yield repr(value * 100), 0.06
    if isinstance(value, int):
        yield repr(value // 2), 0.12
        if value and value % 10 == 0:
            yield repr(value // 10), 0.4
    else:
        yield repr(value / 10), 0.1
    yield repr(value / 2), 0.08
    for text in [*scope.literals(int), *scope.literals(float)]:
        yield text, 0.25
    for text in scope.clues.numbers[:12]:
        yield text, 0.08


@template(ast.Name, ast.Call, ast.BinOp, ast.Attribute, ast.Subscript, prior=0.02)
def off_by_one(node: ast.expr, scope: Scope) -> Iterator[Rewrite]:
    """Add one to a bound, an index or another number, or take one from it.

    Before::

        for i in range(len(text) - width):
            check(text[i])

    After::

        for i in range(len(text) - width + 1):
            check(text[i])
    """
    if not isinstance(getattr(node, "ctx", ast.Load()), ast.Load):
        return
    if scope.kind(node) not in {None, "int", "float"}:
        return
    weight = _bound_weight(node, scope)
    if not weight:
        return
    source = scope.source(node)
    match node:
        case ast.BinOp(op=ast.Add() | ast.Sub(), right=ast.Constant(value=1)):
            pass  # dropping that operand is another template's
        case ast.BinOp(op=ast.Add() | ast.Sub()):
            yield scope.replace(node, f"{source} + 1", weight)
            yield scope.replace(node, f"{source} - 1", weight)
        case _:
            yield scope.replace(node, f"{term(source)} + 1", weight)
            yield scope.replace(node, f"{term(source)} - 1", weight)


def _bound_weight(node: ast.expr, scope: Scope) -> float:  # noqa: PLR0911 - a table, by place
    """How usual an offset is at a node's place."""
    parent = scope.module.parent(node)
    match parent:
        case ast.Call(func=ast.Name(id="range")) if node in parent.args:
            return 2.0
        case ast.Slice():
            return 1.5
        case ast.Subscript() if node is parent.slice:
            return 1.2
        case ast.Compare():
            return 0.6 if scope.kind(node) == "int" else 0.2
        case ast.Return() | ast.Assign() | ast.BinOp() | ast.AugAssign():
            return 0.6 if scope.kind(node) in kinds.NUMBERS else 0.15
        case ast.Call() if node in parent.args:
            return 0.25 if scope.kind(node) == "int" else 0.1
        case ast.Tuple() | ast.List() | ast.ListComp() | ast.IfExp():
            return 0.2
        case _:
            return 0.0


@template(ast.Call, prior=0.03)
def change_range(node: ast.Call, scope: Scope) -> Iterator[Rewrite]:
    """Begin or end a ``range`` elsewhere, or walk it backwards.

    Before::

        for i in range(1, n):
            visit(i)

    After::

        for i in range(n):
            visit(i)
    """
    match node:
        case ast.Call(func=ast.Name(id="range"), args=[stop], keywords=[]):
            text = scope.source(stop)
            yield scope.replace(node, f"range(1, {text})")
            yield scope.replace(node, f"range(1, {term(text)} + 1)")
            yield scope.replace(node, f"range(2, {text})", 0.3)
            yield scope.replace(node, f"range({term(text)} - 1, -1, -1)", 0.3)
            yield scope.replace(node, f"range(0, {text}, 2)", 0.1)
        case ast.Call(func=ast.Name(id="range"), args=[start, stop], keywords=[]):
            yield scope.replace(node, f"range({scope.source(stop)})", 0.6)
            low, high = scope.source(start), scope.source(stop)
            yield scope.replace(node, f"range({term(low)} + 1, {term(high)} + 1)", 0.3)
            yield scope.replace(node, f"range({term(high)} - 1, {term(low)} - 1, -1)", 0.2)
            yield scope.replace(node, f"range({low}, {high}, 2)", 0.1)
        case ast.Call(func=ast.Name(id="range"), args=[start, stop, _], keywords=[]):
            yield scope.replace(node, f"range({scope.source(start)}, {scope.source(stop)})", 0.6)
        case _:
            return


@template(ast.Constant, prior=0.09)
def flip_boolean(node: ast.Constant, scope: Scope) -> Iterator[Rewrite]:
    """Replace ``True`` by ``False``, or the other way round.

    Before::

        found = True

    After::

        found = False
    """
    if isinstance(node.value, bool):
        yield scope.replace(node, str(not node.value))


@template(ast.Constant, ast.List, ast.Dict, ast.Tuple, prior=0.006)
def change_empty(node: ast.expr, scope: Scope) -> Iterator[Rewrite]:
    """Begin with, or return, another empty value.

    Before::

        seen = []

    After::

        seen = set()
    """
    if not isinstance(scope.module.parent(node), (ast.Assign, ast.Return, ast.IfExp, ast.keyword, ast.arguments)):
        return
    source = scope.source(node).replace('"', "'")
    if source in _EMPTY:
        for index, text in enumerate(_EMPTY):
            if text != source:
                yield scope.replace(node, text, 1.0 / (1 + 0.2 * index))


@template(ast.Subscript, prior=0.03)
def change_slice(node: ast.Subscript, scope: Scope) -> Iterator[Rewrite]:
    """Drop or exchange the bounds of a slice, or change its step.

    Before::

        head = items[n:]

    After::

        head = items[:n]
    """
    part = node.slice
    if not isinstance(part, ast.Slice) or not isinstance(node.ctx, ast.Load):
        return
    lower, upper, step = (scope.source(bound) if bound else "" for bound in (part.lower, part.upper, part.step))
    span = scope.module.start(part), scope.module.end(part)
    tail = f":{step}" if step else ""
    found: list[tuple[str, float]] = []
    if lower and upper:
        found += [(f"{lower}:{tail}", 0.7), (f":{upper}{tail}", 0.7)]
    elif lower:
        found += [(f":{lower}{tail}", 1.0), (f"{lower}:-1{tail}", 0.4)]
    elif upper:
        found += [(f"{upper}:{tail}", 1.0), (f"1:{upper}{tail}", 0.5)]
    if step:
        found += [(f"{lower}:{upper}", 0.8)]
    else:
        found += [(f"{lower}:{upper}:-1", 0.5)]
    for text, weight in found:
        yield scope.splice(span, text, weight, f"replace `[{scope.module.text[slice(*span)]}]` by `[{text}]`")


@template(ast.Name, ast.Call, ast.Attribute, ast.ListComp, ast.Subscript, prior=0.010)
def add_slice(node: ast.expr, scope: Scope) -> Iterator[Rewrite]:
    """Take a part of a sequence instead of all of it.

    Before::

        def recent(items, count):
            return sum(items)

    After::

        def recent(items, count):
            return sum(items[:count])
    """
    if not isinstance(getattr(node, "ctx", ast.Load()), ast.Load) or not _may_be_sliced(node, scope):
        return
    known = 1.5 if scope.kind(node) in kinds.SEQUENCES else 0.7
    source = scope.source(node)
    yield scope.replace(node, f"{source}[1:]", known)
    yield scope.replace(node, f"{source}[:-1]", known)
    yield scope.replace(node, f"{source}[::-1]", known * scope.mentioned("revers", "palindrom", "backward"))
    for name, weight in scope.variables(node, "int"):
        if scope.kinds.get(name) in {"int", None} and name != source:
            usual = weight * known * (1.0 if scope.kinds.get(name) == "int" else 0.4)
            yield scope.replace(node, f"{source}[:{name}]", usual)
            yield scope.replace(node, f"{source}[{name}:]", usual)


def _may_be_sliced(node: ast.expr, scope: Scope) -> bool:
    if scope.kind(node) not in kinds.SEQUENCES | {None}:
        return False
    match scope.module.parent(node):
        case ast.Call() as call:
            return node in call.args
        case ast.For() | ast.comprehension() | ast.Return() | ast.Assign() | ast.BinOp() | ast.AugAssign():
            return not isinstance(node, ast.Subscript) or scope.kind(node) in kinds.SEQUENCES
        case ast.Compare():
            return True
        case _:
            return False


@template(ast.Subscript, prior=0.02)
def change_index(node: ast.Subscript, scope: Scope) -> Iterator[Rewrite]:
    """Take another element: the first, the last, the next, that of another variable.

    Before::

        newest = history[0]

    After::

        newest = history[-1]
    """
    if isinstance(node.slice, (ast.Slice, ast.Tuple)) or scope.kind(node.value) == "dict":
        return
    old = scope.source(node.slice)
    for text, weight in (("0", 0.8), ("-1", 1.0), ("1", 0.5), ("-2", 0.2)):
        if text != old and scope.kind(node.slice) in {None, "int"}:
            yield scope.replace(node.slice, text, weight)


@template(ast.Tuple, ast.List, ast.Set, prior=0.015)
def drop_element(node: ast.Tuple | ast.List | ast.Set, scope: Scope) -> Iterator[Rewrite]:
    """Leave out an element of a literal.

    Before::

        ODD = (1, 2, 3)

    After::

        ODD = (1, 3)
    """
    if isinstance(getattr(node, "ctx", ast.Load()), ast.Store) or len(node.elts) < 2:
        return
    for index, element in enumerate(node.elts):
        last = index == len(node.elts) - 1
        start = scope.module.end(node.elts[index - 1]) if last else scope.module.start(element)
        end = scope.module.end(element) if last else scope.module.start(node.elts[index + 1])
        weight = 1.0 if len(node.elts) > 2 else 0.3
        yield scope.splice((start, end), "," if last and len(node.elts) == 2 else "", weight,
                           f"remove `{scope.source(element)}`")  # fmt: skip


@template(ast.Tuple, ast.List, prior=0.03)
def swap_elements(node: ast.Tuple | ast.List, scope: Scope) -> Iterator[Rewrite]:
    """Let two elements of a literal, or two targets, change places.

    Before::

        return [index, value]

    After::

        return [value, index]
    """
    for one, other in zip(node.elts, node.elts[1:], strict=False):
        if scope.source(one) != scope.source(other):
            yield scope.exchange(one, other, 1.0 if len(node.elts) <= 3 else 0.2)
