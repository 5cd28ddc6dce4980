"""Whole statements: removed, repeated, moved, exchanged, added."""

import ast
from collections.abc import Iterator

from pennyproof.rewrite.module import Function
from pennyproof.rewrite.scope import Scope, shown
from pennyproof.rewrite.template import Rewrite, template

_SIMPLE = (ast.Assign, ast.AugAssign, ast.AnnAssign, ast.Expr, ast.Return, ast.Raise, ast.Break, ast.Continue,
           ast.Delete, ast.Assert)  # fmt: skip
_MOVABLE = (ast.Assign, ast.AugAssign, ast.AnnAssign, ast.Expr, ast.If, ast.For, ast.While, ast.Return)
_UNIT = "    "


def _title(node: ast.stmt, scope: Scope) -> str:
    """A statement's first line, as summaries show it."""
    return shown(scope.source(node).splitlines()[0])


@template(*_SIMPLE, ast.If, ast.For, ast.While, prior=0.02)
def delete_statement(node: ast.stmt, scope: Scope) -> Iterator[Rewrite]:
    """Remove a statement.

    Before::

        kept.append(item)
        kept.append(index)

    After::

        kept.append(item)
    """
    if scope.module.is_docstring(node) or (isinstance(node, ast.Raise) and node.exc is None):
        return
    if isinstance(scope.module.parent(node), (ast.Module, ast.ClassDef)) and not isinstance(node, ast.Expr):
        return
    weight = 1.0 if isinstance(node, (*_SIMPLE, ast.If)) else 0.3
    yield _removal([node], scope, weight * (0.4 if isinstance(node, (ast.Return, ast.Raise)) else 1.0))


def _removal(nodes: list[ast.stmt], scope: Scope, weight: float) -> Rewrite:
    summary = " and ".join(f"`{_title(node, scope)}`" for node in nodes)
    span = scope.module.lines_span(nodes[0], nodes[-1])
    if span is None or len(scope.module.block(nodes[0])) == len(nodes):
        span = scope.module.start(nodes[0]), scope.module.end(nodes[-1])
        return scope.splice(span, "pass", 0.4 * weight, f"remove {summary}")
    return scope.splice(span, "", weight, f"remove {summary}")


@template(*_SIMPLE, prior=0.008)
def delete_two(node: ast.stmt, scope: Scope) -> Iterator[Rewrite]:
    """Remove two statements that follow each other.

    Before::

        def halves(numbers):
            low, high = split(numbers)
            low = high - 1
            high = low + 1
            return low, high

    After::

        def halves(numbers):
            low, high = split(numbers)
            return low, high
    """
    following = _next(node, scope)
    if isinstance(following, _SIMPLE) and scope.owner is not None and not scope.module.is_docstring(node):
        alike = isinstance(following, type(node)) and not isinstance(node, ast.Return)
        yield _removal([node, following], scope, 1.0 if alike else 0.3)


def _next(node: ast.stmt, scope: Scope) -> ast.stmt | None:
    block = scope.module.block(node)
    index = block.index(node) + 1
    return block[index] if index < len(block) else None


@template(*_MOVABLE, prior=0.012)
def swap_statements(node: ast.stmt, scope: Scope) -> Iterator[Rewrite]:
    """Let two statements that follow each other change places.

    Before::

        log(count)
        count += 1

    After::

        count += 1
        log(count)
    """
    following = _next(node, scope)
    if following is None or not isinstance(following, _MOVABLE) or scope.module.is_docstring(node):
        return
    one, other = scope.module.lines_span(node), scope.module.lines_span(following)
    if one is None or other is None:
        return
    there = scope.splice((scope.module.start(node), scope.module.end(node)), scope.source(following)).edits
    back = scope.splice((scope.module.start(following), scope.module.end(following)), scope.source(node)).edits
    yield Rewrite((*there, *back), f"move `{_title(node, scope)}` down")


@template(*_MOVABLE, prior=0.012)
def move_out(node: ast.stmt, scope: Scope) -> Iterator[Rewrite]:
    """Move the last statement of a block out of it.

    Before::

        for item in items:
            total += item
            report(total)

    After::

        for item in items:
            total += item
        report(total)
    """
    around = scope.module.parent(node)
    if not isinstance(around, (ast.For, ast.While, ast.If, ast.With, ast.Try)) or len(scope.module.block(node)) < 2:
        return
    if scope.module.block(node)[-1] is not node or (around.end_lineno != node.end_lineno):
        return
    yield from _indented(node, scope.module.indentation(around), f"move `{_title(node, scope)}` out", scope)


def _indented(node: ast.stmt, indentation: str | None, summary: str, scope: Scope) -> Iterator[Rewrite]:
    """Give the lines of a statement another indentation."""
    old, span = scope.module.indentation(node), scope.module.lines_span(node)
    if indentation is None or old is None or span is None:
        return
    lines = scope.module.text[slice(*span)].splitlines(keepends=True)
    text = "".join(indentation + line[len(old) :] if line.startswith(old) else line for line in lines)
    yield scope.splice(span, text, 1.0, summary)


@template(*_MOVABLE, prior=0.008)
def move_in(node: ast.stmt, scope: Scope) -> Iterator[Rewrite]:
    """Move a statement into the block before it.

    Before::

        for item in items:
            total += item
        count += 1

    After::

        for item in items:
            total += item
            count += 1
    """
    block = scope.module.block(node)
    index = block.index(node)
    if index == 0:
        return
    before = block[index - 1]
    if isinstance(before, (ast.For, ast.While, ast.If, ast.With)) and (before.end_lineno or 0) == node.lineno - 1:
        last = (before.orelse or before.body)[-1] if not isinstance(before, ast.With) else before.body[-1]
        yield from _indented(node, scope.module.indentation(last), f"move `{_title(node, scope)}` in", scope)


@template(ast.Break, ast.Continue, prior=0.05)
def swap_jump(node: ast.Break | ast.Continue, scope: Scope) -> Iterator[Rewrite]:
    """Go on with a loop instead of ending it, or the other way round.

    Before::

        for line in lines:
            if not line:
                break

    After::

        for line in lines:
            if not line:
                continue
    """
    span = scope.module.start(node), scope.module.end(node)
    yield scope.splice(span, "continue" if isinstance(node, ast.Break) else "break")
    yield scope.splice(span, "pass", 0.3)
    if scope.owner is not None:
        yield scope.splice(span, "return", 0.1)


@template(ast.If, prior=0.03)
def swap_branches(node: ast.If, scope: Scope) -> Iterator[Rewrite]:
    """Exchange the two branches of an ``if``, or two returned values.

    Before::

        if wide:
            fold(text)
        else:
            show(text)

    After::

        if wide:
            show(text)
        else:
            fold(text)
    """
    other = node.orelse
    following = _next(node, scope)
    if not other and isinstance(node.body[-1], ast.Return) and isinstance(following, ast.Return):
        other = [following]
    if len(node.body) != 1 or len(other) != 1 or isinstance(other[0], ast.If):
        return
    one, two = node.body[0], other[0]
    if isinstance(one, _SIMPLE) and isinstance(two, _SIMPLE) and ast.dump(one) != ast.dump(two):
        there = scope.splice((scope.module.start(one), scope.module.end(one)), scope.source(two)).edits
        back = scope.splice((scope.module.start(two), scope.module.end(two)), scope.source(one)).edits
        yield Rewrite((*there, *back), f"swap `{_title(one, scope)}` and `{_title(two, scope)}`")


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


@template(*_MOVABLE, prior=0.004)
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
        yield scope.splice(span, text, weight, f"only `if {shown(test)}`: `{_title(node, scope)}`")


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


@template(*_MOVABLE, prior=0.03)
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


@template(*_MOVABLE, prior=0.003)
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


@template(ast.If, ast.For, ast.While, prior=0.008)
def drop_branch(node: ast.If | ast.For | ast.While, scope: Scope) -> Iterator[Rewrite]:
    """Run the block after ``else`` in any case, or the block of an ``if`` without asking.

    Before::

        for n in numbers:
            check(n)
        else:
            report()

    After::

        for n in numbers:
            check(n)
        report()
    """
    outer, body_of = scope.module.indentation(node), node.orelse
    if outer is None:
        return
    if body_of and not (
        len(body_of) == 1 and isinstance(body_of[0], ast.If) and body_of[0].col_offset == node.col_offset
    ):
        span = scope.module.lines_span(body_of[0], body_of[-1])
        start = scope.module.line_start((node.body[-1].end_lineno or node.body[-1].lineno) + 1)
        inner = scope.module.indentation(body_of[0])
        if span is not None and inner is not None:
            text = _dedented(scope.module.text[slice(*span)], inner, outer)
            yield scope.splice((start, span[1]), text, 1.0, "run the `else` block in any case")
    elif isinstance(node, ast.If) and not body_of:
        span, inner = scope.module.lines_span(node.body[0], node.body[-1]), scope.module.indentation(node.body[0])
        if span is not None and inner is not None and scope.source(node).startswith("if"):
            text = _dedented(scope.module.text[slice(*span)], inner, outer)
            start = scope.module.line_start(node.lineno)
            yield scope.splice((start, span[1]), text, 1.0, f"remove `if {shown(scope.source(node.test))}`")


def _dedented(text: str, inner: str, outer: str) -> str:
    lines = text.splitlines(keepends=True)
    return "".join(outer + line[len(inner) :] if line.startswith(inner) else line for line in lines)


@template(ast.If, prior=0.010)
def swap_elif(node: ast.If, scope: Scope) -> Iterator[Rewrite]:
    """Turn an ``elif`` into an ``if``, or an ``if`` after another into an ``elif``.

    Before::

        if big:
            shrink()
        if red:
            paint()

    After::

        if big:
            shrink()
        elif red:
            paint()
    """
    start = scope.module.start(node)
    if scope.module.text.startswith("elif", start):
        yield scope.splice((start, start + 4), "if", 1.0)
        return
    block = scope.module.block(node)
    index = block.index(node)
    if index and isinstance(block[index - 1], ast.If):
        yield scope.splice((start, start + 2), "elif", 0.8)
