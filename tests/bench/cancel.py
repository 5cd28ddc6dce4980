"""What a cancel costs: until its worker is free and nothing of the run is left, and what the next verdict takes.

A candidate makes its test wait, loop, start processes and so on; a moment later its proof is cancelled. *freed* is the
time from the cancel until whoever asked gets to know, by which time the worker can be used and all processes of the run
have ended (*left* counts those that have not). *next* is how long a verdict takes that is asked for right then, beside
*usual*, what one takes otherwise; they take turns.
"""

import contextlib
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from pennyproof.core.candidates import Candidate, FileChange
from pennyproof.core.snapshots import Snapshot
from pennyproof.core.sources import Source
from pennyproof.core.verdicts import Verdict
from pennyproof.core.work import Cancel, Silent
from pennyproof.errors import Cancelled
from pennyproof.proof.prover import ProofOptions, Prover
from tests.bench import Options
from tests.bench.results import progress
from tests.bench.tables import median, quantile, table
from tests.processes import sandboxed

NAME = "cancel"
ABOUT = "milliseconds from a cancel until its worker is free"

_ONE = "test_one.py::test_one"
_TEXT = "def one():\n    return 0\n"
_PHASES = {
    "importing": "import time\ntime.sleep(60)\n",
    "waiting": "def one():\n    import time\n    time.sleep(60)\n",
    "a loop in Python": "def one():\n    while True:\n        pass\n",
    "a loop in C": "def one():\n    return sum(range(10**15))\n",
    "30 threads": (
        "def one():\n    import threading, time\n"
        "    for _ in range(30):\n        threading.Thread(target=time.sleep, args=(60,)).start()\n    time.sleep(60)\n"
    ),
    "40 processes": (
        "def one():\n    import subprocess\n"
        "    for _ in range(40):\n        subprocess.Popen(['sleep', '60'])\n    while True:\n        pass\n"
    ),
    "500 MB": "def one():\n    x = b'x' * 500_000_000\n    while True:\n        pass\n",
}
"""What a candidate is at → its text."""
_UNTIL_THERE = 0.7
"""Seconds for a run to come there."""
_ROUNDS, _QUICK_ROUNDS = 20, 4
_HEADINGS = ("at work on", "freed ms", "p95", "left", "next ms", "usual ms")


@dataclass(slots=True)
class Times:
    """Milliseconds, of each round."""

    freed: list[float] = field(default_factory=list)
    next: list[float] = field(default_factory=list)
    usual: list[float] = field(default_factory=list)
    left: int = 0
    """Processes of a run that was cancelled, when that was said."""


class Bench:
    """A project of one failing test, and proofs of it that take turns."""

    def __init__(self, prover: Prover) -> None:
        self._prover = prover
        self._snapshot = Snapshot(prover.root)
        self._numbers = iter(range(sys.maxsize))

    def warm(self) -> None:
        """Have the tests run, and all processes started."""
        self._prover.baseline(self._snapshot, cancel=Cancel(), progress=Silent())
        for _ in range(3):
            self.usual()

    def prove(self, text: str, cancel: Cancel | None = None, *, afresh: bool = False) -> Verdict:
        """The verdict on the module with this text."""
        candidate = Candidate((FileChange("one.py", Source(_TEXT), Source(text)),))
        return self._prover.prove(self._snapshot, candidate, targets=[_ONE], afresh=afresh, cancel=cancel or Cancel())

    def usual(self) -> float:
        """Milliseconds of a verdict."""
        began = time.perf_counter()
        verdict = self.prove(f"def one():\n    return 1  # {next(self._numbers)}\n")
        if not verdict.fixed:
            raise RuntimeError(f"the right edit was not held for right: {verdict}")
        return 1000 * (time.perf_counter() - began)

    def cancelled(self, text: str) -> float:
        """Milliseconds until a proof that is cancelled says so."""
        cancel, ended = Cancel(), list[float]()

        def prove() -> None:
            with contextlib.suppress(Cancelled):
                self.prove(text, cancel)
            ended.append(time.perf_counter())

        thread = threading.Thread(target=prove)
        thread.start()
        time.sleep(_UNTIL_THERE)
        if ended:
            raise RuntimeError("the run ended before it was cancelled")
        asked = time.perf_counter()
        cancel.ask()
        thread.join()
        return 1000 * (ended[0] - asked)


@contextlib.contextmanager
def opened() -> Iterator[Bench]:
    """The project, and what runs it."""
    with tempfile.TemporaryDirectory(prefix="bench-cancel-") as folder:
        root = Path(folder).resolve()
        (root / "one.py").write_text(_TEXT)
        (root / "test_one.py").write_text("from one import one\n\n\ndef test_one():\n    assert one() == 1\n")
        with contextlib.closing(Prover(root, ProofOptions(python=sys.executable, workers=1), None)) as prover:
            bench = Bench(prover)
            bench.warm()
            yield bench


def run(options: Options) -> str:
    """Measure phase by phase; returns the table."""
    rounds = _QUICK_ROUNDS if options.quick else _ROUNDS
    rows = []
    with opened() as bench:
        for phase, text in _PHASES.items():
            times = Times()
            for _ in range(rounds):
                before = sum(map(len, sandboxed().values()))
                times.freed.append(bench.cancelled(text))
                times.left = max(times.left, sum(map(len, sandboxed().values())) - before)
                times.next.append(bench.usual())
                times.usual.append(bench.usual())
            row = (phase, median(times.freed), quantile(times.freed, 0.95), times.left)
            rows.append((*row, median(times.next), median(times.usual)))
            progress(table(_HEADINGS, rows[-1:]))
    return f"Medians of {rounds}.\n\n{table(_HEADINGS, rows)}"
