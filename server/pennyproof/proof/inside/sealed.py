"""Functions that can be called, and not looked into: pytest hands the hooks it knows to whoever asks.

What a function of Python refers to can be reached from it without a word of the interpreter's. A wrapper in C keeps
its function to itself; only the garbage collector tells, and that is announced (``guard``).
"""

from __future__ import annotations

import functools
import inspect
from types import CodeType, FunctionType, ModuleType
from typing import Any, Callable, Dict, Tuple, TypeVar

try:
    from _functools import _lru_cache_wrapper as _wrapper  # type: ignore[import-not-found]
except ImportError:  # an interpreter whose library is all Python

    def _wrapper(function: Any, *_: Any) -> Any:
        return function


Function = TypeVar("Function", bound=Callable[..., Any])


def sealed(function: Function) -> Function:
    """The same, as far as calling goes."""
    return _wrapper(function, 0, False, None)  # type: ignore[no-any-return] # It keeps no results, and hashes nothing.


def sealed_hook(hook: Function) -> Function:
    """The same, as far as pytest asks: a function that knows nothing but what cannot be looked into."""
    plain: Any = getattr(hook, "__func__", hook)
    code: CodeType = plain.__code__
    names = code.co_varnames[: code.co_argcount][1 if plain is not hook else 0 :]
    thin: Any = _maker(names, inspect.isgeneratorfunction(hook))(sealed(hook))
    thin.__name__, thin.__qualname__, thin.__module__ = plain.__name__, plain.__qualname__, plain.__module__
    # What pytest's marks say.
    vars(thin).update(vars(plain))
    return thin  # type: ignore[no-any-return]


def seal_hooks(plugin: ModuleType) -> None:
    """Seal all functions of a plugin."""
    for name, value in list(vars(plugin).items()):
        if isinstance(value, FunctionType):
            vars(plugin)[name] = sealed_hook(value)


@functools.lru_cache(maxsize=None)
def _maker(names: Tuple[str, ...], generates: bool) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Makes functions whose code has these parameters, by which pluggy knows what to call them with."""
    listed = ", ".join(names)
    text = _GENERATING if generates else _CALLING
    # Under our own name, by which frames of failures are told from the project's.
    space: Dict[str, Any] = {"__name__": __name__}
    exec(compile(text % (listed, listed), __file__, "exec"), space)  # noqa: S102 - of nothing but our own
    maker: Callable[[Callable[..., Any]], Callable[..., Any]] = space["make"]
    return maker


_CALLING = """
def make(opaque):
    def call(%s):
        __tracebackhide__ = True
        return opaque(%s)
    return call
"""
_GENERATING = """
def make(opaque):
    def generate(%s):
        yield from opaque(%s)
    return generate
"""


def prepare() -> None:
    """Make beforehand what runs will need, which takes longer than to use it."""
    for names, generates in _USUAL:
        _maker(names, generates)


_USUAL = [
    *(((name,), False) for name in ("session", "excinfo", "pyfuncitem", "report", "items")),
    *(((name,), True) for name in ("early_config", "config", "items", "item", "collector", "call")),
    ((), True), ((), False), (("node", "call"), False), (("collection_path",), False), (("collector", "name"), False),
]  # fmt: skip
