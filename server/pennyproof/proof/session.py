"""Everything a prover needs for one project and one state of its environment."""

import logging
import os
import sys
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from pennyproof.core.snapshots import Snapshot
from pennyproof.core.work import Cancel
from pennyproof.errors import Cancelled, EnvironmentProblem, PennyproofError, WorkerLost
from pennyproof.proof.baseline import Baselines
from pennyproof.proof.bytecode import Bytecode
from pennyproof.proof.environment import Environment, probe, readable_paths
from pennyproof.proof.idle import Idle
from pennyproof.proof.interpreter import Interpreter, find_interpreter
from pennyproof.proof.lint import Linter
from pennyproof.proof.nursery import Nursery
from pennyproof.proof.options import ProofOptions
from pennyproof.proof.pool import Pool
from pennyproof.proof.records import Records
from pennyproof.proof.remembered import Verdicts
from pennyproof.proof.sandbox import Kind, find_sandbox, likely_sandbox, try_out
from pennyproof.proof.sandbox.spec import WorkerSpec
from pennyproof.proof.standing import Standings
from pennyproof.proof.waiting import Waitings
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
    beside: ThreadPoolExecutor
    """Where is looked, while tests run, at what needs no run."""
    nursery: Nursery
    idle: Idle
    pool: Pool
    warming: Pool
    standings: Standings
    waitings: Waitings
    mapping: Pool
    bytecode: Bytecode
    verdicts: Verdicts
    workers: int
    """How many workers screen at once."""

    @property
    def outdated(self) -> bool:
        """Whether packages were installed or removed since."""
        return self.environment.fingerprint() != self.fingerprint

    @property
    def confined(self) -> bool:
        """Whether a sandbox is around what runs."""
        return self.nursery.sandbox.kind != "off"

    def kill(self) -> None:
        """End what runs at once."""
        self.pool.kill()
        self.warming.kill()
        self.mapping.kill()
        self.nursery.kill()

    def close(self) -> None:
        """End all processes for good."""
        self.idle.close()
        processes: list[Pool | Standings | Waitings | Nursery] = [
            self.pool,
            self.standings,
            self.waitings,
            self.warming,
            self.mapping,
            self.nursery,
        ]
        for part in reversed(processes) if self.nursery.ends_servers else processes:
            part.close()
        self.beside.shutdown()
        self.linter.close()
        self.bytecode.close()


@dataclass(frozen=True, slots=True)
class Beginning:
    """What can be begun without waiting for anything."""

    interpreter: Interpreter
    bytecode: Bytecode
    spec: WorkerSpec
    nursery: Nursery | None
    """In the sandbox that is likely to work, if there is one; it has begun to start."""

    def close(self) -> None:
        """End it."""
        if self.nursery:
            self.nursery.close()
        self.bytecode.close()


def begin_session(
    snapshot: Snapshot, workspace: Workspace, options: ProofOptions, state: Path | None, environ: Mapping[str, str]
) -> Beginning:
    """Find the interpreter, and begin to start the process that workers are forked from.

    Raises:
        NoInterpreter: There is none.
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
    likely = likely_sandbox(options.sandbox)
    nursery = Nursery(likely, spec) if likely else None
    if nursery:
        nursery.start()
    return Beginning(interpreter, bytecode, spec, nursery)


def open_session(
    begun: Beginning, workspace: Workspace, options: ProofOptions, records: Records, cancel: Cancel
) -> Session:
    """Wait for the process, and make sure that what it runs is confined.

    Raises:
        EnvironmentProblem: There is no sandbox, no pytest, or the interpreter does not work.
        Cancelled: ``cancel`` was asked.
    """
    interpreter, bytecode = begun.interpreter, begun.bytecode
    try:
        warmer, imported = _start(options.sandbox, begun, cancel)
    except PennyproofError:
        begun.close()
        raise
    environment = Environment(interpreter, imported.version, imported.pytest)
    fingerprint = environment.fingerprint()
    workers = options.workers or _cores()
    nursery = warmer.nursery
    linter = Linter(environment.version[:2])
    linter.start()
    idle = Idle(nursery, linter)
    # The first runs, which others are compared with, start from the beginning.
    warming = idle.watch(Pool(1, lambda: warmer, used=idle.used))
    with warming.lend(cancel):
        log.debug("the first worker was used to try the sandbox, and can be given up from now on")
    # Those of all tests may take long, and keep nobody who asks for a few from these.
    mapping = idle.watch(Pool(1, lambda: Worker(nursery, warming=True), used=idle.used))
    # Beside those that screen: one for candidates they leave over, and one that proves what they let through.
    proving = idle.watch(Pool(workers + 2, lambda: Worker(nursery), used=idle.used))
    idle.used()
    return Session(
        environment=environment,
        fingerprint=fingerprint,
        baselines=Baselines(
            workspace,
            fingerprint,
            options,
            warming=warming,
            mapping=mapping,
            pool=proving,
            records=records,
            bytecode=bytecode,
        ),
        linter=linter,
        beside=ThreadPoolExecutor(2, "pennyproof-beside"),
        nursery=nursery,
        idle=idle,
        pool=proving,
        warming=warming,
        standings=idle.watch(
            Standings(workers if options.patching else 0, lambda: Worker(nursery), options, used=idle.used)
        ),
        waitings=idle.watch(Waitings(workers if options.waiting else 0, lambda: Worker(nursery), used=idle.used)),
        mapping=mapping,
        bytecode=bytecode,
        verdicts=Verdicts(workspace),
        workers=workers,
    )


def _cores() -> int:
    """Those that this process may use."""
    return len(os.sched_getaffinity(0)) if sys.platform == "linux" else os.cpu_count() or 1


def _start(kind: Kind, begun: Beginning, cancel: Cancel) -> tuple[Worker, Imported]:
    """A worker in a sandbox that was seen to confine it, and what its process says of itself.

    Raises:
        EnvironmentProblem: There is no such sandbox, or the interpreter cannot run tests.
        Cancelled: ``cancel`` was asked.
    """
    if begun.nursery:
        worker = Worker(begun.nursery, warming=True)
        try:
            imported = begun.nursery.imported(cancel)
            try_out(worker, begun.spec.root, cancel)
        except EnvironmentProblem as error:
            # What is wrong, and what else there is, comes out when sandboxes are tried for their own sake.
            log.info("%s: %s", begun.nursery.sandbox.kind, error)
            begun.nursery.close()
        else:
            return worker, imported
    nursery = Nursery(find_sandbox(kind), begun.spec)
    try:
        return Worker(nursery, warming=True), nursery.imported(cancel)
    except WorkerLost:
        nursery.close()
        probe(nursery.sandbox, begun.interpreter, begun.spec.root)
        raise
    except Cancelled:
        nursery.close()
        raise
