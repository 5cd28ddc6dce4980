"""A model that says what a test lets it say, and stops where it is told to, as the hosted ones do."""

import re
from collections.abc import Callable
from dataclasses import dataclass, field

from pennyproof.core.candidates import Tier
from pennyproof.core.work import Cancel, Deadline
from pennyproof.tiers.hosted.answers import Answer, Usage
from pennyproof.tiers.hosted.errors import Fault, ProviderError
from pennyproof.tiers.hosted.requests import FimRequest


@dataclass
class Says:
    """Fills every gap with the same text, a token at a time."""

    text: str
    fails_after: int | None = None
    """Tokens after which the stream breaks off; ``None``: it does not."""
    finish_reason: str = "stop"
    tier: Tier = Tier.FAST
    name: str = "deepseek-flash"
    asked: list[FimRequest] = field(default_factory=list)
    told: str = ""
    """What was told before somebody hung up."""

    def fim(
        self,
        request: FimRequest,
        *,
        deadline: Deadline,
        cancel: Cancel,
        on_text: Callable[[str], None] | None = None,
    ) -> Answer:
        self.asked.append(request)
        assert on_text is not None
        ends = [self.text.find(stop) for stop in request.stop if stop in self.text]
        text = self.text[: min(ends)] if ends else self.text
        for number, token in enumerate(re.findall(r"\w+|\s|.", text)):
            cancel.check()
            if number == self.fails_after:
                raise ProviderError(Fault.TRUNCATED, "the stream broke off", partial=Answer(self.told))
            self.told += token
            on_text(token)
        cancel.check()
        return Answer(text, finish_reason=self.finish_reason, usage=Usage(miss=10, output=5))
