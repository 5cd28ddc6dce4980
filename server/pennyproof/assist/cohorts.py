"""Which failing tests are likely to have one cause, and which passing tests help to find it."""

from collections import defaultdict
from collections.abc import Iterable, Sequence

from pennyproof.core.outcomes import Baseline, Coverage, Frame, TestOutcome
from pennyproof.core.spectrum import suspicions

_MOST_PASSING_TESTS = 120
_MOST_PASSING_SECONDS = 3.0
"""What is known of passing tests beyond the nearest adds little, and running them takes time."""


def cohorts(targets: Iterable[TestOutcome], coverage: Coverage, passing: Sequence[str]) -> list[list[TestOutcome]]:
    """Failing tests in groups that are likely to have one cause, the largest group and the quickest test of each first.

    All that run the most suspicious line are taken to fail for one reason; what is left is looked at in the same way
    (fault localisation in sequence: Jones, Bowring and Harrold, "Debugging in parallel", ISSTA 2007). A wrong guess
    costs time, never truth: every target is run with every survivor anyway.

    Args:
        targets: The failing tests.
        coverage: Lines that they and passing tests run.
        passing: The passing tests.
    """
    quickest = sorted(targets, key=lambda test: test.seconds)
    traced = [test for test in quickest if coverage.lines.get(test.id)]
    groups = _by_place([test for test in quickest if not coverage.lines.get(test.id)])
    while traced:
        suspicious = suspicions(coverage, [test.id for test in traced], passing)
        path, line = max(suspicious, key=lambda place: (suspicious[place], place))
        groups.append([test for test in traced if line in coverage.lines[test.id].get(path, ())])
        traced = [test for test in traced if line not in coverage.lines[test.id].get(path, ())]
    return sorted(groups, key=lambda group: (-len(group), group[0].id))


def related_passing(targets: Iterable[TestOutcome], baseline: Baseline) -> list[str]:
    """Passing tests that run functions the targets run, the most alike first, within what tracing may cost."""
    wanted = {function for target in targets for function in _functions(baseline, target.id)}
    scored = []
    for test in baseline.passing:
        functions = _functions(baseline, test.id)
        shared = len(wanted & functions)
        if shared:
            scored.append((shared / len(wanted | functions), test))
    scored.sort(key=lambda pair: -pair[0])
    chosen: list[str] = []
    seconds = 0.0
    for _, test in scored[:_MOST_PASSING_TESTS]:
        seconds += test.seconds
        if chosen and seconds > _MOST_PASSING_SECONDS:
            break
        chosen.append(test.id)
    return chosen


def deepest_frame(test: TestOutcome) -> Frame | None:
    """The innermost frame of a failure that lies in the project and outside the test's own file."""
    frames = test.failure.frames if test.failure else ()
    return next((frame for frame in reversed(frames) if frame.in_project and frame.path != test.path), None)


def _by_place(tests: Iterable[TestOutcome]) -> list[list[TestOutcome]]:
    """Tests of which no lines are known, together where they failed at one place."""
    groups: dict[object, list[TestOutcome]] = defaultdict(list)
    for test in tests:
        frame = deepest_frame(test)
        groups[(frame.path, frame.line) if frame else test.id].append(test)
    return list(groups.values())


def _functions(baseline: Baseline, test_id: str) -> set[tuple[str, int]]:
    files = baseline.functions.lines.get(test_id, {})
    own = baseline.outcomes[test_id].path
    return {(path, line) for path, lines in files.items() if path != own for line in lines}
