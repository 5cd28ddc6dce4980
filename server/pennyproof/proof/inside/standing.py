"""The job ``stand``: the unchanged project imported and its tests collected once; edits tried in forks of that.

What functions do at import, and what was computed there, stays as it was, so that nothing this says in an edit's favour
counts before a run of its own has confirmed it. What it says against one is looked at by whoever asks, who knows what
the same tests do here without the edit. The next fork waits ready while nothing is asked.
"""

from __future__ import annotations

import contextlib
import gc
import os
import shutil
import traceback
import unittest
from typing import Any, Dict, FrozenSet, Iterable, List, Mapping, Optional, Sequence

from . import chance, direct, failures, forks, integrity, patch, reporter, session
from .failures import Places
from .limit import Limit
from .probes import Hits, Probes, Probing
from .values import read_source
from .wire import Context


class Standing:
    """The work of the request that begins it, as ``session.Work``; see ``jobs`` for the shapes."""

    def __init__(self, params: Dict[str, Any], context: Context) -> None:
        import pytest  # noqa: PLC0415 - the project's own, which is known only now

        places = Places(context.root)
        self.settings = session.Settings(params["ids"], context)
        self.args = params.get("args") or ()
        ran: Hits = set()
        probes = Probes(lambda filename: _beginnings(places.in_project(filename)))
        probes.into(ran)
        probes.start()
        self._findings = findings = reporter.Findings()
        self._watch = watch = integrity.Watch(integrity.original(), places)
        limit = Limit(params.get("each"))
        self._served = False

        def pytest_runtestloop(session: Any) -> bool:
            probes.stop()
            probes.into(set())
            self._served = True
            trials = _Trials(session, findings, watch, _Files(context.root, patch.Functions(places, ran)), places)
            _serve(trials, context, _Traces(context, params.get("placed") or ()))
            return True

        self.plugin = reporter.plugin(findings, watch, places, False, None, None, limit, None)
        vars(self.plugin)["pytest_runtestloop"] = pytest.hookimpl(tryfirst=True)(pytest_runtestloop)
        self.settings.add_hooks(self.plugin)
        self.trust(vars(self.plugin).values())

    def trust(self, hooks: Iterable[object]) -> None:
        """Take these hooks for our own, too."""
        self._watch.trust(hooks)

    def result(self, ended: session.Ended) -> Optional[Dict[str, Any]]:
        """Why nothing stands, if so."""
        if self._served:
            return None
        errors = [error["message"] for error in self._findings.errors]
        return _answer(reason=ended.complaint or (errors or ["pytest ended before it ran anything: " + ended.exit])[0])


class _Trials:
    """Tests that were collected, run in a fork with an edit in place."""

    def __init__(
        self,
        pytest_session: Any,
        findings: reporter.Findings,
        watch: integrity.Watch,
        files: _Files,
        places: Places,
    ) -> None:
        self._hook = pytest_session.config.hook
        self._items = {item.nodeid: item for item in pytest_session.items}
        self._plain = {test for test, item in self._items.items() if direct.is_plain(item)}
        """Tests that are called without pytest's protocol, which takes several times as long as most of them."""
        self._findings = findings
        self._watch = watch
        self._files = files
        self._places = places
        session.capture_nothing(pytest_session.config)
        for item in self._items.values():
            _ = item.location  # worked out once, here, rather than in each fork

    def read(self, paths: Iterable[str]) -> bool:
        """Read the files that edits are of; whether there were any that are not known yet."""
        found = [self._files.read(path) for path in paths]
        return any(found)

    @property
    def tests(self) -> List[str]:
        """Those that can be run."""
        return list(self._items)

    def run(self, asked: Mapping[str, Any]) -> Dict[str, Any]:
        """Run tests with edits in place, here and now, which makes this process useless for anything else."""
        chance.renew()
        try:
            for change in self._files.changes(asked["edits"]):
                change.apply()
            self._run([self._items[test] for test in asked["ids"]], frozenset(asked["passing"]))
        except patch.NotPatchable as error:
            return _answer(reason=str(error))
        return _answer(self._findings.outcomes, sorted(self._watch.patched))

    def _run(self, items: Sequence[Any], passing: FrozenSet[str]) -> None:
        """Run tests up to the first that should pass and does not."""
        self._watch.collected(items)
        for item, following in zip(items, [*items[1:], None]):
            if item.nodeid in self._plain:
                self._call(item)
            else:
                self._hook.pytest_runtest_protocol(item=item, nextitem=following)
            outcomes = [test["outcome"] for test in self._findings.outcomes[-1:] if test["id"] == item.nodeid]
            if item.nodeid in passing and outcomes != ["passed"]:
                return

    def _call(self, item: Any) -> None:
        """Call a plain test, and find what it comes to."""
        evidence = reporter.Evidence(item)
        error = direct.call(item)
        if error is not None:
            if not isinstance(error, Exception) or _has_another_meaning(error):
                raise patch.NotPatchable(f"what {type(error).__name__} means to pytest is not known here")
            beginning = self._places.beginning(error.__traceback__)
            text = "".join(traceback.format_exception(type(error), error, beginning))
            evidence.failure = failures.describe(error, beginning, text, self._places, with_locals=False)
        outcome = "failed" if error else "passed"
        self._findings.outcomes.append(reporter.told(evidence, outcome, reporter.clock() - evidence.began))


class _Files:
    """The project's unchanged files, and the living functions of them."""

    def __init__(self, root: str, functions: patch.Functions) -> None:
        self._root = root
        self._functions = functions
        self._known: Dict[str, Optional[patch.File]] = {}

    def changes(self, edits: Mapping[str, Sequence[Any]]) -> List[patch.Change]:
        """What to exchange for edits: by path the digest of the text before, the lines that go, and what comes.

        Raises:
            NotPatchable: They take more than other code for functions, or do not compile.
        """
        found: List[patch.Change] = []
        for path, (digest, first, last, lines) in edits.items():
            file = self._known.get(path)
            if file is None or file.digest != digest:
                raise patch.NotPatchable(path + " is not what it was")
            try:
                found += file.changes_within(first, last, lines, self._functions)
            except (SyntaxError, ValueError) as error:
                raise patch.NotPatchable(f"{path} does not compile: {error}") from error
        return found

    def read(self, path: str) -> bool:
        """Read a file, unless that was tried before."""
        if path in self._known:
            return False
        self._known[path] = None
        with contextlib.suppress(OSError, SyntaxError, ValueError):
            self._known[path] = patch.File(path, read_source(os.path.join(self._root, path)))
        return True


def _has_another_meaning(error: Exception) -> bool:
    """Whether an exception makes pytest do something else than to count the test as failed."""
    import pytest  # noqa: PLC0415 - the project's own, which is known only now

    return isinstance(error, (unittest.SkipTest, pytest.skip.Exception, pytest.xfail.Exception, pytest.exit.Exception))


class _Traces:
    """What tries leave behind in the files that they share: the next one would find it.

    All that a run can write to lies in one file system of its own, which tells how many files and blocks it holds. The
    first change of any of the project's files makes another one there, but for those that are there from the beginning.

    Args:
        context: Says where these are.
        placed: The files of the project that are there from the beginning.
    """

    def __init__(self, context: Context, placed: Iterable[str]) -> None:
        self._root = context.root
        self._pytest = os.path.join(context.scratch, "pytest")
        self._placed = [os.path.join(context.root, path) for path in placed]
        self._before = self._now()

    @property
    def there(self) -> bool:
        """Whether anything is not as it was; what pytest makes anew for each run is removed."""
        shutil.rmtree(self._pytest, ignore_errors=True)
        return self._now() != self._before

    def _now(self) -> List[Any]:
        held = os.statvfs(self._root)
        placed = [os.stat(path) for path in self._placed if os.path.lexists(path)]
        return [held.f_bfree, held.f_ffree, *((file.st_ino, file.st_size, file.st_ctime_ns) for file in placed)]


def _serve(trials: _Trials, context: Context, traces: _Traces) -> None:
    """Answer the request that began this, then those that follow, until something is left behind."""
    gc.collect()
    # Forks that collect garbage would write to, and so copy, every page that is shared with them.
    gc.freeze()
    forks.adopt_orphans()

    def work(asked: Any) -> Any:
        context.detach()
        return trials.run(asked)

    context.reply({**_answer(), "tests": trials.tests})
    spare = forks.Spare(work)
    stands = True
    while stands:
        asked = context.receive()
        if asked is None:
            return
        if trials.read(asked["edits"]):
            spare.end()
            spare = forks.Spare(work)
        told, reason = spare.ask(asked, asked["timeout"])
        answer = _answer(reason=reason) if told is None else told
        context.reply({**answer, "stands": not traces.there})
        spare.end()
        stands = not traces.there
        spare = forks.Spare(work)


def _answer(outcomes: Sequence[Any] = (), patched: Sequence[str] = (), reason: Optional[str] = None) -> Dict[str, Any]:
    return {"outcomes": outcomes, "patched": patched, "reason": reason, "tests": [], "stands": True}


def _beginnings(path: Optional[str]) -> Optional[Probing]:
    return None if path is None else Probing(path, lines=False)
