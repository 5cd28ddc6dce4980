"""Decorators of functions and methods."""

import ast
from collections import Counter
from collections.abc import Iterator

from pennyproof.rewrite.module import Function
from pennyproof.rewrite.scope import Scope, described, unique
from pennyproof.rewrite.template import Rewrite, template


def _decorators(node: Function, scope: Scope) -> Iterator[tuple[str, float]]:
    """Decorators that may have been meant, with their weights."""
    arguments = [argument.arg for argument in (*node.args.posonlyargs, *node.args.args)]
    around = scope.module.parent(node)
    within = isinstance(around, ast.ClassDef)
    if within and not _is_special(node):
        yield "property", 2.0 if arguments == ["self"] else 0.0
        yield "classmethod", 3.0 if arguments[:1] == ["cls"] else 0.3
        yield "staticmethod", 0.3 if arguments[:1] in (["self"], ["cls"]) else 3.0
        for sibling in around.body if isinstance(around, ast.ClassDef) else ():
            if isinstance(sibling, Function) and sibling.name == node.name and sibling is not node:
                yield f"{node.name}.{'setter' if len(arguments) == 2 else 'deleter'}", 5.0
    used = Counter(
        scope.source(decorator)
        for other in ast.walk(scope.module.tree)
        if isinstance(other, Function) and other is not node
        for decorator in other.decorator_list
        if (scope.module.enclosing_class(other) is not None) == within
    )
    for text, _ in used.most_common(8):
        if text not in {"property", "classmethod", "staticmethod"}:
            yield text, 1.0


def _is_special(node: Function) -> bool:
    """Whether the interpreter itself calls a method, and therefore knows how: ``__init__``."""
    return node.name.startswith("__") and node.name.endswith("__")


@template(ast.FunctionDef, ast.AsyncFunctionDef, prior=0.02)
def add_decorator(node: Function, scope: Scope) -> Iterator[Rewrite]:
    """Decorate a function.

    Before::

        class Box:
            def area(self):
                return self.width * self.height

    After::

        class Box:
            @property
            def area(self):
                return self.width * self.height
    """
    present = {scope.source(decorator) for decorator in node.decorator_list}
    indentation = scope.module.indentation(node)
    if indentation is None:
        return
    place = scope.module.line_start(scope.module.first_line(node))
    yield from unique(
        scope.insert(place, f"{indentation}@{text}{scope.module.newline}", weight * (0.3 if present else 1.0),
                     f"decorate `{node.name}` with `@{text}`")
        for text, weight in _decorators(node, scope)
        if weight and text not in present
    )  # fmt: skip


@template(ast.FunctionDef, ast.AsyncFunctionDef, prior=0.015)
def change_decorator(node: Function, scope: Scope) -> Iterator[Rewrite]:
    """Take a decorator off a function, or put another in its place.

    Before::

        class Box:
            @property
            def grow(self, by):
                self.width += by

    After::

        class Box:
            def grow(self, by):
                self.width += by
    """
    for decorator in node.decorator_list:
        line = decorator.lineno
        span = scope.module.line_start(line), scope.module.line_start((decorator.end_lineno or line) + 1)
        old = f"@{scope.source(decorator)}"
        if scope.module.text[slice(*span)].strip() == old:
            yield scope.splice(span, "", 1.0, described(old, ""))
        for text, weight in _decorators(node, scope):
            if weight and f"@{text}" != old:
                yield scope.replace(decorator, text, 0.5 * weight)
