"""``python -m tests.bench [NAME…]``: run benchmarks and print their tables.

What repair, samples, seeded, historical, selection, affected and agreement have measured of the code as it is they do
not measure again, so they can be stopped and run in parts; ``--seconds`` and ``--project`` make such parts.
"""

import argparse
import importlib
import math
import os
import sys
import time
from pathlib import Path
from typing import Protocol, cast

import platformdirs

from pennyproof.errors import EnvironmentProblem
from tests.bench import Options

BENCHMARKS = (
    "repair",
    "samples",
    "seeded",
    "historical",
    "verdict",
    "selection",
    "affected",
    "agreement",
    "fanout",
    "cancel",
    "deaths",
    "endurance",
    "complete",
    "editors",
    "faults",
    "startup",
    "hostile",
)
"""Modules of this package, quickest evidence first. They are imported when they run: each needs its own libraries."""


class Benchmark(Protocol):
    """What a benchmark module holds."""

    NAME: str
    ABOUT: str

    def run(self, options: Options) -> str:
        """Measure, and return the table."""


def main() -> int:
    """Run the benchmarks that were named, or all; exit code 1 when one could not be run."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description="Run benchmarks and print their tables.")
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"which: {', '.join(BENCHMARKS)} (default: all)")
    parser.add_argument("--data", type=Path, default=Path("../shared/data"), help="folder of the recorded tasks")
    parser.add_argument("--cache", type=Path, default=Path(platformdirs.user_cache_dir("pennyproof-bench")))
    parser.add_argument("--project", action="append", default=[], help="only this project of the corpus (repeatable)")
    parser.add_argument("--quick", action="store_true", help="a small part of everything")
    parser.add_argument("--seconds", type=float, default=math.inf, help="time for one of those that go on later")
    parser.add_argument("--afresh", action="store_true", help="measure again what was measured of this version")
    parser.add_argument("--jobs", type=int, default=1, help="repair tasks at a time (default: 1)")
    parser.add_argument(
        "--executor",
        default="local",
        metavar="NAME",
        help="where repair and seeded have proofs made: local (default), dask (two workers here) or dask://HOST:PORT",
    )
    arguments = parser.parse_args()
    if unknown := set(arguments.names) - set(BENCHMARKS):
        parser.error(f"no such benchmark: {', '.join(sorted(unknown))}; there are {', '.join(BENCHMARKS)}")
    options = Options(
        data=arguments.data.resolve(),
        cache=arguments.cache.resolve(),
        projects=frozenset(arguments.project),
        quick=arguments.quick,
        seconds=arguments.seconds,
        afresh=arguments.afresh,
        executor=arguments.executor,
        jobs=arguments.jobs,
    )

    incomplete = False
    for name in arguments.names or BENCHMARKS:
        benchmark = cast("Benchmark", importlib.import_module(f"tests.bench.{name}"))
        print(f"\n## {benchmark.NAME}: {benchmark.ABOUT}\n", flush=True)
        started, (load, *_), before = time.monotonic(), os.getloadavg(), _ticks()
        try:
            print(benchmark.run(options))
        except EnvironmentProblem as problem:
            incomplete = True
            print(f"not run: {problem}")
        cores = os.cpu_count()
        stolen, ticks = (now - then for now, then in zip(_ticks(), before, strict=True))
        # What a virtual machine's host takes for others slows everything, and most what needs several processes.
        steal = f", {100 * stolen / ticks:.0f} % of the time taken by others of the host" if ticks else ""
        print(f"\n({time.monotonic() - started:.0f} s; load before {load:.1f} on {cores} cores{steal})", flush=True)
    return int(incomplete)


def _ticks() -> tuple[int, int]:
    """Processor time that was wanted: what others of the host had instead of this machine, and all of it."""
    try:
        words = Path("/proc/stat").read_text("ascii").partition("\n")[0].split()[1:9]
    except OSError:  # no Linux
        return 0, 0
    user, nice, system, _idle, _waiting, irq, softirq, steal = map(int, words)
    return steal, user + nice + system + irq + softirq + steal


if __name__ == "__main__":
    sys.exit(main())
