"""Benchmarks: what the promises cost and what they bring, measured on real projects and printed as tables.

``python -m tests.bench`` runs them all; nothing here is collected by pytest, and nothing asserts a time.
"""

import math
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Options:
    """What every benchmark is told."""

    data: Path
    """Folder of the recorded tasks."""
    cache: Path
    """Folder for downloaded projects and their environments; it may be deleted at any time."""
    projects: frozenset[str] = frozenset()
    """Only these projects of the corpus; empty for all."""
    quick: bool = False
    """A small part of everything, to see whether it works at all."""
    seconds: float = math.inf
    """After so long a benchmark measures nothing further; another run goes on from there."""
    afresh: bool = False
    """Measure again what was measured of this version of the product before."""
    executor: str = "local"
    """Where repair and seeded have proofs made: ``local``, ``dask`` (two workers, started here), ``dask://HOST:PORT``."""
    jobs: int = 1
    """How many repair tasks at a time; those that share cores spoil each other's times."""
