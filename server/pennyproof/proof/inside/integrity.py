"""Whether pytest is still what it was before anything of the project ran.

Whoever wants a failing test to be reported as passed has to change what judges it: functions and classes of pytest,
pluggy and unittest, the registered hooks, the collected tests, or the reporter's own code. All that is remembered
beforehand and compared with later. A few things could be changed and changed back between two comparisons; those that
Python tells of (assigning ``__code__``, tracing) are heard by an audit hook.

Names are only reported, not judged: projects have hooks of their own, and some of their tests patch pytest. What was
not there at the baseline is what counts.
"""

from __future__ import annotations

import builtins
import importlib
import itertools
import sys
import threading
from operator import is_
from types import BuiltinFunctionType, CodeType, FunctionType, MethodType, ModuleType
from typing import Any, Dict, Iterable, Iterator, List, Mapping, Optional, Set, Tuple

from .failures import Places

_PACKAGES = ("_pytest", "pluggy", "pytest", "unittest", "doctest", __package__)
_CRITICAL = (
    "_pytest.runner",
    "_pytest.reports",
    "_pytest.outcomes",
    "_pytest.skipping",
    "_pytest.unittest",
    "_pytest.raises",
    "_pytest.python_api",
    "unittest.case",
)
"""Modules that take part in judging each single test: compared after every one."""
_CRITICAL_HOOKS = (
    "pytest_pyfunc_call",
    "pytest_runtest_protocol",
    "pytest_runtest_setup",
    "pytest_runtest_call",
    "pytest_runtest_teardown",
    "pytest_runtest_makereport",
    "pytest_runtest_logreport",
    "pytest_fixture_setup",
)
_CALLABLE = (FunctionType, BuiltinFunctionType, type, classmethod, staticmethod, property)
_HARMLESS = {"__warningregistry__", "__annotations__", "__annotations_cache__", "__annotate_func__", "__doc__", "_"}
_TELLING = {"sys.settrace", "sys.setprofile", "sys.monitoring.register_callback"}
_ABSENT = object()


class Part:
    """The names of one module or class, and what they stood for."""

    def __init__(self, label: str, names: Mapping[str, Any], closed: bool) -> None:
        self.label = label
        self._live = names
        self._closed = closed
        kept = {name: value for name, value in names.items() if isinstance(value, _CALLABLE)}
        self._names = tuple(kept)
        self._values = tuple(kept.values())
        self._known = frozenset(names)
        self._all = tuple(names.values())

    def changes(self) -> Iterator[str]:
        """Names that stand for something else now, are gone, or are new."""
        # Where nothing at all has changed, not even what does not matter, that is seen without looking up each name.
        if len(self._live) == len(self._all) and all(map(is_, self._live.values(), self._all)):
            return
        if not all(map(is_, map(self._live.get, self._names), self._values)):
            for name, value in zip(self._names, self._values):
                if self._live.get(name, _ABSENT) is not value:
                    yield f"{self.label}.{name}"
        if self._closed and len(self._live) != len(self._known):
            for name in set(self._live) - self._known - _HARMLESS:
                new = self._live.get(name)
                if callable(new) or hasattr(type(new), "__get__"):
                    yield f"{self.label}.{name}"


class Original:
    """What pytest was made of when this was made."""

    def __init__(self) -> None:
        _import_all()
        self._modules = {
            name: module for name, module in sorted(sys.modules.items()) if name.split(".", 1)[0] in _PACKAGES
        }
        self._parts: List[Part] = []
        self._critical: List[Part] = [Part("builtins", vars(builtins), closed=False)]
        self._functions: Set[FunctionType] = set()
        for name, module in self._modules.items():
            self._remember_module(name, module)
        # Threads pass on the trace function that they are started under.
        starts_threads = threading.Thread._bootstrap_inner.__code__  # type: ignore[attr-defined]  # noqa: SLF001
        self._codes = frozenset([starts_threads, *(function.__code__ for function in self._functions)])

    def knows(self, function: object) -> bool:
        """Whether a function is one of pytest's own."""
        plain = _plain(function)
        return type(plain) is FunctionType and plain in self._functions

    def functions(self) -> Set[FunctionType]:
        """All of its functions."""
        return set(self._functions)

    def wrote(self, code: CodeType) -> bool:
        """Whether code is pytest's own, or ours."""
        return code in self._codes

    def changes(self) -> Iterator[str]:
        """Everything that is not what it was; functions that got other code are only heard of (``Watch``)."""
        for name, module in self._modules.items():
            if sys.modules.get(name) is not module:
                yield f"sys.modules {name}"
        for part in self._parts:
            yield from part.changes()
        yield from self.critical_changes()

    def critical_changes(self) -> Iterator[str]:
        """Changes to what judges a single test; quick."""
        for part in self._critical:
            yield from part.changes()

    def _remember_module(self, name: str, module: ModuleType) -> None:
        parts = self._critical if name in _CRITICAL or name.startswith("pluggy.") else self._parts
        parts.append(Part(name, vars(module), closed=True))
        for value in list(vars(module).values()):
            if isinstance(value, FunctionType):
                self._functions.add(value)
            elif isinstance(value, type) and value.__module__ == name:
                parts.append(Part(f"{name}.{value.__qualname__}", value.__dict__, closed=True))
                for held in list(value.__dict__.values()):
                    self._functions.update(_functions_of(held))


class Watch:
    """Compares, during one run, and gathers the names of what was changed.

    Args:
        was: What pytest was before the project ran.
        places: Tells the project's files.
    """

    def __init__(self, was: Original, places: Places) -> None:
        self.patched: Set[str] = set()
        self._was = was
        self._places = places
        self._own: List[object] = []
        self._hooks: Dict[str, List[object]] = {}
        self._items: Dict[int, Tuple[object, FunctionType, CodeType]] = {}
        self._watched = was.functions()
        sys.addaudithook(self._heard)

    def trust(self, hooks: Iterable[object]) -> None:
        """These are the reporter's, and no stranger's."""
        self._own += hooks

    def collected(self, items: Iterable[Any]) -> None:
        """Remember what the tests are that are about to run."""
        for item in items:
            function = _plain(getattr(item, "obj", None))
            if isinstance(function, FunctionType):
                self._items[id(item)] = (item, function, function.__code__)
                self._watched.add(function)

    def before(self, item: Any) -> None:
        """The test is about to be called: it should be the one that was collected."""
        _, function, code = self._items.get(id(item), (None, None, None))
        if function is not None and (_plain(item.obj) is not function or function.__code__ is not code):
            self.patched.add(f"test {item.nodeid}")
        if "runtest" in vars(item):
            self.patched.add(f"test {item.nodeid}.runtest")

    def during(self, manager: Any) -> None:
        """Compare what judges a single test."""
        self.patched.update(self._was.critical_changes())
        self._compare_hooks(manager, _CRITICAL_HOOKS)

    def end(self, manager: Any) -> None:
        """Compare everything."""
        self.patched.update(self._was.changes())
        if manager is not None:
            self._compare_hooks(manager, [name for name in vars(manager.hook) if name.startswith("pytest_")])

    def _compare_hooks(self, manager: Any, names: Iterable[str]) -> None:
        if not self._was.knows(getattr(manager, "_inner_hookexec", None)):
            self.patched.add("pluggy.PluginManager._inner_hookexec")
        for name in names:
            caller = getattr(manager.hook, name)
            if _plain(getattr(caller, "_hookexec", None)) is not _plain(manager._hookexec):  # noqa: SLF001 - pluggy's
                self.patched.add(f"hook {name}: _hookexec")
            # Not by their ``id``: Python raises an audit event for each of those.
            functions = [implementation.function for implementation in caller.get_hookimpls()]
            known = self._hooks.get(name)
            if known is None or len(known) != len(functions) or not all(map(is_, known, functions)):
                self._hooks[name] = functions
                for function in functions:
                    self._note_hook(name, function)

    def _note_hook(self, name: str, function: Any) -> None:
        if not self._was.knows(function) and not any(map(is_, self._own, itertools.repeat(_plain(function)))):
            self.patched.add(f"hook {name}: {self._origin(_plain(function))}")

    def _origin(self, function: Any) -> str:
        code = getattr(function, "__code__", None)
        own = self._places.in_project(code.co_filename) if code is not None else None
        return f"{own or getattr(function, '__module__', '?')}:{getattr(function, '__qualname__', '?')}"

    def _heard(self, event: str, arguments: Tuple[Any, ...]) -> None:
        """An audit hook: hears of what could be undone before anybody compares."""
        if event == "object.__setattr__":
            function, name = arguments[:2]
            if type(function) is FunctionType and function in self._watched:
                self.patched.add(f"{function.__module__}.{function.__qualname__}.{name}")
        elif event in _TELLING and not self._was.wrote(sys._getframe(1).f_code):  # noqa: SLF001 - the caller
            self.patched.add(event)


_original: List[Original] = []


def original() -> Original:
    """What pytest is made of; the first call decides, so that it must come before anything of the project."""
    if not _original:
        _original.append(Original())
    return _original[0]


def take_original() -> Original:
    """The same, of which nobody else knows from now on: who could change it could change pytest unseen."""
    found = original()
    _original.clear()
    return found


def _import_all() -> None:
    """Everything pytest loads of itself by default, so that nothing of it is new later."""
    config = importlib.import_module("_pytest.config")
    importlib.import_module("pytest")
    importlib.import_module("doctest")
    for name in getattr(config, "default_plugins", ()):
        importlib.import_module(f"_pytest.{name}")


def _plain(function: Any) -> Any:
    return function.__func__ if isinstance(function, MethodType) else function


def _functions_of(held: object) -> List[FunctionType]:
    if isinstance(held, (classmethod, staticmethod)):
        held = held.__func__
    candidates: List[Optional[object]] = [held]
    if isinstance(held, property):
        candidates = [held.fget, held.fset, held.fdel]
    return [function for function in candidates if isinstance(function, FunctionType)]
