"""The processes of this machine, as tests and benchmarks look at them: those below a sandbox, by how far they are."""

import os
import signal
from collections import defaultdict
from collections.abc import Mapping
from pathlib import Path

ROLES = {
    "bubblewrap": 1,
    "its first process": 2,
    "zygote": 3,
    "fork servers' parents, and the zygote with pytest": 4,
    "fork servers": 6,
    "first processes of runs": 7,
    "runs": 8,
}
"""Process → how many generations it is from this one, where pytest was started in advance; others lie between."""


def children() -> Mapping[int, list[int]]:
    """Process → its children, of all that there are."""
    found: dict[int, list[int]] = defaultdict(list)
    for status in Path("/proc").glob("[0-9]*/stat"):
        try:
            text = status.read_text()
        except OSError:  # it has ended
            continue
        found[int(text.rpartition(")")[2].split()[1])].append(int(status.parent.name))
    return found


def sandboxed() -> Mapping[int, list[int]]:
    """Generation, from one → the processes of sandboxes that this process started."""
    below = children()
    level = [pid for pid in below[os.getpid()] if _name(pid) == "bwrap"]
    found: dict[int, list[int]] = {}
    while level:
        found[len(found) + 1] = level
        level = [child for pid in level for child in below.get(pid, ())]
    return found


def kill(generation: int) -> int:
    """Kill the processes of sandboxes that are so far from this one; returns how many there were."""
    found = sandboxed().get(generation, [])
    for pid in found:
        try:
            os.kill(pid, signal.SIGKILL)
        except ProcessLookupError:  # it has gone with another
            continue
    return len(found)


def memory(pid: int | str = "self") -> int:
    """Bytes that a process takes, its share of pages that others have, too; zero where it has ended."""
    try:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    except OSError:
        return 0
    return next(1024 * int(line.split()[1]) for line in lines if line.startswith("Pss:"))


def descriptors(pid: int | str = "self") -> int:
    """How many descriptors a process has open; zero where it has ended."""
    try:
        return len(list(Path(f"/proc/{pid}/fd").iterdir()))
    except OSError:
        return 0


def _name(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/comm").read_text().strip()
    except OSError:
        return ""
