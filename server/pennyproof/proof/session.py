"""Everything a prover needs for one project and one state of its environment."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from pennyproof.core.snapshots import Snapshot
from pennyproof.errors import EnvironmentProblem
from pennyproof.proof.baseline import Baselines
from pennyproof.proof.bytecode import Bytecode
from pennyproof.proof.environment import Environment, probe, readable_paths
from pennyproof.proof.interpreter import find_interpreter
from pennyproof.proof.lint import Linter
from pennyproof.proof.options import ProofOptions
from pennyproof.proof.pool import Pool
from pennyproof.proof.records import Records
from pennyproof.proof.sandbox import find_sandbox
from pennyproof.proof.sandbox.spec import WorkerSpec
from pennyproof.proof.worker import Worker
from pennyproof.proof.workspace import Workspace

_AHEAD = 2
"""Workers that start while the first tests run: enough for a first proof, and not felt where none follows."""


@dataclass(frozen=True, slots=True)
class Session:
    """The interpreter as it was found, and the processes that depend on it."""

    environment: Environment
    fingerprint: str
    """Of the environment, when the session was opened."""
    baselines: Baselines
    linter: Linter
    pool: Pool
    warming: Pool
    bytecode: Bytecode
    workers: int
    """How many workers screen at once."""

    @property
    def outdated(self) -> bool:
        """Whether packages were installed or removed since."""
        return self.environment.fingerprint() != self.fingerprint

    def kill(self) -> None:
        """End what runs at once."""
        self.pool.kill()
        self.warming.kill()

    def close(self) -> None:
        """End all processes for good."""
        self.pool.close()
        self.warming.close()
        self.linter.close()
        self.bytecode.close()


def open_session(
    snapshot: Snapshot,
    workspace: Workspace,
    options: ProofOptions,
    records: Records,
    state: Path | None,
    environ: Mapping[str, str],
) -> Session:
    """Find the interpreter, ask it what it is, and prepare workers, which start when they are needed.

    Raises:
        EnvironmentProblem: There is no sandbox, no interpreter, or no pytest.
    """
    root = workspace.root
    sandbox = find_sandbox(options.sandbox)
    interpreter = find_interpreter(root, options.python, environ)
    bytecode = Bytecode(root, interpreter.executable, state)
    readable = readable_paths(interpreter, root, Path.home())
    preload = workspace.third_party_imports(snapshot)

    def pool(size: int, *, warming: bool = False) -> Pool:
        spec = WorkerSpec(
            root,
            interpreter.executable,
            readable=readable,
            preload=preload,
            pycache=bytecode.folder,
            warming=warming,
            # The first runs, which others are compared with, start from the beginning.
            args=None if warming else options.args,
        )
        return Pool(size, lambda: Worker(sandbox, spec))

    workers = options.workers or len(os.sched_getaffinity(0))
    # Beside those that screen: one for candidates they leave over, and one that proves what they let through.
    warming, proving = pool(1, warming=True), pool(workers + 2)
    # Starting takes longer than anything that follows, so it begins before it is known what the interpreter is.
    warming.start_ahead(1)
    try:
        environment = probe(sandbox, interpreter, root, state)
    except EnvironmentProblem:
        warming.close()
        bytecode.close()
        raise
    proving.start_ahead(min(workers, _AHEAD))
    return Session(
        environment=environment,
        fingerprint=environment.fingerprint(),
        baselines=Baselines(workspace, environment, options, warming=warming, records=records, bytecode=bytecode),
        linter=Linter(environment.version[:2]),
        pool=proving,
        warming=warming,
        bytecode=bytecode,
        workers=workers,
    )
