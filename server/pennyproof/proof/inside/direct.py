"""Tests called without pytest's protocol, for a first look: nothing that is found here speaks for an edit."""

from __future__ import annotations

import inspect
import re
from typing import Any, Dict, Optional

_ADDRESS = re.compile("0x[0-9a-fA-F]+")
_PROTOCOL_MARKS = ("skip", "skipif", "xfail", "usefixtures", "asyncio", "anyio", "trio", "filterwarnings")


def is_plain(item: Any) -> bool:
    """Whether calling the test's function is all there is to the test: no fixtures, and no marks that matter."""
    import pytest  # noqa: PLC0415 - the project's own, which is known only now

    if type(item) is not pytest.Function or any(item.get_closest_marker(mark) for mark in _PROTOCOL_MARKS):
        return False
    if inspect.iscoroutinefunction(item.function) or inspect.isgeneratorfunction(item.function):
        return False
    return set(item.fixturenames) <= set(_arguments(item)) and not getattr(item.function, "is_hypothesis_test", False)


def call(item: Any) -> Optional[BaseException]:
    """Call a plain test; what it raised, if anything."""
    try:
        item.obj(**_arguments(item))
    except BaseException as error:  # noqa: BLE001 - a candidate may raise whatever it likes
        return error
    return None


def described(error: BaseException) -> str:
    """What an error says, without the addresses of objects, which are others in each process."""
    try:
        return _ADDRESS.sub("0x", str(error))
    except Exception:  # noqa: BLE001 - a candidate may make its errors say whatever it likes
        return "?"


def describe_nothing(item: Any) -> None:
    """Keep pytest from describing failures, which takes longer than most tests."""
    item.repr_failure = item._repr_failure_py = lambda *_args, **_kwargs: ""  # noqa: SLF001 - both are called
    _ = item.location  # worked out once, here, rather than in each fork


def _arguments(item: Any) -> Dict[str, Any]:
    """The test's own parameters; those that go through a fixture are no part of them."""
    spec = getattr(item, "callspec", None)
    if spec is None:
        return {}
    direct = getattr(spec, "params", {})
    fixtures = getattr(item, "_fixtureinfo", None)
    names = getattr(fixtures, "name2fixturedefs", {})
    indirect = {name for name, found in names.items() if any(_is_real(each) for each in found)}
    return {name: value for name, value in direct.items() if name not in indirect}


def _is_real(fixture: Any) -> bool:
    """Whether a fixture is more than pytest's stand-in for a parameter."""
    return getattr(getattr(fixture, "func", None), "__name__", "") != "get_direct_param_fixture_func"
