"""Everything a prover needs for one project and one state of its environment."""

import logging
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
from pennyproof.proof.sandbox import Kind, find_sandbox, likely_sandbox, try_out
from pennyproof.proof.sandbox.spec import WorkerSpec
from pennyproof.proof.worker import Worker
from pennyproof.proof.workspace import Workspace
from pennyproof.proof.zygote import Imported

log = logging.getLogger(__name__)


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
    try:
        nursery, imported = _start(options.sandbox, spec, interpreter, cancel)
    except PennyproofError:
        bytecode.close()
        raise
    environment = Environment(interpreter, imported.version, imported.pytest)
    workers = options.workers or len(os.sched_getaffinity(0))
    # The first runs, which others are compared with, start from the beginning.
    warming = Pool(1, lambda: Worker(nursery, warming=True))
    # Beside those that screen: one for candidates they leave over, and one that proves what they let through.
    proving = Pool(workers + 2, lambda: Worker(nursery))
    linter = Linter(environment.version[:2])
    linter.start()
    return Session(
        environment=environment,
        fingerprint=environment.fingerprint(),
        baselines=Baselines(workspace, environment, options, warming=warming, records=records, bytecode=bytecode),
        linter=linter,
        nursery=nursery,
        pool=proving,
        warming=warming,
        bytecode=bytecode,
        workers=workers,
    )


def _start(kind: Kind, spec: WorkerSpec, interpreter: Interpreter, cancel: Cancel) -> tuple[Nursery, Imported]:
    """Start the process, in a sandbox that was seen to confine what it runs.

    Raises:
        EnvironmentProblem: There is no such sandbox, or the interpreter cannot run tests.
        Cancelled: ``cancel`` was asked.
    """
    likely = likely_sandbox(kind)
    if likely:
        nursery = Nursery(likely, spec)
        try:
            imported = _ready(nursery, cancel)
            try_out(nursery, spec.root, cancel)
        except EnvironmentProblem as error:
            # What is wrong, and what else there is, comes out when sandboxes are tried for their own sake.
            log.info("%s: %s", likely.kind, error)
        else:
            return nursery, imported
    nursery = Nursery(find_sandbox(kind), spec)
    try:
        return nursery, _ready(nursery, cancel)
    except WorkerLost:
        probe(nursery.sandbox, interpreter, spec.root)
        raise


def _ready(nursery: Nursery, cancel: Cancel) -> Imported:
    """Wait for the process, which is ended when that fails."""
    nursery.start()
    try:
        return nursery.imported(cancel)
    except PennyproofError:
        nursery.close()
        raise
