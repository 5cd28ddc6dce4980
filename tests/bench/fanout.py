"""Proofs a second by two worker processes of a dask cluster on this machine, against two threads of the product's own.

The candidates are those of ``verdict``, through all gates with the one test that decides them. Both ways take turns on
the same candidates. The workers are warm: each has run the project's tests once before. At the end one worker is killed
with SIGKILL while proofs are made, in as many rounds; *right* counts the verdicts that came all the same.
"""

import contextlib
import logging
import os
import signal
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

from pennyproof.assist.project import Project
from pennyproof.core.snapshots import Snapshot
from pennyproof.core.verdicts import Level
from tests.bench import Options, corpus, product, verdict
from tests.bench.cluster import WORKERS, pids, workers
from tests.bench.results import progress
from tests.bench.tables import Cell, median, table

NAME = "fanout"
ABOUT = "proofs a second, two dask worker processes against two local threads"

_PROJECTS = ("humanize", "toolz", "boltons")
_ROUNDS, _QUICK_ROUNDS = 7, 2
_PROOFS, _QUICK_PROOFS = 40, 10
"""In each round, each way."""
_KILLED_ROUNDS = 3
_HEADINGS = ("project", "proofs", "local /s", "dask /s", "dask ÷ local", "worker killed: proofs", "right", "/s")


@dataclass(slots=True)
class Rates:
    """Proofs a second, of each round."""

    local: list[float] = field(default_factory=list)
    dask: list[float] = field(default_factory=list)
    killed: list[float] = field(default_factory=list)
    """With one worker killed."""


def run(options: Options) -> str:
    """Measure project by project; returns the table."""
    rounds = _QUICK_ROUNDS if options.quick else _ROUNDS
    proofs = _QUICK_PROOFS if options.quick else _PROOFS
    rows: list[tuple[Cell, ...]] = []
    for project in corpus.projects(options.projects or (_PROJECTS[:1] if options.quick else _PROJECTS)):
        case = verdict.seeded_case(corpus.prepare(project, options.cache))
        with case.ready.lease():
            rates = _measure(case, rounds, proofs)
        local, dask = median(rates.local) or 0.0, median(rates.dask) or 0.0
        killed = len(rates.killed) * proofs, len(rates.killed) * proofs, median(rates.killed)
        rows.append((project.name, rounds * proofs, local, dask, dask / local, *killed))
        progress(table(_HEADINGS, rows[-1:]))
    return f"Medians of {rounds} rounds of {proofs}, in turns.\n\n{table(_HEADINGS, rows)}"


def _measure(case: verdict.Case, rounds: int, proofs: int) -> Rates:
    root = case.ready.renew()
    product.git_apply(root, case.seed.diff)
    rates = Rates()
    with product.environment(case.ready.python) as variables, workers(variables) as address:
        sent = {**variables, "PENNYPROOF_PROOF_EXECUTOR": f"dask://{address}"}
        with (
            contextlib.closing(product.open_project(root, variables)) as local,
            contextlib.closing(product.open_project(root, sent)) as dask,
        ):
            snapshot = local.snapshot()
            with _nothing_proved_here():
                for project in (local, dask):
                    project.run_tests(snapshot)
                    _rate(case, project, snapshot, proofs, 2 * WORKERS)
                for _ in range(rounds):
                    rates.local.append(_rate(case, local, snapshot, proofs, WORKERS))
                    rates.dask.append(_rate(case, dask, snapshot, proofs, dask.prover.at_once))
            for _ in range(min(rounds, _KILLED_ROUNDS)):
                half = proofs / rates.dask[-1] / 2
                killer = threading.Timer(half, os.kill, [pids(address)[0], signal.SIGKILL])
                killer.start()
                rates.killed.append(_rate(case, dask, snapshot, proofs, dask.prover.at_once))
                killer.join()
    return rates


def _rate(case: verdict.Case, project: Project, snapshot: Snapshot, proofs: int, at_once: int) -> float:
    """Proofs a second, all of which have to be right."""
    texts = [case.text() for _ in range(proofs)]
    began = time.perf_counter()
    with ThreadPoolExecutor(at_once) as threads:
        verdicts = list(threads.map(lambda text: verdict.prove(case, project, snapshot, [case.test], text), texts))
    seconds = time.perf_counter() - began
    if any(one.level is not Level.FIXES for one in verdicts):
        raise RuntimeError(f"{case.ready.project.name}: the right edit was not held for right")
    return proofs / seconds


@contextlib.contextmanager
def _nothing_proved_here() -> Iterator[None]:
    """Fail where a proof that was to be made by the cluster was not."""
    warnings: list[str] = []
    handler = logging.Handler(logging.WARNING)
    handler.emit = lambda record: warnings.append(record.getMessage())  # type: ignore[method-assign]
    logger = logging.getLogger("pennyproof.proof.fanout")
    logger.addHandler(handler)
    try:
        yield
    finally:
        logger.removeHandler(handler)
    if warnings:
        raise RuntimeError(f"not all proofs were the cluster's: {warnings[0]}")
