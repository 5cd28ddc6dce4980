"""Which exceptions are caught and raised."""

import ast
import builtins
from collections import Counter
from collections.abc import Iterator
from typing import TypeGuard

from pennyproof.rewrite.scope import Scope, similarity, unique
from pennyproof.rewrite.template import Rewrite, template

_USUAL = (
    "ValueError", "KeyError", "TypeError", "IndexError", "AttributeError", "StopIteration", "OSError", "ImportError",
    "Exception", "RuntimeError", "LookupError", "NotImplementedError", "ZeroDivisionError", "UnicodeDecodeError",
    "UnicodeEncodeError", "FileNotFoundError", "AssertionError", "OverflowError",
)  # fmt: skip


_OF_MODULES = {
    "binascii": ("Error",), "configparser": ("Error",), "json": ("JSONDecodeError",), "queue": ("Empty", "Full"),
    "re": ("error",), "shutil": ("Error",), "socket": ("error", "timeout"), "sqlite3": ("Error",), "ssl": ("SSLError",),
    "struct": ("error",), "subprocess": ("CalledProcessError", "TimeoutExpired"), "zipfile": ("BadZipFile",),
    "zlib": ("error",),
}  # fmt: skip
"""Exceptions of the standard library's modules, as programs that import these name them."""
_UNDEFINED = 3.0
"""The weight of changing a name that nothing defines: it is wrong for certain once it is looked up."""


def _names(scope: Scope) -> Iterator[tuple[str, float]]:
    """Exceptions that may have been meant: asked for by the tests, used elsewhere in the module, usual ones."""
    for name in scope.clues.exceptions:
        yield name, 3.0
    used = Counter(
        scope.source(part)
        for node in ast.walk(scope.module.tree)
        if isinstance(node, (ast.Raise, ast.ExceptHandler))
        for part in ast.walk((node.exc if isinstance(node, ast.Raise) else node.type) or ast.Constant(None))
        if _is_exception(part) and scope.is_defined(part)
    )
    for name, _ in used.most_common():
        yield name, 1.5
    for module, names in _OF_MODULES.items():
        if module in scope.imported:
            for name in names:
                yield f"{module}.{name}", 1.0
    for index, name in enumerate(_USUAL):
        yield name, 1.0 / (1 + 0.15 * index)


def _is_exception(node: ast.AST) -> TypeGuard[ast.Name | ast.Attribute]:
    """Whether a node names an exception, judged by the name."""
    match node:
        case ast.Name(id=name):
            return name.endswith(("Error", "Exception")) or hasattr(builtins, name)
        case ast.Attribute(value=ast.Name(), attr=name):
            return name.lower().endswith(("error", "exception")) or name[:1].isupper()
        case _:
            return False


@template(ast.ExceptHandler, prior=0.02)
def change_caught(node: ast.ExceptHandler, scope: Scope) -> Iterator[Rewrite]:
    """Catch another exception, or one more, or another one of several.

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
    caught = node.type.elts if isinstance(node.type, ast.Tuple) else [node.type]
    old = {scope.source(each): _UNDEFINED if not scope.is_defined(each) else 1.0 for each in caught}
    found: list[Rewrite] = []
    for name, weight in _names(scope):
        if name in old:
            continue
        found.append(scope.replace(node.type, name, weight * (1.0 if len(old) > 1 else max(old.values()))))
        if len(caught) > 1:
            found += [scope.replace(each, name, weight * old[scope.source(each)] / len(caught)) for each in caught]
        elif max(old.values()) < _UNDEFINED:
            found.append(scope.replace(node.type, f"({scope.source(node.type)}, {name})", 0.5 * weight))
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
