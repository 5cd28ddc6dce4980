"""One request and its response, over a connection that other calls may have used before."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from typing import TYPE_CHECKING

from pennyproof.tiers.hosted.answers import Answer, Usage
from pennyproof.tiers.hosted.classify import from_response
from pennyproof.tiers.hosted.endpoint import Endpoint
from pennyproof.tiers.hosted.errors import Fault, ProviderError
from pennyproof.tiers.hosted.keys import Key
from pennyproof.tiers.hosted.requests import Wire
from pennyproof.tiers.hosted.sse import Decoder
from pennyproof.tiers.hosted.stream import Reader

if TYPE_CHECKING:
    import httpx

_LONGEST_LINE = 4 * 1024 * 1024
"""Bytes of one event, or of an answer that is no stream."""
_LONGEST_ERROR = 64 * 1024
"""Bytes of an error that are read."""
_LINGER, _LINGER_DONE = 1.0, 0.1
"""Seconds in which what follows a finished answer has to come: its usage, or only the end."""
_TRACE_HEADERS = ("x-ds-trace-id", "x-request-id", "x-generation-id")


class Exchange:
    """One attempt at a call.

    Args:
        endpoint: The provider's.
        key: What the connections send with every request, and nobody gets to see.
        wire: The request.
        on_text: Called in the event loop with each piece of text.
    """

    def __init__(self, endpoint: Endpoint, key: Key | None, wire: Wire, on_text: Callable[[str], None]) -> None:
        self._url = endpoint.url.rstrip("/") + wire.path
        self._host = endpoint.host
        self._key = key
        self._wire = wire
        self._on_text = on_text
        self._reader = Reader(
            self._host, key, watch_for_leaks=not wire.prompt_mentions_dsml, may_be_empty=wire.may_be_empty
        )
        self._served: bool | None = False
        """Whether the request was served, and so is billed; ``None``: nobody knows."""
        self._trace = ""

    @property
    def billed(self) -> Usage | None:
        """What is billed, as far as it is known by now: nothing, what the provider said, or ``None``."""
        return Usage() if self._served is False else self._reader.usage

    @property
    def trace(self) -> str:
        """The provider's name for the call."""
        return self._trace or self._reader.partial.id

    async def run(self, http: httpx.AsyncClient, seconds: float, idle: float) -> Answer:
        """Send the request and read the answer.

        Args:
            http: The connections.
            seconds: The time that all this may take.
            idle: Seconds in which something has to come, be it a comment.

        Raises:
            ProviderError: There is no answer.
        """
        import httpx  # noqa: PLC0415 (slow, and not needed until something is sent)

        try:
            async with asyncio.timeout(seconds):
                return await self._exchange(http, httpx.Timeout(idle, connect=min(idle, 10.0), pool=None))
        except TimeoutError:
            return self._late(f"{self._host} did not finish in time; try again, or allow more time", retryable=False)
        except (httpx.ConnectError, httpx.ConnectTimeout) as error:
            line = f"{self._host} cannot be reached; check the network and model.baseUrl"
            raise ProviderError(Fault.UNREACHABLE, line, retryable=True, detail=type(error).__name__) from None
        except httpx.TimeoutException:
            return self._late(f"{self._host} fell silent; try again in a little while", retryable=True)
        except (httpx.TransportError, httpx.DecodingError) as error:
            return self._broken(type(error).__name__)

    async def _exchange(self, http: httpx.AsyncClient, timeout: httpx.Timeout) -> Answer:
        async with http.stream(
            "POST",
            self._url,
            content=self._wire.body,
            headers={"Content-Type": "application/json", "Accept": "text/event-stream"},
            timeout=timeout,
            extensions={"trace": self._watch},
        ) as response:
            self._trace = next((response.headers[name] for name in _TRACE_HEADERS if name in response.headers), "")
            if response.status_code != 200:
                self._served = False
                body = await _beginning(response.aiter_bytes())
                raise from_response(self._host, response.status_code, response.headers, body, self._key)
            await self._read(response)
        return self._reader.finish()

    async def _watch(self, event: str, info: object) -> None:  # noqa: ARG002 (the hook's signature is httpcore's)
        """From when a byte of the request may have left, nobody knows whether it is billed."""
        if event.endswith("send_request_headers.started"):
            self._served = None

    async def _read(self, response: httpx.Response) -> None:
        decoder, whole = Decoder(), bytearray()
        chunks = response.aiter_bytes()
        # Streams that are labelled as something else are read as streams too.
        is_stream = "event-stream" in response.headers.get("content-type", "")
        async for data in chunks:
            events = decoder.feed(data)
            is_stream = is_stream or bool(events)
            for event in events:
                self._tell(self._reader.take(event))
            if self._reader.finished:
                # What was asked for is here; only the usage, and the connection's next use, are worth a moment more.
                await self._linger(decoder, chunks)
                return
            if not is_stream:
                whole += data
            if max(decoder.pending, len(whole)) > _LONGEST_LINE:
                line = f"{self._host} answered with something that does not end; try again in a little while"
                raise ProviderError(Fault.UNREADABLE, line)
        if not is_stream and (text := whole.decode("utf-8", "replace").strip()):
            self._tell(self._reader.take(text))

    async def _linger(self, decoder: Decoder, chunks: AsyncIterator[bytes]) -> None:
        import httpx  # noqa: PLC0415 (it is there by now)

        with contextlib.suppress(TimeoutError, httpx.TransportError):
            async with asyncio.timeout(_LINGER_DONE if self._reader.done else _LINGER):
                async for data in chunks:
                    for event in decoder.feed(data):
                        self._tell(self._reader.take(event))

    def _tell(self, text: str) -> None:
        if text:
            self._on_text(text)

    def _late(self, line: str, *, retryable: bool) -> Answer:
        if self._reader.finished:
            return self._reader.finish()
        raise ProviderError(Fault.TIMEOUT, line, retryable=retryable, partial=self._reader.partial) from None

    def _broken(self, detail: str) -> Answer:
        partial = self._reader.partial
        if self._reader.finished or partial.text or partial.reasoning:
            return self._reader.finish()
        line = f"the connection to {self._host} broke; check the network, or try again in a little while"
        raise ProviderError(Fault.UNREACHABLE, line, retryable=True, detail=detail) from None


async def _beginning(chunks: AsyncIterator[bytes]) -> bytes:
    """As much of an error's body as helps; what breaks off is no worse than what is too long."""
    import httpx  # noqa: PLC0415 (it is there by now)

    body = bytearray()
    with contextlib.suppress(httpx.TransportError, httpx.DecodingError):
        async for data in chunks:
            body += data
            if len(body) > _LONGEST_ERROR:
                break
    return bytes(body)
