"""What a stand-in is to answer: replies in order, as data, so that a process of its own can be given them as JSON."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import KW_ONLY, dataclass, field
from pathlib import Path
from typing import ClassVar, Literal

from pydantic import ConfigDict, TypeAdapter

Route = Literal["chat", "fim"]
UsagePlacement = Literal["on_last", "trailing"]

CONFIG = ConfigDict(extra="forbid", ser_json_inf_nan="constants")


@dataclass(frozen=True, slots=True)
class ToolCall:
    """One call of a function, as a model asks for it."""

    __pydantic_config__: ClassVar[ConfigDict] = CONFIG

    name: str
    arguments: str = "{}"
    id: str = "call_00_standin"


@dataclass(frozen=True, slots=True)
class Reply:
    """One answer, and how it is given.

    A request takes the first reply that fits it and is not used up. Times are in seconds; ``math.inf`` waits until the
    client goes away.
    """

    __pydantic_config__: ClassVar[ConfigDict] = CONFIG

    text: str = ""
    _: KW_ONLY
    behaviour: str = "success"
    """A name of ``behaviours.BEHAVIOURS``."""
    reasoning: str = ""
    """Sent before the text, where the request lets the model think."""
    tool_calls: tuple[ToolCall, ...] = ()
    """Sent after the text, in chats."""
    finish_reason: str = ""
    """Empty for the one that is true: ``stop``, ``length`` or ``tool_calls``."""
    route: Route | None = None
    """Only requests of this route; None for all."""
    when: str = ""
    """Only requests with this text in their prompt, or whose model has this name."""
    times: int | None = 1
    """How many requests it answers; None for all that come."""
    tokens_per_chunk: int = 1
    first_token_seconds: float = 0.0
    """Before the first byte of the answer."""
    token_seconds: float = 0.0
    """After each chunk of text."""
    seconds: float = 0.0
    """What the behaviour waits: how long it stalls, is queued, or tells the client to stay away."""
    keep_alive_seconds: float = 1.0
    """Between two signs of life while the request is queued."""


@dataclass(frozen=True, slots=True)
class Script:
    """Everything a stand-in knows when it starts."""

    __pydantic_config__: ClassVar[ConfigDict] = CONFIG

    replies: tuple[Reply, ...] = ()
    _: KW_ONLY
    key: str = "sk-standin"
    """The only key that is right."""
    balance: str = "110.00"
    """An amount of money; calls are refused at zero. Nothing is taken from it."""
    models: dict[str, int] = field(default_factory=lambda: {"deepseek-flash": 2500, "deepseek-v4-pro": 500})
    """The models served, and how many requests may be in flight at once for each."""
    usage: UsagePlacement = "on_last"
    """Where a stream carries its usage: on the chunk that ends the text, or on one of its own without choices."""

    @staticmethod
    def load(path: Path) -> "Script":
        """Reads a script written by `save`.

        Raises:
            pydantic.ValidationError: If it is no script.
        """
        return _ADAPTER.validate_json(path.read_bytes())

    def save(self, path: Path) -> None:
        """Writes the script as JSON."""
        path.write_bytes(_ADAPTER.dump_json(self, indent=1))


_ADAPTER = TypeAdapter(Script)


class Playlist:
    """The replies that are not used up. One thread takes, any may add."""

    def __init__(self, replies: Iterable[Reply]) -> None:
        self._replies: list[Reply] = []
        self._taken: Counter[int] = Counter()
        self.add(*replies)

    def add(self, *replies: Reply) -> None:
        """Appends replies, which come after all that are there."""
        self._replies.extend(replies)

    def take(self, route: Route, prompt: str, model: str) -> Reply | None:
        """The first reply that fits and is not used up, now used once more."""
        for at, reply in enumerate(self._replies):
            used_up = reply.times is not None and self._taken[at] >= reply.times
            fits = reply.route in {None, route} and (reply.when in prompt or reply.when == model)
            if fits and not used_up:
                self._taken[at] += 1
                return reply
        return None
