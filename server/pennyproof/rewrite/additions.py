"""Statements added: returns, guards, updates, copies of others."""

import ast
from collections.abc import Iterator

from pennyproof.rewrite.module import Function
from pennyproof.rewrite.scope import Scope, shown
from pennyproof.rewrite.statements import MOVABLE, title
from pennyproof.rewrite.template import Rewrite, template

_UNIT = "    "


@template(ast.FunctionDef, ast.AsyncFunctionDef, prior=0.05)
def flip_answers(node: Function, scope: Scope) -> Iterator[Rewrite]:
    """Return the opposite truth value wherever a function returns one.

    Before::

        def all_below(values, limit):
            for value in values:
                if value >= limit:
                    return True
            return False

    After::

        def all_below(values, limit):
            for value in values:
                if value >= limit:
                    return False
            return True
    """
    answers = [
        part.value
        for part in ast.walk(node)
        if isinstance(part, ast.Return)
        and isinstance(part.value, ast.Constant)
        and isinstance(part.value.value, bool)
        and scope.module.function(part) is node
    ]
    if len(answers) > 1:
        edits = tuple(edit for answer in answers for edit in scope.replace(answer, str(not answer.value)).edits)
        yield Rewrite(edits, "return the opposite truth values")


@template(ast.Return, prior=0.012)
def change_return(node: ast.Return, scope: Scope) -> Iterator[Rewrite]:
    """Return another variable, or a plain value.

    Before::

        def least(values):
            result = min(values)
            return values[0]

    After::

        def least(values):
            result = min(values)
            return result
    """
    old = scope.source(node.value) if node.value else ""
    span = scope.module.start(node), scope.module.end(node)
    texts = [(name, weight) for name, weight in scope.variables(node) if name not in {"self", "cls"}]
    texts += [("None", 0.3), ("True", 0.3), ("False", 0.3), ("0", 0.2), ("[]", 0.2), ("''", 0.2), ("self", 0.2)]
    for text, weight in texts:
        if text != old and not (text == "self" and "self" not in scope.bindings):
            yield scope.splice(span, f"return {text}", weight)


@template(ast.FunctionDef, ast.AsyncFunctionDef, prior=0.02)
def add_return(node: Function, scope: Scope) -> Iterator[Rewrite]:
    """Return a variable at the end of a function.

    Before::

        def squares(values):
            result = [value ** 2 for value in values]

    After::

        def squares(values):
            result = [value ** 2 for value in values]
            return result
    """
    last = node.body[-1]
    if isinstance(last, (ast.Return, ast.Raise)):
        return
    inner = Scope(scope.module, node, scope.clues)
    names = [(name, weight) for name, weight in inner.variables(last) if name not in {"self", "cls"}]
    returned = {part.id for part in ast.walk(node) if isinstance(part, ast.Name)}
    for text, weight in [*names, ("self", 0.3), ("True", 0.3), ("False", 0.3)]:
        if text != "self" or "self" in returned:
            yield from _after(last, f"return {text}", weight, scope)


def _after(node: ast.stmt, text: str, weight: float, scope: Scope) -> Iterator[Rewrite]:
    """Add a line after a statement."""
    indentation, span = scope.module.indentation(node), scope.module.lines_span(node)
    if indentation is None or span is None:
        return
    newline = scope.module.newline
    if span[1] == len(scope.module.text) and not scope.module.text.endswith(("\n", "\r")):
        yield scope.insert(span[1], f"{newline}{indentation}{text}", weight, f"add `{shown(text)}`")
    else:
        yield scope.insert(span[1], f"{indentation}{text}{newline}", weight, f"add `{shown(text)}`")


def _before(node: ast.stmt, lines: tuple[str, ...], weight: float, scope: Scope) -> Iterator[Rewrite]:
    """Add lines before a statement."""
    indentation = scope.module.indentation(node)
    if indentation is not None:
        text = "".join(f"{indentation}{line}{scope.module.newline}" for line in lines)
        place = scope.module.line_start(scope.module.first_line(node))
        yield scope.insert(place, text, weight, f"add `{shown(' '.join(lines))}`")


@template(*MOVABLE, prior=0.004)
def add_guard(node: ast.stmt, scope: Scope) -> Iterator[Rewrite]:
    """Return early for a special value.

    Before::

        def mean(values):
            return sum(values) / len(values)

    After::

        def mean(values):
            if not values:
                return 0
            return sum(values) / len(values)
    """
    if scope.owner is None or scope.module.is_docstring(node):
        return
    first = next((each for each in scope.owner.body if not scope.module.is_docstring(each)), None)
    place = 1.0 if node is first else 0.1
    parameters = [argument.arg for argument in (*scope.owner.args.posonlyargs, *scope.owner.args.args)]
    for index, name in enumerate(name for name in parameters if name not in {"self", "cls"}):
        known = scope.kinds.get(name)
        tests = [f"if {name} is None:"] if known in {"int", "float"} else [f"if not {name}:", f"if {name} is None:"]
        if known in {"int", "float", None}:
            tests += [f"if {name} <= 0:", f"if {name} < 0:", f"if {name} == 0:", f"if {name} == 1:", f"if {name} < 2:"]
        for number, test in enumerate(tests):
            for value in ("None", "False", "[]", "0", name, "True", "''", "1", "-1"):
                weight = place / (1 + 0.3 * number + index)
                yield from _before(node, (test, f"{_UNIT}return {value}"), weight, scope)


@template(ast.Expr, ast.AugAssign, ast.Assign, ast.Return, prior=0.008)
def make_conditional(node: ast.stmt, scope: Scope) -> Iterator[Rewrite]:
    """Run a statement only under a condition on what is in scope.

    Before::

        def common(these, those):
            for one in these:
                for other in those:
                    found.add(one)

    After::

        def common(these, those):
            for one in these:
                for other in those:
                    if one == other:
                        found.add(one)
    """
    span, indentation = scope.module.lines_span(node), scope.module.indentation(node)
    if span is None or indentation is None or scope.owner is None or scope.module.is_docstring(node):
        return
    newline = scope.module.newline
    for test, weight in _tests(node, scope):
        lines = scope.module.text[slice(*span)].splitlines(keepends=True)
        text = f"{indentation}if {test}:{newline}" + "".join(_UNIT + line for line in lines)
        yield scope.splice(span, text, weight, f"only `if {shown(test)}`: `{title(node, scope)}`")


def _tests(node: ast.stmt, scope: Scope) -> Iterator[tuple[str, float]]:
    """Conditions on what is in scope, those on the loops' variables first."""
    looped = [
        part.id
        for around in reversed(list(scope.module.ancestors(node)))
        if isinstance(around, ast.For)
        for part in ast.walk(around.target)
        if isinstance(part, ast.Name)
    ]
    names = [name for name, _ in scope.variables(node) if name not in {"self", "cls"}]
    for index, one in enumerate(looped):
        for other in [*looped[index + 1 :], *(name for name in names if name not in looped)]:
            weight = 1.5 if other in looped else 0.3
            for symbol in ("==", "!=", "not in", "in", "<", ">"):
                yield f"{one} {symbol} {other}", weight * (1.0 if symbol in {"==", "not in"} else 0.6)
    for name in [*looped, *names][:6]:
        yield name, 0.5
        yield f"not {name}", 0.4
    for condition in scope.conditions:
        if scope.visible(condition, node):
            yield scope.source(condition), 0.6


@template(*MOVABLE, prior=0.03)
def add_update(node: ast.stmt, scope: Scope) -> Iterator[Rewrite]:
    """Update a variable where that was forgotten.

    Before::

        def count_down(n):
            while n:
                tick()

    After::

        def count_down(n):
            while n:
                tick()
                n -= 1
    """
    around = scope.module.parent(node)
    if not isinstance(around, (ast.While, ast.For, ast.If)) or scope.module.block(node)[-1] is not node:
        return
    tested = scope.free_names(around.test) if isinstance(around, ast.While) else set()
    changed = {part.id for part in ast.walk(around) if isinstance(part, ast.Name) and isinstance(part.ctx, ast.Store)}
    for name, weight in scope.variables(node):
        if scope.kinds.get(name) in {None, "int", "float"} and name not in {"self", "cls"}:
            usual = weight * (0.8 if name in tested else 0.2 if scope.kinds.get(name) else 0.06)
            usual *= 8.0 if name in tested and not tested & changed else 1.0  # else the loop would not end
            for text in ("+= 1", "-= 1"):
                yield from _after(node, f"{name} {text}", usual, scope)
            yield from _after(node, f"{name} = 0", 0.4 * usual, scope)


@template(*MOVABLE, prior=0.003)
def copy_statement(node: ast.stmt, scope: Scope) -> Iterator[Rewrite]:
    """Repeat, after a statement, one from elsewhere in the function or the module, its variables renamed.

    Before::

        def tidy(first, second):
            first = first.strip()
            return join(first, second)

    After::

        def tidy(first, second):
            first = first.strip()
            second = second.strip()
            return join(first, second)
    """
    if scope.owner is None or scope.module.is_docstring(node) or isinstance(node, ast.Return):
        return
    for donor, weight in scope.donors:
        yield from _after(node, donor, weight, scope)
