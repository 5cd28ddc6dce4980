"""The API itself: who may ask for what, and what is remembered from one request to the next."""

import json
import re
import threading
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from decimal import Decimal
from typing import Any, Literal

from tests.standin import refusals
from tests.standin.asked import Asked
from tests.standin.behaviours import BEHAVIOURS
from tests.standin.connection import ClientGone, Connection, Incoming
from tests.standin.exchange import Exchange, send
from tests.standin.models import described, listed
from tests.standin.refusals import Refusal
from tests.standin.script import Playlist, Reply, Route, Script
from tests.standin.usage import PrefixCache
from tests.standin.validation import BETA, validate

_POSTS = re.compile(r"(?P<beta>/beta)?(/v1)?/(?P<name>chat/completions|completions)")
_MODELS = re.compile(r"(/v1)?/models(/(?P<model>[^/]+))?")
REQUESTS = "/_standin/requests"
"""What `Standin.requests` holds, for those who are in another process. No key is asked for."""


@dataclass(slots=True)
class Request:
    """One request that came, and what became of it."""

    method: str
    path: str
    route: Route | None
    """None for what asks for no text."""
    headers: Mapping[str, str]
    """Names in lower case; without the key."""
    authorised: bool
    body: Any
    """Parsed where it is JSON, else the text."""
    at: float
    """Seconds of ``time.monotonic``."""
    written: list[float] = field(default_factory=list)
    """When the first pieces of the answer were sent; of a stream, the second of them is the first with text."""
    behaviour: str = ""
    """How it was answered; empty if it was refused, or asked for no text."""
    refusal: str = ""
    """What was wrong about it."""
    outcome: Literal["open", "answered", "abandoned"] = "open"
    """Abandoned are those whose client went away before the answer was complete."""


class Service:
    """Answers requests. All but `add` and reading belongs to the thread of the server."""

    def __init__(self, script: Script) -> None:
        self.balance = script.balance
        self.requests: list[Request] = []
        self.changed = threading.Condition()
        """Notified when a request comes or its outcome is known."""
        self._script = script
        self._playlist = Playlist(())
        self._cache = PrefixCache()
        self._in_flight: Counter[str] = Counter()
        self.add(*script.replies)

    def add(self, *replies: Reply) -> None:
        """Appends replies to the script.

        Raises:
            ValueError: If a behaviour does not exist.
        """
        unknown = {reply.behaviour for reply in replies} - BEHAVIOURS.keys()
        if unknown:
            raise ValueError(f"no such behaviour: {min(unknown)}")
        self._playlist.add(*replies)

    async def handle(self, connection: Connection, incoming: Incoming) -> None:
        """Answers one request, whatever it is."""
        path = incoming.path.partition("?")[0]
        if path == REQUESTS:
            await send(connection, 200, list(map(asdict, self.requests)))
            return
        scheme, _, key = incoming.headers.get("authorization", "").partition(" ")
        request = self._record(incoming, path, authorised=scheme == "Bearer" and key == self._script.key)
        try:
            try:
                await self._answer(connection, request, key)
            except Refusal as refusal:
                request.refusal = refusal.message
                await send(connection, refusal.status, refusal.as_json(), dict(refusal.headers))
            request.outcome = "answered"
        except ClientGone:
            request.outcome = "abandoned"
        finally:
            self._notify()

    def _record(self, incoming: Incoming, path: str, *, authorised: bool) -> Request:
        found = _POSTS.fullmatch(path)
        request = Request(
            method=incoming.method,
            path=path,
            route=None if found is None else "fim" if found["name"] == "completions" else "chat",
            headers={name: value for name, value in incoming.headers.items() if name != "authorization"},
            authorised=authorised,
            body=_parsed(incoming.body),
            at=time.monotonic(),
        )
        self.requests.append(request)
        self._notify()
        return request

    async def _answer(self, connection: Connection, request: Request, key: str) -> None:
        if not request.authorised:
            raise refusals.wrong_key(key)
        models = _MODELS.fullmatch(request.path)
        if request.route is not None and request.method == "POST":
            await self._answer_with_text(connection, request)
        elif models and request.method == "GET":
            await send(connection, 200, self._models(models["model"]))
        elif (request.method, request.path) == ("GET", "/user/balance"):
            await send(connection, 200, self._balance())
        else:
            raise refusals.no_such_route(request.path)

    async def _answer_with_text(self, connection: Connection, request: Request) -> None:
        asked = self._read(request)
        with self._place_for(asked.model):
            reply = self._playlist.take(asked.route, asked.prompt, asked.body["model"])
            if reply is None:
                raise refusals.script_used_up(asked.route, asked.body["model"])
            request.behaviour = reply.behaviour
            exchange = Exchange(connection, asked, reply, cache=self._cache, usage_placement=self._script.usage)
            try:
                await BEHAVIOURS[reply.behaviour](exchange)
            finally:
                request.written = connection.written

    def _read(self, request: Request) -> Asked:
        if request.route == "fim" and not request.path.startswith("/beta/"):
            raise refusals.invalid(f"completions api is only available when using beta api {BETA}")
        if not isinstance(request.body, dict):
            raise refusals.not_deserialized("expected struct Request")
        asked = Asked(request.route or "chat", request.path.startswith("/beta/"), request.body)
        validate(asked, self._script.models)
        if Decimal(self.balance) <= 0:
            raise refusals.no_balance()
        return asked

    @contextmanager
    def _place_for(self, model: str) -> Iterator[None]:
        limit = self._script.models[model]
        self._in_flight[model] += 1
        try:
            if self._in_flight[model] > limit:
                raise refusals.too_many_at_once(self._in_flight[model], limit)
            yield
        finally:
            self._in_flight[model] -= 1

    def _models(self, model: str | None) -> dict[str, Any]:
        if model is None:
            return listed(self._script.models)
        if model not in self._script.models:
            raise refusals.no_such_route(f"/models/{model}")
        return described(model)

    def _balance(self) -> dict[str, Any]:
        granted = min(Decimal(self.balance), Decimal("10.00"))
        amounts = {
            "total_balance": self.balance,
            "granted_balance": f"{granted:.2f}",
            "topped_up_balance": f"{Decimal(self.balance) - granted:.2f}",
        }
        return {"is_available": Decimal(self.balance) > 0, "balance_infos": [{"currency": "CNY", **amounts}]}

    def _notify(self) -> None:
        with self.changed:
            self.changed.notify_all()


def _parsed(body: bytes) -> Any:
    try:
        return json.loads(body)
    except ValueError:
        return body.decode(errors="replace")
