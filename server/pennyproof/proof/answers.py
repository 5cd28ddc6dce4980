"""What a run inside the project tells, as frozen data."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Self

from pennyproof.core.outcomes import CollectionError, Coverage, Failure, Frame, Outcome, TestOutcome

Lines = Mapping[str, frozenset[int]]
"""Path → lines, from one."""


@dataclass(frozen=True, slots=True)
class RunResult:
    """The result of the job ``run``."""

    collected: tuple[str, ...]
    unknown: tuple[str, ...]
    outcomes: Mapping[str, TestOutcome]
    errors: tuple[CollectionError, ...]
    coverage: Coverage
    watched: Lines
    """Lines that ran in a test that passed."""
    watched_by: frozenset[str]
    """Tests, of any outcome, that ran a watched line."""
    watched_at_import: Lines
    patched: frozenset[str]
    exit: str
    seconds: float
    touched: Mapping[str, frozenset[str]] = field(default_factory=dict)
    """Test → the sources it opened as files; "" where it started a process."""
    opened: Mapping[str, frozenset[str]] = field(default_factory=dict)
    """Other file → the sources whose code opened it; "": none of the project's."""
    at_import: Lines = field(default_factory=dict)
    """First lines of functions that ran before any test; zero where the source was opened; "" for processes."""
    loaded: frozenset[str] = frozenset()
    """Files whose functions are watched from when they were imported."""
    early: frozenset[str] = frozenset()
    """Those of them that no test file was the first to import."""
    unwatched: frozenset[str] = frozenset()
    """Files that were imported and whose functions are not watched: test files, conftest files, plugins."""

    @classmethod
    def of(cls, outcomes: Mapping[str, TestOutcome], patched: frozenset[str] = frozenset()) -> Self:
        """What is known where only outcomes are."""
        return cls((), (), outcomes, (), Coverage(), {}, frozenset(), {}, patched, "none", 0.0)

    @property
    def passed(self) -> frozenset[str]:
        """Tests that ran and passed."""
        return frozenset(test.id for test in self.outcomes.values() if test.outcome is Outcome.PASSED)

    def without(self, tests: Collection[str]) -> "RunResult":
        """The same run, as if some tests had not been in it. What only they ran, the run itself has to leave out."""
        outcomes = {test: outcome for test, outcome in self.outcomes.items() if test not in tests}
        return replace(self, outcomes=outcomes) if len(outcomes) < len(self.outcomes) else self


class UnreadableAnswer(ValueError):
    """It is no result of the job ``run``: whoever gave it is not the reporter."""


def read_run(result: Mapping[str, Any], seconds: float) -> RunResult:
    """Read the result of the job ``run``, whose shape is told in ``inside/jobs.py``.

    Raises:
        UnreadableAnswer: It has another shape, or tells of a test twice.
    """
    try:
        run = _read_run(result, seconds)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise UnreadableAnswer(f"{type(error).__name__}: {error}") from error
    if len(run.outcomes) != len(result["outcomes"]):
        raise UnreadableAnswer("it tells of a test twice")
    return run


def _read_run(result: Mapping[str, Any], seconds: float) -> RunResult:
    return RunResult(
        collected=tuple(result["collected"]),
        unknown=tuple(result["unknown"]),
        outcomes={item["id"]: read_outcome(item) for item in result["outcomes"]},
        errors=tuple(CollectionError(item["path"], item["message"], item["line"]) for item in result["errors"]),
        coverage=read_coverage(result["coverage"]),
        watched=read_lines(result["watched"]),
        watched_by=frozenset(result["watched_by"]),
        watched_at_import=read_lines(result["watched_at_import"]),
        patched=frozenset(result["patched"]),
        exit=result["exit"],
        seconds=seconds,
        touched=read_names(result["touched"]),
        opened=read_names(result["opened"]),
        at_import=read_lines(result["at_import"]),
        loaded=frozenset(result["loaded"]),
        early=frozenset(result["early"]),
        unwatched=frozenset(result["unwatched"]),
    )


def read_lines(files: Mapping[str, Any]) -> dict[str, frozenset[int]]:
    """Path → lines, from their JSON."""
    return {path: frozenset(lines) for path, lines in files.items()}


def read_coverage(tests: Mapping[str, Any]) -> Coverage:
    """What each test ran, from its JSON. Equal sets are kept once: tests of one kind run much the same."""
    known: dict[frozenset[int], frozenset[int]] = {}
    return Coverage(
        {
            test: {path: known.setdefault(lines, lines) for path, lines in read_lines(files).items()}
            for test, files in tests.items()
        }
    )


def read_names(named: Mapping[str, Any]) -> dict[str, frozenset[str]]:
    """Name → names, from their JSON."""
    return {name: frozenset(names) for name, names in named.items()}


def merge_names(many: Iterable[Mapping[str, frozenset[str]]]) -> dict[str, frozenset[str]]:
    """All names of each."""
    whole: dict[str, frozenset[str]] = {}
    for named in many:
        for name, names in named.items():
            whole[name] = whole.get(name, frozenset()) | names
    return whole


def merge_lines(many: Iterable[Lines]) -> dict[str, frozenset[int]]:
    """The lines of all."""
    whole: dict[str, frozenset[int]] = {}
    for files in many:
        for path, lines in files.items():
            whole[path] = whole.get(path, frozenset()) | lines
    return whole


def read_outcome(item: Mapping[str, Any]) -> TestOutcome:
    """One test's outcome, from its JSON."""
    failure = item["failure"]
    return TestOutcome(
        id=item["id"],
        outcome=Outcome(item["outcome"]),
        seconds=item["seconds"],
        failure=_failure(failure) if failure else None,
        path=item["path"],
        line=item["line"],
    )


def _failure(item: Mapping[str, Any]) -> Failure:
    return Failure(item["kind"], item["message"], tuple(_frame(frame) for frame in item["frames"]), item["text"])


def _frame(item: Mapping[str, Any]) -> Frame:
    return Frame(
        path=item["path"],
        line=item["line"],
        function=item["function"],
        in_project=item["in_project"],
        variables=tuple((name, value) for name, value in item["variables"]),
    )
