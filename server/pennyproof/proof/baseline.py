"""What the tests do without any candidate: run once, remembered by content."""

import hashlib
import json
import threading
import time
from collections import OrderedDict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from math import inf

from pennyproof import __version__
from pennyproof.core.candidates import FileChange
from pennyproof.core.outcomes import Baseline, Coverage
from pennyproof.core.snapshots import Snapshot
from pennyproof.core.work import Cancel, Progress
from pennyproof.errors import NoTests, UnknownTest
from pennyproof.proof import collecting
from pennyproof.proof.basis import Basis, acts_on_all, rests_on
from pennyproof.proof.bytecode import Bytecode
from pennyproof.proof.carrying import carry
from pennyproof.proof.chance import chancy
from pennyproof.proof.edits import Edits
from pennyproof.proof.imports import Scans
from pennyproof.proof.mapping import Choice, SuiteMap
from pennyproof.proof.options import ProofOptions
from pennyproof.proof.pool import Pool
from pennyproof.proof.records import Recorded, Records
from pennyproof.proof.retrial import Memory
from pennyproof.proof.suite import Suite
from pennyproof.proof.workspace import Look, Workspace

_MEMORIES = 4
"""So many states of the project are remembered test by test."""
_ROUNDS = 3
"""How often tests are run again because sources were written meanwhile."""
_UNKNOWN = "\0"
"""Stands for a text that is not known: no Python."""
_WRITTEN = "written"


class Baselines:
    """Makes and remembers baselines. Thread-safe; one is made at a time."""

    def __init__(
        self,
        workspace: Workspace,
        fingerprint: str,
        options: ProofOptions,
        *,
        warming: Pool,
        mapping: Pool,
        pool: Pool,
        records: Records,
        bytecode: Bytecode,
    ) -> None:
        """Keep what baselines are made with.

        Args:
            workspace: The files.
            fingerprint: Of the interpreter and its packages.
            options: The settings.
            warming: One worker, which may write bytecode, for first runs of some tests.
            mapping: Likewise for those of all tests.
            pool: Workers for further ones.
            records: Where baselines are kept.
            bytecode: The cache that these fill.
        """
        self._workspace = workspace
        self._fingerprint = fingerprint
        self._options = options
        self._warming = warming
        self._mapping = mapping
        self._pool = pool
        self._records = records
        self._bytecode = bytecode
        self._test_files: frozenset[str] = frozenset()
        self._learned: Recorded | None = None
        self._imports = Scans()
        self._lock = threading.Lock()
        self._memories: OrderedDict[str, Memory] = OrderedDict()
        self._arranging = threading.Lock()
        self._map: tuple[Recorded, SuiteMap] | None = None
        """Of the baseline that was asked about last."""

    @property
    def test_files(self) -> frozenset[str]:
        """Files that turned out to hold tests, whatever they are called."""
        return self._test_files

    def get(
        self,
        snapshot: Snapshot,
        test_ids: Sequence[str] | None,
        *,
        patience: float | None = inf,
        cancel: Cancel,
        progress: Progress,
    ) -> Recorded:
        """The baseline of all tests, or one that holds at least those asked for.

        Args:
            snapshot: The workspace.
            test_ids: The tests asked for; ``None``: all.
            patience: Seconds that all tests which hang may take together. ``None``: what the settings allow to each,
                and nothing less is taken from memory either.
            cancel: Ends the run.
            progress: Told what is being done.

        Raises:
            UnknownTest: An id does not exist.
            NoTests: There are no tests at all.
        """
        recorded = self._remembered(snapshot, None, patience)
        if recorded is None and test_ids is not None:
            return self.alone(snapshot, test_ids, patience=patience, cancel=cancel, progress=progress)
        if recorded is None:
            recorded = self._make(snapshot, None, patience, cancel, progress)
        self._learn(recorded)
        if test_ids is not None:
            expand(test_ids, recorded.baseline)
        return recorded

    def keep_up(self, snapshot: Snapshot, *, cancel: Cancel, progress: Progress) -> None:
        """Have the baseline of all tests, and its map, ready before anybody asks; gives way to other processes.

        Whoever asks for it meanwhile waits for this run rather than beginning another.

        Raises:
            NoTests: There are no tests at all.
        """
        recorded = self._remembered(snapshot, None, inf)
        if recorded is None:
            recorded = self._make(snapshot, None, inf, cancel, progress, gently=True)
        self._learn(recorded)
        self.choose(recorded, ())
        if recorded.basis is not None:
            self._imports.graph(
                {path: recorded.basis.contents[path] for path in recorded.basis.sources},
                recorded.basis.sources.__getitem__,
            )

    def alone(
        self,
        snapshot: Snapshot,
        test_ids: Sequence[str],
        *,
        patience: float | None = inf,
        cancel: Cancel,
        progress: Progress,
    ) -> Recorded:
        """What these tests do when only they run: some depend on those that usually run before them."""
        found = self._remembered(snapshot, test_ids, patience)
        recorded = found or self._make(snapshot, test_ids, patience, cancel, progress)
        self._learn(recorded)
        return recorded

    def known(self, snapshot: Snapshot, test_ids: Sequence[str]) -> Recorded | None:
        """A baseline that holds these tests, if one is remembered, whatever else it was asked for; nothing is run."""
        whole = self._remembered(snapshot, None, inf)
        return whole or self._records.holding(self._state(self._workspace.digest(snapshot)), test_ids)

    def holds(self, recorded: Recorded, look: Look, test_ids: Sequence[str] | None) -> bool:
        """Whether a baseline is the one that would be told of these tests in these files; nothing is run."""
        found = self._kept(look.digest, None, inf)
        if found is None and test_ids is not None:
            found = self._kept(look.digest, test_ids, inf)
        return found is recorded

    def memory(self, look: Look) -> Memory:
        """What single tests were seen to do with these files, over and over, without any candidate."""
        key = self._state(look.digest)
        with self._lock:
            memory = self._memories.pop(key, None) or Memory()
            self._memories[key] = memory
            while len(self._memories) > _MEMORIES:
                self._memories.popitem(last=False)
            return memory

    def distrust(self, recorded: Recorded, flaky: Collection[str]) -> None:
        """Remember that tests of a baseline are flaky."""
        if flaky:
            self._records.distrust(recorded, flaky)

    def chancy(self, snapshot: Snapshot, look: Look, recorded: Recorded, tests: Sequence[str]) -> frozenset[str]:
        """Those of the tests that may depend on chance."""
        known = self.memory(look).chancy
        new = [test for test in tests if test not in known]
        found = chancy(new, recorded.baseline, lambda path: self._workspace.text(snapshot, path)) if new else ()
        known.update((test, test in found) for test in new)
        return frozenset(test for test in tests if known[test])

    def _remembered(
        self, snapshot: Snapshot, test_ids: Sequence[str] | None, patience: float | None
    ) -> Recorded | None:
        return self._kept(self._workspace.digest(snapshot), test_ids, patience)

    def _kept(self, digest: str, test_ids: Sequence[str] | None, patience: float | None) -> Recorded | None:
        found = self._records.get(self._key(digest, test_ids), stored=test_ids is None)
        return None if found and found.hurried and patience is None else found

    def coverage(self, snapshot: Snapshot, test_ids: Sequence[str], *, cancel: Cancel) -> Coverage:
        """The lines that each of these tests runs; those of failing ones are known from when they were run again."""
        recorded = self._remembered(snapshot, None, inf)
        known = recorded.lines.lines if recorded else {}
        missing = [test for test in test_ids if test not in known]
        traced = Coverage()
        if missing:
            with self._pool.lend(cancel) as worker:
                suite = Suite(worker, snapshot, self._options, cancel)
                traced = suite.lines(missing, recorded.unrunnable if recorded else ())
        lines = {**known, **traced.lines}
        return Coverage({test: lines[test] for test in test_ids if test in lines})

    def importing(self, snapshot: Snapshot, paths: Collection[str]) -> list[str] | None:
        """The test files that may import any of these files, as far as their text says.

        Returns:
            ``None`` where all tests are known already, or were before some edits that do not concern them all, which
            says more; or where it takes all tests.
        """
        if self._remembered(snapshot, None, inf) or self._is_soon_known(snapshot):
            return None
        contents = self._workspace.contents(snapshot)

        def read(path: str) -> str:
            return self._workspace.text(snapshot, path)

        files = collecting.test_files(contents, read, self._options.args)
        if files is None or not all(path in contents and path.endswith(".py") for path in paths):
            return None
        sources = {path: digest for path, digest in contents.items() if path.endswith(".py")}
        reached = self._imports.graph(sources, read).reaching(paths)
        if any(acts_on_all(path, read(path)) for path in reached):
            return None
        found = sorted(file for file in files if rests_on(file, reached))
        return found if found and len(found) < len(files) else None

    def _is_soon_known(self, snapshot: Snapshot) -> bool:
        """Whether no more than some tests have to run until all are known."""
        last = self._records.latest(self._variant())
        if last is None or last.basis is None:
            return False
        contents = self._workspace.contents(snapshot)
        edits = Edits(last.basis, contents, lambda path: self._workspace.text(snapshot, path), self._imports.graph)
        return edits.affected(last.baseline, last.baseline.flaky | last.unrunnable) is not None

    def choose(self, recorded: Recorded, changes: Collection[FileChange]) -> Choice | None:
        """The tests to run for a candidate, by what a baseline of all tests rests on.

        Returns:
            ``None`` where that takes the whole suite, or where it is not known what the baseline rests on.
        """
        if recorded.basis is None:
            return None
        with self._arranging:
            if self._map is None or self._map[0] is not recorded:
                self._map = recorded, SuiteMap(recorded.baseline, recorded.basis, self._imports.graph)
            return self._map[1].choose(changes)

    def _make(
        self,
        snapshot: Snapshot,
        test_ids: Sequence[str] | None,
        patience: float | None,
        cancel: Cancel,
        progress: Progress,
        *,
        gently: bool = False,
    ) -> Recorded:
        progress.report("waiting for a worker")
        with (self._mapping if test_ids is None else self._warming).lend(cancel) as worker:
            found = self._remembered(snapshot, test_ids, patience)
            if found:  # Another thread made it while this one waited.
                return found
            began = time.time()
            patience = inf if patience is None else patience
            suite = Suite(worker, snapshot, self._options, cancel, patience, gently=gently)
            if test_ids is None:
                again = Suite(worker, snapshot, self._options, cancel, patience, as_configured=True, gently=gently)
                recorded = self._up_to_date(snapshot, suite, again, cancel, progress)
                worker.kill()  # The next such run may be far off.
            else:
                recorded = replace(self._record(suite, test_ids, cancel, progress), basis=None)
            self._bytecode.forget_racy(self._workspace.racy_since(began), snapshot.buffers)
        self._records.put(self._key(self._workspace.digest(snapshot), test_ids), recorded, stored=test_ids is None)
        return recorded

    def _up_to_date(
        self, snapshot: Snapshot, suite: Suite, again: Suite, cancel: Cancel, progress: Progress
    ) -> Recorded:
        """The baseline of all tests, made again as far as sources were written while their tests ran."""
        for _ in range(_ROUNDS):
            contents = self._workspace.contents(snapshot, afresh=True)
            recorded = self._whole(snapshot, contents, suite, again, cancel, progress)
            now = self._workspace.contents(snapshot, afresh=True)
            if recorded.basis is None or now == contents:
                return recorded
            written = {path for path in now if now[path] != contents.get(path)}
            if now.keys() != contents.keys() or not all(path in recorded.basis.sources for path in written):
                break
            # Which text ran is not known, so that all that it may concern runs again.
            basis = replace(
                recorded.basis,
                contents={**contents, **dict.fromkeys(written, b"")},
                sources={**recorded.basis.sources, **dict.fromkeys(written, _UNKNOWN)},
            )
            self._records.put(self._variant() + _WRITTEN, replace(recorded, basis=basis), stored=False)
        return replace(recorded, basis=None)  # Nothing says what ran.

    def _whole(
        self,
        snapshot: Snapshot,
        contents: Mapping[str, bytes],
        suite: Suite,
        again: Suite,
        cancel: Cancel,
        progress: Progress,
    ) -> Recorded:
        """The baseline of all tests, of which only those run that may do something else than when they last ran."""
        last = self._records.latest(self._variant())
        known = last.basis if last and last.basis else Basis({}, {})
        sources = {
            path: known.sources[path] if known.contents.get(path) == digest else self._workspace.text(snapshot, path)
            for path, digest in contents.items()
            if path.endswith(".py")
        }
        recorded = None
        if last and last.basis:
            edits = Edits(last.basis, contents, lambda path: sources.get(path, ""), self._imports.graph)
            recorded = self._carried(last, edits, again, cancel, progress)
        if recorded is None:
            recorded = self._record(suite, None, cancel, progress)
        if recorded.basis is None:
            return recorded
        opened = {path: by for path, by in recorded.basis.opened.items() if path in contents}
        return replace(recorded, basis=replace(recorded.basis, contents=contents, sources=sources, opened=opened))

    def _carried(
        self, last: Recorded, edits: Edits, suite: Suite, cancel: Cancel, progress: Progress
    ) -> Recorded | None:
        """The last baseline brought up to date; ``None`` where that takes all tests."""
        affected = edits.affected(last.baseline, last.baseline.flaky | last.unrunnable)
        if affected is None:
            return None
        new = self._record(suite, affected.asked, cancel, progress) if affected.asked else None
        return carry(last, edits, affected, new)

    def _record(self, suite: Suite, test_ids: Sequence[str] | None, cancel: Cancel, progress: Progress) -> Recorded:
        progress.report("running the tests")
        run, unrunnable, hurried = suite.run(test_ids, progress)
        if test_ids is None and not run.outcomes and not run.errors:
            raise NoTests(f"no tests found in {self._workspace.root}: pytest collects none there")
        baseline = Baseline(run.outcomes, run.seconds, run.errors, functions=run.coverage)
        if test_ids is not None and not suite.as_configured:
            expand(test_ids, baseline)
        again = [test.id for test in baseline.failing if test.id not in unrunnable]
        retried = None
        if again:
            progress.report(f"running {len(again)} failing tests again")
            with self._pool.lend(cancel) as worker:
                retried = suite.moved_to(worker).again(again, baseline)
        flaky = retried.passed if retried else frozenset[str]()
        lines = retried.coverage if retried else Coverage()
        seen = Basis({}, {}, run.loaded, run.early, run.unwatched, run.at_import, run.touched, run.opened)
        return Recorded(replace(baseline, flaky=flaky), run.patched, unrunnable, hurried, lines, seen)

    def _learn(self, recorded: Recorded) -> None:
        if recorded is not self._learned:
            self._test_files |= test_files(recorded.baseline.outcomes)
            self._learned = recorded

    def _key(self, digest: str, test_ids: Sequence[str] | None) -> str:
        asked = None if test_ids is None else sorted(set(test_ids))
        return self._state(digest) + _hash([asked])[:16]

    def _state(self, digest: str) -> str:
        """What the keys of all baselines begin with that are of one state of the project."""
        return self._variant() + _hash([digest]) + "-"

    def _variant(self) -> str:
        """What the keys of all baselines begin with that were made in the same way."""
        options = self._options
        return _hash([self._fingerprint, options.args, float(options.timeout_seconds), __version__])[:16] + "-"


def _hash(parts: Sequence[object]) -> str:
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()


def expand(asked: Sequence[str], baseline: Baseline) -> list[str]:
    """The tests that ids stand for, each of which may name a test, a class, a file or a folder.

    Raises:
        UnknownTest: One stands for none.
    """
    chosen: dict[str, None] = {}
    for name in asked:
        if name in baseline.outcomes:
            chosen[name] = None
            continue
        prefixes = tuple(name.rstrip("/") + separator for separator in ("::", "/", "["))
        found = [test for test in baseline.outcomes if test.startswith(prefixes)]
        if not found:
            error = next((error for error in baseline.errors if error.path == name.partition("::")[0]), None)
            why = f"its file cannot be collected: {_last_line(error.message)}" if error else "pytest collects none"
            raise UnknownTest(f"no test {name!r}: {why}")
        chosen.update(dict.fromkeys(found))
    return list(chosen)


def test_files(test_ids: Collection[str]) -> frozenset[str]:
    """The files of tests, but for sources whose docstrings are tested: those are there to be mended."""
    files = (test.partition("::") for test in test_ids)
    return frozenset(file for file, _, name in files if not (file.endswith(".py") and "." in name.partition("[")[0]))


def _last_line(message: str) -> str:
    return message.strip().rpartition("\n")[2]
