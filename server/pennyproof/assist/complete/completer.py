"""One completion: what may be sent, what is asked, what is left of the answer, and whether the gates let it pass."""

from __future__ import annotations

import logging
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from pennyproof.assist.complete.judging import judge
from pennyproof.assist.complete.place import Completion, Place
from pennyproof.assist.complete.shape import Multiline, Shape, shape_at
from pennyproof.assist.complete.tidy import end_of_block, tidy
from pennyproof.context.fim import fim_prompt
from pennyproof.context.ignored import Ignored
from pennyproof.core.candidates import Origin
from pennyproof.core.verdicts import Level
from pennyproof.core.work import Cancel, Deadline
from pennyproof.errors import Cancelled
from pennyproof.tiers.hosted.errors import ProviderError
from pennyproof.tiers.hosted.requests import FimRequest

if TYPE_CHECKING:
    from pennyproof.assist.ports import StaticGates
    from pennyproof.tiers.hosted.models import HostedModel

logger = logging.getLogger(__name__)


class Completer:
    """Completes code of one workspace. Thread-safe; every call blocks the thread that makes it.

    Args:
        ignored: Which files are never sent.
        gates: Judges completions; ``None`` where they are not checked.
        multiline: When there may be several lines.
    """

    def __init__(self, ignored: Ignored, gates: StaticGates | None, multiline: Multiline = "auto") -> None:
        self._ignored = ignored
        self._gates = gates
        self._multiline = multiline

    def complete(self, place: Place, model: HostedModel, *, deadline: Deadline, cancel: Cancel) -> Completion | None:
        """Ask the model what belongs at the cursor.

        Args:
            place: Where that is.
            model: Fills the gap.
            deadline: When the answer has to be there.
            cancel: Closes the connection.

        Returns:
            What may be shown; ``None`` where the file is ignored, the model has nothing to add, or a gate objects.

        Raises:
            ProviderError: There is no answer.
            Cancelled: Asked to stop.
        """
        if self._ignored(place.path):
            logger.debug("%s is ignored, so nothing of it is sent", place.path)
            return None
        shape = shape_at(place, self._multiline)
        written = _ask(place, shape, model, deadline, cancel)
        text = tidy(place, shape, written.text, is_whole=written.is_whole)
        verdict = judge(self._gates, place, text) if text else None
        if verdict is not None and verdict.level is not Level.REJECTED:
            origin = Origin(model.tier, model.name, 1, written.tokens, cost_usd=None)
            return Completion(text, origin, verdict, str(written.failure) if written.failure else None)
        if written.failure is not None:
            raise written.failure
        logger.debug("no completion: %s", verdict.reason if verdict else "nothing is left of the answer")
        return None

    def close(self) -> None:
        """End what was started."""
        if self._gates is not None:
            self._gates.close()


def completion_request(place: Place, shape: Shape) -> FimRequest:
    """What a model is sent for a completion."""
    prompt = fim_prompt(place.path, place.index, place.offset)
    return FimRequest("", prompt.prefix, prompt.suffix, shape.max_tokens, shape.stop, temperature=0.0)


@dataclass(slots=True)
class _Written:
    """What a model wrote."""

    text: str
    is_whole: bool = True
    tokens: int = 0
    failure: ProviderError | None = None
    """What broke it off."""


def _ask(place: Place, shape: Shape, model: HostedModel, deadline: Deadline, cancel: Cancel) -> _Written:
    request = completion_request(place, shape)
    listener = _Listener(place, shape)
    forget = cancel.on_cancel(listener.hang_up.ask)
    try:
        answer = model.fim(request, deadline=deadline, cancel=listener.hang_up, on_text=listener.hear)
    except Cancelled:
        cancel.check()
        if not listener.hang_up.asked:
            raise
        return _Written(listener.text)
    except ProviderError as failure:
        return _Written(listener.text, is_whole=False, failure=failure)
    finally:
        forget()
    return _Written(answer.text, not answer.cut, answer.usage.total if answer.usage else 0)


@dataclass(slots=True)
class _Listener:
    """Listens to a model, and hangs up once it writes what would not be used."""

    place: Place
    shape: Shape
    text: str = ""
    hang_up: Cancel = field(default_factory=Cancel)

    def hear(self, piece: str) -> None:
        self.text += piece
        if self.shape.several_lines and "\n" in self.text and end_of_block(self.place, self.text) < len(self.text):
            self.hang_up.ask()
