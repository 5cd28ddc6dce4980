"""What the processes of a sandbox take of the memory, each page shared among those that share it."""

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

_WAITING = 6
"""How many generations after bubblewrap a run comes at the earliest: the sandbox's first process, the zygote, whoever
waits for the fork server, that itself, and the run's first process are between; often the zygote with pytest, too."""
_PROC = Path("/proc")


@dataclass(frozen=True, slots=True)
class Footprint:
    """The memory of a process and of all that it started, in bytes."""

    processes: int
    memory: int
    """Proportional: a page that several processes share counts for each by its share, and hence once."""
    runs: int
    """Children at work, or waiting for it."""
    of_runs: int
    """Their part of ``memory``."""

    def __str__(self) -> str:
        each = f", {_megabytes(self.of_runs / self.runs)} for each of {self.runs} that waited" if self.runs else ""
        return f"{self.processes} processes with {_megabytes(self.memory)}{each}"


def footprint(process: int) -> Footprint | None:
    """The memory of a bubblewrap and what runs in it; ``None`` where the system does not tell."""
    found = [(generation, leaf, _memory(pid)) for pid, generation, leaf in _tree(process)]
    memory = [taken for _, _, taken in found if taken is not None]
    if not memory:
        return None
    runs = [taken for generation, leaf, taken in found if leaf and generation >= _WAITING and taken is not None]
    return Footprint(len(memory), sum(memory), len(runs), sum(runs))


def _tree(process: int) -> Iterator[tuple[int, int, bool]]:
    """A process and its descendants: number, generation, and whether it has no children."""
    children = _children()
    generation, level = 0, [process]
    while level:
        yield from ((pid, generation, not children.get(pid)) for pid in level)
        generation, level = generation + 1, [child for pid in level for child in children.get(pid, ())]


def _children() -> Mapping[int, list[int]]:
    found: dict[int, list[int]] = defaultdict(list)
    for status in _PROC.glob("[0-9]*/stat"):
        try:
            told = status.read_text("utf-8", errors="replace")
        except OSError:  # It has ended.
            continue
        # The name, in parentheses, may hold anything.
        found[int(told.rpartition(")")[2].split()[1])].append(int(status.parent.name))
    return found


def _memory(process: int) -> int | None:
    try:
        lines = (_PROC / str(process) / "smaps_rollup").read_text("ascii").splitlines()
    except OSError:  # It has ended, is another's, or there is no such file here.
        return None
    return next((1024 * int(line.split()[1]) for line in lines if line.startswith("Pss:")), None)


def _megabytes(count: float) -> str:
    return f"{count / (1 << 20):.0f} MB"
