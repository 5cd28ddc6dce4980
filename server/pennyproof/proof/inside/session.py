"""pytest started in this process as ``python -m pytest`` would be, with what must not interfere switched off."""

from __future__ import annotations

import os
import sys
import types
from typing import Any, Dict, Iterator, List, Optional, Sequence, Tuple

from .failures import MAX_MESSAGE, message
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
}
"""Options by their names in ``config.option``; those that are not there belong to plugins that are not loaded."""


class Settings:
    """A plugin that sets options as they have to be here, whatever the project's configuration says.

    Args:
        ids: What to run; None: what the project's configuration says.
        context: Where runs may write.
        maxfail: Failures after which to stop; zero: never.
    """

    def __init__(self, ids: Optional[Sequence[str]], context: Context, maxfail: int = 0) -> None:
        self._ids = None if ids is None else list(dict.fromkeys(ids))
        self._context = context
        self._maxfail = maxfail
        self.unknown: List[str] = []
        """Asked for and not collected."""

    def add_hooks(self, module: types.ModuleType) -> None:
        """Add this plugin's hooks to a module that pytest can register."""
        import pytest  # noqa: PLC0415 - the project's own, which is known only now

        wrapper = pytest.hookimpl(hookwrapper=True, tryfirst=True)

        def pytest_load_initial_conftests(early_config: Any) -> Iterator[None]:
            # pytest-cov starts to measure here.
            for name, value in (("cov_source", []), ("no_cov", True)):
                if hasattr(early_config.known_args_namespace, name):
                    setattr(early_config.known_args_namespace, name, value)
            yield

        def pytest_cmdline_main(config: Any) -> Iterator[None]:
            # After everything is parsed and before any plugin is configured.
            self._neutralise(config)
            yield

        def pytest_collection_modifyitems(items: List[Any]) -> Iterator[None]:
            yield
            self._choose(items)

        module.pytest_load_initial_conftests = wrapper(pytest_load_initial_conftests)  # type: ignore[attr-defined]
        module.pytest_cmdline_main = wrapper(pytest_cmdline_main)  # type: ignore[attr-defined]
        module.pytest_collection_modifyitems = wrapper(pytest_collection_modifyitems)  # type: ignore[attr-defined]

    def nothing_to_collect(self) -> bool:
        """Whether all that was asked for is in files that do not exist."""
        if self._ids is None or self._files(self._ids):
            return False
        self.unknown = list(self._ids)
        return True

    def arguments(self, args: Sequence[str]) -> List[str]:
        """What to call pytest with, given further arguments of the project."""
        cache = os.path.join(self._context.scratch, "cache")
        return [f"--rootdir={self._context.root}", "-o", f"cache_dir={cache}", *args]

    def _neutralise(self, config: Any) -> None:
        for name, value in _NEUTRAL.items():
            if hasattr(config.option, name):
                setattr(config.option, name, value)
        config.option.maxfail = self._maxfail
        config.option.basetemp = os.path.join(self._context.scratch, "pytest")
        if self._ids is not None:
            config.option.keyword = config.option.markexpr = ""
            config.option.deselect = None
            config.args = self._files(self._ids)

    def _files(self, ids: Sequence[str]) -> List[str]:
        """The files to collect. Asking for tests themselves would end the run at the first unknown one."""
        files = dict.fromkeys(identifier.split("::", 1)[0] for identifier in ids)
        return [file for file in files if file and os.path.exists(os.path.join(self._context.root, file))]

    def _choose(self, items: List[Any]) -> None:
        if self._ids is None:
            return
        wanted = set(self._ids)
        chosen = []
        found = set()
        for item in items:
            names = wanted.intersection(_names(item.nodeid))
            if names:
                chosen.append(item)
                found |= names
        items[:] = chosen
        self.unknown = [identifier for identifier in self._ids if identifier not in found]


def start(settings: Settings, args: Sequence[str], plugin: types.ModuleType) -> Tuple[str, Optional[Any], str]:
    """Run pytest to its end.

    Args:
        settings: What to run.
        args: Further arguments of the project.
        plugin: A module with the hooks to register, those of ``settings`` among them.

    Returns:
        How it ended (``exit`` in ``jobs``), pytest's configuration if it came so far, and what it said when it could
        not even begin.
    """
    from _pytest import config as pytest_config  # noqa: PLC0415 - the project's own, which is known only now
    from _pytest.config.exceptions import UsageError  # noqa: PLC0415

    if settings.nothing_to_collect():
        return "none", None, ""
    arguments = settings.arguments(args)
    _become_pytest(arguments)
    config = None
    try:
        config = pytest_config._prepareconfig(arguments, [plugin])  # noqa: SLF001
        code = int(config.hook.pytest_cmdline_main(config=config))
        return (_EXITS[code] if 0 <= code < len(_EXITS) else "internal"), config, ""
    except UsageError as error:
        return "usage", config, shorten("\n".join(map(str, error.args)), MAX_MESSAGE)
    except BaseException as error:  # noqa: BLE001 - the project's conftest files and plugins may raise anything
        return "usage", config, f"{type(error).__name__}: {message(error)}"
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
