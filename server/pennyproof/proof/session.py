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
from pennyproof.proof.nursery import Nursery
from pennyproof.proof.options import ProofOptions
from pennyproof.proof.pool import Pool
from pennyproof.proof.records import Records
from pennyproof.proof.sandbox import find_sandbox
from pennyproof.proof.sandbox.spec import WorkerSpec
from pennyproof.proof.worker import Worker
from pennyproof.proof.workspace import Workspace


@dataclass(frozen=True, slots=True)
class Session:
    """The interpreter as it was found, and the processes that depend on it."""

    environment: Environment
    fingerprint: str
    """Of the environment, when the session was opened."""
    baselines: Baselines
    linter: Linter
    nursery: Nursery
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
        self.nursery.kill()

    def close(self) -> None:
        """End all processes for good."""
        self.pool.close()
        self.warming.close()
        self.nursery.close()
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
    spec = WorkerSpec(
        root,
        interpreter.executable,
        readable=readable_paths(interpreter, root, Path.home()),
        preload=workspace.third_party_imports(snapshot),
        pycache=bytecode.folder,
        args=options.args,
    )
    nursery = Nursery(sandbox, spec)
    # Starting takes longer than anything that follows, so it begins before it is known what the interpreter is.
    nursery.start()
    try:
        environment = probe(sandbox, interpreter, root, state)
    except EnvironmentProblem:
        nursery.close()
        bytecode.close()
        raise
    workers = options.workers or len(os.sched_getaffinity(0))
    # The first runs, which others are compared with, start from the beginning.
    warming = Pool(1, lambda: Worker(nursery, warming=True))
    # Beside those that screen: one for candidates they leave over, and one that proves what they let through.
    proving = Pool(workers + 2, lambda: Worker(nursery))
    return Session(
        environment=environment,
        fingerprint=environment.fingerprint(),
        baselines=Baselines(workspace, environment, options, warming=warming, records=records, bytecode=bytecode),
        linter=Linter(environment.version[:2]),
        nursery=nursery,
        pool=proving,
        warming=warming,
        bytecode=bytecode,
        workers=workers,
    )
