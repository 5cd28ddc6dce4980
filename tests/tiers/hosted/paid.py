"""What the tests of the client call it with."""

from dataclasses import dataclass, field

from pennyproof.core.work import Cancel, Deadline
from pennyproof.tiers.hosted.answers import Answer, Usage
from pennyproof.tiers.hosted.client import Client, OnText
from pennyproof.tiers.hosted.endpoint import Endpoint
from pennyproof.tiers.hosted.errors import ProviderError
from pennyproof.tiers.hosted.keys import Key
from pennyproof.tiers.hosted.requests import DEEPSEEK, Capabilities, ChatRequest, FimRequest, Message
from pennyproof.tiers.hosted.retries import Retries

CHAT = ChatRequest("deepseek-flash", (Message("user", "Why does it fail?"),), 1000)
THINKING = ChatRequest("deepseek-flash", (Message("user", "Why does it fail?"),), 1000, thinking="high")
FIM = FimRequest("deepseek-flash", "def one():\n    ", "\n\nprint(one())\n", 64)


@dataclass
class Entry:
    """A call as the recorder saw it."""

    model: str
    bound: Usage
    outcome: str = "reserved"
    usage: Usage | None = None
    seconds: float = 0.0
    trace: str = ""
    settled: int = 0

    def settle(self, usage: Usage | None, *, outcome: str, seconds: float, trace: str) -> None:
        self.usage, self.outcome, self.seconds, self.trace = usage, outcome, seconds, trace
        self.settled += 1


@dataclass
class Records:
    """A recorder that lets everything pass, or refuses it."""

    refuse: ProviderError | None = None
    entries: list[Entry] = field(default_factory=list)

    def begin(self, model: str, bound: Usage) -> Entry:
        if self.refuse is not None:
            raise self.refuse
        self.entries.append(Entry(model, bound))
        return self.entries[-1]

    @property
    def outcomes(self) -> list[str]:
        return [entry.outcome for entry in self.entries]


class AtOnce(Retries):
    """The retry policy without its pauses."""

    def pause(self, error: ProviderError) -> float | None:
        return None if super().pause(error) is None else 0.0


def client(url: str, key: str | None = "sk-standin", able: Capabilities = DEEPSEEK, *, idle: float = 10.0) -> Client:
    return Client(
        Endpoint(url), Key(key, "a test") if key else None, able, chat_idle=idle, fim_idle=idle, retries=AtOnce
    )


def ask(
    client: Client,
    request: ChatRequest | FimRequest = CHAT,
    records: Records | None = None,
    *,
    seconds: float = 30.0,
    cancel: Cancel | None = None,
    on_text: OnText | None = None,
) -> Answer:
    records, cancel, deadline = records or Records(), cancel or Cancel(), Deadline(seconds)
    if isinstance(request, ChatRequest):
        return client.chat(request, recorder=records, deadline=deadline, cancel=cancel, on_text=on_text)
    return client.fim(request, recorder=records, deadline=deadline, cancel=cancel, on_text=on_text)
