"""The fork server: forks a confined child for each request, and tells what came of it.

It speaks lines of JSON (see ARCHITECTURE.md) and answers each exactly once. A child for the next request waits ready,
already in its namespaces. Two requests beside the jobs: ``ask`` goes to a child that stays (one whose request said
``stay``), for the ``last`` time or not, and ``end`` ends that child. What is at work when an ``end`` comes is cancelled
by it: both are answered, in their order, and the next request finds this server ready. With any job may come ``hold``,
files of bytecode that later children will read.
"""

from __future__ import annotations

import gc
import json
import os
from typing import Any, Dict, List, NoReturn, Optional

from .children import Asked, Child, Ended, Opened, OwnerGoneError
from .held import HELD
from .isolate import Isolation
from .lines import Lines

_STAYS = ("ok", "error", "waiting")
"""Answers after which a child stays that was asked to."""


class Server:
    """One request at a time, each in a child of its own.

    Args:
        isolation: How children are confined.
        requests: The descriptor requests are read from; its end is the end of everything.
        answers: The descriptor answers are written to.
        opened: What pytest has opened, if it was started in this process; else None.
    """

    def __init__(self, isolation: Isolation, requests: int, answers: int, opened: Optional[Opened]) -> None:
        self._isolation = isolation
        self._lines = Lines(requests)
        self._answers = answers
        self._opened = opened
        self._spare: Optional[Child] = None
        self._staying: Optional[Child] = None

    def serve(self) -> Asked:
        """Answer requests until there are no more; returns in each child, with what that is to do."""
        while True:
            if self._spare is None and self._staying is None:
                self._spare = self._fork()
                if self._spare.is_self:
                    return self._spare.take(self._isolation)
            line = self._lines.next()
            if line is None:
                self._leave()
            request: Dict[str, Any] = json.loads(line)
            if request["job"] == "end":
                self._answer(request, self._end_staying())
            elif request["job"] == "ask":
                self._ask(request, line)
            else:
                child = self._ready()
                if child is None:
                    self._lines.put_back(line)
                    continue
                child.send(line, request)
                self._hold(request.get("hold"))
                # Nothing is run beside a child that stays.
                if self._isolation.overlapping and not request["stay"]:
                    # The next child gets ready while this one works.
                    self._spare = self._fork()
                    if self._spare.is_self:
                        return self._spare.take(self._isolation)
                self._finish(child, request)

    def _ready(self) -> Optional[Child]:
        """The child that waits, if it can take a job; if not, it has been ended."""
        self._end_staying()
        child, self._spare = self._spare, None
        if child and self._isolation.prepare():
            child.end()
            return None
        return child

    def _fork(self) -> Child:
        return Child(self._isolation, self._lines, self._opened)

    def _hold(self, paths: Optional[List[str]]) -> None:
        """Keep bytecode in memory for the children to come."""
        if paths:
            HELD.take(paths)
            gc.freeze()

    def _finish(self, child: Child, request: Dict[str, Any]) -> None:
        ended = self._end_of(child, request["stay"])
        self._answer(request, ended)
        if request["stay"] and ended.status in _STAYS:
            self._staying = child
        else:
            child.end()

    def _end_staying(self) -> Ended:
        if self._staying:
            self._staying.end()
            self._staying = None
        return Ended("ok", "", b"{}", 0.0)

    def _ask(self, request: Dict[str, Any], line: bytes) -> None:
        if self._staying is None:
            self._answer(request, Ended("error", "no child stays", None, 0.0))
            return
        self._staying.send(line, request)
        ended = self._end_of(self._staying, stays=not request["last"])
        # Nobody waits for what takes a while: mounts are undone as it ends.
        self._answer(request, ended)
        if request["last"] or ended.status not in _STAYS:
            self._end_staying()

    def _end_of(self, child: Child, stays: bool) -> Ended:
        try:
            return child.ended(stays)
        except OwnerGoneError:
            self._leave()

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

    def _leave(self) -> NoReturn:
        """End everything."""
        for child in (self._spare, self._staying):
            if child:
                child.end()
        self._isolation.leave()
        os._exit(0)


def _send(descriptor: int, line: bytes) -> None:
    data = memoryview(line + b"\n")
    while data:
        data = data[os.write(descriptor, data) :]
