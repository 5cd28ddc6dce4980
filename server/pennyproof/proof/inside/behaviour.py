"""What a changed function does: its arguments recorded from its calls, and tried again with each candidate in place.

Candidates that pass the same tests may still differ. Those that return the same for all inputs, recorded and varied,
are most likely the same repair.
"""

from __future__ import annotations

import copy
import inspect
import sys
from itertools import chain, islice, zip_longest
from types import CodeType, FrameType, FunctionType
from typing import Any, Callable, Dict, Iterator, List, Mapping, NamedTuple, Optional, Protocol, Sequence, Tuple

from . import forks, patch
from .values import Brief, TooSlow, time_limit

_MAX_RECORDED = 20
_MAX_YIELDED = 50
_MAX_SIZE = 1000
"""Elements or characters of a varied value."""
_CALL_SECONDS = 0.25
_COPY_SECONDS = 0.1
_DEFAULT_INPUTS = 40

_brief = Brief(width=2000, items=50, depth=6, digits=9, attributes=True)


class Input(NamedTuple):
    """The arguments of one call."""

    positional: List[Any]
    named: Dict[str, Any]

    def text(self) -> str:
        return _brief((self.positional, self.named))


class Primed(Protocol):
    """What is needed of the primed project; see ``screen``."""

    @property
    def functions(self) -> patch.Functions: ...
    def file(self, path: str) -> patch.File: ...
    def changes(self, files: Mapping[str, Optional[str]]) -> List[patch.Change]: ...
    def run(self, ids: Sequence[str], everything: bool) -> Dict[str, Any]: ...
    def in_fork(self, work: Callable[[], Any], timeout: float) -> Tuple[Any, Optional[str]]: ...


def answer(request: Mapping[str, Any], primed: Primed, ids: Sequence[str], timeout: float) -> Dict[str, Any]:
    """The answer to ``behave``; see ``jobs`` for both shapes."""
    nothing: Dict[str, Any] = {"behaviours": None, "inputs": 0}
    candidates: List[Dict[str, Optional[str]]] = request["candidates"]
    try:
        codes = _codes(primed, request.get("function"), candidates)
    except (patch.NotPatchable, SyntaxError):
        return nothing
    holders = [function for code in codes for function in primed.functions.holders(code)]
    if not holders:
        return nothing

    def work() -> Dict[str, Any]:
        recorded = _record(primed, codes, ids)
        inputs = list(islice(vary(recorded), request.get("inputs") or _DEFAULT_INPUTS))
        if not inputs:
            return nothing
        seen = [_behaviour(primed, files, holders[0], inputs, timeout) for files in candidates]
        return {"behaviours": seen, "inputs": len(inputs)}

    told, _ = primed.in_fork(work, timeout * (1 + len(candidates)))
    return told or nothing


def _codes(
    primed: Primed, function: Optional[Sequence[Any]], candidates: Sequence[Mapping[str, Optional[str]]]
) -> List[CodeType]:
    """The code of the function to be watched."""
    if function is not None:
        path, unit = function[0], primed.file(function[0]).unit_at(function[1])
        units = [] if unit is None else [unit]
    else:
        path, text = next(iter(candidates[0].items()))
        units = primed.file(path).changed_units(text or "")
    if len(units) != 1:
        return []
    return primed.functions.codes((path, units[0].start + 1, units[0].node.name))


def _record(primed: Primed, codes: Sequence[CodeType], ids: Sequence[str]) -> List[Input]:
    """The arguments with which tests call a function, copied as they were at the call."""
    recorded: Dict[str, Input] = {}
    wanted = set(map(id, codes))

    def on_call(frame: FrameType, _event: str, _arg: Any) -> None:
        if id(frame.f_code) in wanted and len(recorded) < _MAX_RECORDED:
            copied = _copied(frame)
            if copied is not None:
                recorded.setdefault(copied.text(), copied)

    sys.settrace(on_call)
    try:
        primed.run(ids, everything=True)
    finally:
        sys.settrace(None)
    return list(recorded.values())


def _copied(frame: FrameType) -> Optional[Input]:
    code, held = frame.f_code, frame.f_locals
    names = list(code.co_varnames[: code.co_argcount + code.co_kwonlyargcount])
    positional = [held[name] for name in names[: code.co_argcount]]
    named = {name: held[name] for name in names[code.co_argcount :]}
    rest = list(code.co_varnames[len(names) :])
    if code.co_flags & inspect.CO_VARARGS:
        positional += held[rest.pop(0)]
    if code.co_flags & inspect.CO_VARKEYWORDS:
        named.update(held[rest.pop(0)])
    try:
        with time_limit(_COPY_SECONDS):
            return Input(*copy.deepcopy((positional, named)))
    except (Exception, TooSlow):  # noqa: BLE001 - copying runs the project's code; what cannot be copied is left out
        return None


def vary(recorded: Sequence[Input]) -> Iterator[Input]:
    """The recorded inputs, then others like them, one from each in turn; no two that look the same."""
    seen = set()
    for given in chain(recorded, _in_turn([_variants_of_input(given) for given in recorded])):
        text = given.text()
        if text not in seen:
            seen.add(text)
            yield given


def _in_turn(sources: Sequence[Iterator[Input]]) -> Iterator[Input]:
    """Everything from all sources, one of each in turn."""
    for taken in zip_longest(*sources):
        yield from (given for given in taken if given is not None)


def _variants_of_input(given: Input) -> Iterator[Input]:
    for place, value in enumerate(given.positional):
        for other in variants(value):
            yield Input([*given.positional[:place], other, *given.positional[place + 1 :]], given.named)
    for name, value in given.named.items():
        for other in variants(value):
            yield Input(given.positional, dict(given.named, **{name: other}))


def variants(value: Any) -> Iterator[Any]:
    """Other values of the same type, the same ones each time."""
    kind = type(value)
    if kind is bool:
        yield not value
    elif kind is int:
        yield from (value + 1, value - 1, 0, -value, 2 * value)
    elif kind is float:
        yield from (value + 1.0, -value, 0.0, value / 2)
    elif kind in (str, bytes, list, tuple) and len(value) <= _MAX_SIZE:
        yield from (kind(), value[1:], value[:-1], value[::-1], value + value)
        if kind is str:
            yield from (value.swapcase(), f" {value}")
        if kind in (list, tuple):
            yield from (kind([*value[:at], other, *value[at + 1 :]]) for at, other in _inner(enumerate(value)))
    elif kind is dict and len(value) <= _MAX_SIZE:
        yield from ({}, dict(list(value.items())[1:]))
        yield from (dict(value, **{key: other}) for key, other in _inner(value.items()) if type(key) is str)
    elif kind in (set, frozenset) and value:
        yield from (kind(), kind(sorted(value, key=_brief)[1:]))


def _inner(pairs: Any) -> Iterator[Tuple[Any, Any]]:
    """Variations of the first few elements of a container."""
    for key, held in islice(pairs, 3):
        for other in islice(variants(held), 3):
            yield key, other


def _behaviour(
    primed: Primed, files: Mapping[str, Optional[str]], function: FunctionType, inputs: Sequence[Input], timeout: float
) -> Optional[List[str]]:
    try:
        changes = primed.changes(files)
    except (patch.NotPatchable, SyntaxError, ValueError):
        return None

    def work() -> List[str]:
        for change in changes:
            change.apply()
        return [_outcome(function, given) for given in inputs]

    seen, _ = forks.in_fork(work, timeout)
    return None if seen is None else list(seen)


def _outcome(function: FunctionType, given: Input) -> str:
    """What one call comes to: its result or exception, and its arguments where it changed them."""
    before = given.text()
    # A caller's arguments must not be changed for the inputs that share parts of them.
    positional, named = copy.deepcopy((given.positional, given.named))
    try:
        with time_limit(_CALL_SECONDS):
            result = _brief(_settled(function(*positional, **named)))
    except TooSlow:
        return "!TooSlow"
    except BaseException as error:  # noqa: BLE001 - whatever it raises is what it does
        result = f"!{type(error).__name__}"
    after = Input(positional, named).text()
    return result if after == before else f"{result}; {after}"


def _settled(result: Any) -> Any:
    """What a generator yields, and what a coroutine returns."""
    if inspect.isgenerator(result):
        return list(islice(result, _MAX_YIELDED))
    if not inspect.iscoroutine(result):
        return result
    import asyncio  # noqa: PLC0415 - it takes long to import, and is seldom needed

    return asyncio.run(result)
