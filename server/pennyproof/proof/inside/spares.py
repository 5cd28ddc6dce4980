"""The child that waits for the next request, and whether what it did in advance still holds when that arrives."""

from __future__ import annotations

import json
import os
import stat
import time
from typing import Any, Dict, List, Optional, Set, Tuple

from .ahead import CONFIGURATION
from .children import Child, Ended
from .isolate import Isolation
from .preload import Jobs

_PATIENCE = 5.0
"""Seconds within which pytest is to have been started; what takes longer is not worth waiting for."""

State = Dict[str, Any]
"""Relative path → by what a change of it is seen."""


class Spares:
    """One child at a time, forked before it is asked.

    A child that starts pytest in advance sees the project's folder as it is then. So what lies at its top (which is
    where Python's importer looks), pytest's configuration, and whatever else the child looked at must be the same
    when the request comes, or another child takes its place.

    Args:
        isolation: How children are confined.
        jobs: What they can be asked.
        owner: The descriptor whose writer's end is the end of everything.
        args: Arguments for pytest; None: nothing is done in advance.
    """

    def __init__(self, isolation: Isolation, jobs: Jobs, owner: int, args: Optional[List[str]]) -> None:
        self._isolation = isolation
        self._jobs = jobs
        self._owner = owner
        self._args = args
        self._looked: Set[str] = set()
        """What children are known to look at; a first one that looks at more than that is not used."""
        self._state: State = {}
        self._futile: Optional[State] = None
        """A state in which starting in advance came to nothing."""
        self._spare: Optional[Child] = None

    def prepare(self) -> None:
        """Fork the next child."""
        args = self._args
        if args is not None:
            self._state = self._look()
            if self._state == self._futile:
                args = None
        self._spare = self._fork(args)

    def ask(self, line: bytes, request: Dict[str, Any]) -> Tuple[Child, Ended]:
        """Have a request answered.

        Returns:
            The child that did it, which is still to be ended, and what came of it.
        """
        begin = time.monotonic()
        child, self._spare = self._spare, None
        if child is None or (child.in_advance and not self._fits(child, request)):
            child = self._instead_of(child)
        ended = child.ask(line, request, request["stay"])
        if ended.status == "again":
            self._note(json.loads(ended.result or b"{}"), request)
            child = self._instead_of(child)
            spent = time.monotonic() - begin
            limits = dict(request["limits"], wall=max(0.0, request["limits"]["wall"] - spent))
            ended = child.ask(line, dict(request, limits=limits), request["stay"])
        return child, ended._replace(seconds=time.monotonic() - begin)

    def end(self) -> None:
        """End the child that waits."""
        if self._spare is not None:
            self._spare.end()
            self._spare = None

    def _fork(self, args: Optional[List[str]]) -> Child:
        return Child(self._isolation, self._jobs, self._owner, args)

    def _instead_of(self, child: Optional[Child]) -> Child:
        if child is not None:
            child.end()
        return self._fork(None)

    def _fits(self, child: Child, request: Dict[str, Any]) -> bool:
        """Whether what a child did in advance is what it would do now."""
        if list(request["params"].get("args") or ()) != self._args or self._touched(request["files"]):
            return False
        told = child.announcement(min(_PATIENCE, request["limits"]["wall"]))
        if told is None or not told["usable"]:
            self._futile = self._state
            return False
        unforeseen = set(told["looked"]) - self._looked
        self._looked |= unforeseen
        return not unforeseen and self._look() == self._state

    def _touched(self, files: Dict[str, Optional[str]]) -> bool:
        """Whether the request itself changes what the child looked at."""
        return any(path in self._looked or os.path.basename(path) in CONFIGURATION for path in files)

    def _note(self, told: Dict[str, Any], request: Dict[str, Any]) -> None:
        """A child found out when it was asked that it cannot do it."""
        if told.get("lasting") and not any(os.path.basename(path) == "conftest.py" for path in request["files"]):
            self._futile = self._state

    def _look(self) -> State:
        root = self._isolation.root
        with os.scandir(root) as entries:
            found: State = {entry.name: entry.inode() for entry in entries}
        for path in (*CONFIGURATION, *self._looked):
            try:
                status = os.stat(os.path.join(root, path))
            except OSError:
                continue
            folder = stat.S_ISDIR(status.st_mode)
            found[path + "/"] = status.st_ino if folder else (status.st_ino, status.st_mtime_ns, status.st_size)
        return found
