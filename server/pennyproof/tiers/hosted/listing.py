"""Which models a provider lists. No code is sent for that, and nothing is billed."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING

from pennyproof.tiers.hosted.classify import from_response
from pennyproof.tiers.hosted.endpoint import Endpoint
from pennyproof.tiers.hosted.errors import Fault, ProviderError
from pennyproof.tiers.hosted.keys import Key, scrub
from pennyproof.tiers.hosted.wellformed import well_formed

if TYPE_CHECKING:
    import httpx

_LONGEST_LIST = 4 * 1024 * 1024
"""Bytes; providers of providers list thousands of models."""


async def list_models(
    http: httpx.AsyncClient, endpoint: Endpoint, path: str, key: Key | None, seconds: float
) -> tuple[str, ...]:
    """Ask a provider for the names of its models.

    Args:
        http: The connections.
        endpoint: The provider's.
        path: Where the list is.
        key: What the connections send with every request, and nobody gets to see.
        seconds: The time that all this may take.

    Raises:
        ProviderError: There is no list.
    """
    import httpx  # noqa: PLC0415 (slow, and not needed until something is sent)

    host = endpoint.host
    try:
        async with asyncio.timeout(seconds):
            status, headers, body = await _get(http, endpoint.url.rstrip("/") + path, seconds)
    except (TimeoutError, httpx.TimeoutException):
        raise ProviderError(Fault.TIMEOUT, f"{host} did not answer within {seconds:.0f} s") from None
    except (httpx.TransportError, httpx.DecodingError) as error:
        line = f"{host} cannot be reached; check the network and model.baseUrl"
        raise ProviderError(Fault.UNREACHABLE, line, detail=type(error).__name__) from None
    if status != 200:
        raise from_response(host, status, headers, body, key)
    return tuple(scrub(well_formed(name), key) for name in _names(host, body))


async def _get(http: httpx.AsyncClient, url: str, seconds: float) -> tuple[int, httpx.Headers, bytes]:
    body = bytearray()
    async with http.stream("GET", url, headers={"Accept": "application/json"}, timeout=seconds) as response:
        async for data in response.aiter_bytes():
            body += data
            if len(body) > _LONGEST_LIST:
                break
        return response.status_code, response.headers, bytes(body)


def _names(host: str, body: bytes) -> list[str]:
    try:
        return [str(model["id"]) for model in json.loads(body)["data"]]
    except (ValueError, KeyError, TypeError, RecursionError):
        line = f"{host} answered with something that is no list of models; check model.baseUrl"
        raise ProviderError(Fault.UNREADABLE, line) from None
