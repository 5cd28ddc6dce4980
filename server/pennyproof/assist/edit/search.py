"""The search for an edit that holds: candidates from the models, each checked before the next is asked for."""

import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from pennyproof.assist.cascade import Tally
from pennyproof.assist.edit.asking import Asking
from pennyproof.assist.edit.checks import Checks, described
from pennyproof.assist.edit.mending import Mending
from pennyproof.assist.edit.region import Region, function_region, lines_region
from pennyproof.assist.explain import Selection
from pennyproof.assist.explain.facts import gather
from pennyproof.assist.ports import CandidateSource, Prover
from pennyproof.context.editing import Definition, EditTask
from pennyproof.core.candidates import Candidate
from pennyproof.core.offers import Offer
from pennyproof.core.problems import Survivor
from pennyproof.core.snapshots import Snapshot
from pennyproof.core.verdicts import Gate, Level
from pennyproof.core.work import Cancel, Deadline, Progress
from pennyproof.errors import UsageError

if TYPE_CHECKING:
    from pennyproof.tiers.hosted.models import Spending

_MOST_OFFERS = 3
_OPINIONS = 2
"""Further answers that are asked for after an edit that nothing but examples speak for: where they behave otherwise,
the more common behaviour leads."""
_OPINION_SHARE = 0.25
"""Of the time that is left, for these."""
_MOST_SUMMARY = 60


@dataclass(frozen=True, slots=True)
class EditRequest:
    """What the user asked for."""

    path: str
    """Relative to the root."""
    first: int
    """From one."""
    last: int
    """Less than ``first`` where there is a cursor and no selection."""
    instruction: str = ""
    """Empty: write the body of the function that its docstring describes."""


@dataclass(frozen=True, slots=True)
class EditResult:
    """What was found."""

    snapshot: Snapshot
    """The workspace that the offers were proved in: with the docstrings' examples as tests, where there are any."""
    offers: tuple[Offer, ...] = ()
    """The best first; the others are alternatives."""
    tried: int = 0
    rejected: Mapping[Gate, int] = field(default_factory=dict)
    rejections: tuple[tuple[str, str], ...] = ()
    reason: str | None = None
    """Why there is no offer, in one line."""
    spent_usd: float = 0.0
    seconds: float = 0.0


def edit(
    prover: Prover,
    spending: "Spending",
    tiers: Sequence[CandidateSource],
    snapshot: Snapshot,
    request: EditRequest,
    hidden: Callable[[str], bool],
    *,
    deadline: Deadline,
    cancel: Cancel,
    progress: Progress,
) -> EditResult:
    """Find an edit of some lines that does what was asked for, and that everything that can be run agrees to.

    Args:
        prover: Checks candidates.
        spending: The models.
        tiers: Where edits of what models nearly got right come from; they cost nothing.
        snapshot: The workspace.
        request: What was asked for.
        hidden: Which files are never sent.
        deadline: When the search ends.
        cancel: Ends it too.
        progress: Told what is being done.

    Raises:
        UsageError: There is no such file, it may not be sent, or there is nothing in it that was asked for.
        ProviderError: No model gave an answer.
    """
    started = time.monotonic()
    region = find_region(snapshot, request)
    if hidden(region.path):
        raise UsageError(f"{region.path} is ignored, and so never sent to a model")
    implementing = not request.instruction.strip()
    checks = Checks(prover, snapshot, region, implementing, cancel, progress)
    checks.prepare()
    task = _task(snapshot, region, request, checks, hidden)
    asking = Asking(spending, snapshot, region, task, deadline, cancel, progress, _summary(region, request))
    search = _Search(checks, asking, Mending(checks, tiers), deadline)
    survivors = search.survivors()
    offers = search.offers(survivors)
    if not offers and asking.fault is not None and not search.tally.tried:
        raise asking.fault
    return EditResult(
        checks.proved_in,
        tuple(offers),
        search.tally.tried,
        dict(search.tally.rejected),
        tuple(search.tally.rejections),
        None if offers else search.reason,
        spending.spent_usd,
        time.monotonic() - started,
    )


def find_region(snapshot: Snapshot, request: EditRequest) -> Region:
    """The lines that a request is about.

    Raises:
        UsageError: There are none.
    """
    path = snapshot.relative(request.path)
    source = snapshot.read(path)
    if source is None:
        raise UsageError(f"there is no file {path} in {snapshot.root}")
    if not path.endswith((".py", ".pyi")):
        raise UsageError(f"{path} is no Python file")
    if not request.instruction.strip():
        return function_region(path, source, request.first, max(request.first, request.last))
    if request.last < request.first:
        try:
            return function_region(path, source, request.first, request.first)
        except UsageError:
            return lines_region(path, source, request.first, request.first)
    return lines_region(path, source, request.first, request.last)


class _Search:
    def __init__(self, checks: Checks, asking: Asking, mending: Mending, deadline: Deadline) -> None:
        self.tally = Tally()
        self._checks = checks
        self._asking = asking
        self._mending = mending
        self._deadline = deadline

    def survivors(self) -> list[Survivor]:
        """Candidates that hold, the best first. What the fast model nearly got right is mended by template before the
        strong one, which costs more, is asked."""
        for answers in self._asking.by_model():
            found = self._among(answers) or self._mended()
            if found:
                return self._ranked(found)
        return []

    def _among(self, answers: Iterator[list[Candidate]]) -> list[Survivor]:
        """Those of one model's candidates that hold: the first that does ends the search, unless there is doubt about
        it."""
        found: list[Survivor] = []
        opinions, until = _OPINIONS, self._deadline
        for candidates in answers:
            for candidate in candidates:
                survivor = self._check(candidate)
                found += [survivor] if survivor else []
            if found and until is self._deadline:
                if not self._is_doubtful(found[0]):
                    break
                until = Deadline(self._deadline.left * _OPINION_SHARE)
            elif found:
                opinions -= 1
            if found and (opinions <= 0 or until.passed):
                break
        return found

    def _mended(self) -> list[Survivor]:
        self._asking.progress.report("mending what nearly holds")
        mended = list(self._mending.candidates(self._deadline))
        return [survivor for survivor in map(self._check, mended) if survivor]

    def offers(self, survivors: Sequence[Survivor]) -> list[Offer]:
        """The best survivors, each proved once more."""
        offers: list[Offer] = []
        for survivor in survivors[:_MOST_OFFERS]:
            self._asking.progress.report(f"proving once more: {survivor.candidate.summary}")
            verdict = self._checks.verdict(survivor.candidate, afresh=True)
            if self._checks.holds(verdict):
                offers.append(Offer(f"e{len(offers) + 1}", survivor.candidate, verdict, alternative=bool(offers)))
            else:
                self.tally.reject(survivor.candidate, verdict)
        return offers

    @property
    def reason(self) -> str:
        """Why nothing was found."""
        if self.tally.rejections:
            return f"{self.tally.tried} edits tried, and none held; the last: {self.tally.rejections[-1][1]}"
        said = [*self._asking.faults, *self._asking.objections]
        return said[-1].partition("\n")[0] if said else "the time was up before a model answered"

    def _check(self, candidate: Candidate) -> Survivor | None:
        verdict = self._checks.verdict(candidate)
        self.tally.tried += 1
        if self._checks.holds(verdict):
            return Survivor(candidate, verdict)
        self._mending.note(candidate, verdict)
        if verdict.level > Level.REJECTED:  # What still fails says more than which lines nothing runs.
            told = verdict.failed[0].message if verdict.failed else f"{self._checks.unmended(verdict)[0]} still fails"
            verdict = replace(verdict, reason=told)
        self.tally.reject(candidate, verdict)
        self._asking.learn(verdict)
        return None

    def _is_doubtful(self, survivor: Survivor) -> bool:
        """Whether another answer may be better: where only examples speak for this one, of which people write few, or
        where tests that run the function still fail."""
        if self._checks.unmended(survivor.verdict):
            return True
        return survivor.verdict.level > Level.PARSES and set(survivor.verdict.ran) <= set(self._checks.tests.ids)

    def _ranked(self, survivors: list[Survivor]) -> list[Survivor]:
        """The best evidence first, then the behaviour that most share, then the smallest edit."""
        if len(survivors) > 1:
            seen = self._checks.behaviours([survivor.candidate for survivor in survivors], self._deadline)
            survivors = [replace(survivor, behaviour=seen.get(at)) for at, survivor in enumerate(survivors)]
        shared = Counter(survivor.behaviour for survivor in survivors if survivor.behaviour is not None)

        def order(survivor: Survivor) -> tuple[int, int, int, int]:
            alike = shared[survivor.behaviour] if survivor.behaviour is not None else 1
            return -survivor.verdict.level, -len(survivor.verdict.fixed), -alike, _size(survivor.candidate)

        return sorted(survivors, key=order)


def _size(candidate: Candidate) -> int:
    return sum(len(change.after.text) for change in candidate.changes if change.after)


def _task(
    snapshot: Snapshot, region: Region, request: EditRequest, checks: Checks, hidden: Callable[[str], bool]
) -> EditTask:
    return EditTask(
        path=region.path,
        text=region.source.text,
        first=region.lines.start,
        last=region.lines.stop - 1,
        function=region.function,
        instruction=request.instruction.strip(),
        definitions=tuple(one for one in _definitions(snapshot, region) if not hidden(one.path)),
        failing=tuple(map(described, checks.failing)),
    )


def _definitions(snapshot: Snapshot, region: Region) -> Iterator[Definition]:
    """What the region uses of the project's other files."""
    first = region.lines.start
    facts = gather(snapshot, Selection(region.path, first, max(first, region.lines.stop - 1)), None, ())
    for definition in facts.definitions:
        if definition.module.path != region.path:
            lines = definition.module.lines[definition.line - 1 : definition.end]
            yield Definition(definition.module.path, definition.line, "\n".join(lines))


def _summary(region: Region, request: EditRequest) -> str:
    what = region.function or f"{region.path}:{region.lines.start}"
    words = " ".join(request.instruction.split())
    if not words:
        return f"implement `{what}`"
    return f"{what}: {words if len(words) <= _MOST_SUMMARY else words[: _MOST_SUMMARY - 1] + '…'}"
