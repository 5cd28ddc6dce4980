"""Seeded bugs as data: ``seeds.json``, which ``seeding`` writes and ``seeded`` reads."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

SEEDS = Path(__file__).parent / "seeds.json"


@dataclass(frozen=True, slots=True)
class Seed:
    """One single-place bug."""

    path: str
    operator: str
    """The mutation tool's name for what it did."""
    occurrence: int
    line: int
    """From one, in the file without the bug."""
    diff: str
    """From the code without the bug to the code with it."""
    failing: tuple[str, ...]
    """The tests that catch it."""


@dataclass(frozen=True, slots=True)
class Seeded:
    """The bugs of one project and how they were drawn."""

    project: str
    version: str
    places: int
    """Places that the tool can change."""
    drawn: int
    refused: Mapping[str, int]
    unstable: tuple[str, ...]
    """Tests that did not pass in both runs without a bug; they count for nothing."""
    seeds: tuple[Seed, ...]


def read() -> dict[str, Seeded]:
    """The checked-in bugs by project."""
    return {
        name: Seeded(
            **{
                **entry,
                "unstable": tuple(entry["unstable"]),
                "seeds": tuple(Seed(**{**seed, "failing": tuple(seed["failing"])}) for seed in entry["seeds"]),
            }
        )
        for name, entry in json.loads(SEEDS.read_text(encoding="utf-8")).items()
    }


def write(seeded: Seeded) -> None:
    """Put one project's bugs in the place of those it had."""
    entries = json.loads(SEEDS.read_text(encoding="utf-8")) if SEEDS.exists() else {}
    entries[seeded.project] = asdict(seeded)
    SEEDS.write_text(json.dumps(entries, indent=1, sort_keys=True) + "\n", encoding="utf-8")
