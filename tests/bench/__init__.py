"""Benchmarks: what the promises cost and what they bring, measured on real projects and printed as tables.

``python -m tests.bench`` runs them all; nothing here is collected by pytest, and nothing asserts a time.
"""

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
