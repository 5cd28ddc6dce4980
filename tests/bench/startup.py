"""What the server costs an editor: the time until it answers ``initialize``, and its memory, then and after many
requests.

The same is measured of a pygls server that does nothing in the same run, the starts in turns. Memory is the resident
size that ``ps`` tells.
"""

import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from tests.bench import Options, product
from tests.bench.lsp_session import Session
from tests.bench.results import progress
from tests.bench.tables import median, table

NAME = "startup"
ABOUT = "spawn → initialize, and memory, against an empty pygls server"

_EMPTY = (sys.executable, str(Path(__file__).with_name("empty_server.py")))
_SERVE = (product.COMMAND, "serve")
_COUNTS = (50, 500, 10_000)
"""Requests after which memory is looked at: by then everything is loaded; caches are filled; a leak would show."""
_TEXT = "def half(x):\n    return x / 2\n\n\ndef test_half():\n    assert half(2) == 1\n"


def run(options: Options) -> str:
    """Start both servers in turns, then ask both many things."""
    rounds, counts = (5, _COUNTS[:-1]) if options.quick else (21, _COUNTS)
    with tempfile.TemporaryDirectory(prefix="bench-startup-") as folder:
        root = Path(folder).resolve()
        (root / "test_half.py").write_text(_TEXT)
        ours: list[tuple[float, float]] = []
        empty: list[tuple[float, float]] = []
        for command in (_EMPTY, _SERVE):
            _start(command, root)  # The first start compiles what the others read.
        for _ in range(rounds):
            empty.append(_start(_EMPTY, root))
            ours.append(_start(_SERVE, root))
        progress("both were started; now they are asked")
        its_memory, our_memory = _many(_EMPTY, root, counts), _many(_SERVE, root, counts)
    rows = [_row("empty pygls server", empty), _row("pennyproof serve", ours)]
    ratios = ("ratio", _ratio(ours, empty, 0), _ratio(ours, empty, 1))
    return "\n\n".join(
        [
            table((f"medians of {rounds}", "initialize ms", "memory MB"), [*rows, ratios]),
            table(
                ("memory MB after … requests", *(f"{count:,}" for count in counts), "growth between the last two"),
                [_growth("empty pygls server", its_memory), _growth("pennyproof serve", our_memory)],
            ),
        ]
    )


def _start(command: Sequence[str], root: Path) -> tuple[float, float]:
    """Milliseconds from spawn to the result of ``initialize``; megabytes then."""
    with product.environment(Path(sys.executable)) as variables:
        started = time.perf_counter()
        with Session(command, root, variables) as session:
            session.initialize()
            return 1000 * (time.perf_counter() - started), _memory(session.process.pid)


def _many(command: Sequence[str], root: Path, counts: Sequence[int]) -> list[float]:
    """Megabytes after so many requests each, while a document is edited."""
    uri = (root / "test_half.py").as_uri()
    where = {"textDocument": {"uri": uri}}
    here = {"start": {"line": 1, "character": 4}, "end": {"line": 1, "character": 4}}
    memory = []
    with (
        product.environment(Path(sys.executable)) as variables,
        Session(command, root, variables | {"PENNYPROOF_TRUST": "never"}) as session,
    ):
        session.initialize()
        document = {"uri": uri, "languageId": "python", "version": 0, "text": _TEXT}
        session.notify("textDocument/didOpen", {"textDocument": document})
        for number in range(1, counts[-1] + 1):
            if number % 10 == 0:
                change = {
                    "textDocument": {"uri": uri, "version": number},
                    "contentChanges": [{"text": f"{_TEXT}# {number}\n"}],
                }
                session.notify("textDocument/didChange", change)
            if number % 2:
                session.request("textDocument/codeLens", where)
            else:
                session.request("textDocument/codeAction", {**where, "range": here, "context": {"diagnostics": []}})
            if number in counts:
                memory.append(_memory(session.process.pid))
    return memory


def _memory(process: int) -> float:
    told = subprocess.run(["ps", "-o", "rss=", "-p", str(process)], check=True, capture_output=True, text=True)
    return int(told.stdout) / 1024


def _growth(name: str, memory: Sequence[float]) -> tuple[str, ...]:
    return name, *(f"{size:.1f}" for size in memory), f"{100 * (memory[-1] / memory[-2] - 1):+.1f} %"


def _row(name: str, starts: Sequence[tuple[float, float]]) -> tuple[str, float | None, float | None]:
    times, memories = zip(*starts, strict=True)
    return name, median(times), median(memories)


def _ratio(ours: Sequence[tuple[float, float]], other: Sequence[tuple[float, float]], index: int) -> float:
    """The median of the rounds' own ratios, which a machine that slows down in between does not bend."""
    ratio = median([mine[index] / its[index] for mine, its in zip(ours, other, strict=True)])
    assert ratio is not None, "there was a round"
    return ratio
