"""Which files of a project may import which, read from their text: more than do, and never fewer that can be told.

Where modules lie on the import path is not known from outside, so that a dotted name stands for every file whose path
ends like it. What names modules in strings (``mock.patch("pkg.mod.name")``) counts as an import. A file that imports
what it computes, or whose text cannot be read, may import anything.
"""

import ast
import re
import threading
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import PurePosixPath

_NAME = re.compile(r"[^\W\d]\w*(\.[^\W\d]\w*)*")
_COMPUTING = frozenset(
    {
        "__import__", "import_module", "exec", "exec_module", "load_module", "spec_from_file_location", "run_path",
        "run_module", "walk_packages", "iter_modules", "load_source", "entry_points", "resolve_name", "ModuleFinder",
    }
)  # fmt: skip
"""Names by which code imports what it computes."""
_NAMING = frozenset({"importorskip", "pytest_plugins"})
"""Names in whose presence a single word may be the name of a module as well."""
_LONGEST_NAME = 200
_KEPT = 3
"""So many texts for each file are remembered, before those that nobody has are forgotten."""


@dataclass(frozen=True, slots=True)
class Imports:
    """What one file says of what it imports."""

    names: frozenset[str] = frozenset()
    """Absolute dotted names."""
    relative: frozenset[tuple[int, str]] = frozenset()
    """How many folders up (one: its own), and the dotted name from there."""
    anything: bool = False
    """It may import any file."""
    asks_fixtures: bool = False
    """It may ask for fixtures by computed names, so that nothing tells which tests use them."""


def scan(text: str) -> Imports:
    """What a file imports; what is for type checkers only does not count."""
    try:
        tree = ast.parse(text)
    except (SyntaxError, ValueError, RecursionError):
        return Imports(anything=True)
    said = _Said()
    for node in _running(tree):
        said.hear(node)
    return said.imports()


class _Said:
    """What the nodes of a file say, one after the other."""

    def __init__(self) -> None:
        self._imported = set[str]()
        self._relative = set[tuple[int, str]]()
        self._mentioned = set[str]()
        """Dotted names in strings and expressions."""
        self._words = set[str]()

    def hear(self, node: ast.AST) -> None:
        match node:
            case ast.Import(names=aliases):
                self._imported.update(alias.name for alias in aliases)
            case ast.ImportFrom(module=module, names=aliases, level=level):
                within = f"{module}." if module else ""
                paths = {module or "", *(within + alias.name for alias in aliases)}
                self._words.update(alias.name for alias in aliases)
                self._relative.update((level, path) for path in paths if level)
                self._imported.update(path for path in paths if not level)
            case ast.Constant(value=str(text)) if len(text) < _LONGEST_NAME:
                name = text.partition(":")[0]  # As in entry points.
                if _NAME.fullmatch(name):
                    self._mentioned.add(name)
            case ast.Name(id=name):
                self._words.add(name)
            case ast.Attribute():
                self._words.add(node.attr)
                self._mentioned.add(_chain(node))

    def imports(self) -> Imports:
        single = not self._words.isdisjoint(_NAMING)
        mentioned = {name for name in self._mentioned if single or "." in name}
        return Imports(
            frozenset(self._imported | mentioned) - {""},
            frozenset(self._relative),
            anything=not self._words.isdisjoint(_COMPUTING),
            asks_fixtures="getfixturevalue" in self._words,
        )


class ImportGraph:
    """The imports of a project's files."""

    def __init__(self, scanned: Mapping[str, Imports]) -> None:
        """Find the files that the names stand for.

        Args:
            scanned: Path → what it imports.
        """
        self._scanned = scanned
        self._files = _by_name(scanned)
        self._importers: dict[str, set[str]] = {}
        for path, imports in scanned.items():
            for imported in self._imported(path, imports):
                self._importers.setdefault(imported, set()).add(path)

    @property
    def files(self) -> Collection[str]:
        """All files."""
        return self._scanned.keys()

    @cached_property
    def asking(self) -> frozenset[str]:
        """The files that may ask for fixtures by computed names."""
        return frozenset(path for path, imports in self._scanned.items() if imports.asks_fixtures)

    def reaching(self, paths: Collection[str]) -> frozenset[str]:
        """These files, and all that may import one of them, by whatever way."""
        anything = {path for path, imports in self._scanned.items() if imports.anything}
        found = {*paths, *anything}
        ahead = list(found)
        while ahead:
            new = self._importers.get(ahead.pop(), set()) - found
            found |= new
            ahead += new
        return frozenset(found)

    def _imported(self, path: str, imports: Imports) -> Iterator[str]:
        """The files that one file imports, those of the packages around it among them."""
        yield from _packages(path, self._scanned)
        for name in imports.names:
            parts = name.split(".")
            for count in range(1, len(parts) + 1):
                yield from self._files.get(".".join(parts[:count]), ())
        own = PurePosixPath(path).parts[:-1]
        for level, name in imports.relative:
            if level - 1 <= len(own):
                below = list(own[: len(own) - (level - 1)])
                for part in ["", *name.split(".")]:
                    below += [part] if part else []
                    module = "/".join(below)
                    yield from (file for file in (f"{module}.py", f"{module}/__init__.py") if file in self._scanned)


def _by_name(paths: Collection[str]) -> dict[str, list[str]]:
    """Dotted name → the files it may stand for."""
    files: dict[str, list[str]] = {}
    for path in paths:
        parts = PurePosixPath(path).with_suffix("").parts
        if parts[-1] == "__init__":
            parts = parts[:-1]
        for start in range(len(parts)):
            files.setdefault(".".join(parts[start:]), []).append(path)
    return files


def _packages(path: str, paths: Collection[str]) -> Iterator[str]:
    for folder in PurePosixPath(path).parents:
        package = (folder / "__init__.py").as_posix()
        if package in paths and package != path:
            yield package


def _running(tree: ast.Module) -> Iterator[ast.AST]:
    """All nodes but those that are for type checkers."""
    ahead: list[ast.AST] = [tree]
    while ahead:
        node = ahead.pop()
        yield node
        if isinstance(node, ast.If) and ast.unparse(node.test).endswith("TYPE_CHECKING"):
            ahead += node.orelse
        else:
            ahead += ast.iter_child_nodes(node)


def _chain(node: ast.Attribute) -> str:
    """``a.b.c`` as it is written, or nothing where it begins with something else than a name."""
    parts = [node.attr]
    inner = node.value
    while isinstance(inner, ast.Attribute):
        parts.append(inner.attr)
        inner = inner.value
    return ".".join([inner.id, *reversed(parts)]) if isinstance(inner, ast.Name) else ""


class Scans:
    """What was scanned, by the content of files. Thread-safe."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._scanned: dict[bytes, Imports] = {}
        self._last: tuple[dict[str, bytes], ImportGraph] | None = None

    def graph(self, contents: Mapping[str, bytes], read: Callable[[str], str]) -> ImportGraph:
        """The imports of files.

        Args:
            contents: Path → digest, of Python files.
            read: Reads one.
        """
        with self._lock:
            if self._last is None or self._last[0] != contents:
                for path, digest in contents.items():
                    if digest not in self._scanned:
                        self._scanned[digest] = scan(read(path))
                if len(self._scanned) > _KEPT * len(contents):
                    self._scanned = {digest: self._scanned[digest] for digest in contents.values()}
                self._last = dict(contents), ImportGraph({path: self._scanned[of] for path, of in contents.items()})
            return self._last[1]
