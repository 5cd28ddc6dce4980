"""The fork server: imports what every run needs, then forks a confined child for each.

It never runs tests, and imports nothing that lies in the project. It speaks lines of JSON on its standard input and
output (see ARCHITECTURE.md), the first of which sets it up, and answers each exactly once. A child for the next request
waits ready, already in its namespaces, and starts pytest in advance. Two requests beside the jobs: ``ask`` goes to a
child that stays (one whose request said ``stay``), and ``end`` ends that child.
"""

from __future__ import annotations

import gc
import json
import os
import sys
from typing import Any, Dict, Optional

from .children import Child, Ended, OwnerGoneError
from .copied import Copied
from .isolate import Isolation, Namespaces
from .preload import load_jobs, preload
from .spares import Spares


def main() -> None:
    """Serve requests until standard input ends, or whoever writes to it is gone."""
    requests, answers = _take_channel()
    lines = Lines(requests)
    first = lines.next()
    if first is None:
        return
    setup: Dict[str, Any] = json.loads(first)
    isolation = _isolation(setup)
    isolation.enter()
    jobs = load_jobs(setup["jobs"])
    skipped = preload(setup["preload"], setup["root"], setup["plugins"])
    if setup["pycache"]:
        sys.pycache_prefix = setup["pycache"]
    sys.dont_write_bytecode = not setup["warming"]
    # What is alive now is never looked at again by a collection, which would copy its pages into every child.
    gc.collect()
    gc.freeze()
    _send(answers, json.dumps({"ready": True, "skipped": skipped}).encode())
    try:
        spares = Spares(isolation, jobs, lines.descriptor, setup.get("args"))
        _Server(isolation, spares, lines, answers).serve()
    except OwnerGoneError:
        return
    finally:
        isolation.leave()


class Lines:
    """The lines of a descriptor, read without a buffer that a forked child could see twice."""

    def __init__(self, descriptor: int) -> None:
        self.descriptor = descriptor
        self._rest = bytearray()

    def next(self) -> Optional[bytes]:
        """The next line without its end, or None at the end of all."""
        searched = 0
        while True:
            end = self._rest.find(b"\n", searched)
            if end >= 0:
                line = bytes(self._rest[:end])
                del self._rest[: end + 1]
                return line
            searched = len(self._rest)
            data = os.read(self.descriptor, 1 << 20)
            if not data:
                return None
            self._rest += data


class _Server:
    def __init__(self, isolation: Isolation, spares: Spares, lines: Lines, answers: int) -> None:
        self._isolation = isolation
        self._spares = spares
        self._lines = lines
        self._answers = answers
        self._staying: Optional[Child] = None

    def serve(self) -> None:
        """Answer requests, one after another."""
        self._spares.prepare()
        while True:
            line = self._lines.next()
            if line is None:
                self._spares.end()
                if self._staying:
                    self._staying.end()
                return
            request: Dict[str, Any] = json.loads(line)
            if request["job"] == "end":
                if self._staying:
                    self._staying.end()
                    self._staying = None
                self._answer(request, Ended("ok", "", b"{}", 0.0))
            elif request["job"] == "ask":
                self._answer(request, self._ask(request, line))
            else:
                self._isolation.prepare()
                child, ended = self._spares.ask(line, request)
                self._answer(request, ended)
                self._spares.prepare()
                if request["stay"] and ended.status == "ok":
                    self._staying = child
                else:
                    child.end()

    def _ask(self, request: Dict[str, Any], line: bytes) -> Ended:
        if self._staying is None:
            return Ended("error", "no child stays", None, 0.0)
        ended = self._staying.ask(line, request, stays=True)
        if ended.status not in ("ok", "error"):
            self._staying.end()
            self._staying = None
        return ended

    def _answer(self, request: Dict[str, Any], ended: Ended) -> None:
        head = json.dumps(
            {
                "id": request["id"],
                "nonce": request["nonce"],
                "status": ended.status,
                "detail": ended.detail,
                "seconds": ended.seconds,
            }
        )
        _send(self._answers, b'%s,"result":%s}' % (head[:-1].encode(), ended.result or b"{}"))


def _take_channel() -> "tuple[int, int]":
    """Standard input and output, of which nobody else gets to know: what prints from now on goes to the log."""
    requests, answers = os.dup(0), os.dup(1)
    null = os.open(os.devnull, os.O_RDONLY)
    os.dup2(null, 0)
    os.dup2(2, 1)
    os.close(null)
    return requests, answers


def _isolation(setup: Dict[str, Any]) -> Isolation:
    if setup["kind"] == "bubblewrap":
        return Namespaces(setup["root"], setup["scratch"], setup["keep"])
    return Copied(setup)


def _send(descriptor: int, line: bytes) -> None:
    data = memoryview(line + b"\n")
    while data:
        data = data[os.write(descriptor, data) :]
