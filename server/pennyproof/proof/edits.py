"""What became of the files since the tests ran, and which tests hence have to run again."""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass

from pennyproof.core.outcomes import Baseline
from pennyproof.proof.answers import Lines
from pennyproof.proof.basis import Basis, file_of
from pennyproof.proof.mapping import MakeGraph, SuiteMap
from pennyproof.proof.outlines import outline


@dataclass(frozen=True, slots=True)
class Affected:
    """What to run again."""

    files: frozenset[str]
    """Test files, to be collected anew."""
    tests: frozenset[str]
    """Further tests."""
    asked: tuple[str, ...]
    """All, in the order in which a run of all tests comes to them."""

    def __contains__(self, test: str) -> bool:
        return test in self.tests or file_of(test) in self.files


class Edits:
    """The files that changed."""

    def __init__(
        self,
        basis: Basis,
        contents: Mapping[str, bytes],
        read: Callable[[str], str],
        graph: MakeGraph,
    ) -> None:
        """Compare.

        Args:
            basis: The files as they were.
            contents: Path → digest, of all files now.
            read: Reads one of them.
            graph: Tells what files import.
        """
        self._basis = basis
        self._graph = graph
        self._told = contents.keys() == basis.contents.keys()
        """Whether no file came or went."""
        changed = [path for path, digest in contents.items() if basis.contents.get(path) != digest]
        self.changed = {path: read(path) if path in basis.sources else "" for path in changed}
        """Path → text now, of sources."""
        self._moves: dict[str, Mapping[int, frozenset[int]] | None] = {}

    def affected(self, baseline: Baseline, unsure: Collection[str]) -> Affected | None:
        """The tests that have to run again; ``None``: all.

        Args:
            baseline: What the tests did.
            unsure: Tests that run again whatever was changed.
        """
        concerned = SuiteMap(baseline, self._basis, self._graph).concerned(self.changed) if self._told else None
        if concerned is None:
            return None
        files = concerned.files | {error.path for error in baseline.errors}
        tests = {
            test
            for test, outcome in baseline.outcomes.items()
            if file_of(test) not in files and (outcome.failed or test in unsure or test in concerned.tests)
        }
        if not self._basis.loaded.isdisjoint(files | set(map(file_of, tests))):
            return None  # Asked for, sources with doctests are imported in another way.
        again = tests | files
        in_order = (test if test in tests else file_of(test) for test in baseline.outcomes)
        asked = dict.fromkeys([*(name for name in in_order if name in again), *sorted(files)])
        return Affected(frozenset(files), frozenset(tests), tuple(asked))

    def moved(self, coverage: Lines) -> Lines:
        """Functions that did not change, by where they begin now."""
        edited = self.changed.keys() & coverage.keys()
        if not edited:
            return coverage  # Most tests run nothing of what changed, and share what is known of them.
        found: dict[str, frozenset[int]] = dict(coverage)
        for path in edited:
            lines = self._lines(path)
            if lines is None:
                del found[path]  # Whoever runs this file runs again.
            else:
                found[path] = frozenset[int]().union(*(lines.get(line, frozenset()) for line in coverage[path]))
        return found

    def _lines(self, path: str) -> Mapping[int, frozenset[int]] | None:
        """First lines of functions of a file, and where they are now; ``None`` where more changed than functions."""
        if path not in self._moves:
            old, new = outline(self._basis.sources.get(path, "")), outline(self.changed[path])
            told = old is not None and new is not None and old.changed(new) is not None
            self._moves[path] = old.moved(new) if old and new and told else None
        return self._moves[path]
