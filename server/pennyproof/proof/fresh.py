"""Servers where nothing can be forked: each request starts an interpreter of its own, in a copy of the project.

It is all there is on Windows, and slow: what a fork finds imported is imported anew. No child stays, so that candidates
are neither screened nor tried where the project stands; all are run.
"""

import contextlib
import json
import os
import secrets
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import IO, Any

from pennyproof.core.work import Cancel
from pennyproof.errors import Cancelled
from pennyproof.proof.bytecode import compile_inside
from pennyproof.proof.inside import ending, wire
from pennyproof.proof.inside.overlay import PrivateCopy
from pennyproof.proof.inside.removing import empty_folder, remove_tree
from pennyproof.proof.lines import LostError
from pennyproof.proof.sandbox.launch import Launch, Sandbox, kill_group
from pennyproof.proof.sandbox.spec import WorkerSpec
from pennyproof.proof.zygote import Answer, Imported, Status

_PROBE = "import json, sys, pytest; print(json.dumps([sys.version_info[:3], pytest.__version__]))"
_PROBE_SECONDS = 120.0
_END_SECONDS = 2.0
_LOG_TAIL = 4000


class Fresh:
    """What the servers have in common: a folder, and how a process is started; an ``Origin``."""

    group = None
    """Nothing stays between requests."""

    def __init__(self, sandbox: Sandbox, spec: WorkerSpec) -> None:
        compile_inside()
        self.launch: Launch = sandbox.launch(spec)
        self.spec = spec
        self._sandbox = sandbox
        self._numbers = count(1)
        self._servers: list[FreshServer] = []
        self._ending = threading.Lock()
        self._ended = False

    def prepare(self, cancel: Cancel) -> Imported:
        """Ask the interpreter what it is."""
        cancel.check()
        try:
            told = self._sandbox.run_once([str(self.spec.python), "-c", _PROBE], self.spec, _PROBE_SECONDS)
            version, pytest = json.loads(told.stdout.strip().rpartition("\n")[2])
        except (OSError, subprocess.SubprocessError, ValueError) as error:
            raise LostError(f"it does not say what it is: {error}") from error
        major, minor, micro = version
        return Imported((major, minor, micro), pytest, {})

    def fork(self, *, warming: bool) -> "FreshServer":  # noqa: ARG002 - runs in a copy write no bytecode that lasts
        """A new server, for which nothing is started yet."""
        scratch = self.launch.scratch or Path(tempfile.mkdtemp(prefix="pennyproof-"))
        with self._ending:
            if self._ended:
                raise Cancelled("the worker was ended")
            server = FreshServer(self, scratch / str(next(self._numbers)))
            self._servers.append(server)
        return server

    def end(self) -> None:
        """End all servers, and remove their folder."""
        with self._ending:
            self._ended = True
            servers, self._servers = self._servers, []
        for server in servers:
            server.end()
        self.launch.clean()


@dataclass(frozen=True, slots=True)
class _Output:
    """What came of a process."""

    code: int | None
    """As a shell gives it; ``None``: it did not end in time."""
    frames: bytes
    log: str


class FreshServer:
    """One copy of the project, in which one request at a time is answered; a ``Server``."""

    def __init__(self, origin: Fresh, folder: Path) -> None:
        """Remember where.

        Args:
            origin: How processes are started.
            folder: For the copy and for what runs write; made when it is needed.
        """
        self.origin = origin
        root = origin.spec.root
        self._folder = folder
        self._scratch = folder / "run"
        self._copy = PrivateCopy(str(root), str(folder / "copy" / (root.name or "root")))
        self._working = threading.Lock()
        self._starting = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None
        self._ended = False

    def ask(
        self,
        request: Mapping[str, Any],
        seconds: float,  # noqa: ARG002 - the process is ended by the request's own limit
        cancel: Cancel,
        sent: Callable[[], None] | None = None,
    ) -> Answer:
        """Start a process for the request, and wait for its end."""
        cancel.check()
        if request.get("stay"):
            return Answer(Status.ERROR, "no process stays where none can be forked")
        with self._working:
            nonce, begin = secrets.token_hex(16), time.monotonic()
            self._refresh()
            places = {"copy": self._copy.copy, "scratch": str(self._scratch)}
            setup = {**self.origin.launch.setup, **places, "request": {**request, "nonce": nonce}}
            wall = request["limits"]["wall"]
            output = self._run(json.dumps(setup).encode(), wall, cancel, sent)
        cancel.check()
        if self._ended:
            raise Cancelled("the worker was ended")
        took = time.monotonic() - begin
        if output.code is None:
            return Answer(Status.TIMEOUT, f"it took longer than {wall:g} s", seconds=took)
        return _answer(output, nonce, took)

    def free(self) -> bool:
        """Nothing is left of what was cancelled."""
        return not self._ended

    def end(self) -> None:
        """End what runs, and remove the copy."""
        with self._starting:
            self._ended = True
            if self._process:
                kill_group(self._process)
        with self._working:
            remove_tree(str(self._folder))

    def _refresh(self) -> None:
        """Make the copy equal to the project, and the folder for what runs write empty."""
        if not self._ended:
            self._scratch.mkdir(parents=True, exist_ok=True)
            self._copy.refresh()
            empty_folder(str(self._scratch))

    def _run(self, line: bytes, wall: float, cancel: Cancel, sent: Callable[[], None] | None) -> _Output:
        with tempfile.TemporaryFile() as log:
            process = self._start(log)
            forget = cancel.on_cancel(lambda: kill_group(process))
            if sent:
                sent()
            try:
                code, frames = _communicate(process, line, wall)
            finally:
                forget()
                kill_group(process)  # With whatever it leaves behind, as far as that can be found.
                self._process = None
            return _Output(code, frames, _tail(log))

    def _start(self, log: IO[bytes]) -> "subprocess.Popen[bytes]":
        with self._starting:
            if self._ended:
                raise Cancelled("the worker was ended")
            try:
                self._process = self.origin.launch.start(
                    stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log.fileno()
                )
            except OSError as error:
                raise LostError(f"the interpreter cannot be started: {error}") from error
            return self._process


def _communicate(process: "subprocess.Popen[bytes]", line: bytes, wall: float) -> tuple[int | None, bytes]:
    """Send a request and take the answer; the exit code is ``None`` where the time was not enough."""
    try:
        frames, _ = process.communicate(line, timeout=wall)
    except subprocess.TimeoutExpired:
        kill_group(process)
        with contextlib.suppress(subprocess.TimeoutExpired):  # What the run started may hold its end of the pipe.
            process.communicate(timeout=_END_SECONDS)
        return None, b""
    code = process.returncode
    return code if code >= 0 else 128 - code, frames


def _answer(output: _Output, nonce: str, seconds: float) -> Answer:
    received = bytearray(output.frames)
    try:
        body = wire.take(received, nonce)
        if received:
            raise wire.ForgedError("there is more than one" if body else "it is cut short")
    except wire.ForgedError as error:
        return Answer(Status.FORGED, f"the answer does not verify: {error}", seconds=seconds)
    if body is None:
        status = Status.KILLED if output.code == ending.KILLED else Status.CRASHED
        return Answer(status, ending.how(output.code or 0) + output.log, seconds=seconds)
    if body[:1] == b"E":
        return Answer(Status.ERROR, json.loads(body[1:]), seconds=seconds)
    result = json.loads(body[1:])
    result.pop("read", None)  # Nothing stays that could keep it.
    return Answer(Status.OK, result=result, seconds=seconds)


def _tail(log: IO[bytes]) -> str:
    """The end of what was printed, after a colon; empty if there is nothing."""
    size = log.seek(0, os.SEEK_END)
    log.seek(max(0, size - _LOG_TAIL))
    tail = log.read().decode("utf-8", "replace").strip()
    return f":\n{tail}" if tail else ""
