"""Conditions: negated, widened, narrowed; guards put before a value; filters of comprehensions."""

import ast
from collections.abc import Iterator

from pennyproof.rewrite.precedence import condition
from pennyproof.rewrite.scope import Scope, shown, unique
from pennyproof.rewrite.template import Rewrite, template

_TESTED = (ast.If, ast.While, ast.IfExp, ast.Assert)


def _is_condition(node: ast.expr, scope: Scope) -> bool:
    """Whether a node is what a statement tests or a function answers."""
    parent = scope.module.parent(node)
    if isinstance(parent, _TESTED):
        return node is parent.test
    if isinstance(parent, ast.comprehension):
        return node in parent.ifs
    return isinstance(parent, ast.Return) and isinstance(node, (ast.Compare, ast.BoolOp))


@template(ast.Name, ast.Call, ast.Attribute, ast.Subscript, ast.BoolOp, ast.BinOp, ast.Compare, prior=0.045)
def negate_condition(node: ast.expr, scope: Scope) -> Iterator[Rewrite]:
    """Test for the opposite.

    Before::

        if closed:
            read()

    After::

        if not closed:
            read()
    """
    parent = scope.module.parent(node)
    simple = isinstance(node, ast.Compare) and len(node.ops) == 1
    boolean = scope.kind(node) == "bool" and isinstance(parent, (ast.Return, ast.Assign, ast.Call, ast.keyword))
    if (_is_condition(node, scope) and not simple) or isinstance(parent, ast.BoolOp) or (boolean and not simple):
        yield scope.replace(node, f"not {condition(scope.source(node))}", 0.2 if simple else 1.0)


@template(ast.BoolOp, prior=0.06)
def drop_condition(node: ast.BoolOp, scope: Scope) -> Iterator[Rewrite]:
    """Leave out one side of an ``and`` or an ``or``.

    Before::

        if ready and n <= 8:
            start()

    After::

        if ready:
            start()
    """
    values = node.values
    for index, value in enumerate(values):
        if index:
            end = _outer_end(node, index, scope)
            span = _outer_end(node, index - 1, scope), end
            yield scope.splice(span, "", 1.0, f"remove the condition `{shown(scope.source(value))}`")
        else:
            span = scope.module.start(node), scope.module.operator(values[0], values[1])[1]
            rest = len(scope.module.text[span[1] :]) - len(scope.module.text[span[1] :].lstrip())
            yield scope.splice(
                (span[0], span[1] + rest), "", 1.0, f"remove the condition `{shown(scope.source(value))}`"
            )


def _outer_end(node: ast.BoolOp, index: int, scope: Scope) -> int:
    """Where an operand ends, its own parentheses included."""
    if index == len(node.values) - 1:
        return scope.module.end(node)
    start, _ = scope.module.operator(node.values[index], node.values[index + 1])
    return len(scope.module.text[:start].rstrip())


@template(ast.Compare, ast.Call, ast.Name, ast.Attribute, ast.BoolOp, ast.UnaryOp, prior=0.006)
def add_condition(node: ast.expr, scope: Scope) -> Iterator[Rewrite]:
    """Narrow or widen a condition by another one that is at hand.

    Before::

        def visible(name, hidden):
            if name in hidden:
                return False
            if name:
                return True

    After::

        def visible(name, hidden):
            if name in hidden:
                return False
            if name and name in hidden:
                return True
    """
    if not _is_condition(node, scope):
        return
    yield from unique(_added_conditions(node, scope))


def _added_conditions(node: ast.expr, scope: Scope) -> Iterator[Rewrite]:
    source = scope.source(node)
    inside = scope.free_names(node)
    others = [(scope.source(other), 1.0) for other in scope.conditions if scope.visible(other, node)]
    for name, weight in scope.variables(node):
        if name not in inside and name not in {"self", "cls"}:
            others += [(name, 0.5 * weight), (f"not {name}", 0.5 * weight), (f"{name} is not None", 0.3 * weight)]
    for text, weight in others:
        if text in source:
            continue
        for word in ("and", "or"):
            yield scope.replace(node, f"{condition(source)} {word} {condition(text)}", weight, f"add `{word} {text}`")


@template(ast.BoolOp, prior=0.010)
def add_permuted_condition(node: ast.BoolOp, scope: Scope) -> Iterator[Rewrite]:
    """Add a condition that is like the others with its names exchanged.

    Before::

        def adds_up(a, b, c):
            return a + b == c or b + c == a

    After::

        def adds_up(a, b, c):
            return a + b == c or b + c == a or a + c == b
    """
    last = node.values[-1]
    word = "and" if isinstance(node.op, ast.And) else "or"
    present = {ast.dump(value) for value in node.values}
    for value in node.values:
        names = sorted({part.id for part in ast.walk(value) if isinstance(part, ast.Name)} & set(scope.bindings))
        for index, one in enumerate(names):
            for other in names[index + 1 :]:
                changed = _Exchange({one: other, other: one}).visit(ast.parse(scope.source(value), mode="eval").body)
                if ast.dump(changed) not in present:
                    text = condition(ast.unparse(changed))
                    yield scope.insert(
                        _outer_end(node, node.values.index(last), scope), f" {word} {text}", 1.0, f"add `{word} {text}`"
                    )


class _Exchange(ast.NodeTransformer):
    """Renames variables."""

    def __init__(self, names: dict[str, str]) -> None:
        self._names = names

    def visit_Name(self, node: ast.Name) -> ast.Name:
        return ast.Name(self._names.get(node.id, node.id), node.ctx)


@template(ast.Compare, prior=0.004)
def add_alternative_value(node: ast.Compare, scope: Scope) -> Iterator[Rewrite]:
    """Let a comparison with one value hold for another variable too.

    Before::

        def is_edge(x, y):
            return x == 0

    After::

        def is_edge(x, y):
            return x == 0 or y == 0
    """
    if len(node.ops) != 1 or not _is_condition(node, scope) or not isinstance(node.left, ast.Name):
        return
    rest = scope.module.text[scope.module.end(node.left) : scope.module.end(node)]
    for name, weight in scope.variables(node, scope.kind(node.left)):
        if name not in scope.free_names(node):
            for word in ("or", "and"):
                yield scope.replace(
                    node, f"{scope.source(node)} {word} {name}{rest}", weight, f"add `{word} {name}{rest}`"
                )


@template(ast.If, ast.While, prior=0.002)
def settle_condition(node: ast.If | ast.While, scope: Scope) -> Iterator[Rewrite]:
    """Decide a condition once and for all.

    Before::

        if debugging:
            trace()

    After::

        if False:
            trace()
    """
    if not isinstance(node.test, ast.Constant):
        yield scope.replace(node.test, "True")
        yield scope.replace(node.test, "False")


@template(ast.Attribute, ast.Subscript, ast.Call, prior=0.002)
def guard_value(node: ast.Attribute | ast.Subscript | ast.Call, scope: Scope) -> Iterator[Rewrite]:
    """Read from something only where it is not None or empty.

    Before::

        def label(user):
            return user.name

    After::

        def label(user):
            return user.name if user is not None else None
    """
    parent = scope.module.parent(node)
    if not isinstance(parent, (ast.Return, ast.Assign)) or not isinstance(getattr(node, "ctx", ast.Load()), ast.Load):
        return
    source = scope.source(node)
    root: ast.expr = node
    while isinstance(root, (ast.Attribute, ast.Subscript, ast.Call)):
        root = root.func if isinstance(root, ast.Call) else root.value
    if isinstance(root, ast.Name) and root.id in scope.bindings and root.id != "self":
        yield scope.replace(node, f"{source} if {root.id} is not None else None")
        for other in ("None", "0", "''", "[]"):
            yield scope.replace(node, f"{source} if {root.id} else {other}", 0.8)


@template(ast.ListComp, ast.SetComp, ast.GeneratorExp, ast.DictComp, prior=0.012)
def change_filter(
    node: ast.ListComp | ast.SetComp | ast.GeneratorExp | ast.DictComp, scope: Scope
) -> Iterator[Rewrite]:
    """Drop a filter of a comprehension, or give it one.

    Before::

        names = [line.strip() for line in lines]

    After::

        names = [line.strip() for line in lines if line]
    """
    last = node.generators[-1]
    end = scope.module.end(last.ifs[-1] if last.ifs else last.iter)
    if last.ifs:
        start = scope.module.end(last.iter)
        yield scope.splice((start, end), "", 1.0, f"remove the filter `{shown(scope.source(last.ifs[-1]))}`")
        return
    targets = [part.id for part in ast.walk(last.target) if isinstance(part, ast.Name)]
    for target in targets:
        for text, weight in ((target, 1.0), (f"{target} is not None", 0.5), (f"not {target}", 0.2)):
            yield scope.insert(end, f" if {text}", weight, f"add the filter `if {text}`")
    for other in scope.conditions:
        if scope.visible(other, node.generators[-1].iter) or scope.free_names(other) & set(targets):
            text = scope.source(other)
            yield scope.insert(end, f" if {text}", 0.6, f"add the filter `if {text}`")


@template(ast.IfExp, prior=0.03)
def swap_branches_of_expression(node: ast.IfExp, scope: Scope) -> Iterator[Rewrite]:
    """Exchange the two values of a conditional expression, or keep one of them.

    Before::

        sign = -1 if n > 0 else 1

    After::

        sign = 1 if n > 0 else -1
    """
    yield scope.exchange(node.body, node.orelse)
    yield scope.replace(node, scope.source(node.body), 0.3)
    yield scope.replace(node, scope.source(node.orelse), 0.3)
