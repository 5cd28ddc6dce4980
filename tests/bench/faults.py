"""What becomes of everything that the hosted API and its alternates were seen to do: an answer, or one line, in time.

The client of hosted models asks a stand-in, which is a process of its own and behaves in one way after the other, for a
chat and for the filling of a gap. Retries and their pauses are the product's own, and what comes for a gap is tidied as
completions are.
"""

import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pennyproof.assist.complete.place import Place
from pennyproof.assist.complete.shape import SEVERAL_LINES
from pennyproof.assist.complete.tidy import tidy
from pennyproof.core.positions import LineIndex
from pennyproof.core.work import Cancel, Deadline
from pennyproof.tiers.hosted.answers import Usage
from pennyproof.tiers.hosted.client import Client
from pennyproof.tiers.hosted.endpoint import Endpoint
from pennyproof.tiers.hosted.errors import ProviderError
from pennyproof.tiers.hosted.keys import Key
from pennyproof.tiers.hosted.requests import DEEPSEEK, ChatRequest, FimRequest, Message
from tests.bench import Options
from tests.bench.tables import Cell, table
from tests.standin import BEHAVIOURS, Reply, Script
from tests.standin.process import standin_process

NAME = "faults"
ABOUT = "every behaviour of the hosted API: what becomes of a chat, and of the filling of a gap"

_SECONDS = 15.0
"""What an answer may take, with all attempts at it."""
_SILENT = 2.0
"""Seconds for which an answer may be silent."""
_LATE = 0.5
"""Seconds by which an answer may miss its deadline before that counts."""
_TEXT = "x = 1"
_WAITS = {"slow_success": 1.0, "queued": 3.0, "queued_in_vain": 1.0, "silence": 60.0, "stall": 60.0}
"""Seconds that a behaviour takes."""
_AT_ONCE = 8


@dataclass(slots=True)
class _Attempts:
    """A recorder that counts, and lets everything pass."""

    outcomes: list[str] = field(default_factory=list)

    def begin(self, model: str, bound: Usage) -> "_Attempts":
        return self

    def settle(self, usage: Usage | None, *, outcome: str, **_: Any) -> None:
        """One attempt has ended."""
        self.outcomes.append(outcome)


@dataclass(frozen=True, slots=True)
class _Ending:
    """What became of one request."""

    right: bool
    line: str
    """What a person gets to read; empty where there is an answer."""
    attempts: int
    seconds: float

    @property
    def cells(self) -> tuple[Cell, ...]:
        return (self.line or ("the answer" if self.right else "a wrong answer"), self.attempts, self.seconds)


def run(options: Options) -> str:
    """Ask for both of each behaviour, some at a time: most of the time is spent waiting."""
    names = list(BEHAVIOURS)[:: 8 if options.quick else 1]
    with tempfile.TemporaryDirectory(prefix="bench-faults-") as folder:
        script = Script(tuple(map(_reply, names)), models={"deepseek-flash": 100})
        with standin_process(script, Path(folder)) as standin:
            endpoint, key = Endpoint(standin.url), Key(standin.key, "the benchmark")
            client = Client(endpoint, key, DEEPSEEK, chat_idle=_SILENT, fim_idle=_SILENT)
            with ThreadPoolExecutor(_AT_ONCE) as threads:
                asked = [threads.submit(_ask, client, request) for name in names for request in _requests(name)]
                endings = [one.result() for one in asked]
            client.close()
    rows = [(name, *chat.cells, *gap.cells) for name, chat, gap in zip(names, endings[::2], endings[1::2], strict=True)]
    headings = ("behaviour", "a chat", "attempts", "s", "a gap", "attempts", "s")
    good = sum((one.right or one.line.count("\n") == 0 < len(one.line)) for one in endings)
    late = sum(one.seconds > _SECONDS + _LATE for one in endings)
    return (
        f"{table(headings, rows)}\n\n{good} of {len(endings)} ended in a right answer or one line; "
        f"{late} took longer than the {_SECONDS:g} s they had, of which silence may take {_SILENT:g} s."
    )


def _reply(name: str) -> Reply:
    return Reply(_TEXT, behaviour=name, when=f"#{name}#", times=None, seconds=_WAITS.get(name, 0.0))


def _requests(name: str) -> Iterator[ChatRequest | FimRequest]:
    mark = f"#{name}#"
    thinking = "high" if name in ("reasoning_success", "reasoning_eats_budget") else None
    yield ChatRequest("deepseek-flash", (Message("user", mark),), 1000, thinking)
    yield FimRequest("deepseek-flash", f"{mark}\n", "\nprint(x)\n", 64)


def _ask(client: Client, request: ChatRequest | FimRequest) -> _Ending:
    attempts, deadline, cancel = _Attempts(), Deadline(_SECONDS), Cancel()
    started = time.monotonic()
    line, text = "", ""
    try:
        if isinstance(request, ChatRequest):
            text = client.chat(request, recorder=attempts, deadline=deadline, cancel=cancel).text
        else:
            text = _tidied(request, client.fim(request, recorder=attempts, deadline=deadline, cancel=cancel).text)
    except ProviderError as error:
        line = str(error)
    # A gap may rightly be left empty.
    right = not line and (text == _TEXT or (isinstance(request, FimRequest) and not text))
    return _Ending(right, line, len(attempts.outcomes), time.monotonic() - started)


def _tidied(request: FimRequest, text: str) -> str:
    place = Place("gap.py", LineIndex(request.prompt + request.suffix), len(request.prompt))
    return tidy(place, SEVERAL_LINES, text)
