"""Modules found and parsed without importing them: those of the workspace, then those installed."""

import ast
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path, PurePosixPath

from pennyproof.assist.explain.scopes import parse
from pennyproof.core.snapshots import Snapshot
from pennyproof.core.sources import decode
from pennyproof.errors import PennyproofError, UnreadableSource

_LARGEST = 2_000_000
"""Bytes; larger files are generated tables, which hold no documentation and take seconds to parse."""


@dataclass(frozen=True)
class Module:
    """One parsed file. ``home`` is the folder of installed packages it lies in, ``None`` for the workspace."""

    home: Path | None
    path: str
    """Relative to ``home`` or to the root, with forward slashes."""
    text: str
    tree: ast.Module

    @property
    def in_project(self) -> bool:
        return self.home is None

    @property
    def name(self) -> str:
        """The dotted name, as far as the path tells."""
        parts = PurePosixPath(self.path).with_suffix("").parts
        return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)

    @cached_property
    def lines(self) -> list[str]:
        return self.text.splitlines()


class Modules:
    """Reads modules and remembers them; an instance serves one snapshot.

    Args:
        snapshot: The workspace.
        search_paths: Folders of installed packages, as in the interpreter's ``sys.path``.
    """

    def __init__(self, snapshot: Snapshot, search_paths: Sequence[Path] = ()) -> None:
        self._snapshot = snapshot
        self._search_paths = tuple(search_paths)
        self._read: dict[tuple[Path | None, str], Module | None] = {}

    def at(self, path: str, home: Path | None = None) -> Module | None:
        """The module in a file, or ``None`` if there is none that parses."""
        key = (home, path)
        if key not in self._read:
            self._read[key] = self._parse(home, path)
        return self._read[key]

    def named(self, dotted: str, near: Module) -> Module | None:
        """The module that ``import dotted`` in ``near`` means."""
        stem = dotted.replace(".", "/")
        for folder in self._roots(near):
            found = self._under(near.home, f"{folder}/{stem}" if folder else stem)
            if found is not None:
                return found
        for home in self._search_paths:
            top, _, rest = stem.partition("/")
            found = self._under(home, stem) or self._under(home, f"{top}-stubs/{rest}".rstrip("/"))
            if found is not None:
                return found
        return None

    def relative(self, near: Module, level: int, dotted: str) -> Module | None:
        """The module that ``from ..dotted import`` in ``near`` means, with ``level`` dots."""
        parents = PurePosixPath(near.path).parents
        if level > len(parents):
            return None
        stem = (parents[level - 1] / dotted.replace(".", "/")).as_posix() if dotted else parents[level - 1].as_posix()
        return self._under(near.home, "" if stem == "." else stem)

    def submodule(self, package: Module, name: str) -> Module | None:
        """The module ``name`` within a package."""
        if PurePosixPath(package.path).stem != "__init__":
            return None
        return self._under(package.home, (PurePosixPath(package.path).parent / name).as_posix())

    def conftests(self, near: Module) -> Iterator[Module]:
        """The ``conftest.py`` files that serve a test file, the nearest first."""
        for folder in PurePosixPath(near.path).parents:
            found = self.at((folder / "conftest.py").as_posix())
            if found is not None:
                yield found

    def _roots(self, near: Module) -> list[str]:
        """Folders that an absolute import may start from: the usual two, then those around the importing file."""
        if not near.in_project:
            return [""]
        around = [folder.as_posix() for folder in PurePosixPath(near.path).parents]
        return list(dict.fromkeys(["", "src", *(folder for folder in around if folder != ".")]))

    def _under(self, home: Path | None, stem: str) -> Module | None:
        within = f"{stem}/" if stem else ""
        names = [f"{stem}.py", f"{within}__init__.py", f"{stem}.pyi", f"{within}__init__.pyi"]
        return next((found for name in names if (found := self.at(name, home)) is not None), None)

    def _parse(self, home: Path | None, path: str) -> Module | None:
        try:
            text = self._text(home, path)
        except PennyproofError:
            return None  # What cannot be read has nothing to say; the other facts stand.
        tree = parse(text) if text is not None else None
        return Module(home, path, text, tree) if text is not None and tree is not None else None

    def _text(self, home: Path | None, path: str) -> str | None:
        if home is None:
            source = self._snapshot.read(path)
            return source.text if source and len(source.text) <= _LARGEST else None
        file = home / path
        try:
            if not file.is_file() or file.stat().st_size > _LARGEST:
                return None
            return decode(file.read_bytes()).text
        except OSError as error:
            raise UnreadableSource(f"{file}: {error.strerror}") from error
