"""Whole statements: removed, moved, exchanged."""

import ast
from collections.abc import Iterator

from pennyproof.rewrite.scope import Scope, shown
from pennyproof.rewrite.template import Rewrite, template

_SIMPLE = (ast.Assign, ast.AugAssign, ast.AnnAssign, ast.Expr, ast.Return, ast.Raise, ast.Break, ast.Continue,
           ast.Delete, ast.Assert)  # fmt: skip
MOVABLE = (ast.Assign, ast.AugAssign, ast.AnnAssign, ast.Expr, ast.If, ast.For, ast.While, ast.Return)


def title(node: ast.stmt, scope: Scope) -> str:
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
    summary = " and ".join(f"`{title(node, scope)}`" for node in nodes)
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


@template(*MOVABLE, prior=0.012)
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
    if following is None or not isinstance(following, MOVABLE) or scope.module.is_docstring(node):
        return
    one, other = scope.module.lines_span(node), scope.module.lines_span(following)
    if one is None or other is None:
        return
    there = scope.splice((scope.module.start(node), scope.module.end(node)), scope.source(following)).edits
    back = scope.splice((scope.module.start(following), scope.module.end(following)), scope.source(node)).edits
    yield Rewrite((*there, *back), f"move `{title(node, scope)}` down")


@template(*MOVABLE, prior=0.012)
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
    yield from _indented(node, scope.module.indentation(around), f"move `{title(node, scope)}` out", scope)


def _indented(node: ast.stmt, indentation: str | None, summary: str, scope: Scope) -> Iterator[Rewrite]:
    """Give the lines of a statement another indentation."""
    old, span = scope.module.indentation(node), scope.module.lines_span(node)
    if indentation is None or old is None or span is None:
        return
    lines = scope.module.text[slice(*span)].splitlines(keepends=True)
    text = "".join(indentation + line[len(old) :] if line.startswith(old) else line for line in lines)
    yield scope.splice(span, text, 1.0, summary)


@template(*MOVABLE, prior=0.008)
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
        yield from _indented(node, scope.module.indentation(last), f"move `{title(node, scope)}` in", scope)


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
        yield Rewrite((*there, *back), f"swap `{title(one, scope)}` and `{title(two, scope)}`")


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
