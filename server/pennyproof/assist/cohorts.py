"""Which failing tests are likely to have one cause, and which passing tests help to find it."""

from collections.abc import Iterable, Mapping

from pennyproof.core.outcomes import Baseline, Coverage, Frame, TestOutcome

_SIMILAR = 0.5
"""Two failing tests are taken to have one cause where they share half of the project's lines they run
(Jaccard). A wrong guess costs time, never truth: every target is run against every survivor anyway."""

_MOST_PASSING_TESTS = 120
_MOST_PASSING_SECONDS = 3.0
"""Tracing lines slows a test down several times, so only the passing tests nearest to the fault are traced."""


def cohorts(targets: Iterable[TestOutcome], coverage: Coverage) -> list[list[TestOutcome]]:
    """Failing tests in groups that are likely to have one cause, the quickest test of each first.

    Args:
        targets: The failing tests.
        coverage: Lines that they run.
    """
    groups: list[list[TestOutcome]] = []
    for target in sorted(targets, key=lambda test: test.seconds):
        for group in groups:
            if _alike(target, group[0], coverage):
                group.append(target)
                break
        else:
            groups.append([target])
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


def _alike(one: TestOutcome, other: TestOutcome, coverage: Coverage) -> bool:
    here, there = deepest_frame(one), deepest_frame(other)
    if here and there and (here.path, here.line) == (there.path, there.line):
        return True
    mine, theirs = _lines(coverage, one), _lines(coverage, other)
    return bool(mine and theirs) and len(mine & theirs) >= _SIMILAR * len(mine | theirs)


def _lines(coverage: Coverage, test: TestOutcome) -> set[tuple[str, int]]:
    files = coverage.lines.get(test.id, {})
    return _pairs({path: lines for path, lines in files.items() if path != test.path})


def _functions(baseline: Baseline, test_id: str) -> set[tuple[str, int]]:
    files = baseline.functions.lines.get(test_id, {})
    own = baseline.outcomes[test_id].path
    return _pairs({path: lines for path, lines in files.items() if path != own})


def _pairs(files: Mapping[str, frozenset[int]]) -> set[tuple[str, int]]:
    return {(path, line) for path, lines in files.items() for line in lines}
