"""Which exceptions are caught and raised."""

import ast
import builtins
from collections import Counter
from collections.abc import Iterator

from pennyproof.rewrite.scope import Scope, similarity, unique
from pennyproof.rewrite.template import Rewrite, template

_USUAL = (
    "Exception", "ValueError", "KeyError", "TypeError", "IndexError", "AttributeError", "StopIteration", "OSError",
    "ImportError", "RuntimeError", "LookupError", "NotImplementedError", "ZeroDivisionError", "UnicodeDecodeError",
    "UnicodeEncodeError", "FileNotFoundError", "AssertionError", "OverflowError",
)  # fmt: skip


def _names(scope: Scope) -> Iterator[tuple[str, float]]:
    """Exceptions that may have been meant: asked for by the tests, used elsewhere in the module, usual ones."""
    for name in scope.clues.exceptions:
        yield name, 3.0
    used = Counter(
        part.id
        for node in ast.walk(scope.module.tree)
        if isinstance(node, (ast.Raise, ast.ExceptHandler))
        for part in ast.walk((node.exc if isinstance(node, ast.Raise) else node.type) or ast.Constant(None))
        if isinstance(part, ast.Name) and (part.id.endswith(("Error", "Exception")) or hasattr(builtins, part.id))
    )
    for name, _ in used.most_common():
        yield name, 1.5
    for index, name in enumerate(_USUAL):
        yield name, 1.0 / (1 + 0.15 * index)


@template(ast.ExceptHandler, prior=0.02)
def change_caught(node: ast.ExceptHandler, scope: Scope) -> Iterator[Rewrite]:
    """Catch another exception, or one more.

    Before::

        try:
            size = sizes[name]
        except IndexError:
            size = 0

    After::

        try:
            size = sizes[name]
        except KeyError:
            size = 0
    """
    if node.type is None:
        return
    old = scope.source(node.type)
    known = isinstance(node.type, (ast.Tuple, ast.Attribute)) or hasattr(builtins, old) or old in scope.globals
    found: list[Rewrite] = []
    for name, weight in _names(scope):
        if name not in old:
            found.append(scope.replace(node.type, name, weight))
            if known and not isinstance(node.type, ast.Tuple):
                found.append(scope.replace(node.type, f"({old}, {name})", 0.5 * weight))
    handlers = (other for other in ast.walk(scope.module.tree) if isinstance(other, ast.ExceptHandler))
    groups = (other.type for other in handlers if isinstance(other.type, ast.Tuple))
    found += [scope.replace(node.type, scope.source(group)) for group in groups]
    yield from unique(found)


@template(ast.Raise, prior=0.015)
def change_raised(node: ast.Raise, scope: Scope) -> Iterator[Rewrite]:
    """Raise another exception.

    Before::

        raise TypeError("must be positive")

    After::

        raise ValueError("must be positive")
    """
    raised = node.exc.func if isinstance(node.exc, ast.Call) else node.exc
    if not isinstance(raised, ast.Name) or raised.id in scope.bindings:
        return
    yield from unique(
        scope.replace(raised, name, weight * (0.6 + similarity(name, raised.id)))
        for name, weight in _names(scope)
        if name != raised.id
    )
