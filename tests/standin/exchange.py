"""One request and the connection its answer goes to: what behaviours are written with."""

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

from tests.standin.answer import Answer, answer
from tests.standin.asked import Asked
from tests.standin.connection import Connection
from tests.standin.refusals import Refusal
from tests.standin.script import Reply, UsagePlacement
from tests.standin.usage import PrefixCache

JSON = "application/json"
EVENTS = "text/event-stream; charset=utf-8"
DONE = b"data: [DONE]\n\n"


@dataclass(frozen=True, slots=True)
class Wire:
    """An answer as the pieces that are written one by one. Where it is no stream, each piece is a third of the JSON."""

    opening: bytes
    body: list[bytes]
    ending: list[bytes]
    """Of a stream, the last of it is ``[DONE]``."""

    def __iter__(self) -> Iterator[bytes]:
        yield self.opening
        yield from self.body
        yield from self.ending

    @property
    def half(self) -> list[bytes]:
        """The pieces up to the middle of the text."""
        return [self.opening, *self.body[: len(self.body) // 2]]

    @property
    def rest(self) -> list[bytes]:
        """The pieces from the middle of the text on."""
        return [*self.body[len(self.body) // 2 :], *self.ending]


class Exchange:
    """What a behaviour knows and can do. It may change what is asked, replied and told of usage before it answers."""

    def __init__(
        self, connection: Connection, asked: Asked, reply: Reply, *, cache: PrefixCache, usage_placement: UsagePlacement
    ) -> None:
        self.connection = connection
        self.asked = asked
        self.reply = reply
        self.usage_placement = usage_placement
        self._cache = cache

    def change(self, **fields: Any) -> None:
        """Replies otherwise than the script says."""
        self.reply = replace(self.reply, **fields)

    @cached_property
    def answer(self) -> Answer:
        """The answer, made when it is first looked at; from then on the prompt is in the cache."""
        return answer(self.asked, self.reply, self._cache, self.usage_placement)

    @cached_property
    def wire(self) -> Wire:
        """The answer as it should be sent."""
        return wire_of(self.answer)

    @property
    def content_type(self) -> str:
        """What the answer should be sent as."""
        return EVENTS if self.asked.stream else JSON

    async def pause(self, seconds: float | None = None) -> None:
        """Lets time pass; as much as the reply says if nothing else is said."""
        await self.connection.pause(self.reply.seconds if seconds is None else seconds)

    async def start(self, content_type: str | None = None) -> None:
        """Sends the head of the answer when the model has its first token."""
        await self.pause(self.reply.first_token_seconds)
        self.connection.start(200, content_type or self.content_type)

    async def write(self, pieces: Iterable[bytes]) -> None:
        """Sends pieces at the speed of the reply."""
        for piece in pieces:
            await self.connection.write(piece)
            await self.pause(self.reply.token_seconds)

    async def keep_alive(self) -> None:
        """Sends signs of life as long as the reply says: comments in a stream, empty lines before JSON."""
        left = self.reply.seconds
        while left > 0:
            await self.connection.write(b": keep-alive\n\n" if self.asked.stream else b"\n")
            await self.pause(min(left, self.reply.keep_alive_seconds))
            left -= self.reply.keep_alive_seconds

    async def play(self, pieces: Iterable[bytes] | None = None, *, content_type: str | None = None) -> None:
        """Answers with these pieces, or as the reply says, and ends properly."""
        await self.start(content_type)
        await self.write(pieces_of(self.answer) if pieces is None else pieces)
        self.connection.end()

    async def refuse(self, refusal: Refusal, content_type: str = JSON) -> None:
        """Answers with an error."""
        await send(self.connection, refusal.status, refusal.as_json(), dict(refusal.headers), content_type)


async def send(
    connection: Connection,
    status: int,
    body: object,
    headers: Mapping[str, str] | None = None,
    content_type: str = JSON,
) -> None:
    """Sends JSON in one piece."""
    connection.start(status, content_type, headers)
    await connection.write(as_json(body))
    connection.end()


def as_json(value: object) -> bytes:
    """Compact JSON, with letters that are not ASCII as they are."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()


def event(data: object) -> bytes:
    """One event of a stream."""
    return b"data: " + as_json(data) + b"\n\n"


def wire_of(answer: Answer) -> Wire:
    """The pieces of an answer, as a stream if one was asked for."""
    if answer.asked.stream:
        ending = [*map(event, answer.ending()), DONE]
        return Wire(event(answer.opening()), list(map(event, answer.body())), ending)
    whole = as_json(answer.whole())
    third = len(whole) // 3
    return Wire(whole[:third], [whole[third : 2 * third]], [whole[2 * third :]])


def pieces_of(answer: Answer) -> Iterator[bytes]:
    """The same pieces, each made when it is wanted, so that the first of a long answer need not wait for the rest."""
    if not answer.asked.stream:
        yield from wire_of(answer)
        return
    yield event(answer.opening())
    yield from map(event, answer.body())
    yield from map(event, answer.ending())
    yield DONE
