"""Thousands of verdicts in a row by the same processes: what these take of memory, descriptors and files meanwhile.

The candidates are right, wrong, broken, noisy, untidy and murderous in turn, and every so often a proof is cancelled;
each text is new. Samples are taken while nothing runs. What counts is that the later ones are as the earlier.
"""

import contextlib
import gc
import itertools
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

from pennyproof.core.verdicts import Level
from pennyproof.core.work import Cancel, Deadline
from pennyproof.errors import Cancelled
from tests.bench import Options, cancel
from tests.bench.results import progress
from tests.bench.tables import Cell, table
from tests.processes import ROLES, descriptors, memory, sandboxed

NAME = "endurance"
ABOUT = "memory, descriptors and files over thousands of verdicts"

_SAMPLES = (100, 500, 1000, 2000, 3000, 4000, 5000)
_QUICK_SAMPLES = (20, 50, 100, 200)
_CANDIDATES = (
    ("    return 1", Level.FIXES),
    ("    return 2", Level.PARSES),
    ("    import os\n    print('x' * 100_000)\n    return 1", Level.FIXES),
    ("    open('left-behind', 'w').write('x' * 1_000_000)\n    return 1", Level.FIXES),
    ("    import subprocess\n    subprocess.Popen(['sleep', '60'])\n    return 1", Level.FIXES),
    ("    import os\n    os._exit(3)", Level.REJECTED),
    ("    import os\n    os.kill(os.getppid(), 9)\n    return 1", None),
    ("    return undefined_name", Level.REJECTED),
    ("    return )", Level.REJECTED),
)
"""What the function does → the verdict; ``None`` where the sandbox decides."""
_CANCELLED = 25
"""After so many verdicts one proof is cancelled."""
_HEADINGS = ("verdicts", "host MB", "zygotes MB", "servers MB", "runs MB", "processes", "threads", "descriptors",
             "theirs", "temporary files", "ms each")  # fmt: skip


def run(options: Options) -> str:
    """Prove until the last sample, or until the time is up; returns the table."""
    samples = _QUICK_SAMPLES if options.quick else _SAMPLES
    deadline = Deadline(min(options.seconds, threading.TIMEOUT_MAX))
    rows: list[tuple[Cell, ...]] = []
    with _temporary_files() as folder, cancel.opened() as bench:
        began = time.perf_counter()
        for done, (text, level) in enumerate(_texts(), 1):
            verdict = bench.prove(text)
            if level is not None and verdict.level is not level:
                raise RuntimeError(f"not {level.word} after {done - 1} verdicts, but {verdict}: {text}")
            if done % _CANCELLED == 0:
                _cancel_one(bench, text)
            if done in samples or deadline.passed:
                rows.append((done, *_sample(folder), 1000 * (time.perf_counter() - began) / done))
                progress(table(_HEADINGS, rows[-1:]))
            if done == samples[-1] or deadline.passed:
                break
    return table(_HEADINGS, rows)


@contextlib.contextmanager
def _temporary_files() -> Iterator[Path]:
    """A folder for those of this process alone."""
    with tempfile.TemporaryDirectory(prefix="bench-endurance-") as folder:
        before, tempfile.tempdir = tempfile.tempdir, folder
        try:
            yield Path(folder)
        finally:
            tempfile.tempdir = before


def _texts() -> Iterator[tuple[str, Level | None]]:
    for number, (body, level) in zip(itertools.count(), itertools.cycle(_CANDIDATES), strict=False):
        yield f"def one():\n{body}  # {number}\n", level


def _cancel_one(bench: cancel.Bench, text: str) -> None:
    asked = Cancel()
    timer = threading.Timer(0.005, asked.ask)
    timer.start()
    with contextlib.suppress(Cancelled):
        bench.prove(f"{text}# cancelled\n", asked)
    timer.join()


def _sample(folder: Path) -> tuple[Cell, ...]:
    gc.collect()
    found = sandboxed()
    zygotes = [pid for generation in (ROLES["zygote"], ROLES["zygote"] + 1) for pid in found.get(generation, ())]
    servers = found.get(ROLES["fork servers"], [])
    runs = found.get(ROLES["runs"], [])
    everybody = [pid for pids in found.values() for pid in pids]
    return (
        _megabytes(["self"]),
        *(_megabytes(pids) for pids in (zygotes, servers, runs)),
        len(everybody),
        threading.active_count(),
        descriptors(),
        sum(map(descriptors, everybody)),
        sum(1 for _ in folder.rglob("*")),
    )


def _megabytes(pids: Sequence[int | str]) -> float:
    return sum(map(memory, pids)) / (1 << 20)
