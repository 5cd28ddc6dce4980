"""An explanation written by a model from the gathered facts, which stay below it."""

import logging
import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from pennyproof.assist.explain.facts import Facts
from pennyproof.assist.explain.language import language_tag
from pennyproof.assist.explain.markdown import code, prose
from pennyproof.assist.explain.page import page
from pennyproof.assist.explain.references import References
from pennyproof.assist.explain.subjects import Explanation
from pennyproof.context import explaining
from pennyproof.context.outgoing import outgoing
from pennyproof.core.candidates import Origin
from pennyproof.core.snapshots import Snapshot
from pennyproof.core.work import Cancel, Deadline

if TYPE_CHECKING:
    from pennyproof.tiers.hosted.models import Spending

logger = logging.getLogger(__name__)

WRITING_SECONDS = 60.0
"""How long a model may take."""
_MOST_TOKENS = 1024
_FENCE_MARK = re.compile(r"^(`{3,}|~{3,})", re.MULTILINE)

OnText = Callable[[str, str], None]
"""Called with the page as far as it is written, and with the model's text alone."""


@dataclass(frozen=True, slots=True)
class Writing:
    """What it takes to have an explanation written."""

    spending: "Spending"
    hidden: Callable[[str], bool]
    """Which files are never sent."""
    locale: str | None
    deadline: Deadline
    cancel: Cancel
    on_text: OnText


def written(explanation: Explanation, facts: Facts, snapshot: Snapshot, writing: Writing) -> Explanation:
    """The explanation with a model's text above its facts; where none comes, the facts with the reason below."""
    from pennyproof.tiers.hosted.errors import ProviderError  # noqa: PLC0415 - there may be no key
    from pennyproof.tiers.hosted.requests import ChatRequest, Message  # noqa: PLC0415

    secret = next((path for path in _paths(facts) if writing.hidden(path)), None)
    if secret is not None:
        return unwritten(explanation, f"{secret} is ignored, and so never sent")
    shown = page(
        replace(facts, definitions=tuple(one for one in facts.definitions if not writing.hidden(one.module.path)))
    )
    writer = _Writer(explanation, References(snapshot, shown), writing)
    question = outgoing(explaining.question(shown, language_tag(writing.locale)), snapshot.root)
    model = writing.spending.fast
    request = ChatRequest(
        model="", messages=(Message("system", explaining.rules()), Message("user", question)), max_tokens=_MOST_TOKENS
    )
    try:
        writer.begin(model.name)
        answer = model.chat(request, deadline=writing.deadline, cancel=writing.cancel, on_text=writer.take)
        spent = writing.spending.spent_usd
    except ProviderError as error:
        logger.info("no explanation from %s: %s", model.name, error)
        return replace(unwritten(explanation, str(error)), spent_usd=_spent(writing.spending))
    tokens = answer.usage.total if answer.usage else 0
    return writer.finished(answer.text, Origin(model.tier, model.name, 1, tokens, spent))


def unwritten(explanation: Explanation, reason: str) -> Explanation:
    """The facts alone, with the reason why no model explained them."""
    return replace(explanation, markdown=f"{explanation.markdown}\n*No model has explained this: {prose(reason)}*\n")


class _Writer:
    """Puts a model's text above the facts, while it comes and when it is done."""

    def __init__(self, explanation: Explanation, references: References, writing: Writing) -> None:
        self._explanation = explanation
        self._references = references
        self._writing = writing
        self._text = ""
        self._title, _, self._facts = explanation.markdown.partition("\n\n")

    def begin(self, model: str) -> None:
        """Show the facts, which are there at once."""
        self._writing.on_text(self._page(f"*{code(model)} is being asked to explain this …*"), "")

    def take(self, text: str) -> None:
        """Show more of the model's text."""
        self._text += text
        cleaned = self._references.cleaned(self._text)
        self._writing.on_text(self._page(f"{cleaned} …"), cleaned)

    def finished(self, text: str, origin: Origin) -> Explanation:
        """The whole."""
        cleaned = self._references.cleaned(text.strip())
        note = f"*Written by {code(origin.model or '')} from the facts below; nothing in it was run.*"
        references = (*self._references.found(cleaned), *self._explanation.references)
        return replace(
            self._explanation,
            markdown=self._page(f"{_closed(cleaned)}\n\n{note}"),
            references=tuple(dict.fromkeys(references)),
            origin=origin,
            spent_usd=origin.cost_usd or 0.0,
        )

    def _page(self, text: str) -> str:
        return f"{self._title}\n\n{_closed(text)}\n\n---\n\n{self._facts}"


def _closed(text: str) -> str:
    """The text with its last fence closed, so that the facts do not become part of it."""
    marks = _FENCE_MARK.findall(text)
    return f"{text}\n{marks[-1]}" if len(marks) % 2 else text


def _paths(facts: Facts) -> list[str]:
    """The project's files whose text is at the heart of the facts."""
    modules = [facts.excerpt[0]] if facts.excerpt else []
    modules += [facts.symbol.module] if facts.symbol else []
    frames = facts.test.failure.frames if facts.test and facts.test.failure else ()
    return [
        *(module.path for module in modules if module.in_project),
        *(frame.path for frame in frames if frame.in_project),
    ]


def _spent(spending: "Spending") -> float:
    from pennyproof.tiers.hosted.errors import ProviderError  # noqa: PLC0415 - as above

    try:
        return spending.spent_usd
    except ProviderError:
        return 0.0  # The ledger cannot be read, and nothing was sent either.
