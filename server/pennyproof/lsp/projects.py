"""The workspace folders and their projects."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Callable, Iterable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from lsprotocol import types
from pygls.uris import to_fs_path

from pennyproof.errors import OutsideRoot, UsageError

if TYPE_CHECKING:
    from pennyproof.assist.project import Project
    from pennyproof.lsp.server import PennyproofServer
    from pennyproof.settings import Settings

logger = logging.getLogger(__name__)

_MARKS = ("pyproject.toml", "setup.cfg", "setup.py", "pytest.ini", "tox.ini", ".git")
"""What makes a folder the root of a file that lies in no workspace folder."""


class Projects:
    """Which project a file belongs to; projects are made at their first need."""

    def __init__(self, server: PennyproofServer) -> None:
        self._server = server
        self._folders: tuple[Path, ...] = ()
        self._projects: dict[Path, tuple[Settings, Project]] = {}

    def begin(self, params: types.InitializeParams) -> None:
        """Take in the folders that the client has open."""
        if params.workspace_folders:
            self._folders = _paths(folder.uri for folder in params.workspace_folders)
        elif params.root_uri:
            self._folders = _paths([params.root_uri])
        elif params.root_path:
            self._folders = (Path(params.root_path).resolve(),)

    @property
    def roots(self) -> tuple[Path, ...]:
        """The workspace folders, and the roots of files outside of them that were asked for."""
        return tuple(dict.fromkeys((*self._folders, *self._projects)))

    def for_uri(self, uri: str) -> Project:
        """The project of a file: the deepest workspace folder that holds it, else the nearest folder that looks
        like a project.

        Raises:
            UsageError: The URI names no file.
        """
        path = to_fs_path(uri)
        if not path:
            raise UsageError(f"{uri} is not a file")
        return self._project(self._root_of(Path(path).resolve()))

    def for_root(self, root: str) -> Project:
        """The project of a folder, given as a path or a URI.

        Raises:
            UsageError: It is no folder.
            OutsideRoot: It lies in no workspace folder.
        """
        path = Path(to_fs_path(root) or root)
        if not path.is_absolute() or not path.is_dir():
            raise UsageError(f"{root} is not the absolute path of a folder")
        path = path.resolve()
        if self._folders and not any(path.is_relative_to(folder) for folder in self._folders):
            raise OutsideRoot(f"{root} lies in no workspace folder")
        return self._project(path)

    def all(self) -> tuple[Project, ...]:
        """The projects of all workspace folders, and the others that were asked for."""
        return tuple(self._project(root) for root in self.roots)

    def common_settings(self) -> Settings:
        """The settings that no folder can change: models, budgets, trust. Without a folder, those of the user."""
        return self.settings(next(iter(self.roots), Path()))

    def settings(self, root: Path) -> Settings:
        """The settings of a project's root."""
        return self._server.configuration.settings(root)

    def change_folders(self, event: types.WorkspaceFoldersChangeEvent) -> None:
        """Workspace folders came or went."""
        gone = set(_paths(folder.uri for folder in event.removed))
        kept = [folder for folder in self._folders if folder not in gone]
        self._folders = tuple(dict.fromkeys([*kept, *_paths(folder.uri for folder in event.added)]))
        for root in gone:
            self._drop(root)
        self._server.spawn(self._server.configuration.pull(), "fetching the configuration")

    def refresh(self) -> None:
        """Begin anew where settings have changed."""
        for root, (settings, _) in list(self._projects.items()):
            if self.settings(root) != settings:
                self._drop(root)

    @property
    def unprotected(self) -> bool:
        """Whether tests of a folder may run, and nothing would confine them."""
        return any(project.trusted and _is_bare(settings) for settings, project in self._projects.values())

    def close(self) -> None:
        """End all workers; blocks."""
        projects, self._projects = self._projects, {}
        for _, project in projects.values():
            project.close()

    def _root_of(self, path: Path) -> Path:
        holding = [folder for folder in self._folders if path.is_relative_to(folder)]
        if holding:
            return max(holding, key=lambda folder: len(folder.parts))
        marked = (folder for folder in path.parents if any((folder / mark).exists() for mark in _MARKS))
        return next(marked, path.parent)

    def _project(self, root: Path) -> Project:
        if root not in self._projects:
            from pennyproof.assist.assemble import build_project  # noqa: PLC0415 (after the reply to initialize)

            settings = self.settings(root)
            project = build_project(
                root,
                settings,
                trusted=self._server.trust.known(root, settings) is True,
                ask_consent=partial(self._server.consent.known, root),
                on_spent=self._tell_spending(),
            )
            self._projects[root] = (settings, project)
            self._server.status.refresh()
        return self._projects[root][1]

    def _tell_spending(self) -> Callable[[], None]:
        """For threads that have called a model."""
        loop = asyncio.get_running_loop()

        def tell() -> None:
            with contextlib.suppress(RuntimeError):  # The session may be over by now.
                loop.call_soon_threadsafe(self._server.status.refresh)

        return tell

    def _drop(self, root: Path) -> None:
        known = self._projects.pop(root, None)
        if known is not None:
            self._server.spawn(self._server.run(known[1].close), "closing a project")


def _is_bare(settings: Settings) -> bool:
    from pennyproof.proof.sandbox import has_none  # noqa: PLC0415 (after the reply to initialize)

    return settings.proof.sandbox == "off" or has_none(settings.proof.sandbox)


def _paths(uris: Iterable[str]) -> tuple[Path, ...]:
    return tuple(dict.fromkeys(Path(path).resolve() for uri in uris if (path := to_fs_path(uri))))
