"""The map of a suite: which tests an edit may concern, by what was seen of them in the run that made a baseline."""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from functools import cached_property

from pennyproof.core.candidates import FileChange
from pennyproof.core.outcomes import Baseline
from pennyproof.proof.basis import Basis, acts_on_all, file_of, is_conftest, rests_on
from pennyproof.proof.imports import ImportGraph
from pennyproof.proof.outlines import Body, edited

_PROCESS = ""
"""What a test touched that started a process, in which what runs is not seen."""
_REMEMBERED = 64
"""Sets of files of which it is kept whom they reach."""

MakeGraph = Callable[[Mapping[str, bytes], Callable[[str], str]], ImportGraph]


@dataclass(frozen=True, slots=True)
class Concerned:
    """The tests that an edit may concern."""

    files: frozenset[str]
    """Test files, all of whose tests it may concern, new ones among them."""
    tests: frozenset[str]
    """Further tests."""
    whole: bool
    """Some file counts as changed as a whole, so that what files import was asked, and not only what tests ran."""

    def __contains__(self, test: str) -> bool:
        return test in self.tests or file_of(test) in self.files


@dataclass(frozen=True, slots=True)
class Choice:
    """The tests to run for a candidate."""

    tests: tuple[str, ...]
    """In the order in which a run of all tests comes to them."""
    files: frozenset[str]
    """Of these files all tests, new ones among them."""
    selection: str
    """How they were chosen, as a verdict says it."""


class SuiteMap:
    """What was seen of the tests of one baseline, arranged for questions about edits.

    An outcome rests on the functions that the test ran, known by where they begin and compared by checksum; on what its
    file, and the conftest files above that, import, which counts as a whole; and on what it read. A test is concerned
    unless all of these are what they were. Some changes may concern any test: files come and gone, files that are
    read unseen, plugins, whatever was imported on behalf of no test file. Then nothing is said of single tests.
    """

    def __init__(self, baseline: Baseline, basis: Basis, graph: MakeGraph) -> None:
        """Arrange.

        Args:
            baseline: What the tests did.
            basis: What that rests on.
            graph: Tells what files import.
        """
        self._baseline = baseline
        self._basis = basis
        self._graph = graph
        self._by_line: dict[str, dict[int, set[str]]] = {}
        self._reaching: dict[frozenset[str], Concerned | None] = {}

    def choose(self, changes: Collection[FileChange]) -> Choice | None:
        """The tests to run for a candidate; ``None``: all, or at least this map does not tell which.

        Args:
            changes: What the candidate changes; the map is one of the files without it.
        """
        changed: dict[str, str] = {}
        for change in changes:
            known = self._basis.sources.get(change.path)
            if change.before is None or change.after is None or known not in (None, change.before.text):
                return None
            if change.before != change.after:
                changed[change.path] = change.after.text
        concerned = self.concerned(changed)
        if concerned is None or (concerned.whole and self._baseline.errors):
            return None  # What could not be collected may be now.
        tests = tuple(test for test in self._baseline.outcomes if test in concerned)
        return Choice(tests, concerned.files, "imports" if concerned.whole else "map")

    def concerned(self, changed: Mapping[str, str]) -> Concerned | None:
        """The tests that may do something else now; ``None``: any.

        Args:
            changed: Path → text now, of the files that differ from those that the map was made of; none came or went.
        """
        basis = self._basis
        if _PROCESS in basis.at_import or "" in self._test_files:
            return None
        parts = self._split(changed)
        if parts is None or any(self._may_concern_all(path) for path in parts[0] | changed.keys()):
            return None
        whole, bodies = parts
        found = self._of_files(frozenset(whole), changed) if whole else Concerned(frozenset(), frozenset(), False)
        if found is None:
            return None
        tests = set(found.tests | self._always)
        for path, body in bodies:
            lines = self._running(path)
            tests.update(*(lines[line] for line in range(body.first, body.last + 1) if line in lines))
        for path in changed:
            tests |= self._reading.get(path, set())
        files = found.files | self._asking(changed) | (self._test_files & changed.keys())
        return Concerned(files, frozenset(tests), bool(whole))

    @cached_property
    def _test_files(self) -> frozenset[str]:
        return frozenset(map(file_of, self._baseline.outcomes)) | {error.path for error in self._baseline.errors}

    @cached_property
    def _always(self) -> frozenset[str]:
        """Tests of which it was not seen all that they ran."""
        known, touched = self._baseline.functions.lines, self._basis.touched
        return frozenset(
            test for test in self._baseline.outcomes if test not in known or _PROCESS in touched.get(test, ())
        )

    @cached_property
    def _reading(self) -> Mapping[str, set[str]]:
        """Source → the tests that opened it as a file."""
        found: dict[str, set[str]] = {}
        for test, paths in self._basis.touched.items():
            for path in paths:
                found.setdefault(path, set()).add(test)
        return found

    @cached_property
    def _imports(self) -> ImportGraph:
        sources = self._basis.sources
        return self._graph({path: self._basis.contents[path] for path in sources}, sources.__getitem__)

    @cached_property
    def _asks_for_fixtures(self) -> bool:
        return any("getfixturevalue" in text for text in self._basis.sources.values())

    def _running(self, path: str) -> Mapping[int, set[str]]:
        """First line of a function → the tests that ran it."""
        if path not in self._by_line:
            lines: dict[int, set[str]] = {}
            for test, files in self._baseline.functions.lines.items():
                for line in files.get(path, ()):
                    lines.setdefault(line, set()).add(test)
            self._by_line[path] = lines
        return self._by_line[path]

    def _split(self, changed: Mapping[str, str]) -> tuple[set[str], list[tuple[str, Body]]] | None:
        """The files that count as changed as a whole, and the functions that changed in others.

        What other files hold counts for the sources that opened them; ``None`` where it was not seen which did.
        """
        basis = self._basis
        whole, bodies = set[str](), list[tuple[str, Body]]()
        for path, text in changed.items():
            if path not in basis.sources:
                openers = basis.opened.get(path, frozenset())
                if not openers or not openers <= basis.sources.keys():
                    return None
                whole |= openers
                continue
            found = edited(basis.sources[path], text) if path in basis.loaded else None
            at_import = basis.at_import.get(path, frozenset())
            if found is None or path in self._reading or any(_begins_in(body, at_import) for body in found):
                whole.add(path)
            else:
                bodies += [(path, body) for body in found]
        return whole, bodies

    def _may_concern_all(self, path: str) -> bool:
        """Whether the change of a file may act on tests that import nothing of it, however little it changes."""
        basis = self._basis
        if path in basis.loaded:  # Whoever read it before the tests ran need not import it.
            return 0 in basis.at_import.get(path, frozenset())
        return path in basis.unwatched and path not in self._test_files and not is_conftest(path)

    def _of_files(self, whole: frozenset[str], changed: Mapping[str, str]) -> Concerned | None:
        """The tests that may use anything of these files."""
        if any(acts_on_all(path, changed[path]) for path in whole & changed.keys()):
            return None  # A hook that was not there before.
        if whole not in self._reaching:
            if len(self._reaching) >= _REMEMBERED:
                self._reaching.clear()
            self._reaching[whole] = self._find(whole)
        return self._reaching[whole]

    def _find(self, whole: frozenset[str]) -> Concerned | None:
        basis = self._basis
        reached = self._imports.reaching(whole)
        if not whole.isdisjoint(basis.early) or any(acts_on_all(path, basis.sources[path]) for path in reached):
            return None
        # What a text imports is not known.
        files = {file for file in self._test_files if file not in basis.sources or rests_on(file, reached)}
        tests = set[str]().union(*(running for path in reached for running in self._running(path).values()))
        return Concerned(frozenset(files), frozenset(tests), True)

    def _asking(self, changed: Collection[str]) -> frozenset[str]:
        """Test files of whose tests it is not known which fixtures they use, if they may use what changed."""
        if not self._asks_for_fixtures:
            return frozenset()
        asking = [file for file in self._test_files if rests_on(file, self._imports.asking)]
        reached = self._imports.reaching(changed) if asking else frozenset[str]()
        return frozenset(file for file in asking if rests_on(file, reached))


def _begins_in(body: Body, lines: frozenset[int]) -> bool:
    """Whether one of the functions that begin at these lines is, or lies in, a body."""
    return not lines.isdisjoint(range(body.first, body.last + 1))
