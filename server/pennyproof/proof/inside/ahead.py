"""pytest started before it is known what to run, up to where it would collect: most of a short run's time.

It is started once, in a zygote, and what then runs tests are forks of it. This is sound because nothing of the project
takes part in it: the initial conftest files are left out until a run's files are in place, and are then loaded and
registered as if they had been there in time. Whatever else of the project was looked at is told, so that whoever asks
can tell whether it has changed since. Where a run needs more than that, it says so, and another does the job from the
beginning.
"""

from __future__ import annotations

import gc
import glob
import os
import sys
import threading
import traceback
import types
import warnings
from types import CodeType
from typing import Any, Callable, Dict, Iterator, List, NoReturn, Optional, Sequence, Set

from . import pages, placing, session, wire
from .children import Asked, Opened
from .preload import Jobs, Project
from .sealed import sealed, sealed_hook

_LATE_HOOKS = frozenset(
    (
        "pytest_collection",
        "pytest_ignore_collect",
        "pytest_collect_directory",
        "pytest_collect_file",
        "pytest_pycollect_makemodule",
        "pytest_pycollect_makeitem",
        "pytest_generate_tests",
        "pytest_make_parametrize_id",
        "pytest_collectstart",
        "pytest_make_collect_report",
        "pytest_itemcollected",
        "pytest_collectreport",
        "pytest_deselected",
        "pytest_collection_modifyitems",
        "pytest_collection_finish",
        "pytest_report_collectionfinish",
        "pytest_runtestloop",
        "pytest_runtest_protocol",
        "pytest_runtest_logstart",
        "pytest_runtest_logfinish",
        "pytest_runtest_setup",
        "pytest_runtest_call",
        "pytest_runtest_teardown",
        "pytest_runtest_makereport",
        "pytest_runtest_logreport",
        "pytest_pyfunc_call",
        "pytest_fixture_setup",
        "pytest_fixture_post_finalizer",
        "pytest_assertrepr_compare",
        "pytest_assertion_pass",
        "pytest_exception_interact",
        "pytest_internalerror",
        "pytest_keyboard_interrupt",
        "pytest_report_header",
        "pytest_report_teststatus",
        "pytest_terminal_summary",
        "pytest_sessionfinish",
        "pytest_unconfigure",
    )
)
"""Hooks that pytest calls only after the point where this waits, or (the header) not at all here."""


class UnfitError(Exception):
    """Starting in advance was not the same as starting now."""


class Ahead:
    """Stops pytest where it would collect, and goes on in the runs that are forked there.

    Args:
        root: The project's folder.
        scratch: Where runs may write.
        args: Further arguments of the project, for pytest.
        jobs: What can be asked.
        tell: Announces that this came to nothing, and what was looked at.
        serve: Announces that it worked, and forks; returns in each run. It is given what there is to tell, and what
            was opened.
    """

    def __init__(
        self,
        root: str,
        scratch: str,
        args: Sequence[str],
        jobs: Jobs,
        tell: Callable[[Dict[str, Any]], None],
        serve: Callable[[Dict[str, Any], Opened], Asked],
    ) -> None:
        self._root = root
        self._scratch = scratch
        self._args = list(args)
        self._jobs = jobs
        self._tell = tell
        self._serve = serve
        self._arguments = session.arguments(root, scratch, args)
        self._plugin = types.ModuleType("pennyproof_ahead")
        """What pytest gets to know of this."""
        self._looks = _Looks(root)
        self._open = set(_descriptors())
        self._noconftest = False
        self._before_conftests: Dict[str, Any] = {}
        self._filters: List[Any] = []
        self._unfit: Optional[str] = None
        self._room: List[bytes] = []
        self._asked: Optional[Asked] = None
        self._work: Optional[session.Work] = None
        self._nothing = False
        """Whether none of the files asked for exists."""

    def run(self) -> NoReturn:
        """Start pytest; in a run, answer; in any case, end."""
        import pytest  # noqa: PLC0415 - the project's own, which is known only now

        os.chdir(self._root)
        for hook in (Ahead.pytest_load_initial_conftests, Ahead.pytest_cmdline_main):
            pytest.hookimpl(hookwrapper=True, tryfirst=True)(hook)
            setattr(self._plugin, hook.__name__, sealed_hook(hook.__get__(self)))
        ended = session.run_pytest(self._arguments, self._plugin, self._main)
        if self._asked is None or self._work is None:
            self._tell_unfit(ended.complaint)
        with wire.telling(self._asked.context):
            result = self._work.result(session.NOTHING if self._nothing else ended)
        if result is not None:
            self._asked.context.reply(result)
        os._exit(0)

    def pytest_load_initial_conftests(self, early_config: Any) -> Iterator[None]:
        """Keep pytest from loading them; everything else that plugins do here is done."""
        session.measure_nothing(early_config)
        self._unfit = self._looks.at(early_config)
        options = early_config.known_args_namespace
        self._noconftest, options.noconftest = options.noconftest, True
        self._filters = list(warnings.filters)
        if options.file_or_dir:
            self._unfit = "pytest looks for its configuration in the places named among its arguments, too"
        # It would look at each test file otherwise, to see whether it is a folder.
        named, options.file_or_dir = options.file_or_dir, [os.path.join(self._scratch, "nowhere")]
        if any(map(_waits_for_conftests, early_config.hook.pytest_load_initial_conftests.get_hookimpls())):
            self._unfit = "a plugin does something around the loading of conftest files"
        yield
        options.noconftest, options.file_or_dir = self._noconftest, named
        if not early_config.pluginmanager.hasplugin("capturemanager"):
            self._unfit = "the plugin that captures output is left out"
        self._before_conftests = placing.registered(early_config.pluginmanager)

    def pytest_cmdline_main(self, config: Any) -> Iterator[None]:
        """Set the options before any plugin is configured."""
        session.neutralise(config, self._scratch)
        yield

    def _main(self, config: Any) -> int:
        placing.register(config.pluginmanager, _Main(sealed(self.go_on)), after=self._plugin)
        return int(config.hook.pytest_cmdline_main(config=config))

    def go_on(self, config: Any, pytest_session: Any) -> Any:
        """Called by pytest as soon as the session has started: serve, and in each run do what was asked."""
        from _pytest import main  # noqa: PLC0415 - the project's own, which is known only now

        _remember_nothing(config.pluginmanager)
        capture = config.pluginmanager.get_plugin("capturemanager")
        # Runs must not share the files it keeps output in.
        capture.stop_global_capturing()
        lasting = _lasting(self._root)
        self._asked = self._serve_runs()
        try:
            # Folders are what they are now, and not what they were before.
            for path in set(sys.path_importer_cache).difference(lasting):
                del sys.path_importer_cache[path]
            capture.start_global_capturing()
            capture.suspend_global_capture()
            self._join(config, self._asked)
        except UnfitError as error:
            self._give_up(self._asked, str(error), lasting=True)
        except BaseException as error:  # noqa: BLE001 - conftest files may raise anything; another run shall tell
            self._give_up(self._asked, "%s: %s" % (type(error).__name__, error), lasting=False)
        if self._nothing:
            return 0
        return main._main(config, pytest_session)  # noqa: SLF001 - what pytest itself does here

    def _serve_runs(self) -> Asked:
        opened = [descriptor for descriptor in _descriptors() if descriptor not in self._open]
        errors = [descriptor for descriptor in opened if os.path.sameopenfile(descriptor, 2)]
        nowhere = [descriptor for descriptor in opened if os.path.sameopenfile(descriptor, 0)]
        for descriptor in set(opened) - {*errors, *nowhere}:
            self._unfit = "a plugin keeps open %s" % os.readlink("/proc/self/fd/%d" % descriptor)
        if threading.active_count() > 1:
            self._unfit = "a plugin starts a thread"
        self._unfit = self._unfit or self._looks.imported()
        if self._unfit:
            self._tell_unfit(self._unfit)
        gc.collect()
        gc.freeze()
        self._room = pages.make_room()
        return self._serve({"usable": True, "reason": "", "looked": self._looks.told()}, Opened(errors, nowhere))

    def _tell_unfit(self, reason: str) -> NoReturn:
        self._tell({"usable": False, "reason": reason, "looked": self._looks.told()})
        os._exit(0)

    def _give_up(self, asked: Asked, reason: str, lasting: bool) -> NoReturn:
        traceback.print_exc()
        asked.context.again({"reason": reason, "lasting": lasting})
        os._exit(0)

    def _join(self, config: Any, asked: Asked) -> None:
        """Bring pytest to where it would be, had it been started with this request."""
        begin = getattr(self._jobs[asked.job], "begin", None)
        if begin is None:
            raise UnfitError("the job has nothing to do with pytest")
        work: session.Work = begin(asked.params, asked.context)
        if list(work.args) != self._args:
            raise UnfitError("other arguments were asked for")
        self._work = work
        self._nothing = work.settings.nothing_to_collect()
        if self._nothing:
            return
        work.trust(vars(self._plugin).values())
        placing.register(config.pluginmanager, work.plugin, after=self._plugin)
        work.settings.choose_files(config)
        self._load_conftests(config)

    def _load_conftests(self, config: Any) -> None:
        manager = config.pluginmanager
        before = placing.registered(manager)
        late = frozenset(before).difference(self._before_conftests)
        config.known_args_namespace.noconftest = self._noconftest
        # What plugins do around the loading was done already, except for the warnings of the files themselves.
        others = [plugin for plugin in before.values() if plugin not in (config, manager.get_plugin("warnings"))]
        load = manager.subset_hook_caller("pytest_load_initial_conftests", remove_plugins=others)
        capture = manager.get_plugin("capturemanager")
        capture.resume_global_capture()
        manager._configured = False  # noqa: SLF001 - they could name plugins, if this were at its proper time
        try:
            with warnings.catch_warnings():
                warnings.filters[:] = self._filters  # type: ignore[index]
                load(early_config=config, args=self._arguments, parser=config._parser)  # noqa: SLF001
                if warnings.filters != self._filters:
                    raise UnfitError("a conftest file changes how warnings are filtered")
        finally:
            manager._configured = True  # noqa: SLF001
            capture.suspend_global_capture()
        for name, plugin in placing.registered(manager).items():
            if name not in before:
                _check_conftest(manager, plugin)
                placing.move_before(manager, plugin, late)


class _Main:
    """A plugin that runs pytest's session, but collects only when told to."""

    def __init__(self, go_on: Callable[[Any, Any], Any]) -> None:
        self._go_on = go_on

    def pytest_cmdline_main(self, config: Any) -> int:
        """What pytest's own does, with a wait in between."""
        from _pytest import main  # noqa: PLC0415 - the project's own, which is known only now

        return int(main.wrap_session(config, self._go_on))


class _Looks:
    """What of the project was looked at."""

    def __init__(self, root: str) -> None:
        self._root = os.path.realpath(root)
        self._project = Project(root)
        self._found: Set[str] = set()
        self._modules = set(sys.modules)
        self._looking = True
        sys.addaudithook(self._heard)

    def at(self, config: Any) -> Optional[str]:
        """Note the folders that pytest is about to look for; the complaint that there is no telling, if so."""
        for name in ("testpaths", "pythonpath"):
            try:
                paths = list(map(str, config.getini(name)))
            except (KeyError, ValueError):  # this version does not know it
                continue
            for path in paths:
                if glob.has_magic(path):
                    return "the folders of tests are given as patterns"
                self._note(path)
        return None

    def imported(self) -> Optional[str]:
        """The complaint that something of the project was imported, if it was."""
        for name in set(sys.modules) - self._modules:
            if self._project.has(getattr(sys.modules[name], "__spec__", None)):
                return "a plugin imports %s, which lies in the project" % name
        return None

    def told(self) -> List[str]:
        """All of it, as paths relative to the root; nothing is noted any more."""
        self._looking = False
        return sorted(self._found)

    def _heard(self, event: str, arguments: "tuple[Any, ...]") -> None:
        if event == "open" and self._looking and isinstance(arguments[0], (str, bytes)):
            path = os.fsdecode(arguments[0])
            if self._project.holds(path):
                self._note(path)

    def _note(self, path: str) -> None:
        relative = os.path.relpath(os.path.realpath(path), self._root).replace(os.sep, "/")
        if relative.startswith(os.pardir):
            return
        if not os.path.isdir(path):  # a folder at the top is watched anyway
            self._found.add(relative)
        while "/" in relative:
            self._found.add(relative)
            relative = relative.rpartition("/")[0]


def _remember_nothing(manager: Any) -> None:
    """Leave out what keeps for the next run which tests failed here: there is none that would ask."""
    for plugin in map(manager.get_plugin, ("lfplugin", "nfplugin", "stepwise")):
        if plugin is not None:
            manager.unregister(plugin)


def _lasting(root: str) -> List[str]:
    """Where modules are looked for outside the project: much to list, and it does not change."""
    top = os.path.join(os.path.realpath(root), "")
    known = [path for path, finder in sys.path_importer_cache.items() if finder is not None]
    return [path for path in known if not os.path.join(os.path.realpath(path), "").startswith(top)]


def _descriptors() -> Iterator[int]:
    """Those that are open."""
    for descriptor in map(int, os.listdir("/proc/self/fd")):
        try:
            os.fstat(descriptor)
        except OSError:  # the one that listed them
            continue
        yield descriptor


def _waits_for_conftests(implementation: Any) -> bool:
    """Whether a plugin that is not pytest's own does something when conftest files have been loaded."""
    wraps = implementation.hookwrapper or getattr(implementation, "wrapper", False)
    module = getattr(implementation.function, "__module__", "") or ""
    return wraps and module.partition(".")[0] not in ("_pytest", __name__.partition(".")[0])


def _check_conftest(manager: Any, plugin: Any) -> None:
    """Raise ``UnfitError`` if a conftest file would have had something to say before now."""
    names = {caller.name for caller in manager.get_hookcallers(plugin) or ()} - _LATE_HOOKS
    if "pytest_configure" in names and _only_declares(plugin.pytest_configure):
        names.remove("pytest_configure")
    if "pytest_plugins" in vars(plugin):
        names.add("pytest_plugins")
    if names:
        raise UnfitError("a conftest file has %s" % ", ".join(sorted(names)))


def _only_declares(hook: Any) -> bool:
    """Whether a ``pytest_configure`` does no more than to declare markers and the like."""
    code = getattr(hook, "__code__", None)
    return (
        isinstance(code, CodeType)
        and set(code.co_names) <= {"addinivalue_line"}
        and not code.co_freevars
        and not any(isinstance(constant, CodeType) for constant in code.co_consts)
    )
