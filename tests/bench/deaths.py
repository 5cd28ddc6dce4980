"""Processes killed while they make verdicts: whether all verdicts come and are right, and what they take.

At moments spread over a proof one kind of process is killed with SIGKILL, all of its kind at once. Every other
candidate is right, and the others mend nothing. *error* counts proofs of which the user would be told that they went
wrong.
"""

import threading
import time

from pennyproof.core.verdicts import Level
from pennyproof.errors import PennyproofError
from tests.bench import Options, cancel
from tests.bench.results import progress
from tests.bench.tables import Cell, median, quantile, table
from tests.processes import ROLES, kill

NAME = "deaths"
ABOUT = "verdicts of workers that are killed meanwhile"

_SLOW = "def one():\n    import time\n    time.sleep(0.05)\n    return {}  # {}\n"
_ROUNDS, _QUICK_ROUNDS = 40, 6
_LATEST = 0.15
"""Seconds from the beginning of a proof until the process is killed, at most."""
_HEADINGS = ("killed", "proofs", "right", "wrong", "error", "ms", "p95", "usual ms")


def run(options: Options) -> str:
    """Kill kind by kind; returns the table."""
    rounds = _QUICK_ROUNDS if options.quick else _ROUNDS
    rows: list[tuple[Cell, ...]] = []
    with cancel.opened() as bench:
        usual = median([_proved(bench, number, None)[1] for number in range(10)])
        for role, generation in ROLES.items():
            said: list[Level | None] = []
            times: list[float] = []
            for number in range(rounds):
                killer = threading.Timer(_LATEST * number / rounds, kill, [generation])
                level, milliseconds = _proved(bench, number, killer)
                said.append(level)
                times.append(milliseconds)
            wanted = [_wanted(number) for number in range(rounds)]
            errors = said.count(None)
            right = sum(one is other for one, other in zip(said, wanted, strict=True))
            cells = (rounds, right, rounds - right - errors, errors)
            rows.append((role, *cells, median(times), quantile(times, 0.95), usual))
            progress(table(_HEADINGS, rows[-1:]))
    return table(_HEADINGS, rows)


def _wanted(number: int) -> Level:
    return Level.FIXES if number % 2 else Level.PARSES


def _proved(bench: cancel.Bench, number: int, killer: threading.Timer | None) -> tuple[Level | None, float]:
    """The level, ``None`` for an error, and milliseconds."""
    text = _SLOW.format(number % 2, number)
    if killer:
        killer.start()
    began = time.perf_counter()
    try:
        level = bench.prove(text, afresh=True).level
    except PennyproofError:
        level = None
    milliseconds = 1000 * (time.perf_counter() - began)
    if killer:
        killer.join()
    return level, milliseconds
