"""Short texts for values that may be anything: huge, cyclic, slow, raising, or never done."""

from __future__ import annotations

import io
import re
import signal
import threading
import time
import tokenize
import types
from contextlib import contextmanager
from itertools import islice
from typing import Any, Callable, Dict, Iterator, List, Tuple

_ADDRESS = re.compile(r" at 0x[0-9a-fA-F]+")
_BRACKETS: Dict[type, Tuple[str, str]] = {list: ("[", "]"), tuple: ("(", ")"), set: ("{", "}"), frozenset: ("{", "}")}
_PLAIN = (bool, type(None), complex, type(Ellipsis), type(NotImplemented), range, slice)


class TooSlow(BaseException):
    """Out of time. No ``Exception``, for the code that is too slow must not catch it by accident."""


@contextmanager
def time_limit(seconds: float) -> Iterator[None]:
    """Raise TooSlow in the block after so many seconds; without effect outside of the main thread.

    An alarm that was set before goes on afterwards, with the time it had left.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def stop(*_: object) -> None:
        raise TooSlow

    started = time.monotonic()
    handler = signal.signal(signal.SIGALRM, stop)
    before, interval = signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, handler)
        if before:
            signal.setitimer(signal.ITIMER_REAL, max(0.001, before - (time.monotonic() - started)), interval)


def read_source(path: str) -> str:
    """The text of a Python file, in the encoding that it names."""
    with open(path, "rb") as file:
        data = file.read()
    encoding, _ = tokenize.detect_encoding(io.BytesIO(data).readline)
    return data.decode(encoding)


def shorten(text: str, limit: int) -> str:
    """Text of at most ``limit`` characters, the middle left out."""
    if len(text) <= limit:
        return text
    head = limit * 3 // 4
    return text[:head] + "…" + text[len(text) - (limit - head - 1) :]


def guarded(call: Callable[[], Any], seconds: float = 0.2) -> str:
    """The text that ``call`` returns, or a note in angle brackets where it does not return one in time."""
    try:
        with time_limit(seconds):
            text = call()
            return str.__str__(text) if isinstance(text, str) else f"<no text but {type(text).__name__}>"
    except TooSlow:
        return "<takes too long>"
    except BaseException as error:  # noqa: BLE001 - a value's own code may raise anything, SystemExit included
        return f"<raises {type(error).__name__}>"


class Brief:
    """Makes short texts. Containers are shown as far as the limits reach, without calling their code.

    Args:
        width: Characters of the whole.
        items: Elements of one container.
        depth: Containers within containers.
        digits: Significant digits of floats; zero: all.
        attributes: Show objects that have no ``__repr__`` of their own by their attributes.
    """

    def __init__(
        self, width: int = 200, items: int = 12, depth: int = 4, digits: int = 0, attributes: bool = False
    ) -> None:
        self.width = width
        self.items = items
        self.depth = depth
        self.digits = digits
        self.attributes = attributes

    def __call__(self, value: object) -> str:
        return shorten(self._show(value, self.depth), self.width)

    def _show(self, value: Any, depth: int) -> str:  # noqa: PLR0911 - a table of kinds of values
        kind = type(value)
        if kind is int:
            return repr(value) if value.bit_length() <= 2048 else f"<int of {value.bit_length()} bits>"
        if kind is float:
            return f"{value:.{self.digits}g}" if self.digits else repr(value)
        if kind in _PLAIN:
            return repr(value)
        if kind in (str, bytes, bytearray):
            return repr(value) if len(value) <= self.width else repr(value[: self.width]) + "…"
        if kind in _BRACKETS or kind is dict:
            return self._container(value, depth)
        if isinstance(value, (types.FunctionType, types.BuiltinFunctionType, type)):
            return f"<{kind.__name__} {getattr(value, '__qualname__', '?')}>"
        if isinstance(value, types.ModuleType):
            return f"<module {vars(value).get('__name__')}>"
        return self._object(value, depth)

    def _container(self, value: Any, depth: int) -> str:
        if not depth and value:
            return f"<{type(value).__name__} of {len(value)}>"
        more = ["…"] if len(value) > self.items else []
        if type(value) is dict:
            pairs = [
                f"{self._show(key, depth - 1)}: {self._show(held, depth - 1)}"
                for key, held in islice(value.items(), self.items)
            ]
            return "{" + ", ".join(pairs + more) + "}"
        unordered = type(value) in (set, frozenset)
        shown = [self._show(held, depth - 1) for held in islice(value, 1000 if unordered else self.items)]
        # The order of a set depends on hashes, which differ from run to run.
        shown = sorted(shown)[: self.items] if unordered else shown
        if unordered and not value:
            return f"{type(value).__name__}()"
        left, right = _BRACKETS[type(value)]
        lone = "," if type(value) is tuple and len(value) == 1 else ""
        return left + ", ".join(shown + more) + lone + right

    def _object(self, value: Any, depth: int) -> str:
        kind = type(value)
        if getattr(kind, "__repr__", None) is object.__repr__:
            attributes = _attributes(value) if self.attributes and depth else []
            shown = (f"{name}={self._show(held, depth - 1)}" for name, held in attributes[: self.items])
            return f"{kind.__name__}({', '.join(shown)})" if attributes else f"<{kind.__qualname__} object>"
        for plain in (str, bytes, list, tuple, set, frozenset, dict):
            if isinstance(value, plain) and plain.__len__(value) > 10_000:  # type: ignore[arg-type]
                return f"<{kind.__name__} of {plain.__len__(value)}>"  # type: ignore[arg-type]
        text = guarded(lambda: repr(value))
        return _ADDRESS.sub("", text[: 20 * self.width])


def _attributes(value: object) -> List[Tuple[str, Any]]:
    held = getattr(value, "__dict__", None)
    return [item for item in dict.items(held) if type(item[0]) is str] if isinstance(held, dict) else []
