"""What tests did: outcomes, failures, the baseline, and which lines each test ran."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

TIMEOUT, CRASH = "Timeout", "Crash"
"""The kinds of failure of tests that do not come to their end, and would take others down with them."""


class Outcome(StrEnum):
    """pytest's outcomes; only ``passed`` ever counts as evidence."""

    PASSED = "passed"
    FAILED = "failed"
    ERROR = "error"
    SKIPPED = "skipped"
    XFAILED = "xfailed"
    XPASSED = "xpassed"


@dataclass(frozen=True, slots=True)
class Frame:
    """One frame of a traceback, outermost first in a failure."""

    path: str
    """Relative to the root where the file lies in it, else absolute."""
    line: int
    """From one."""
    function: str
    in_project: bool = True
    variables: tuple[tuple[str, str], ...] = ()
    """Names and shortened ``repr`` of the locals, in the order they were bound."""


@dataclass(frozen=True, slots=True)
class Failure:
    """Why a test failed."""

    kind: str
    """The exception's type name."""
    message: str
    frames: tuple[Frame, ...] = ()
    text: str = ""
    """pytest's own report of it, shortened."""

    @property
    def headline(self) -> str:
        """The kind, and the first line of the message, if there is one."""
        message = self.message.strip().partition("\n")[0].removeprefix(f"{self.kind}: ")
        return f"{self.kind}: {message}" if message else self.kind


@dataclass(frozen=True, slots=True)
class TestOutcome:
    """What one test did in one run."""

    __test__ = False

    id: str
    outcome: Outcome
    seconds: float = 0.0
    failure: Failure | None = None
    path: str = ""
    line: int = 0
    """Where the test is defined, from one; zero where unknown."""

    @property
    def failed(self) -> bool:
        return self.outcome in (Outcome.FAILED, Outcome.ERROR)

    @property
    def ends(self) -> bool:
        """Whether the test came to its end."""
        return self.failure is None or self.failure.kind not in (TIMEOUT, CRASH)


@dataclass(frozen=True, slots=True)
class CollectionError:
    """A test file that could not be imported or collected."""

    path: str
    message: str
    line: int = 0


@dataclass(frozen=True, slots=True)
class Coverage:
    """Which lines (from one) of which project files each test ran."""

    lines: Mapping[str, Mapping[str, frozenset[int]]] = field(default_factory=dict)
    """test id → path → lines."""

    def tests_running(self, path: str, lines: frozenset[int]) -> frozenset[str]:
        """The tests that ran at least one of ``lines``."""
        return frozenset(test for test, files in self.lines.items() if not lines.isdisjoint(files.get(path, ())))


@dataclass(frozen=True, slots=True)
class Baseline:
    """The outcome of the tests without any candidate."""

    outcomes: Mapping[str, TestOutcome]
    """By test id, in the order they ran."""
    seconds: float
    errors: tuple[CollectionError, ...] = ()
    flaky: frozenset[str] = frozenset()
    """Tests that were seen to fail and to pass in runs of the same text; they are never targets, nor evidence."""
    functions: Coverage = field(default_factory=Coverage)
    """First lines of the functions that each test runs: coarser than lines, and known for every test."""

    @property
    def failing(self) -> tuple[TestOutcome, ...]:
        """Tests that failed, flaky ones left out."""
        return tuple(test for test in self.outcomes.values() if test.failed and test.id not in self.flaky)

    @property
    def passing(self) -> tuple[TestOutcome, ...]:
        return tuple(test for test in self.outcomes.values() if test.outcome is Outcome.PASSED)
