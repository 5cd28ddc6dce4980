"""The search: rewrites of all suspects merged into one stream, the likeliest first.

A rewrite's score is suspicion × prior of its template × its own weight. Every (statement, template) is a lazy stream
on a heap; each further rewrite from the same stream, or of the same statement, counts for less, so that the first
thousands are well mixed. Two-place changes join the same heap: the same change at every like place of a function, and
pairs of single changes that score high.
"""

import ast
import heapq
import itertools
import math
from collections import Counter, defaultdict
from collections.abc import Callable, Hashable, Iterator, Sequence
from dataclasses import dataclass, field

from pennyproof.rewrite.catalogue import templates_for
from pennyproof.rewrite.clues import Clues
from pennyproof.rewrite.forms import Forms
from pennyproof.rewrite.module import Function, Module
from pennyproof.rewrite.scope import Scope
from pennyproof.rewrite.template import Rewrite, Template, rewrites
from pennyproof.tiers.free.localise import File, Suspect

_STREAM_FATIGUE = 0.10
_STATEMENT_FATIGUE = 0.01
_EVERYWHERE = 0.35
"""Bugs at one place are several times as frequent as the same bug at several places of a function."""
_HEAVY = 2.0
"""The weight by which streams are queued before their rewrites are made; few rewrites are heavier."""
_LIKELIEST = 0.15
"""The score per suspicion at which statements are queued before they are looked at."""
_PAIR = 1.5
_PARTNERS = 40
_PAIRS_FROM = 100
"""Pairs are made once so many single changes were."""


@dataclass(frozen=True, slots=True)
class Found:
    """A change that the search came upon."""

    file: File
    owner: Function | None
    rewrite: Rewrite
    form: Hashable
    score: float
    places: int = 1


@dataclass(slots=True)
class _Stream:
    """The rewrites of one template at one node."""

    suspect: Suspect
    template: Template
    scope: Scope
    iterator: Iterator[Rewrite]
    base: float
    count: int = 0
    pending: Rewrite | None = None

    def score(self, fatigue: float) -> float:
        weight = self.pending.weight if self.pending else 1.0
        return self.base * weight / (1 + _STREAM_FATIGUE * self.count) / fatigue


@dataclass(slots=True)
class _Queue:
    """A heap of anything, the greatest score first; equal scores in the order they came."""

    heap: list[tuple[float, int, object]] = field(default_factory=list)
    ticket: Iterator[int] = field(default_factory=itertools.count)

    def push(self, score: float, item: object) -> None:
        heapq.heappush(self.heap, (-score, next(self.ticket), item))

    def pop(self) -> object:
        return heapq.heappop(self.heap)[2]


class Search:
    """One pass over the suspects of one problem.

    Args:
        suspects: The statements to change, with their suspicion.
        clues: The clues for a function of a file.
    """

    def __init__(self, suspects: Sequence[Suspect], clues: Callable[[str, str | None], Clues]) -> None:
        self._clues = clues
        self._queue = _Queue()
        self._scopes: dict[tuple[Module, ast.AST | None], Scope] = {}
        self._forms: dict[Module, Forms] = {}
        self._seen: set[Hashable] = set()
        self._fatigue: Counter[ast.stmt] = Counter()
        self._alike: dict[Hashable, list[Found]] = defaultdict(list)
        self._singles: list[Found] = []
        for suspect in suspects:
            self._queue.push(suspect.suspicion * _LIKELIEST, suspect)

    def __iter__(self) -> Iterator[Found]:
        while self._queue.heap:
            item = self._queue.pop()
            if isinstance(item, Suspect):
                self._open(item)
            elif isinstance(item, _Stream):
                if (found := self._advance(item)) is not None:
                    yield found
                    self._combine(found)
            elif isinstance(item, tuple) and (joined := self._joined(item)) is not None:
                yield joined

    def _open(self, suspect: Suspect) -> None:
        """Put the streams of a statement on the heap."""
        module = suspect.file.module
        owner = module.function(suspect.statement)
        key = module, owner
        if key not in self._scopes:
            self._scopes[key] = Scope(module, owner, self._clues(suspect.file.path, owner.name if owner else None))
        scope = self._scopes[key]
        for node in module.own_nodes(suspect.statement):
            for template in templates_for(node):
                base = suspect.suspicion * template.prior
                self._queue.push(
                    base * _HEAVY, _Stream(suspect, template, scope, rewrites(template, node, scope), base)
                )

    def _advance(self, stream: _Stream) -> Found | None:
        """Take the next rewrite of a stream, unless something else has become likelier."""
        ready, stream.pending = stream.pending, next(stream.iterator, None)
        statement = stream.suspect.statement
        if stream.pending is not None:
            if ready is not None:
                stream.count += 1
            self._queue.push(stream.score(1 + _STATEMENT_FATIGUE * self._fatigue[statement]), stream)
        if ready is None:
            return None
        file = stream.suspect.file
        if file.module not in self._forms:
            self._forms[file.module] = Forms(file.module)
        form = self._forms[file.module].changed(statement, ready)
        if form is None or (file.path, form) in self._seen:
            return None
        self._seen.add((file.path, form))
        self._fatigue[statement] += 1
        return Found(file, stream.scope.owner, ready, form, stream.base * ready.weight)

    def _combine(self, found: Found) -> None:
        """Put the changes in several places that have now become possible on the heap."""
        alike = self._alike[found.file.path, found.owner, found.rewrite.summary]
        if alike:
            self._queue.push(_together(alike[0], found), (*alike, found))
        alike.append(found)
        self._singles.append(found)
        if len(self._singles) >= _PAIRS_FROM:
            partners = self._singles[-1:] if len(self._singles) > _PAIRS_FROM else self._singles
            for late in partners:
                for early in self._singles[:_PARTNERS]:
                    if early is not late and early.owner is late.owner and early.file is late.file:
                        self._queue.push(_PAIR * early.score * late.score, (early, late))

    def _joined(self, parts: tuple[Found, ...]) -> Found | None:
        """One change that makes several, or none where they touch or are known."""
        edits = sorted(edit for part in parts for edit in part.rewrite.edits)
        if any(one.end > other.start or one.start == other.start for one, other in itertools.pairwise(edits)):
            return None
        form = frozenset(part.form for part in parts)
        if len(form) < len(parts) or (parts[0].file.path, form) in self._seen:
            return None
        self._seen.add((parts[0].file.path, form))
        summaries = list(dict.fromkeys(part.rewrite.summary for part in parts))
        summary = " and ".join(summaries) if len(summaries) > 1 else f"{summaries[0]} in {len(parts)} places"
        first = parts[0]
        score = _together(parts[0], parts[-1]) if len(summaries) == 1 else _PAIR * parts[0].score * parts[-1].score
        return Found(first.file, first.owner, Rewrite(tuple(edits), summary), form, score, len(parts))


def _together(one: Found, other: Found) -> float:
    """The score of making the same change at several places."""
    return _EVERYWHERE * math.sqrt(one.score * other.score)
