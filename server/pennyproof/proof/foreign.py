"""Which modules a project's sources import that are not its own, as far as their text and their places tell."""

import ast
import re
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import PurePosixPath

_BENDING = re.compile(r"\bsys\b.*\b(?:path|meta_path|path_hooks)\b|\baddsitedir\b|\bsyspath_prepend\b|\bpythonpath\b")
"""How a source, or pytest's configuration, says that modules are found in further places."""


@dataclass(frozen=True, slots=True)
class Imports:
    """What one source says of modules."""

    names: frozenset[str]
    """Those it imports outside functions; none where it does not parse."""
    bends: bool
    """Whether it may have modules found where they are not usually looked for."""


def imports(text: str) -> Imports:
    """What a source says of modules."""
    return Imports(_names(text), bends(text))


def bends(text: str) -> bool:
    """Whether a text speaks of the places where modules are looked for."""
    return _BENDING.search(text) is not None


def foreign(sources: Iterable[Imports], paths: Iterable[str], *, bent: bool) -> tuple[str, ...]:
    """The imported modules that are neither Python's nor may be the project's own.

    A file in a package is imported by the package's name, so that ``pkg/formats/pandas.py`` does not stand in the way
    of ``pandas``: pytest never looks for modules in a folder with an ``__init__.py``, unless it is told to. Where
    places are spoken of, any file may be imported by its own name.

    Args:
        sources: What the sources say.
        paths: All files of the project, relative to its root.
        bent: Whether modules may be found in further places, whatever the sources say.
    """
    sources = list(sources)
    own = _own(list(paths), bent=bent or any(source.bends for source in sources))
    names = frozenset[str]().union(*(source.names for source in sources))
    return tuple(sorted(name for name in names if name.partition(".")[0] not in own | sys.stdlib_module_names))


def _own(paths: Iterable[str], *, bent: bool) -> frozenset[str]:
    """The names by which something of the project may be imported that is not asked for as part of a package."""
    packages = {str(PurePosixPath(path).parent) for path in paths if PurePosixPath(path).name == "__init__.py"}
    places = {place for path in paths for place in [PurePosixPath(path), *PurePosixPath(path).parents][:-1]}
    return frozenset(
        place.name.removesuffix(".py")
        for place in places
        if bent or len(place.parts) == 1 or str(place.parent) not in packages
    )


def _names(text: str) -> frozenset[str]:
    try:
        tree = ast.parse(text)
    except (SyntaxError, ValueError, RecursionError):
        return frozenset()
    names = set[str]()
    todo: list[ast.AST] = [tree]
    while todo:
        node = todo.pop()
        if isinstance(node, ast.Import):
            names.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            if node.level == 0 and node.module:
                names.add(node.module)
        elif isinstance(node, ast.If) and ast.unparse(node.test).endswith("TYPE_CHECKING"):
            todo += node.orelse  # The body is for type checkers: what it imports need not exist.
        elif isinstance(node, ast.stmt | ast.Module | ast.ExceptHandler) and not isinstance(
            node, ast.FunctionDef | ast.AsyncFunctionDef
        ):
            todo += [child for child in ast.iter_child_nodes(node) if not isinstance(child, ast.expr)]
    return frozenset(names)
