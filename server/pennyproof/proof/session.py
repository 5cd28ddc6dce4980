"""Everything a prover needs for one project and one state of its environment."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from pennyproof.core.snapshots import Snapshot
from pennyproof.core.work import Cancel
from pennyproof.errors import EnvironmentProblem, PennyproofError, WorkerLost
from pennyproof.proof.baseline import Baselines
from pennyproof.proof.bytecode import Bytecode
from pennyproof.proof.environment import Environment, probe, readable_paths
from pennyproof.proof.interpreter import Interpreter, find_interpreter
from pennyproof.proof.lint import Linter
from pennyproof.proof.nursery import Nursery
from pennyproof.proof.options import ProofOptions
from pennyproof.proof.pool import Pool
from pennyproof.proof.records import Records
from pennyproof.proof.sandbox import Kind, find_sandbox, likely_sandbox
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
    cancel: Cancel,
) -> Session:
    """Find the interpreter and a sandbox, and start the process that workers are forked from.

    Raises:
        EnvironmentProblem: There is no sandbox, no interpreter, or no pytest.
        Cancelled: ``cancel`` was asked.
    """
    root = workspace.root
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
    nursery = _start(options.sandbox, spec)
    try:
        environment = _environment(nursery, interpreter, root, cancel)
    except PennyproofError:
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


def _start(kind: Kind, spec: WorkerSpec) -> Nursery:
    """Begin to start the process in the sandbox that is likely to work, while that is tried out.

    Raises:
        NoSandbox: There is none that works.
    """
    likely = likely_sandbox(kind)
    nursery = Nursery(likely, spec) if likely else None
    if nursery:
        # It imports what is installed, and nothing of the project.
        nursery.start()
    try:
        sandbox = find_sandbox(kind)
    except EnvironmentProblem:
        if nursery:
            nursery.close()
        raise
    if nursery and sandbox.kind == nursery.sandbox.kind:
        return nursery
    if nursery:
        nursery.close()
    return Nursery(sandbox, spec)


def _environment(nursery: Nursery, interpreter: Interpreter, root: Path, cancel: Cancel) -> Environment:
    """What the interpreter is; where it does not start, the error says what is wrong with it.

    Raises:
        EnvironmentProblem: It cannot run tests.
    """
    try:
        imported = nursery.imported(cancel)
    except WorkerLost:
        probe(nursery.sandbox, interpreter, root)
        raise
    return Environment(interpreter, imported.version, imported.pytest)
