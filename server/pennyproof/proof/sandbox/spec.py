"""What a worker is made of, and what one run may use."""

from dataclasses import dataclass
from pathlib import Path

INSIDE = Path(__file__).resolve().parents[1] / "inside"
"""The folder of the scripts that the project's interpreter runs."""


@dataclass(frozen=True, slots=True)
class WorkerSpec:
    """Everything fork servers depend on; equal specs make interchangeable workers."""

    root: Path
    """The project's folder, absolute, links resolved; seen read-only."""
    python: Path
    """The project's interpreter as it is to be called: links kept, since a virtual environment is found by its name."""
    readable: tuple[Path, ...] = ()
    """Files and folders outside the root and the interpreter's prefixes that imports need."""
    preload: tuple[str, ...] = ()
    """Third-party modules to import before forking; those that turn out to lie in the root, or to fail, are skipped."""
    plugins: bool = True
    """Import the pytest plugins of the project's environment before forking, too."""
    pycache: Path | None = None
    """An existing folder for bytecode (``sys.pycache_prefix``), which runs may read; only warming workers write it."""
    args: tuple[str, ...] | None = None
    """Arguments with which pytest is started before anything is asked; ``None``: it is not."""
    jobs: Path = INSIDE / "jobs.py"
    """The module whose ``JOBS`` the fork server offers."""


@dataclass(frozen=True, slots=True)
class Limits:
    """What one run may use."""

    wall: float = 60.0
    """Seconds until everything the run started is killed."""
    cpu: float = 60.0
    """Seconds of processor time, for each process."""
    memory: int = 4 << 30
    """Bytes of address space, for each process."""
    processes: int = 256
    file_size: int = 256 << 20
    """Bytes, for each file that is written."""
