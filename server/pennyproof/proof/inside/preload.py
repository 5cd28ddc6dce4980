"""What the fork server imports before it forks: pytest, its plugins, and third-party modules; never the project's."""

from __future__ import annotations

import contextlib
import importlib
import importlib.util
import os
import signal
import sys
import sysconfig
from importlib import metadata
from importlib.machinery import PathFinder
from typing import Any, Callable, Dict, Iterator, List

Jobs = Dict[str, Callable[..., Any]]

_PATIENCE = 10
"""Seconds that one import may take."""


def load_jobs(path: str) -> Jobs:
    """The jobs of a module, which becomes part of this package whatever folder it lies in."""
    name = __package__ + ".jobs"
    spec = importlib.util.spec_from_file_location(name, path)
    if spec is None or spec.loader is None:
        raise ImportError("no module in " + path)
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    prepare = getattr(module, "prepare", None)
    if prepare is not None:
        prepare()
    jobs: Jobs = module.JOBS
    return jobs


def preload(names: List[str], root: str, plugins: bool) -> Dict[str, str]:
    """Import what lies outside the project.

    Args:
        names: Modules that the project uses.
        root: The project's folder.
        plugins: Whether to import pytest's plugins, too.

    Returns:
        What was not imported, and why.
    """
    project = Project(root)
    skipped = {}
    with _without(project) as withheld:
        for name in [*(_plugins() if plugins else ()), *names]:
            try:
                with _in_time():
                    top = name.partition(".")[0]
                    if PathFinder.find_spec(top, withheld) or project.has(importlib.util.find_spec(top)):
                        skipped[name] = "it lies in the project"
                    else:
                        importlib.import_module(name)
            except BaseException as error:  # noqa: BLE001 - modules raise and exit at import for reasons of their own
                skipped[name] = "%s: %s" % (type(error).__name__, error)
    # Rewriting their asserts is no longer possible, of which pytest would warn; this is its own mark for that.
    for name in _rewritten_by_pytest():
        if name in sys.modules:
            sys.modules[name].__doc__ = (sys.modules[name].__doc__ or "") + "\n\nPYTEST_DONT_REWRITE"
    for name, module in list(sys.modules.items()):
        if project.has(getattr(module, "__spec__", None)):
            del sys.modules[name]
            skipped[name] = "something imported it, though it lies in the project"
    return skipped


class Project:
    """Which modules are the project's own: those below its root, its environment aside."""

    def __init__(self, root: str) -> None:
        self._root = os.path.join(os.path.realpath(root), "")
        paths = sysconfig.get_paths()
        names = ("stdlib", "platstdlib", "purelib", "platlib")
        own = os.path.dirname(os.path.abspath(__file__))
        self._foreign = tuple({os.path.join(os.path.realpath(paths[name]), "") for name in names} | {own})

    def holds(self, path: str) -> bool:
        """Whether a file or folder is the project's."""
        real = os.path.join(os.path.realpath(path), "")
        return real.startswith(self._root) and not real.startswith(self._foreign)

    def has(self, spec: Any) -> bool:
        """Whether a module's spec leads to it."""
        if spec is None:
            return False
        places = [spec.origin] if spec.has_location else list(spec.submodule_search_locations or [])
        return any(isinstance(place, str) and self.holds(place) for place in places)


@contextlib.contextmanager
def _without(project: Project) -> Iterator[List[str]]:
    """Import nothing from the project, not even through the hooks of an editable installation.

    Yields:
        Its folders in which Python would look for modules.
    """
    path, finders = sys.path[:], sys.meta_path[:]
    sys.path[:] = [entry for entry in path if entry and not project.holds(entry)]
    editable = [finder for finder in finders if getattr(finder, "__module__", "").startswith("__editable__")]
    sys.meta_path[:] = [finder for finder in finders if finder not in editable]
    try:
        yield [entry for entry in path if entry and project.holds(entry)]
    finally:
        sys.path[:] = path
        sys.meta_path[:] = finders + [finder for finder in sys.meta_path if finder not in finders]


@contextlib.contextmanager
def _in_time() -> Iterator[None]:
    if not hasattr(signal, "alarm"):  # Windows: whoever asked for the run limits all of it
        yield
        return

    def too_long(*_: object) -> None:
        raise TimeoutError("it takes longer than %d s to import" % _PATIENCE)

    before = signal.signal(signal.SIGALRM, too_long)
    signal.alarm(_PATIENCE)
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)


def _plugins() -> List[str]:
    """The modules of pytest's plugins. The packages they come with may be large, and are often not needed."""
    return [entry.value.partition(":")[0] for _, entries in _plugin_distributions() for entry in entries]


def _rewritten_by_pytest() -> "set[str]":
    """The top-level packages and modules whose asserts pytest rewrites since they come with a plugin."""
    files = (file.parts for distribution, _ in _plugin_distributions() for file in distribution.files or ())
    packages = {parts[0] for parts in files if len(parts) == 2 and parts[1] == "__init__.py"}
    return packages | {entry.value.partition(":")[0] for _, entries in _plugin_distributions() for entry in entries}


def _plugin_distributions() -> "Iterator[tuple[Any, List[Any]]]":
    for distribution in metadata.distributions():
        entries = [entry for entry in distribution.entry_points if entry.group == "pytest11"]
        if entries:
            yield distribution, entries
