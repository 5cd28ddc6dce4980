"""Verdicts: what the gates found about a candidate."""

from dataclasses import dataclass, replace
from enum import IntEnum, StrEnum


class Level(IntEnum):
    """How much is known in a candidate's favour; each level includes those below it."""

    REJECTED = 0
    UNCHECKED = 1
    PARSES = 2
    PASSES = 3
    FIXES = 4

    @property
    def word(self) -> str:
        return self.name.lower()


class Gate(StrEnum):
    """The checks of a candidate, cheapest first."""

    PARSES = "parses"
    NAMES = "names"
    LINT = "lint"
    TESTS = "tests"


class Route(StrEnum):
    """How the tests of a verdict were run. Only what is found against a candidate ever comes by ``PATCHED``."""

    PATCHED = "patched"
    """In a process that had imported the unchanged project, with the functions exchanged that the candidate changes."""
    RESUMED = "resumed"
    """In a fresh process that had come to where it first looks at a changed file, and waited there for that."""
    IMPORTED = "imported"
    """In a fresh process that imported the project; pytest had been started in it before."""
    STARTED = "started"
    """In a fresh process in which pytest was started, too."""


@dataclass(frozen=True, slots=True)
class FailedTest:
    """A test that failed with the candidate in place."""

    id: str
    message: str


@dataclass(frozen=True, slots=True)
class Line:
    """A line (from one) of a file."""

    path: str
    line: int


@dataclass(frozen=True, slots=True)
class Strength:
    """How much the tests that run the changed lines would notice: tried by mistakes made there on purpose."""

    noticed: int
    slips: int
    """How many mistakes were tried, one at a time; at least one."""
    missed: tuple[str, ...] = ()
    """Those that no test noticed, each with its place, for a person."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What was found, and by which evidence."""

    level: Level
    fixed: tuple[str, ...] = ()
    """Tests that failed at baseline and pass now."""
    remaining: tuple[str, ...] = ()
    """Targets that run the changed lines and still fail."""
    broken: tuple[str, ...] = ()
    """Tests that passed at baseline and do not pass now."""
    ran: tuple[str, ...] = ()
    """Every test that ran with the candidate in place."""
    passed: int = 0
    uncovered: tuple[Line, ...] = ()
    """Changed lines that no test ran."""
    selection: str | None = None
    """How the tests were chosen: ``all``, ``map`` (tests known to run the changed code), ``imports`` (tests whose files
    import it, as far as their text says) or ``asked``."""
    gate: Gate | None = None
    """The gate that rejected it."""
    reason: str | None = None
    failed: tuple[FailedTest, ...] = ()
    seconds: float = 0.0
    route: Route | None = None
    """How its tests were run; ``None``: none were."""
    flaky: tuple[str, ...] = ()
    """Tests that ran and do not count, neither for nor against: they pass at one time and fail at another."""
    strength: Strength | None = None
    """What its tests would notice; ``None`` where that was not measured, or there is nothing to measure."""
    cached: bool = False
    """Whether it was made before, of the same edit and the same files, and told again."""
    confined: bool = True
    """Whether a sandbox was around whatever ran for it."""

    def taking(self, seconds: float) -> "Verdict":
        """The same verdict with the time it took, in seconds."""
        return replace(self, seconds=seconds)

    def evidence(self) -> str:
        """One line for a person, which claims nothing beyond what ran."""
        if self.level is Level.REJECTED:
            by = f"rejected by {self.gate}" if self.gate else "rejected"
            return f"{by}: {self.reason}{self._unconfined()}"
        if self.level <= Level.PARSES:
            told = self.reason or (
                "parses; no test runs the changed lines" if self.level is Level.PARSES else "unchecked"
            )
            return told + self._flaky() + self._unconfined()
        ran = f"of {len(self.ran)} that " + ("run these lines" if self.selection == "map" else "ran")
        fixes = f"fixes {_tests(len(self.fixed))}, " if self.fixed else ""
        about = f"{self._not_covered()}{self._strength()}{self._flaky()}{self._unconfined()}"
        return f"{fixes}breaks {len(self.broken)} {ran}{about}"

    def _not_covered(self) -> str:
        if not self.uncovered:
            return ""
        first, *others = self.uncovered
        more = f" and {len(others)} more" if others else ""
        return f"; not covered: {first.path}:{first.line}{more}"

    def _flaky(self) -> str:
        if not self.flaky:
            return ""
        first, *others = self.flaky
        more = f" and {len(others)} more" if others else ""
        return f"; not counted, since flaky: {first}{more}"

    def _unconfined(self) -> str:
        return "" if self.confined else "; run without a sandbox"

    def _strength(self) -> str:
        if self.strength is None:
            return ""
        where = "in the rest" if self.uncovered else "in these lines"
        slips = "1 slip" if self.strength.slips == 1 else f"{self.strength.slips} slips"
        return f"; would notice {self.strength.noticed} of {slips} {where}"


def _tests(count: int) -> str:
    return "1 test" if count == 1 else f"{count} tests"


def rejected(gate: Gate, reason: str) -> Verdict:
    """The verdict on a candidate that a gate turned away."""
    return Verdict(Level.REJECTED, gate=gate, reason=reason)
