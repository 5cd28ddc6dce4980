"""The client of one provider, for threads that wait for answers.

All calls share one ``httpx.AsyncClient`` in one background thread, so that they share its connections. Closing a
connection is the only way to cancel a call; that happens at once.

The key goes to the endpoint's own host: redirects are never followed, and proxies of the environment are used for
encrypted endpoints only, where they see no more than the host's name.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Coroutine
from concurrent.futures import CancelledError
from queue import SimpleQueue
from typing import TYPE_CHECKING, Any

from pennyproof import __version__
from pennyproof.core.work import Cancel, Deadline
from pennyproof.errors import Cancelled
from pennyproof.tiers.hosted.answers import Answer
from pennyproof.tiers.hosted.endpoint import Endpoint
from pennyproof.tiers.hosted.errors import Fault, ProviderError
from pennyproof.tiers.hosted.exchange import Exchange
from pennyproof.tiers.hosted.keys import Key, KeyFilter, scrub
from pennyproof.tiers.hosted.listing import list_models
from pennyproof.tiers.hosted.loop import BackgroundLoop
from pennyproof.tiers.hosted.recorder import Recorder
from pennyproof.tiers.hosted.requests import Capabilities, ChatRequest, FimRequest, Wire, chat_wire, fim_wire
from pennyproof.tiers.hosted.retries import Retries

if TYPE_CHECKING:
    import httpx

logger = logging.getLogger(__name__)

OnText = Callable[[str], None]

_THEIR_LOGGERS = ("httpx", "httpcore.connection", "httpcore.http11", "httpcore.proxy")
"""A logger's filter does not see what the loggers below it write, so each has to be named."""
_LONGEST_TRACE = 100
_KEEP_ALIVE = 60.0
"""Seconds for which a connection that is not used stays open."""


class Client:
    """Asks one provider. Thread-safe; every call blocks the thread that makes it.

    Args:
        endpoint: Where the provider is.
        key: Goes to that host only; ``None`` for providers that need none.
        able: What the provider can do.
        name: Stands before the names of its models where calls are recorded; empty for the default provider.
        chat_idle: Seconds for which a chat may be silent.
        fim_idle: Seconds for which the filling of a gap may be silent.
        retries: Makes the retry policy of a call.
    """

    def __init__(
        self,
        endpoint: Endpoint,
        key: Key | None,
        able: Capabilities,
        *,
        name: str = "",
        chat_idle: float = 60.0,
        fim_idle: float = 5.0,
        retries: Callable[[], Retries] = Retries,
    ) -> None:
        self.endpoint = endpoint
        self.able = able
        self._key = key
        self._name = name
        self._chat_idle = chat_idle
        self._fim_idle = fim_idle
        self._retries = retries
        self._loop = BackgroundLoop("pennyproof-hosted")
        self._http: httpx.AsyncClient | None = None
        self._filter = KeyFilter(key)

    @property
    def has_key(self) -> bool:
        """Whether there is a key to send."""
        return self._key is not None

    @property
    def key_source(self) -> str:
        """Where the key was found, in words for a person; empty where there is none."""
        return self._key.source if self._key else ""

    def chat(
        self,
        request: ChatRequest,
        *,
        recorder: Recorder,
        deadline: Deadline,
        cancel: Cancel,
        on_text: OnText | None = None,
    ) -> Answer:
        """Ask the model to go on with a conversation.

        Args:
            request: The conversation.
            recorder: Lets each attempt pass, and is told how it ended.
            deadline: When the answer, with all attempts at it, has to be there.
            cancel: Closes the connection.
            on_text: Called on this thread with each piece of the answer's text, as it arrives. Once it was, a
                failure is not retried: its text cannot be taken back.

        Raises:
            ProviderError: There is no answer.
            Cancelled: Asked to stop.
        """
        wire = chat_wire(request, self.able)
        return self._call(wire, self._chat_idle, recorder, deadline, cancel, on_text)

    def fim(
        self,
        request: FimRequest,
        *,
        recorder: Recorder,
        deadline: Deadline,
        cancel: Cancel,
        on_text: OnText | None = None,
    ) -> Answer:
        """Ask the model to fill a gap; arguments and errors are those of ``chat``. An empty text is an answer."""
        wire = fim_wire(request, self.able)
        return self._call(wire, self._fim_idle, recorder, deadline, cancel, on_text)

    def models(self, seconds: float) -> tuple[str, ...]:
        """The names of the models that the provider lists.

        Args:
            seconds: The time that the answer may take.

        Raises:
            ProviderError: There is no list.
        """
        return self._loop.submit(self._list(seconds)).result()

    def close(self) -> None:
        """Cancel all calls, and close all connections."""
        self._loop.close(self._disconnect)
        for name in _THEIR_LOGGERS:
            logging.getLogger(name).removeFilter(self._filter)

    def _call(
        self,
        wire: Wire,
        idle: float,
        recorder: Recorder,
        deadline: Deadline,
        cancel: Cancel,
        on_text: OnText | None,
    ) -> Answer:
        retries = self._retries()
        while True:
            cancel.check()
            if deadline.passed:
                raise ProviderError(
                    Fault.TIMEOUT, f"there was no time left to ask {self.endpoint.host}; allow more time"
                )
            texts = _Texts(on_text)
            try:
                return self._attempt(wire, idle, recorder, deadline, cancel, texts)
            except ProviderError as error:
                pause = retries.pause(error)
                logger.info("%s (%s)%s", error, error.fault, f": {error.detail}" if error.detail else "")
                if pause is None or pause >= deadline.left or texts.told:
                    raise
            _wait(pause, cancel)

    def _attempt(
        self, wire: Wire, idle: float, recorder: Recorder, deadline: Deadline, cancel: Cancel, texts: _Texts
    ) -> Answer:
        exchange = Exchange(self.endpoint, self._key, wire, texts.put)
        entry = recorder.begin(f"{self._name}/{wire.model}" if self._name else wire.model, wire.bound)
        started = time.monotonic()
        outcome = "failed"
        try:
            answer = self._wait_for(self._run(exchange, deadline.left, idle), cancel, texts)
            outcome = "ok"
            return answer
        except ProviderError as error:
            outcome = error.fault
            raise
        except Cancelled:
            outcome = "cancelled"
            raise
        finally:
            trace = scrub(exchange.trace, self._key)[:_LONGEST_TRACE]
            entry.settle(exchange.billed, outcome=outcome, seconds=time.monotonic() - started, trace=trace)

    def _wait_for(self, work: Coroutine[Any, Any, Answer], cancel: Cancel, texts: _Texts) -> Answer:
        future = self._loop.submit(work)
        future.add_done_callback(lambda _: texts.end())

        def hang_up() -> None:
            future.cancel()

        forget = cancel.on_cancel(hang_up)
        try:
            texts.pass_on()
            return future.result()
        except CancelledError:
            cancel.check()
            raise Cancelled("the connection was closed") from None
        finally:
            forget()
            hang_up()

    async def _run(self, exchange: Exchange, seconds: float, idle: float) -> Answer:
        return await exchange.run(self._connections(), seconds, idle)

    async def _list(self, seconds: float) -> tuple[str, ...]:
        return await list_models(self._connections(), self.endpoint, self.able.models_path, self._key, seconds)

    def _connections(self) -> httpx.AsyncClient:
        if self._http is None:
            self._http = self._connect()
        return self._http

    def _connect(self) -> httpx.AsyncClient:
        import httpx  # noqa: PLC0415 (slow, and not needed until something is sent)

        for name in _THEIR_LOGGERS:
            logging.getLogger(name).addFilter(self._filter)
        headers = {"User-Agent": f"pennyproof/{__version__}", "Accept-Encoding": "identity"}
        return httpx.AsyncClient(
            headers=headers | ({"Authorization": self._key.bearer()} if self._key else {}),
            follow_redirects=False,
            trust_env=self.endpoint.is_encrypted,
            verify=self.endpoint.is_encrypted,  # where nothing is encrypted, certificates need not be loaded
            limits=httpx.Limits(max_connections=None, keepalive_expiry=_KEEP_ALIVE),
        )

    async def _disconnect(self) -> None:
        if self._http is not None:
            await self._http.aclose()
        self._http = None


class _Texts:
    """Brings pieces of text from the event loop to the thread that wants them."""

    def __init__(self, on_text: OnText | None) -> None:
        self._on_text = on_text
        self._queue: SimpleQueue[str | None] = SimpleQueue()
        self.told = False
        """Whether any text was passed on."""

    def put(self, text: str) -> None:
        """Called in the event loop."""
        if self._on_text is not None:
            self._queue.put(text)

    def end(self) -> None:
        """Called in the event loop, or by whoever cancels."""
        self._queue.put(None)

    def pass_on(self) -> None:
        """Pass texts on until there are no more."""
        while (text := self._queue.get()) is not None:
            self.told = True
            if self._on_text is not None:
                self._on_text(text)


def _wait(seconds: float, cancel: Cancel) -> None:
    over = threading.Event()
    forget = cancel.on_cancel(over.set)
    over.wait(seconds)
    forget()
