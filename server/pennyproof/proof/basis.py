"""What outcomes rest on, and hence which tests an edit may affect: all others need not run again.

An outcome rests on the functions that the test ran, known by where they begin and compared by checksum; on what its
file, and the conftest files above that, import, which counts as a whole; and on the sources it read. A test is affected
unless all of these are what they were. Some changes may affect any test: files come and gone, files that are not
Python, plugins, whatever was imported on behalf of no test file. Then nothing is said of single tests.
"""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from pathlib import PurePosixPath

from pennyproof.core.outcomes import Baseline, Coverage
from pennyproof.proof.answers import Lines
from pennyproof.proof.imports import ImportGraph
from pennyproof.proof.outlines import Body, outline
from pennyproof.proof.syntax import narrowed

_PROCESS = ""
"""What a test touched that started a process, in which what runs is not seen."""
_HOOKS = "pytest_", "import *"
"""In the text of a conftest file: it has hooks, or may have some."""

MakeGraph = Callable[[Mapping[str, bytes], Callable[[str], str]], ImportGraph]


@dataclass(frozen=True, slots=True)
class Basis:
    """The files as they were when the tests ran, and what of them is known to matter."""

    contents: Mapping[str, bytes]
    """Path → digest, of all files."""
    sources: Mapping[str, str]
    """Path → text, of Python files."""
    loaded: frozenset[str] = frozenset()
    """Files whose functions are watched, as far as they were imported."""
    early: frozenset[str] = frozenset()
    """Those of them that no test file was the first to import."""
    unwatched: frozenset[str] = frozenset()
    """Files that were imported and whose functions are not watched."""
    at_import: Lines = field(default_factory=dict)
    """First lines of functions that ran before any test; zero where the source was opened."""
    touched: Mapping[str, frozenset[str]] = field(default_factory=dict)
    """Test → sources it opened as files."""


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
    """What became of the files since the tests ran."""

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
        changed = [path for path, digest in contents.items() if basis.contents.get(path) != digest]
        self._told = contents.keys() == basis.contents.keys() and all(path in basis.sources for path in changed)
        """Whether no file came or went, and all that changed are Python."""
        self.changed = {path: read(path) for path in changed if path in basis.sources}
        """Path → text now."""

    def affected(self, baseline: Baseline, unsure: Collection[str]) -> Affected | None:
        """The tests that have to run again; ``None``: all.

        Args:
            baseline: What the tests did.
            unsure: Tests that run again whatever was changed.
        """
        basis = self._basis
        test_files = {file_of(test) for test in baseline.outcomes} | {error.path for error in baseline.errors}
        if not self._told or _PROCESS in basis.at_import or "" in test_files:
            return None
        whole, bodies = self._split()
        reached = self._imports().reaching(whole) if whole else frozenset[str]()
        if any(self._may_affect_all(path, path in whole, test_files) for path in self.changed) or any(
            acts_on_all(path, self._texts(path)) for path in reached
        ):
            return None
        files = {file for file in test_files if rests_on(file, reached)} | self._asking(test_files)
        files |= (test_files & self.changed.keys()) | {error.path for error in baseline.errors}
        if whole:
            files |= {file for file in test_files if file not in basis.sources}  # What a text imports is not known.
        tests = {
            test
            for test, outcome in baseline.outcomes.items()
            if outcome.failed or test in unsure or self._runs(test, baseline.functions, reached, bodies)
        }
        if not basis.loaded.isdisjoint(
            files | set(map(file_of, tests))
        ):  # Asked for, sources with doctests are imported in another way.
            return None
        tests = {test for test in tests if file_of(test) not in files}
        again = tests | files
        in_order = (test if test in tests else file_of(test) for test in baseline.outcomes)
        asked = dict.fromkeys([*(name for name in in_order if name in again), *sorted(files)])
        return Affected(frozenset(files), frozenset(tests), tuple(asked))

    def moved(self, coverage: Lines) -> Lines:
        """Functions that did not change, by where they begin now."""
        found: dict[str, frozenset[int]] = dict(coverage)
        for path in self.changed.keys() & coverage.keys():
            old, new = outline(self._basis.sources[path]), outline(self.changed[path])
            if old is None or new is None or old.changed(new) is None:
                del found[path]  # Whoever runs this file runs again.
            else:
                lines = old.moved(new)
                found[path] = frozenset[int]().union(*(lines.get(line, frozenset()) for line in coverage[path]))
        return found

    def _split(self) -> tuple[set[str], list[tuple[str, Body]]]:
        """The files that count as changed as a whole, and the functions that changed in others."""
        whole, bodies = set[str](), list[tuple[str, Body]]()
        opened = set[str]().union(*self._basis.touched.values())
        for path, text in self.changed.items():
            narrow = narrowed(self._basis.sources[path], text)
            old, new = outline(narrow.before), outline(narrow.after)
            found = old.changed(new) if old and new and path in self._basis.loaded else None
            at_import = self._basis.at_import.get(path, frozenset())
            if found is None or path in opened or _any_in(found, at_import):
                whole.add(path)
            else:
                bodies += [(path, body) for body in found]
        return whole, bodies

    def _may_affect_all(self, path: str, whole: bool, test_files: Collection[str]) -> bool:
        """Whether the change of a file may act on tests that import nothing of it."""
        basis = self._basis
        if path in basis.loaded:
            # Whoever read it before the tests ran need not import it.
            return 0 in basis.at_import.get(path, frozenset()) or (whole and path in basis.early)
        return path in basis.unwatched and path not in test_files and not _is_conftest(path)

    def _asking(self, test_files: Collection[str]) -> set[str]:
        """Test files of whose tests it is not known which fixtures they use, if they may use what changed."""
        if not any("getfixturevalue" in text for text in self._basis.sources.values()):
            return set()
        imports = self._imports()
        reached = imports.reaching(self.changed.keys())
        return {file for file in test_files if rests_on(file, imports.asking) and rests_on(file, reached)}

    def _runs(self, test: str, functions: Coverage, reached: Collection[str], bodies: list[tuple[str, Body]]) -> bool:
        """Whether a test was seen to use what changed."""
        ran = functions.lines.get(test)
        touched = self._basis.touched.get(test, frozenset())
        if ran is None or _PROCESS in touched or not touched.isdisjoint(self.changed):
            return True
        return not ran.keys().isdisjoint(reached) or any(
            _any_in([body], ran.get(path, frozenset())) for path, body in bodies
        )

    def _texts(self, path: str) -> str:
        """The text of a file before and after."""
        return self._basis.sources[path] + self.changed.get(path, "")

    def _imports(self) -> ImportGraph:
        sources = self._basis.sources
        return self._graph({path: self._basis.contents[path] for path in sources}, sources.__getitem__)


def file_of(test: str) -> str:
    """The file that a test is in."""
    return test.partition("::")[0]


def rests_on(file: str, reached: Collection[str]) -> bool:
    """Whether a test file, or a conftest file above it, is among these."""
    return file in reached or any(
        (folder / "conftest.py").as_posix() in reached for folder in PurePosixPath(file).parents
    )


def acts_on_all(path: str, text: str) -> bool:
    """Whether it is a conftest file that may act on any test, and not only on those below its folder."""
    return _is_conftest(path) and any(sign in text for sign in _HOOKS)


def _any_in(bodies: list[Body], lines: frozenset[int]) -> bool:
    return any(not lines.isdisjoint(range(body.first, body.last + 1)) for body in bodies)


def _is_conftest(path: str) -> bool:
    return PurePosixPath(path).name == "conftest.py"
