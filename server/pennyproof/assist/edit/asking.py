"""Asks the models for an edit: the fast one, again with what its edits failed on, and at last the strong one."""

import logging
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from pennyproof.assist.edit.answers import read_edits
from pennyproof.assist.edit.region import Region
from pennyproof.context import editing
from pennyproof.context.outgoing import outgoing
from pennyproof.core.candidates import Candidate, FileChange, Origin, Tier
from pennyproof.core.snapshots import Snapshot
from pennyproof.core.verdicts import Verdict
from pennyproof.core.work import Cancel, Deadline, Progress
from pennyproof.errors import BlockError

if TYPE_CHECKING:
    from pennyproof.tiers.hosted.answers import Answer
    from pennyproof.tiers.hosted.errors import ProviderError
    from pennyproof.tiers.hosted.models import HostedModel, Spending
    from pennyproof.tiers.hosted.requests import Message

logger = logging.getLogger(__name__)

_MOST_ANSWERS = {Tier.FAST: 24, Tier.STRONG: 3}
_MOST_REPEATED = 5
"""Answers in a row with nothing new, after which a model is taken to know no more."""
_MOST_FAULTS = 2
"""Answers that never came, after which a tier is given up."""
_FAST_SHARE = 0.6
"""Of the time; the rest is for the strong model, which thinks."""
_MOST_TOKENS = {Tier.FAST: 4096, Tier.STRONG: 8192}
_REMEMBERED = 2
"""Exchanges that the next question repeats; the first message, which is most of it, is always there."""
_MOST_REPEATED_CHARACTERS = 16_000
_MOST_FAILED = 6
_REFUSALS = ("consent", "budget", "ledger")
"""Faults of calls that were not sent, nor would be if they were made again."""


@dataclass
class Asking:
    """The conversation about one edit. What became of each candidate is told to ``learn``."""

    spending: "Spending"
    snapshot: Snapshot
    region: Region
    task: editing.EditTask
    deadline: Deadline
    cancel: Cancel
    progress: Progress
    summary: str
    faults: list[str] = field(default_factory=list)
    """Why models gave no answer, one line each."""
    objections: list[str] = field(default_factory=list)
    """Why answers held no edit that could be tried."""
    fault: "ProviderError | None" = None
    """The last of these."""
    attempts: int = 0
    _exchanges: list[tuple[str, str]] = field(default_factory=list)
    _seen: set[FileChange] = field(default_factory=set)
    _reply: str = ""
    _refused: bool = False
    """Whether no model may be asked any more."""

    def by_model(self) -> Iterator[Iterator[list[Candidate]]]:
        """For each model in turn the new candidates of each of its answers; none of an answer that holds none."""
        fast_until = Deadline(self.deadline.left * _FAST_SHARE)
        for model, until in ((self.spending.fast, fast_until), (self.spending.strong, self.deadline)):
            if not self._refused:
                yield self._of(model, until)

    def learn(self, verdict: Verdict) -> None:
        """Keep what the last candidate failed on, for the next question."""
        failed = [f"{test.id}: {test.message}" for test in verdict.failed[:_MOST_FAILED]]
        self._reply = editing.outcome(verdict.reason or "tests still fail", failed)

    def _of(self, model: "HostedModel", until: Deadline) -> Iterator[list[Candidate]]:
        faults = repeated = 0
        for _ in range(_MOST_ANSWERS[model.tier]):
            if until.passed or faults >= _MOST_FAULTS or repeated >= _MOST_REPEATED:
                return
            self.cancel.check()
            self.progress.report(f"asking {model.name}, attempt {self.attempts + 1}", tier=model.tier)
            answer = self._answer(model, until)
            if answer is None:
                faults += 1
                if self._refused:
                    return
                continue
            told, cost = answer
            tokens = told.usage.total if told.usage else 0
            self._reply = ""
            found = self._read(told, Origin(model.tier, model.name, self.attempts, tokens, cost))
            repeated = 0 if found else repeated + 1
            yield found
            self._exchanges.append(
                (told.text, self._reply or editing.objection("it was tried before, and does not hold"))
            )

    def _answer(self, model: "HostedModel", until: Deadline) -> "tuple[Answer, float] | None":
        from pennyproof.tiers.hosted.errors import ProviderError  # noqa: PLC0415 - most sessions never edit
        from pennyproof.tiers.hosted.requests import ChatRequest  # noqa: PLC0415

        self.attempts += 1
        request = ChatRequest(
            model="",
            messages=tuple(self._messages()),
            max_tokens=_MOST_TOKENS[model.tier],
            thinking="high" if model.tier is Tier.STRONG else None,
            temperature=0.0 if not self._exchanges else None,
        )
        try:
            before = self.spending.spent_usd
            answer = model.chat(request, deadline=until, cancel=self.cancel)
            cost = self.spending.spent_usd - before
        except ProviderError as error:
            logger.info("no edit from %s: %s", model.name, error)
            self.fault = error
            self.faults.append(str(error))
            self._refused = error.fault in _REFUSALS
            return None
        return answer, cost

    def _messages(self) -> "Iterator[Message]":
        from pennyproof.tiers.hosted.requests import Message  # noqa: PLC0415 - as above

        root = self.snapshot.root
        yield Message("system", editing.rules())
        yield Message("user", outgoing(editing.task(self.task), root))
        for answer, reply in self._exchanges[-_REMEMBERED:]:
            yield Message("assistant", answer[:_MOST_REPEATED_CHARACTERS])
            yield Message("user", outgoing(reply, root))

    def _read(self, answer: "Answer", origin: Origin) -> list[Candidate]:
        try:
            changes: Sequence[FileChange] = read_edits(
                answer.text, self.region, self.snapshot, implementing=not self.task.instruction
            )
        except BlockError as error:
            why = "it was cut off, since it is too long: give nothing but the edit" if answer.cut else str(error)
            self.objections.append(why)
            self._reply = editing.objection(why)
            return []
        new = [change for change in dict.fromkeys(changes) if change not in self._seen]
        self._seen.update(new)
        return [Candidate((change,), origin, self.summary) for change in new]
