"""The models' part of the cascade: fast, fast with what the tests said, then strong with thinking.

A model is asked for edits, every edit is proved at once (they are few, and what the tests say of them is what the next
question is made of), and the conversation goes on until an edit leaves nothing unmended.
"""

import re
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING

from pennyproof.assist.cascade import Tally
from pennyproof.assist.cohorts import deepest_frame
from pennyproof.assist.ports import Prover
from pennyproof.context.debugging import RULES, debug_prompt
from pennyproof.context.excerpts import Place
from pennyproof.context.feedback import AGAIN, GO_ON, NO_USE, on_verdict
from pennyproof.context.outgoing import outgoing
from pennyproof.core.blocks import SEARCH, apply_blocks, read_blocks
from pennyproof.core.candidates import Candidate, FileChange, Origin, Tier
from pennyproof.core.edits import between
from pennyproof.core.problems import Problem, Survivor
from pennyproof.core.protected import is_protected
from pennyproof.core.verdicts import Level, Verdict
from pennyproof.core.work import Cancel, Deadline, Progress
from pennyproof.errors import BlockError, OutsideRoot
from pennyproof.tiers.free.localise import Localiser
from pennyproof.tiers.hosted.answers import Answer
from pennyproof.tiers.hosted.errors import BudgetUsedUp, Fault, LedgerUnusable, ProviderError
from pennyproof.tiers.hosted.requests import ChatRequest, Message, Thinking

if TYPE_CHECKING:
    from pennyproof.tiers.hosted.models import HostedModel, Spending


@dataclass(frozen=True, slots=True)
class Step:
    """One question of the plan."""

    tier: Tier
    most_tokens: tuple[int, ...]
    """Of the answer; less where the budget does not reach."""
    share: float
    """Of the time left, for the answer: another step, or the proof, needs the rest."""
    thinking: Thinking | None = None


_FAST = Step(Tier.FAST, (4096, 2048), 0.5)
PLAN = (_FAST, _FAST, Step(Tier.STRONG, (16384, 8192, 4096), 0.8, "high"))

_MOST_REPEATS = 1
"""How often a step asks again because no edit of the answer could be tried."""
_MOST_EDITS = 5
"""Of one answer; more of them are no better."""
_MOST_SUSPECTS = 24
_LONGEST_ANSWER = 12_000
"""Characters of an answer that are sent back with the next question."""
_LONGEST_COMPLAINT = 2000
_PRIOR = 1.0
"""A model read the code around the fault, so its edits count for more than what templates happen upon."""

_OF_THE_HOST = frozenset({Fault.AUTH, Fault.BALANCE, Fault.CONSENT, Fault.UNREACHABLE})
"""Faults that every model of the same host would have."""
_OF_ALL = frozenset({Fault.BUDGET, Fault.LEDGER})
_OF_ONE_ANSWER = frozenset(
    {Fault.EMPTY, Fault.TRUNCATED, Fault.UNREADABLE, Fault.RAN_OUT, Fault.LEAKED, Fault.CONTENT_FILTER}
)
"""Faults that another question need not have."""

_OPTION = re.compile(r"(?m)^[#*\s]*Option\s+\d+\b.*$")


@dataclass
class Attempts:
    """The models, as the searches of one request share them.

    Args:
        spending: The models and what they cost so far.
        prover: Proves what they propose.
        hidden: Tells of a file, relative to the root, whether it is never sent.
        tally: Counts what is tried.
        before_first: Called with the host before the first question; may ask the user whether they agree.
    """

    spending: "Spending"
    prover: Prover
    hidden: Callable[[str], bool]
    tally: Tally
    cancel: Cancel
    progress: Progress
    before_first: Callable[[str], None]
    notes: list[str] = field(default_factory=list)
    """What went wrong with models, one line each."""
    _closed: set[Tier] = field(default_factory=set)
    _begun: bool = False

    def begin(self, problem: Problem) -> "Conversation":
        """The conversation about one problem; nothing is sent yet."""
        return Conversation(self, problem)

    @property
    def spent_usd(self) -> float:
        """USD so far; nought where nobody knows."""
        try:
            return self.spending.spent_usd if self._begun else 0.0
        except LedgerUnusable as error:
            self._note(str(error))
            return 0.0

    def open(self, step: Step) -> bool:
        """Whether there is any use in asking this tier."""
        return step.tier not in self._closed

    def ask(self, step: Step, messages: Sequence[Message], deadline: Deadline, subject: str) -> Answer | None:
        """The answer to one question; ``None`` where there is none, which is noted.

        Raises:
            Cancelled: Asked to stop.
        """
        model = self.model(step.tier)
        asking = f"{step.tier} tier: asking {model.name} about {subject} ({self.spent_usd:.4f} USD so far)"
        self.progress.report(asking, tier=step.tier)
        if not self._begun:
            self._begun = True
            self.before_first(model.host)
        try:
            return self._chat(model, step, tuple(messages), Deadline(deadline.left * step.share))
        except ProviderError as error:
            self._give_up(model, error)
            return None

    def model(self, tier: Tier) -> "HostedModel":
        """The model of a tier."""
        return self.spending.strong if tier is Tier.STRONG else self.spending.fast

    def _chat(self, model: "HostedModel", step: Step, messages: tuple[Message, ...], deadline: Deadline) -> Answer:
        *more, least = step.most_tokens
        for most_tokens in more:
            request = ChatRequest("", messages, most_tokens, step.thinking)
            try:
                return model.chat(request, deadline=deadline, cancel=self.cancel)
            except BudgetUsedUp:
                continue  # Nothing was sent; a shorter answer may still be within the budget.
        return model.chat(ChatRequest("", messages, least, step.thinking), deadline=deadline, cancel=self.cancel)

    def _give_up(self, model: "HostedModel", error: ProviderError) -> None:
        self._note(f"{model.name}: {error}")
        if error.fault in _OF_ALL:
            self._closed |= {Tier.FAST, Tier.STRONG}
        elif error.fault in _OF_THE_HOST:
            self._closed |= {tier for tier in (Tier.FAST, Tier.STRONG) if self.model(tier).host == model.host}
        elif error.fault not in _OF_ONE_ANSWER:
            self._closed.add(model.tier)

    def _note(self, note: str) -> None:
        if note not in self.notes:
            self.notes.append(note)


class Conversation:
    """What is asked about one problem; ``go`` may be called again with more time, and carries on where it was."""

    def __init__(self, attempts: Attempts, problem: Problem) -> None:
        self._attempts = attempts
        self._problem = problem
        self._steps = deque(PLAN)
        self._asked = 0
        self._repeats = 0
        self._tried: set[frozenset[tuple[str, str]]] = set()

    @property
    def exhausted(self) -> bool:
        """Whether there is nothing left to ask."""
        return not any(map(self._attempts.open, self._steps))

    def go(self, deadline: Deadline) -> list[Survivor]:
        """Ask until an edit leaves no target unmended, the plan is through, or the time is up.

        Returns:
            Edits that were proved to mend the first target and to break nothing.

        Raises:
            Cancelled: Asked to stop.
        """
        survivors: list[Survivor] = []
        while self._steps and not deadline.passed:
            step = self._steps[0]
            before = self._attempts.spent_usd
            answer = self._ask(step, deadline) if self._attempts.open(step) else None
            if answer is None:
                self._steps = deque(other for other in self._steps if other.tier is not step.tier)
                continue
            origin = self._origin(step, answer, self._attempts.spent_usd - before)
            survivors += self._take(answer.text, origin)
            if any(not survivor.verdict.remaining for survivor in survivors):
                self._steps.clear()
        return survivors

    @cached_property
    def _messages(self) -> list[Message]:
        prompt = debug_prompt(self._problem, self._suspects(), self._hidden)
        return [Message("system", RULES), Message("user", outgoing(prompt, self._problem.snapshot.root))]

    def _ask(self, step: Step, deadline: Deadline) -> Answer | None:
        self._asked += 1
        return self._attempts.ask(step, self._messages, deadline, self._problem.targets[0].id)

    def _origin(self, step: Step, answer: Answer, cost_usd: float) -> Origin:
        tokens = answer.usage.total if answer.usage else 0
        return Origin(step.tier, self._attempts.model(step.tier).name, self._asked, tokens, cost_usd)

    def _take(self, text: str, origin: Origin) -> list[Survivor]:
        """Try all edits of an answer, and go on with the conversation by what became of them."""
        candidates, told = self._candidates(text, origin)
        if candidates or self._repeats >= _MOST_REPEATS:
            self._steps.popleft()
            self._repeats = 0
        else:
            self._repeats += 1
        survivors: list[Survivor] = []
        for number, candidate, verdict in self._prove(candidates):
            if verdict.level is Level.FIXES and self._problem.targets[0].id in verdict.fixed:
                survivors.append(Survivor(candidate, verdict))
            else:
                self._attempts.tally.reject(candidate, verdict)
            told[number] = on_verdict(verdict, [test.id for test in self._problem.targets])
        parts = [told[0]] if len(told) == 1 else [f"Option {at + 1}: {what}" for at, what in sorted(told.items())]
        self._say(text, [*parts, GO_ON if candidates else NO_USE])
        return survivors

    def _candidates(self, text: str, origin: Origin) -> tuple[dict[int, Candidate], dict[int, str]]:
        """The edits that can be tried, and what is wrong with the others, by their number in the answer."""
        candidates: dict[int, Candidate] = {}
        told: dict[int, str] = {}
        for number, option in enumerate(_options(text)):
            try:
                changes = apply_blocks(read_blocks(option), self._problem.snapshot.read, protected=self._is_protected)
            except BlockError as error:
                told[number] = str(error)[:_LONGEST_COMPLAINT]
                summary = f"an answer of {origin.model}"
                self._attempts.tally.rejections.append((summary, told[number].partition("\n")[0]))
                continue
            key = frozenset((change.path, change.after.text if change.after else "") for change in changes)
            if key in self._tried:
                told[number] = AGAIN
                continue
            self._tried.add(key)
            candidates[number] = Candidate(changes, origin, f"{origin.model} changes {_where(changes)}", _PRIOR)
        return candidates, told

    def _prove(self, candidates: dict[int, Candidate]) -> Iterator[tuple[int, Candidate, Verdict]]:
        if not candidates:
            return
        attempts, problem = self._attempts, self._problem
        attempts.progress.report(f"proving {len(candidates)} of {next(iter(candidates.values())).origin.model}'s edits")
        attempts.tally.tried += len(candidates)

        def prove(candidate: Candidate) -> Verdict:
            targets = problem.provable
            return attempts.prover.prove(problem.snapshot, candidate, targets=targets, cancel=attempts.cancel)

        with ThreadPoolExecutor(len(candidates), "prove") as threads:
            verdicts = list(threads.map(prove, candidates.values()))
        yield from zip(candidates, candidates.values(), verdicts, strict=True)

    def _say(self, answer: str, parts: Iterable[str]) -> None:
        root = self._problem.snapshot.root
        self._messages.append(Message("assistant", outgoing(answer[:_LONGEST_ANSWER], root)))
        self._messages.append(Message("user", outgoing("\n\n".join(parts), root)))

    def _suspects(self) -> list[Place]:
        """Where the free tier would look, and where the targets failed."""
        found = Localiser(self._problem).suspects()[:_MOST_SUSPECTS]
        places = [
            Place(one.file.path, one.statement.lineno, one.statement.end_lineno or one.statement.lineno, one.suspicion)
            for one in found
        ]
        frames = filter(None, map(deepest_frame, self._problem.targets))
        return places or [Place(frame.path, frame.line, frame.line) for frame in frames]

    def _hidden(self, path: str) -> bool:
        """Whether a file is never shown, by its own name or by that of what it links to."""
        try:
            return self._attempts.hidden(path) or self._attempts.hidden(self._problem.snapshot.relative(path))
        except OutsideRoot:
            return True

    def _is_protected(self, path: str) -> bool:
        return is_protected(path, self._test_files) or self._hidden(path)

    @cached_property
    def _test_files(self) -> frozenset[str]:
        return frozenset(test.path or test.id.partition("::")[0] for test in self._problem.baseline.outcomes.values())


def _options(text: str) -> list[str]:
    """The edits of an answer that stand for one another."""
    parts = [part for part in _OPTION.split(text) if SEARCH in part]
    return parts[:_MOST_EDITS] or [text]


def _where(changes: Sequence[FileChange]) -> str:
    """Where an edit is, for a person: ``shop/cart.py:12-14``."""
    return ", ".join(f"{change.path}{_lines(change)}" for change in changes)


def _lines(change: FileChange) -> str:
    if change.before is None or change.after is None:
        return ""
    edits = between(change.before.text, change.after.text)
    first = change.before.text.count("\n", 0, edits[0].start) + 1
    last = max(first, change.before.text[: edits[-1].end].rstrip("\r\n").count("\n") + 1)
    return f":{first}" if first == last else f":{first}-{last}"
