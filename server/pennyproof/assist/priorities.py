"""Which few tests tell soonest that a candidate is wrong.

Both the targets and the guards of a screen are bounded in number and time, and lie where the first target lies:
collecting further files takes time, and what runs when those are imported cannot be exchanged any more.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from itertools import zip_longest

from pennyproof.assist.cohorts import related_passing
from pennyproof.core.outcomes import Baseline, TestOutcome

_MOST_TARGETS = 3
_MOST_GUARDS = 24
_MOST_SECONDS = 0.1
"""Of tests, beside the first target, as the baseline measured them."""
_GOLDEN = 0.6180339887
"""Multiples of the golden ratio, whole parts left out, fill an interval evenly, however many are taken."""


def telling_targets(targets: Sequence[TestOutcome]) -> list[str]:
    """The first target and a few that differ most from it: of other functions, else with other parameters."""
    first, *others = targets
    alike = sorted((test for test in others if _file(test) == _file(first) and test.ends), key=lambda test: test.id)
    spread = sorted(_spread(alike), key=lambda test: _function(test) == _function(first))
    return [first.id, *_quick(spread, _MOST_TARGETS - 1)]


def guards(targets: Sequence[TestOutcome], baseline: Baseline) -> list[str]:
    """Passing tests that are likely to notice what candidates for these targets damage, the likeliest first."""
    related = (baseline.outcomes[test] for test in related_passing(targets, baseline))
    return _quick(_spread(test for test in related if _file(test) == _file(targets[0])), _MOST_GUARDS)


def reinforced(broken: Iterable[str], standing: Iterable[str], baseline: Baseline) -> list[str]:
    """The guards that stand, with tests before them that proofs found broken, wherever those lie."""
    known = (baseline.outcomes[test] for test in dict.fromkeys([*broken, *standing]) if test in baseline.outcomes)
    return _quick(known, _MOST_GUARDS)


def _quick(tests: Iterable[TestOutcome], most: int) -> list[str]:
    """The first of the tests that together take little time; one that takes too long is passed over."""
    chosen: list[str] = []
    left = _MOST_SECONDS
    for test in tests:
        if len(chosen) < most and test.seconds <= left:
            chosen.append(test.id)
            left -= test.seconds
    return chosen


def _spread(tests: Iterable[TestOutcome]) -> list[TestOutcome]:
    """A test of each function in turn, and of each function's parameters some from everywhere."""
    functions: dict[str, list[TestOutcome]] = defaultdict(list)
    for test in tests:
        functions[_function(test)].append(test)
    rounds = zip_longest(*map(_evenly, functions.values()))
    return [test for round_ in rounds for test in round_ if test]


def _evenly(tests: Sequence[TestOutcome]) -> list[TestOutcome]:
    order = sorted(range(len(tests)), key=lambda at: at * _GOLDEN % 1)
    return [tests[at] for at in order]


def _function(test: TestOutcome) -> str:
    return test.id.partition("[")[0]


def _file(test: TestOutcome) -> str:
    return test.id.partition("::")[0]
