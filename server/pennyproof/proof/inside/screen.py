"""The job ``prime``: the project imported once, each candidate tried in a fork of it.

What this says is fast and fallible: functions are exchanged in a living process, so that whatever was computed at
import stays as it was, and files on disk too. It decides what is worth a proof, nothing else.
"""

from __future__ import annotations

import functools
import gc
import os
import sys
import time
import types
from typing import Any, Callable, Dict, Iterable, Iterator, List, Mapping, Optional, Sequence, Set, Tuple

from . import behaviour, direct, forks, patch, rows, session
from .closer import Guards, Others
from .failures import Places
from .probes import Hits, Probes, Probing
from .session import capture_nothing
from .state import State
from .values import read_source
from .wire import Context

_STARTS_PROCESSES = {"subprocess.Popen", "os.exec", "os.posix_spawn", "os.spawn", "os.system", "pty.spawn"}
_DEFAULT_TIMEOUT = 10.0
"""Seconds."""


class Priming:
    """The work of the request that primes a child, as ``session.Work``; see ``jobs`` for the shapes."""

    def __init__(self, params: Dict[str, Any], context: Context) -> None:
        import pytest  # noqa: PLC0415 - the project's own, which is known only now

        places = Places(context.root)
        self.settings = session.Settings(
            [*params["ids"], *(params.get("also") or ()), *(params.get("guards") or ())], context
        )
        self.args = params.get("args") or ()
        ran: Hits = set()
        probes = Probes(lambda filename: _beginnings(places.in_project(filename)))
        probes.into(ran)
        probes.start()
        self._served = False

        def pytest_runtestloop(session: Any) -> bool:
            probes.stop()
            probes.into(set())
            self._served = True
            Screen(session, params, places, ran, context).serve(
                params.get("timeout") or _DEFAULT_TIMEOUT, bool(params.get("hangs"))
            )
            return True

        self.plugin = types.ModuleType("pennyproof_screen")
        vars(self.plugin)["pytest_runtestloop"] = pytest.hookimpl(tryfirst=True)(pytest_runtestloop)
        self.settings.add_hooks(self.plugin)

    def trust(self, hooks: Iterable[object]) -> None:
        """Nothing: what this says is no evidence, and nobody compares."""

    def result(self, ended: session.Ended) -> Optional[Dict[str, Any]]:
        """Why nothing was primed, if nothing was."""
        if self._served:
            return None
        return _unusable(ended.complaint or f"pytest ended before it ran anything: {ended.exit}")


def _beginnings(path: Optional[str]) -> Optional[Probing]:
    return None if path is None else Probing(path, lines=False)


def _unusable(reason: str) -> Dict[str, Any]:
    return {"usable": False, "reason": reason, "failing": []}


class Screen:
    """A primed project.

    Args:
        session: pytest's, after collection.
        params: Those of the job: the tests to be mended, and what is asked for beyond them.
        places: Tells the project's files.
        ran: The functions that ran before, by path and first line.
        context: The channel.
    """

    def __init__(
        self, session: Any, params: Mapping[str, Any], places: Places, ran: Set[Tuple[str, int]], context: Context
    ) -> None:
        self._config = session.config
        self._targets: List[str] = list(params["ids"])
        look = functools.partial(self._attempt, timeout=params.get("closer") or _DEFAULT_TIMEOUT)
        self._others = Others(params.get("also") or (), look)
        self._guards = Guards(params.get("guards") or (), look)
        self._context = context
        self._items = {item.nodeid: item for item in session.items}
        self._plain = {test for test, item in self._items.items() if direct.is_plain(item)}
        """Tests that are called without pytest's protocol, which takes several times as long as most of them."""
        self._files: Dict[str, patch.File] = {}
        self._rows: Optional[Tuple[Tuple[Tuple[str, ...], float], rows.Rows]] = None
        """What tries candidates in rows, with the tests and the seconds for each candidate that it is for."""
        capture_nothing(self._config)
        self._witness = _Witness()
        self._config.pluginmanager.register(self._witness.plugin())
        for item in self._items.values():
            direct.describe_nothing(item)
        gc.collect()
        self._functions = patch.Functions(places, ran)
        self._state = State(places)
        # Forks that collect garbage would write to, and so copy, every page that is shared with them.
        gc.freeze()
        forks.adopt_orphans()

    def serve(self, timeout: float, hangs: bool = False) -> None:
        """Answer the request that primed this, then those that follow."""
        answer = self._try_unchanged(timeout, hangs)
        self._context.reply(answer)
        while answer["usable"]:
            request = self._context.receive()
            if request is None:
                return
            self._context.reply(self._answer(request))

    def _try_unchanged(self, timeout: float, hangs: bool) -> Dict[str, Any]:
        missing = [target for target in self._targets if target not in self._items]
        if missing:
            return _unusable(f"not collected: {missing[0]}")
        first = self._attempt([], self._targets, timeout=timeout, everything=True, alone=True)
        if first["passed"] and self._plain:
            # They fail because of what surrounds them.
            self._plain = set()
            first = self._attempt([], self._targets, timeout=timeout, everything=True, alone=True)
        if first["reason"] and not (hangs and first["reason"] == "timeout"):
            return _unusable(f"with the unchanged code: {first['reason']}")
        if first["passed"]:
            return _unusable(f"passes with the unchanged code: {first['passed'][0]}")
        again = self._attempt([], self._targets, timeout=timeout, everything=True)
        if (again["failed"], again["reason"]) != (first["failed"], first["reason"]):
            return _unusable("the targets do not fail the same way twice")
        return {"usable": True, "reason": None, "failing": first["failed"]}

    def _answer(self, request: Mapping[str, Any]) -> Dict[str, Any]:
        ids = request.get("ids") or self._targets
        timeout = request.get("timeout") or _DEFAULT_TIMEOUT
        if request["op"] == "screen":
            return self._screen(request["files"], ids, timeout, bool(request.get("all")))
        if request["op"] == "screen_many":
            return {"results": list(self._screen_many(request, ids, timeout))}
        return behaviour.answer(request, self, ids, timeout)

    def _screen_many(self, request: Mapping[str, Any], ids: Sequence[str], timeout: float) -> Iterator[Dict[str, Any]]:
        deadline = time.monotonic() + (request.get("deadline") or float("inf"))
        found = [self._changes(files) for files in request["candidates"]]
        row = [changes for changes, _ in found if changes is not None]
        everything = bool(request.get("all"))
        told = iter([None] * len(row) if everything else self._in_rows(row, ids, timeout))
        for changes, refusal in found:
            if time.monotonic() > deadline:
                return
            if changes is None:
                yield refusal
                continue
            away = next(told)
            if away:
                yield {**_answer(failed=away["failed"], reason=away.get("reason")), "seconds": away["seconds"]}
            else:
                yield self._tried(changes, ids, timeout, everything)

    def _in_rows(self, row: rows.Row, ids: Sequence[str], timeout: float) -> List[Optional[rows.Told]]:
        """What can be told of candidates that are tried one after another, if tests can be run like that."""
        if not self._plain.issuperset(ids):
            return [None] * len(row)
        asked = (tuple(ids), timeout)
        if self._rows is None or self._rows[0] != asked:
            self._rows = asked, rows.Rows(lambda: self._called(ids), self._telling, timeout, self._state)
        return self._rows[1].tried(row)

    def _called(self, ids: Sequence[str]) -> rows.Told:
        began = time.perf_counter()
        errors = ((test, direct.call(self._items[test])) for test in ids)
        failed = next(((test, error) for test, error in errors if error is not None), None)
        told = [] if failed is None else [[failed[0], type(failed[1]).__name__]]
        how = "" if failed is None else direct.described(failed[1])
        return {"failed": told, "how": how, "seconds": round(time.perf_counter() - began, 6)}

    def _screen(
        self, files: Mapping[str, Optional[str]], ids: Sequence[str], timeout: float, everything: bool
    ) -> Dict[str, Any]:
        changes, refusal = self._changes(files)
        return refusal if changes is None else self._tried(changes, ids, timeout, everything)

    def _changes(self, files: Mapping[str, Optional[str]]) -> "Tuple[Optional[List[patch.Change]], Dict[str, Any]]":
        """What a candidate exchanges, or the answer that says why that cannot be."""
        try:
            return self.changes(files), {}
        except patch.NotPatchable as error:
            return None, _answer(reason=str(error), fallback=True)
        except (SyntaxError, ValueError) as error:
            return None, _answer(reason=f"does not compile: {error}")

    def _tried(
        self, changes: Sequence[patch.Change], ids: Sequence[str], timeout: float, everything: bool
    ) -> Dict[str, Any]:
        answer = self._attempt(changes, ids, timeout=timeout, everything=everything)
        return answer if answer["failed"] or answer["reason"] else self._look_closer(changes, answer)

    def _look_closer(self, changes: Sequence[patch.Change], answer: Dict[str, Any]) -> Dict[str, Any]:
        objection = self._guards.objection(changes)
        if objection:
            return dict(answer, passed=[], reason=objection)
        passed, failed = self._others.outcome(changes)
        return dict(answer, passed=[*answer["passed"], *passed], failed=[[test, ""] for test in failed])

    def file(self, path: str) -> patch.File:
        """An unchanged file of the project.

        Raises:
            NotPatchable: There is none that can be read.
        """
        if path not in self._files:
            try:
                text = read_source(os.path.join(self._context.root, path))
                self._files[path] = patch.File(path, text)
            except (OSError, SyntaxError, ValueError) as error:
                raise patch.NotPatchable(f"{path} cannot be read: {type(error).__name__}") from error
        return self._files[path]

    @property
    def functions(self) -> patch.Functions:
        """The living functions of the project."""
        return self._functions

    def changes(self, files: Mapping[str, Optional[str]]) -> List[patch.Change]:
        """What has to be exchanged for these texts.

        Raises:
            NotPatchable: It takes more than that.
            SyntaxError: A text does not compile.
        """
        found: List[patch.Change] = []
        for path, text in files.items():
            if text is None or not path.endswith(".py"):
                raise patch.NotPatchable(f"{path} is not a changed Python file")
            found += self.file(path).changes(text, self._functions)
        return found

    def run(self, ids: Sequence[str], everything: bool) -> Dict[str, Any]:
        """Run tests here and now, which makes this process useless for anything else."""
        items = [self._items[test] for test in ids if test in self._items]
        for item, following in zip(items, [*items[1:], None]):
            if item.nodeid in self._plain:
                self._witness.saw(item.nodeid, direct.call(item))
            else:
                self._config.hook.pytest_runtest_protocol(item=item, nextitem=following)
            if self._witness.failed and not everything:
                break
        return self._witness.told()

    def in_fork(self, work: Any, timeout: float) -> Tuple[Any, Optional[str]]:
        """Do work in a fork that cannot speak on the channel; see ``forks.in_fork``."""

        def detached() -> Any:
            self._context.detach()
            return work()

        return forks.in_fork(detached, timeout)

    def _telling(self, work: forks.Tells) -> forks.Telling:
        def detached(tell: Callable[[Any], None]) -> None:
            self._context.detach()
            work(tell)

        return forks.Telling(detached)

    def _attempt(
        self,
        changes: Sequence[patch.Change],
        ids: Sequence[str],
        *,
        timeout: float,
        everything: bool = False,
        alone: bool = False,
    ) -> Dict[str, Any]:
        def work() -> Dict[str, Any]:
            started = _note_processes() if alone else []
            for change in changes:
                change.apply()
            told = self.run(ids, everything)
            return dict(told, reason="the targets start other processes" if started else None)

        began = time.perf_counter()
        told, reason = self.in_fork(work, timeout)
        answer = _answer(reason=reason) if told is None else _answer(**told)
        return dict(answer, seconds=round(time.perf_counter() - began, 6))


class _Witness:
    """What pytest reports of each test, without the reporter's precautions."""

    def __init__(self) -> None:
        self._passed: Dict[str, Set[str]] = {}
        self._kinds: Dict[str, str] = {}
        self.failed: List[str] = []

    def plugin(self) -> types.ModuleType:
        """A module of hooks for pytest."""
        import pytest  # noqa: PLC0415 - the project's own, which is known only now

        def pytest_runtest_makereport(item: Any, call: Any) -> Iterator[None]:
            yield
            if call.excinfo is not None:
                self._kinds.setdefault(item.nodeid, call.excinfo.type.__name__)

        def pytest_runtest_logreport(report: Any) -> None:
            self._reported(report)

        module = types.ModuleType("pennyproof_witness")
        vars(module)["pytest_runtest_makereport"] = pytest.hookimpl(hookwrapper=True)(pytest_runtest_makereport)
        vars(module)["pytest_runtest_logreport"] = pytest_runtest_logreport
        return module

    def saw(self, test: str, error: Optional[BaseException]) -> None:
        """A test was called without pytest, and raised this."""
        if error is None:
            self._passed[test] = {"setup", "call", "teardown"}
        else:
            self.failed.append(test)
            self._kinds[test] = type(error).__name__

    def told(self) -> Dict[str, Any]:
        passed = [test for test, phases in self._passed.items() if len(phases) == 3 and test not in self.failed]
        return {"passed": passed, "failed": [[test, self._kinds.get(test, "")] for test in self.failed]}

    def _reported(self, report: Any) -> None:
        if report.outcome == "passed" and not hasattr(report, "wasxfail"):
            self._passed.setdefault(report.nodeid, set()).add(report.when)
        elif report.nodeid not in self.failed:
            self.failed.append(report.nodeid)


def _answer(
    passed: Sequence[str] = (),
    failed: Sequence[Sequence[str]] = (),
    fallback: bool = False,
    reason: Optional[str] = None,
) -> Dict[str, Any]:
    return {"passed": passed, "failed": failed, "fallback": fallback, "reason": reason, "seconds": 0.0}


def _note_processes() -> List[str]:
    """A list that fills when this process starts others, in which exchanged functions would be the old ones."""
    started: List[str] = []

    def hook(event: str, _arguments: Tuple[Any, ...]) -> None:
        if event in _STARTS_PROCESSES:
            started.append(event)

    sys.addaudithook(hook)
    return started
