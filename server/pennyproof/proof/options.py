"""How proofs are to be made, as the user's settings say."""

from dataclasses import dataclass

from pennyproof.proof.sandbox import Kind


@dataclass(frozen=True, slots=True)
class ProofOptions:
    """Settings of ``proof.*`` and ``tests.*``."""

    sandbox: Kind = "auto"
    workers: int | None = None
    """How many fork servers; ``None``: one for each core."""
    python: str | None = None
    """``tests.python``; ``None``: find it."""
    args: tuple[str, ...] = ()
    """Further arguments for pytest."""
    timeout_seconds: float = 60.0
    """For one test."""
    patching: bool = True
    """Whether edits of functions are first tried where the unchanged project stands."""
    waiting: bool = True
    """Whether the next run is begun before it is asked for, and waits for the edit."""
