"""Which survivor leads: all pass the tests at hand, and the question is which would pass those that nobody wrote.

The score of a survivor is its prior from the search (suspicion × template × weight) times what its edit looks like:

- large edits count for less (token distance);
- so do edits that make code laxer or special: a condition dropped or settled for good, a statement removed, a number
  lifted from the tests (the ways in which patches overfit, as Qi et al., "An analysis of patch plausibility and
  correctness for generate-and-validate patch generation systems", ISSTA 2015, found them to).

Survivors that behave alike on further inputs then stand for one another, as in CodeT (Chen et al., 2022): their scores
are added, and the best of the heaviest cluster leads.
"""

import ast
import io
import tokenize
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from functools import lru_cache

from pennyproof.core.problems import Problem, Survivor
from pennyproof.tiers.free.evidence import Evidence

_PER_TOKEN = 0.97
_CONDITION_DROPPED = 0.6
_CONDITION_SETTLED = 0.1
_STATEMENT_REMOVED = 0.8
_ANSWER_SETTLED = 0.3
_NUMBER_LIFTED = 0.5
_ORDINARY_NUMBERS = frozenset({"0", "1", "2"})


def ranked(problem: Problem, survivors: Sequence[Survivor]) -> list[Survivor]:
    """The survivors, the likeliest to be right first; those that mend more targets before all others."""
    lifted = frozenset(Evidence(problem).numbers) - _ORDINARY_NUMBERS
    scores = {id(survivor): _score(survivor, lifted) for survivor in survivors}
    clusters: dict[object, float] = defaultdict(float)
    for survivor in survivors:
        clusters[_cluster(survivor)] += scores[id(survivor)]

    def order(survivor: Survivor) -> tuple[int, float, float]:
        return -len(survivor.verdict.fixed), -clusters[_cluster(survivor)], -scores[id(survivor)]

    return sorted(survivors, key=order)


def _cluster(survivor: Survivor) -> object:
    """What survivors that behave alike have in common; one that could not be watched stands alone."""
    return survivor.behaviour if survivor.behaviour is not None else id(survivor)


def _score(survivor: Survivor, lifted: frozenset[str]) -> float:
    score = survivor.candidate.prior
    for change in survivor.candidate.changes:
        before = change.before.text if change.before else ""
        after = change.after.text if change.after else ""
        score *= _PER_TOKEN ** _distance(before, after)
        score *= _look(_shape(before), _shape(after), lifted)
    return score


def _look(before: "_Shape", after: "_Shape", lifted: frozenset[str]) -> float:
    """A factor below one for each sign of overfitting."""
    factor = 1.0
    if after.conditions < before.conditions:
        factor *= _CONDITION_DROPPED
    if after.settled > before.settled:
        factor *= _CONDITION_SETTLED
    if after.statements < before.statements:
        factor *= _STATEMENT_REMOVED
    if after.answers > before.answers:
        factor *= _ANSWER_SETTLED
    if lifted & (after.numbers - before.numbers):
        factor *= _NUMBER_LIFTED
    return factor


@dataclass(frozen=True, slots=True)
class _Shape:
    """What the look of a program is judged by."""

    conditions: int = 0
    settled: int = 0
    """Conditions that are a constant."""
    statements: int = 0
    answers: int = 0
    """Constants that functions return."""
    numbers: frozenset[str] = frozenset()


@lru_cache(maxsize=4)
def _shape(text: str) -> _Shape:
    try:
        tree = ast.parse(text)
    except (SyntaxError, ValueError):
        return _Shape()
    nodes = list(ast.walk(tree))
    tests = [test for node in nodes for test in _tests(node)]
    return _Shape(
        conditions=len(tests) + sum(len(node.values) - 1 for node in nodes if isinstance(node, ast.BoolOp)),
        settled=sum(isinstance(test, ast.Constant) for test in tests),
        statements=sum(isinstance(node, ast.stmt) for node in nodes),
        answers=sum(isinstance(node, ast.Return) and isinstance(node.value, ast.Constant) for node in nodes),
        numbers=frozenset(
            repr(node.value) for node in nodes if isinstance(node, ast.Constant) and type(node.value) in (int, float)
        ),
    )


def _tests(node: ast.AST) -> Iterator[ast.expr]:
    match node:
        case ast.If() | ast.While() | ast.IfExp() | ast.Assert():
            yield node.test
        case ast.comprehension():
            yield from node.ifs


def _distance(before: str, after: str) -> int:
    """How many tokens were put in or taken out."""
    old, new = before.splitlines(keepends=True), after.splitlines(keepends=True)
    tokens = 0
    for tag, start, end, begin, stop in SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
        if tag != "equal":
            one, other = _tokens("".join(old[start:end])), _tokens("".join(new[begin:stop]))
            for kind, a, b, c, d in SequenceMatcher(None, one, other, autojunk=False).get_opcodes():
                tokens += max(b - a, d - c) if kind != "equal" else 0
    return tokens


def _tokens(text: str) -> list[str]:
    """The tokens of some lines, as far as these can be split into tokens without what is around them."""
    found: list[str] = []
    try:
        found += [
            token.string for token in tokenize.generate_tokens(io.StringIO(text.strip()).readline) if token.string
        ]
    except (tokenize.TokenError, SyntaxError):
        return text.split()
    return found
