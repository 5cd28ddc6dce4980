"""Where a project's fork servers come from: one process that imported everything, and one that started pytest, too."""

import logging
import os
import stat
import threading
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any, TypeVar

from pennyproof.core.work import Cancel
from pennyproof.errors import Cancelled, WorkerLost
from pennyproof.proof.footprint import Footprint, footprint
from pennyproof.proof.fresh import Fresh
from pennyproof.proof.lines import LostError, SilentError
from pennyproof.proof.sandbox.launch import Sandbox
from pennyproof.proof.sandbox.spec import WorkerSpec
from pennyproof.proof.zygote import Imported, Origin, Process, Server, Zygote

log = logging.getLogger(__name__)

T = TypeVar("T")

_TRIES = 3
"""How often a process is started before that is held to be impossible: one that is killed is not missed."""

CONFIGURATION = frozenset(
    ["pytest.toml", ".pytest.toml", "pytest.ini", ".pytest.ini", "pyproject.toml", "tox.ini", "setup.cfg", "setup.py"]
)
"""Files in which pytest looks for its configuration."""

Look = Mapping[str, object]
"""Relative path → what a change of it shows in."""


@dataclass(frozen=True, slots=True)
class Plain:
    """A process that imported everything, or what stands for it where none can be forked."""

    process: Origin
    imported: Imported


@dataclass(frozen=True, slots=True)
class Started:
    """A zygote in which pytest was started, unless that came to nothing, and what the project looked like then."""

    zygote: Zygote | None
    look: Look


class Nursery:
    """Starts these processes when they are first needed, and again when they are lost or out of date. Thread-safe."""

    def __init__(self, sandbox: Sandbox, spec: WorkerSpec) -> None:
        self.sandbox = sandbox
        self.spec = spec
        self._lock = threading.Lock()
        self._plain: Future[Plain] | None = None
        self._started: Future[Started] | None = None
        self._process: Origin | None = None
        self._looked: frozenset[str] = CONFIGURATION
        """What pytest is known to look at while it starts."""
        self._closed = False

    @property
    def ends_servers(self) -> bool:
        """Whether fork servers end at once with the process that they were forked from."""
        return self.sandbox.kind == "bubblewrap"

    def start(self) -> None:
        """Begin to start the processes, in the background."""
        self._begin_started()

    def imported(self, cancel: Cancel) -> Imported:
        """What the process says of itself, as soon as it is ready.

        Raises:
            Cancelled: ``cancel`` was asked, or this was closed.
            WorkerLost: Nothing can be started.
        """
        return self._ready(cancel).imported

    def fork(self, cancel: Cancel, *, warming: bool = False) -> Server:
        """A new fork server, in whose runs pytest starts from the beginning.

        Args:
            cancel: Ends the waiting for the process, which starts all the same.
            warming: Let runs write bytecode. Only for the unmodified, trusted project.

        Raises:
            Cancelled: ``cancel`` was asked, or this was closed.
            WorkerLost: It cannot be started.
        """
        for _ in range(_TRIES):
            plain = self._ready(cancel)
            try:
                return plain.process.fork(warming=warming)
            except (LostError, Cancelled) as error:
                cancel.check()
                if self._closed:
                    raise
                lost = error  # By itself, or since another thread has found it lost and given it up.
                self.give_up(plain.process)
        raise WorkerLost(f"the process that workers are forked from was lost again and again: {lost}") from lost

    def suited(self, files: Collection[str], args: Sequence[str], cancel: Cancel) -> Zygote | None:
        """The zygote in which pytest was started, if a run that started there is as good as one from the beginning.

        Args:
            files: Paths, relative to the root, that the run sees changed.
            args: Arguments for pytest.
            cancel: Ends the waiting.

        Raises:
            Cancelled: ``cancel`` was asked, or this was closed.
            WorkerLost: Nothing can be started.
        """
        if not self._starts_pytest or tuple(args) != self.spec.args:
            return None
        self._ready(cancel)
        future = self._begin_started()
        started = _wait(future, cancel)
        gone = started.zygote is not None and not started.zygote.alive
        if gone or started.look != self._look():
            self._restart(future)
            return None
        if any(path in self._looked or PurePosixPath(path).name in CONFIGURATION for path in files):
            return None
        return started.zygote

    def unsuited(self, zygote: Zygote, files: Iterable[str], told: Mapping[str, Any]) -> None:
        """Learn that a run was begun in the wrong place, and whether all others would be."""
        log.info("pytest has to start anew: %s", told["reason"])
        if told["lasting"] and not any(PurePosixPath(path).name == "conftest.py" for path in files):
            with self._lock:
                started = self._started.result() if self._started and self._started.done() else None
                if started and started.zygote is zygote:
                    self._started = _done(Started(None, started.look))
                    zygote.end()

    def give_up(self, lost: Origin) -> None:
        """End a process that does not do what it should, with all that comes from it; the next need starts another."""
        with self._lock:
            if self._process is lost:
                self._process, self._plain, self._started = None, None, None
        lost.end()

    def footprint(self) -> Footprint | None:
        """The memory of all processes, workers included; ``None`` where there are none, or the system does not tell."""
        with self._lock:
            process = self._process
        return footprint(process.group) if process and process.group else None

    def kill(self) -> None:
        """End the processes; they are started again when they are needed."""
        with self._lock:
            process, self._process, self._plain, self._started = self._process, None, None, None
        if process:
            process.end()

    def close(self) -> None:
        """End the processes for good."""
        self._closed = True
        self.kill()

    @property
    def _starts_pytest(self) -> bool:
        # Elsewhere the folder in which runs happen is not the one in which it would have been started.
        return self.spec.args is not None and self.sandbox.kind == "bubblewrap"

    def _ready(self, cancel: Cancel) -> Plain:
        """The process, waited for; one that is killed while it starts is started again."""
        for _ in range(_TRIES - 1):
            began = self._begin_plain()
            try:
                return _wait(began, cancel)
            except WorkerLost as error:
                if isinstance(error.__cause__, SilentError):
                    raise
        return _wait(self._begin_plain(), cancel)

    def _begin_plain(self) -> Future[Plain]:
        with self._lock:
            if self._closed:
                raise Cancelled("the worker was closed")
            if self._plain is None or _failed(self._plain):
                self._plain = _in_background(self._make_plain)
            return self._plain

    def _begin_started(self) -> Future[Started]:
        plain = self._begin_plain()
        with self._lock:
            if self._started is None or _failed(self._started):
                self._started = _in_background(lambda: self._make_started(plain))
            return self._started

    def _make_plain(self) -> Plain:
        if self.spec.pycache:  # Whoever tidies up may have removed it.
            self.spec.pycache.mkdir(mode=0o700, parents=True, exist_ok=True)
        process: Origin = (Process if self.sandbox.forks else Fresh)(self.sandbox, self.spec)
        with self._lock:
            self._process = process
        if self._closed:
            process.end()
        try:
            return Plain(process, process.prepare(Cancel()))
        except LostError as error:
            process.end()
            raise WorkerLost(f"the project's Python could not be started in the sandbox: {error}") from error

    def _make_started(self, plain: Future[Plain]) -> Started:
        process = plain.result().process if self._starts_pytest else None
        if not isinstance(process, Process) or self.spec.args is None:
            return Started(None, {})
        parent = process.zygote
        look: Look = {}
        for _ in range(_TRIES):
            look = self._look()
            try:
                zygote, told = parent.start_pytest(self.spec.args)
            except (Cancelled, LostError) as error:
                log.info("pytest could not be started in advance: %s", error)
                continue
            unforeseen = set(told["looked"]) - self._looked
            self._looked |= unforeseen
            if told["usable"] and not unforeseen:
                return Started(zygote, look)
            zygote.end()
            if not told["usable"]:
                log.info("pytest cannot be started in advance: %s", told["reason"])
                break
        return Started(None, look)

    def _restart(self, outdated: Future[Started]) -> None:
        with self._lock:
            if self._started is not outdated:
                return
            self._started = None
        zygote = outdated.result().zygote
        if zygote:
            zygote.end()
        self._begin_started()

    def _look(self) -> Look:
        """The project as far as it matters to pytest's start: what lies at its top, and what is looked at."""
        root = self.spec.root
        with os.scandir(root) as entries:
            found: dict[str, object] = {entry.name: entry.is_dir() for entry in entries}
        for path in self._looked:
            try:
                status = (root / path).stat()
            except OSError:
                continue
            folder = stat.S_ISDIR(status.st_mode)
            found[path + "/"] = status.st_ino if folder else (status.st_ino, status.st_mtime_ns, status.st_size)
        return found


def _in_background(work: Callable[[], T]) -> Future[T]:
    future: Future[T] = Future()

    def do() -> None:
        try:
            future.set_result(work())
        except BaseException as error:  # noqa: BLE001 - It is raised again, wherever the result is wanted.
            future.set_exception(error)

    threading.Thread(target=do, name="pennyproof-start", daemon=True).start()
    return future


def _failed(future: Future[T]) -> bool:
    return future.done() and future.exception() is not None


def _done(result: T) -> Future[T]:
    future: Future[T] = Future()
    future.set_result(result)
    return future


def _wait(future: Future[T], cancel: Cancel) -> T:
    """The result, unless waiting for it is cancelled before."""
    ready = threading.Event()
    future.add_done_callback(lambda _: ready.set())
    forget = cancel.on_cancel(ready.set)
    try:
        ready.wait()
        cancel.check()
        return future.result()
    finally:
        forget()
