"""Which fault a provider's error response is: by its status first, then by its message."""

import json
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

from pennyproof.tiers.hosted.errors import Fault, ProviderError
from pennyproof.tiers.hosted.keys import Key, scrub
from pennyproof.tiers.hosted.wellformed import well_formed

_SHOWN = 160
"""Characters of a server's message that a user gets to see."""
_LOGGED = 500

_BY_MESSAGE = (
    (re.compile(r"maximum context length|context_length_exceeded|exceed_context_size|available context size"),
     Fault.CONTEXT_OVERFLOW),
    (re.compile(r"insufficient[ _](balance|quota)|exceeded your current quota|quota_exceeded|remaining balance"),
     Fault.BALANCE),
    (re.compile(r"supported api model names|model not exist|model_not_found|model .{0,80}(does not exist|not found)"),
     Fault.UNKNOWN_MODEL),
    (re.compile(r"content exists risk|content_filter|content_policy"), Fault.CONTENT_FILTER),
)  # fmt: skip
_BY_STATUS = {
    401: Fault.AUTH,
    402: Fault.BALANCE,
    403: Fault.AUTH,
    404: Fault.NOT_FOUND,
    408: Fault.TIMEOUT,
    413: Fault.CONTEXT_OVERFLOW,
    429: Fault.RATE_LIMIT,
    504: Fault.TIMEOUT,
}
_BY_CODE = (
    (re.compile(r"rate_?limit"), Fault.RATE_LIMIT),
    (re.compile(r"authentication|permission"), Fault.AUTH),
    (re.compile(r"invalid_request"), Fault.BAD_REQUEST),
)
"""For errors in the midst of a stream, whose status was a success."""
_RETRYABLE = {Fault.RATE_LIMIT, Fault.SERVER, Fault.TIMEOUT}

_LINES = {
    Fault.AUTH: "{host} does not accept {key}; set a valid one",
    Fault.BALANCE: "the balance of the account at {host} does not suffice; top it up",
    Fault.RATE_LIMIT: "{host} limits how often it may be asked; try again in a little while",
    Fault.BAD_REQUEST: "{host} refused the request: {said}",
    Fault.CONTEXT_OVERFLOW: "the request is longer than the model at {host} takes; ask about less code at once",
    Fault.UNKNOWN_MODEL: "{host} does not have the model asked for ({said}); check model.fast and model.strong",
    Fault.NOT_FOUND: "{host} has no such address; check model.baseUrl",
    Fault.SERVER: "{host} failed or is overloaded; try again in a little while",
    Fault.TIMEOUT: "{host} took too long; try again in a little while",
    Fault.CONTENT_FILTER: "{host} filtered the request or its answer; try it with other code or words",
}


def from_response(host: str, status: int, headers: Mapping[str, str], body: bytes, key: Key | None) -> ProviderError:
    """The error that a response with an error's status stands for.

    Args:
        host: The provider's, as users know it.
        status: The HTTP status.
        headers: Those of the response; the names in small letters, or any if the mapping does not mind.
        body: What came; of any type, as some providers label errors as anything.
        key: What the request was sent with, and nobody gets to see.
    """
    message, code = _read(body.decode("utf-8", "replace"))
    if 300 <= status < 400:
        line = f"{host} sends requests on to another address, which is not followed; correct model.baseUrl"
        return ProviderError(Fault.NOT_FOUND, line, status=status)
    return _error(host, _fault(status, f"{code} {message}".lower()), message, key, status, headers)


def from_event(host: str, error: object, key: Key | None) -> ProviderError:
    """The error that an event in the midst of a stream stands for."""
    message, code = _read(json.dumps({"error": error}))
    text = f"{code} {message}".lower()
    if code.isdigit() and 400 <= int(code) <= 599:
        return _error(host, _fault(int(code), text), message, key, int(code))
    known = [fault for pattern, fault in (*_BY_MESSAGE, *_BY_CODE) if pattern.search(text)]
    return _error(host, known[0] if known else Fault.SERVER, message, key)


def _fault(status: int, text: str) -> Fault:
    if status < 500 and status != 401:
        for pattern, fault in _BY_MESSAGE:
            if pattern.search(text):
                return fault
    return _BY_STATUS.get(status, Fault.SERVER if status >= 500 else Fault.BAD_REQUEST)


def _error(
    host: str,
    fault: Fault,
    message: str,
    key: Key | None,
    status: int | None = None,
    headers: Mapping[str, str] | None = None,
) -> ProviderError:
    # Scrubbed before it is shortened: half a key is still one.
    said = " ".join(scrub(well_formed(message), key).split())
    shown = said[:_SHOWN] or f"status {status}"
    return ProviderError(
        fault,
        _LINES[fault].format(
            host=host, said=shown, key=f"the key from {key.source}" if key else "requests without a key"
        ),
        retryable=fault in _RETRYABLE,
        retry_after=_seconds((headers or {}).get("retry-after", "")),
        status=status,
        detail=said[:_LOGGED],
    )


def _read(text: str) -> tuple[str, str]:
    """The message and the code of an error, in any of the shapes that servers give it."""
    try:
        body: Any = json.loads(text)
    except (ValueError, RecursionError):
        return text, ""
    if isinstance(body, dict):
        body = body.get("error") or body
    if not isinstance(body, dict):
        return body if isinstance(body, str) else "", ""
    message = body.get("message") or body.get("detail") or ""
    # A number says more than a name, and a name than a type that is the same for everything.
    codes = [str(body[name]) for name in ("code", "type") if isinstance(body.get(name), (int, str))]
    return str(message), next((code for code in codes if code.isdigit()), " ".join(codes))


def _seconds(retry_after: str) -> float | None:
    """Seconds from now, from either form of the header."""
    if retry_after.strip().isdigit():
        return float(retry_after)
    try:
        when = parsedate_to_datetime(retry_after)
    except ValueError:
        return None
    return max(0.0, (when.replace(tzinfo=when.tzinfo or UTC) - datetime.now(UTC)).total_seconds())
