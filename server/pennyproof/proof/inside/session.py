"""pytest started in this process as ``python -m pytest`` would be, with what must not interfere switched off."""

from __future__ import annotations

import os
import sys
import types
from typing import Any, Callable, Dict, Iterable, Iterator, List, NamedTuple, Optional, Protocol, Sequence, Set

from .failures import MAX_MESSAGE, message
from .sealed import seal_hooks
from .values import shorten
from .wire import Context

_EXITS = ("ok", "failures", "interrupted", "internal", "usage", "none")
_NEUTRAL: Dict[str, Any] = {
    # What decides how much is run, or in which order; ``--lf`` and its like look at earlier runs.
    "collectonly": False,
    "setuponly": False,
    "setupplan": False,
    "lf": False,
    "failedfirst": False,
    "newfirst": False,
    "stepwise": False,
    "stepwise_skip": False,
    "cacheshow": None,
    "continue_on_collection_errors": True,
    "testmon": False,
    "randomly_reorganize": False,
    "randomly_reset_seed": False,
    "random_order_bucket": "none",
    "reruns": 0,
    "force_flaky": False,
    # Other processes: outcomes have to come from this one.
    "numprocesses": None,
    "maxprocesses": None,
    "dist": "no",
    "distload": False,
    "tx": [],
    "looponfail": False,
    "forked": False,
    "boxed": False,
    # Waiting for somebody at a terminal.
    "usepdb": False,
    "trace": False,
    # Reports that nobody reads.
    "xmlpath": None,
    "htmlpath": None,
    "json_report": False,
    "report_log": None,
    "allure_report_dir": None,
    "pastebin": None,
    "showlocals": False,
    # The other styles look for the sources of everything, which takes longer than most tests.
    "tbstyle": "native",
    "reportchars": "",
    "durations": None,
    "no_summary": True,
    "no_header": True,
    "verbose": -1,
    # Messages are shown by editors, which know no escape sequences.
    "color": "no",
    "code_highlight": "no",
}
"""Options by their names in ``config.option``; those that are not there belong to plugins that are not loaded."""


class Ended(NamedTuple):
    """How pytest ended."""

    exit: str
    """As in ``jobs``."""
    config: Optional[Any]
    """pytest's configuration, if it came so far."""
    complaint: str
    """What it said when it could not even begin."""


NOTHING = Ended("none", None, "")


class Work(Protocol):
    """What is to be done with one run of pytest."""

    settings: Settings
    plugin: types.ModuleType
    """The hooks to register, those of ``settings`` among them."""
    args: Sequence[str]
    """Further arguments of the project, for pytest."""

    def trust(self, hooks: Iterable[object]) -> None:
        """Take these hooks for our own, too."""

    def result(self, ended: Ended) -> Optional[Dict[str, Any]]:
        """The answer, when pytest has ended; None if it was given already."""


class Job:
    """A job that is one run of pytest.

    Args:
        begin: Makes the work of a request from its parameters and context, before anything of the project runs.
    """

    def __init__(self, begin: Callable[[Dict[str, Any], Context], Work]) -> None:
        self.begin = begin

    def __call__(self, params: Dict[str, Any], context: Context) -> Optional[Dict[str, Any]]:
        """Do it from the beginning."""
        work = self.begin(params, context)
        if work.settings.nothing_to_collect():
            return work.result(NOTHING)
        return work.result(run_pytest(arguments(context.root, context.scratch, work.args), work.plugin))


class Settings:
    """A plugin that sets options as they have to be here, whatever the project's configuration says.

    Args:
        ids: What to run; None: what the project's configuration says.
        context: Where runs may write.
        maxfail: Failures after which to stop; zero: never.
        as_configured: Leave out of ``ids`` what the configuration leaves out.
    """

    def __init__(
        self, ids: Optional[Sequence[str]], context: Context, maxfail: int = 0, as_configured: bool = False
    ) -> None:
        self._as_configured = as_configured
        self._ids = None if ids is None else list(dict.fromkeys(ids))
        self._context = context
        self._maxfail = maxfail
        self._wanted = frozenset(self._ids or ())
        self._leading = {name for identifier in self._wanted for name in _names(identifier)}
        """The functions, classes and files that lead to what is asked for."""
        self._ways: Set[str] = set()
        """The files to collect and all folders above them; empty where folders are asked for."""
        self.unknown: List[str] = []
        """Asked for and not collected."""

    def add_hooks(self, module: types.ModuleType) -> None:
        """Add this plugin's hooks to a module that pytest can register."""
        import pytest  # noqa: PLC0415 - the project's own, which is known only now

        wrapper = pytest.hookimpl(hookwrapper=True, tryfirst=True)

        def pytest_load_initial_conftests(early_config: Any) -> Iterator[None]:
            measure_nothing(early_config)
            yield

        def pytest_cmdline_main(config: Any) -> Iterator[None]:
            # After everything is parsed and before any plugin is configured.
            neutralise(config, self._context.scratch)
            self.choose_files(config)
            yield

        def pytest_ignore_collect(collection_path: Any) -> Optional[bool]:
            # pytest makes a node of everything beside the files it was asked for, and their folders.
            return True if self._ways and str(collection_path) not in self._ways else None

        def pytest_pycollect_makeitem(collector: Any, name: str) -> Optional[List[Any]]:
            return None if self._leads_to_wanted(f"{collector.nodeid}::{name}") else []

        def pytest_generate_tests(metafunc: Any) -> Iterator[None]:
            yield
            self._choose_parameters(metafunc)

        def pytest_collection_modifyitems(items: List[Any]) -> Iterator[None]:
            yield
            self._choose(items)

        module.pytest_load_initial_conftests = wrapper(pytest_load_initial_conftests)  # type: ignore[attr-defined]
        module.pytest_cmdline_main = wrapper(pytest_cmdline_main)  # type: ignore[attr-defined]
        module.pytest_ignore_collect = pytest.hookimpl(tryfirst=True)(pytest_ignore_collect)  # type: ignore[attr-defined]
        module.pytest_pycollect_makeitem = pytest.hookimpl(tryfirst=True)(pytest_pycollect_makeitem)  # type: ignore[attr-defined]
        module.pytest_generate_tests = wrapper(pytest_generate_tests)  # type: ignore[attr-defined]
        module.pytest_collection_modifyitems = wrapper(pytest_collection_modifyitems)  # type: ignore[attr-defined]
        seal_hooks(module)

    def nothing_to_collect(self) -> bool:
        """Whether all that was asked for is in files that do not exist."""
        if self._ids is None or self._files(self._ids):
            return False
        self.unknown = list(self._ids)
        return True

    def choose_files(self, config: Any) -> None:
        """Tell pytest what to collect."""
        config.option.maxfail = self._maxfail
        if self._ids is not None:
            if not self._as_configured:
                config.option.keyword = config.option.markexpr = ""
                config.option.deselect = None
            config.args = self._files(self._ids)
            self._ways = _ways([os.path.join(self._context.root, file) for file in config.args])

    def _files(self, ids: Sequence[str]) -> List[str]:
        """The files to collect. Asking for tests themselves would end the run at the first unknown one."""
        files = dict.fromkeys(identifier.split("::", 1)[0] for identifier in ids)
        return [file for file in files if file and os.path.exists(os.path.join(self._context.root, file))]

    def _leads_to_wanted(self, node: str) -> bool:
        """Whether a function or class is asked for, holds what is, or lies in it."""
        return self._ids is None or node in self._leading or not self._wanted.isdisjoint(_names(node))

    def _choose_parameters(self, metafunc: Any) -> None:
        """Leave out what is not asked for: making tests of hundreds of parameters takes longer than to run one."""
        function = metafunc.definition.nodeid
        # pytest has no other way; where there is no such list, all are made, and chosen from later.
        calls: Optional[List[Any]] = getattr(metafunc, "_calls", None)
        if self._ids is None or not calls or not self._wanted.isdisjoint(_names(function)):
            return
        wanted = [call for call in calls if f"{function}[{call.id}]" in self._wanted]
        calls[:] = wanted or calls

    def _choose(self, items: List[Any]) -> None:
        if self._ids is None:
            return
        chosen = []
        found: Set[str] = set()
        for item in items:
            names = self._wanted.intersection(_names(item.nodeid))
            if names:
                chosen.append(item)
                found |= names
        items[:] = chosen
        self.unknown = [identifier for identifier in self._ids if identifier not in found]


def _ways(files: Sequence[str]) -> Set[str]:
    """Files and all folders above them; none if some are folders."""
    if any(map(os.path.isdir, files)):
        return set()
    ways = set(files)
    ahead = list(files)
    while ahead:
        above = os.path.dirname(ahead.pop())
        if above not in ways:
            ways.add(above)
            ahead.append(above)
    return ways


def arguments(root: str, scratch: str, args: Sequence[str]) -> List[str]:
    """What to call pytest with, given further arguments of the project."""
    return [f"--rootdir={root}", "-o", f"cache_dir={os.path.join(scratch, 'cache')}", *args]


def measure_nothing(early_config: Any) -> None:
    """Keep pytest-cov from measuring, which it begins as the first conftest files are loaded."""
    for name, value in (("cov_source", []), ("no_cov", True)):
        if hasattr(early_config.known_args_namespace, name):
            setattr(early_config.known_args_namespace, name, value)


def neutralise(config: Any, scratch: str) -> None:
    """Set the options that are the same for all runs."""
    for name, value in _NEUTRAL.items():
        if hasattr(config.option, name):
            setattr(config.option, name, value)
    config.option.basetemp = os.path.join(scratch, "pytest")
    try:
        from _pytest.unraisableexception import gc_collect_iterations_key  # noqa: PLC0415 - the project's own
    except ImportError:  # older ones do not collect garbage at their end
        return
    # What comes to light then belongs to no test any more.
    config.stash[gc_collect_iterations_key] = 0


def capture_nothing(config: Any) -> None:
    """Let output go where this process's does, which is nowhere: forks must not share pytest's temporary files."""
    manager = config.pluginmanager.getplugin("capturemanager")
    manager.stop_global_capturing()
    manager._method = "no"  # noqa: SLF001 - pytest offers no other way
    manager.start_global_capturing()


def _call_main(config: Any) -> int:
    return int(config.hook.pytest_cmdline_main(config=config))


def run_pytest(args: List[str], plugin: object, main: Callable[[Any], int] = _call_main) -> Ended:
    """Run pytest to its end.

    Args:
        args: Its arguments.
        plugin: What to register.
        main: Called with pytest's configuration; returns its exit code.
    """
    from _pytest import config as pytest_config  # noqa: PLC0415 - the project's own, which is known only now
    from _pytest.config.exceptions import UsageError  # noqa: PLC0415

    _become_pytest(args)
    config = None
    try:
        config = pytest_config._prepareconfig(args, [plugin])  # noqa: SLF001
        code = main(config)
        return Ended(_EXITS[code] if 0 <= code < len(_EXITS) else "internal", config, "")
    except UsageError as error:
        return Ended("usage", config, shorten("\n".join(map(str, error.args)), MAX_MESSAGE))
    except BaseException as error:  # noqa: BLE001 - the project's conftest files and plugins may raise anything
        return Ended("usage", config, f"{type(error).__name__}: {message(error)}")
    finally:
        if config is not None:
            config._ensure_unconfigure()  # noqa: SLF001


def _become_pytest(arguments: Sequence[str]) -> None:
    """Make ``sys.argv``, ``sys.path`` and ``__main__`` what they are under ``python -m pytest``."""
    import pytest  # noqa: PLC0415 - the project's own, which is known only now

    script = os.path.join(os.path.dirname(os.path.abspath(pytest.__file__ or "")), "__main__.py")
    main = types.ModuleType("__main__")
    main.__file__ = script
    sys.modules["__main__"] = main
    sys.argv = [script, *arguments]
    here = os.getcwd()
    if here not in sys.path[:1]:
        sys.path.insert(0, here)


def _names(identifier: str) -> List[str]:
    """By which ids a test can be asked for: its own, its function's, its classes', its file's and its folders'."""
    path, *parts = identifier.split("[", 1)[0].split("::")
    names = [identifier, path]
    names += ["::".join([path, *parts[: count + 1]]) for count in range(len(parts))]
    folders = path.split("/")
    return names + ["/".join(folders[:count]) for count in range(1, len(folders))]
