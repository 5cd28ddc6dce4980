"""A provider's errors become one kind and one line each."""

import json
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest

from pennyproof.tiers.hosted.classify import from_response
from pennyproof.tiers.hosted.errors import Fault, ProviderError
from pennyproof.tiers.hosted.keys import Key

KEY = Key("recognisable-key", "DEEPSEEK_API_KEY")
LONG = (
    "This model's maximum context length is 131072 tokens. However, you requested 131134 tokens (122942 in the "
    "messages, 8192 in the completion). Please reduce the length of the messages or completion."
)
CONCURRENCY = (
    "Your current concurrency is 40, which exceeds your concurrency limit of 39 based on your remaining balance. "
    "Please top up your balance to restore your concurrency."
)


def said(message: object, kind: str = "invalid_request_error", code: object = "invalid_request_error") -> bytes:
    return json.dumps({"error": {"message": message, "type": kind, "param": None, "code": code}}).encode()


def error(status: int, body: bytes, headers: dict[str, str] | None = None) -> ProviderError:
    return from_response("api.example.com", status, headers or {}, body, KEY)


@pytest.mark.parametrize(
    ("status", "body", "fault", "retryable"),
    [
        (400, said("The `reasoning_content` in the thinking mode must be passed back."), Fault.BAD_REQUEST, False),
        (400, said("Invalid max_tokens value, the valid range of max_tokens is [1, 8192]"), Fault.BAD_REQUEST, False),
        (400, said(LONG), Fault.CONTEXT_OVERFLOW, False),
        (400, said("too long", code="context_length_exceeded"), Fault.CONTEXT_OVERFLOW, False),
        (413, b"", Fault.CONTEXT_OVERFLOW, False),
        (400, said("The supported API model names are a, b, but you passed X."), Fault.UNKNOWN_MODEL, False),
        (400, said("Model Not Exist"), Fault.UNKNOWN_MODEL, False),
        (404, said("The model `x` does not exist", code="model_not_found"), Fault.UNKNOWN_MODEL, False),
        (400, said("Content Exists Risk"), Fault.CONTENT_FILTER, False),
        (401, said("Authentication Fails, Your api key: ****1234 is invalid"), Fault.AUTH, False),
        (402, said("Insufficient Balance", "unknown_error"), Fault.BALANCE, False),
        (402, b"", Fault.BALANCE, False),
        (404, b"<html>", Fault.NOT_FOUND, False),
        (422, said("Failed to deserialize the JSON body"), Fault.BAD_REQUEST, False),
        (429, b"", Fault.RATE_LIMIT, True),
        (429, said("Rate limit reached for TPM"), Fault.RATE_LIMIT, True),
        (429, said(CONCURRENCY, "rate_limit_error"), Fault.BALANCE, False),
        (429, said("You exceeded your current quota", code="insufficient_quota"), Fault.BALANCE, False),
        (500, b"", Fault.SERVER, True),
        (502, b"upstream connect error", Fault.SERVER, True),
        (503, said("model overloaded; it does not exist now"), Fault.SERVER, True),
        (503, b'{"error":{"code":503,"message":"Loading model","type":"unavailable_error"}}', Fault.SERVER, True),
        (504, b"", Fault.TIMEOUT, True),
        (307, b"", Fault.NOT_FOUND, False),
        (204, b"", Fault.BAD_REQUEST, False),
        (400, b'{"object":"error","message":"suffix is not currently supported","code":400}', Fault.BAD_REQUEST, False),
        (400, b'{"error":"registry does not support insert"}', Fault.BAD_REQUEST, False),
        (400, b'{"detail":[{"loc":["body"]}]}', Fault.BAD_REQUEST, False),
        (400, b"[" * 100_000, Fault.BAD_REQUEST, False),
        (400, b"[]", Fault.BAD_REQUEST, False),
        (400, b"\xff\xfe", Fault.BAD_REQUEST, False),
        (400, said(None), Fault.BAD_REQUEST, False),
        (400, said({"odd": 1}), Fault.BAD_REQUEST, False),
    ],
)
def test_fault(status: int, body: bytes, fault: Fault, retryable: bool) -> None:
    found = error(status, body)
    assert (found.fault, found.retryable, found.status) == (fault, retryable, status)
    line = str(found)
    assert "api.example.com" in line
    assert "\n" not in line
    assert len(line) < 300


def test_the_line_names_where_the_key_came_from() -> None:
    assert str(error(401, b"")) == "api.example.com does not accept the key from DEEPSEEK_API_KEY; set a valid one"
    without = from_response("api.example.com", 401, {}, b"", None)
    assert str(without) == "api.example.com does not accept requests without a key; set a valid one"


@pytest.mark.parametrize("status", [307, 400, 401, 402, 404, 422, 429, 500])
def test_what_a_server_quotes_never_shows_a_key(status: int) -> None:
    quoted = "you sent Authorization: Bearer recognisable-key, " * 20 + "or sk-somebody-elses-key"
    found = error(status, said(quoted))
    shown = f"{found} {found!r} {found.__dict__}"
    assert "recognisable" not in shown
    assert "somebody" not in shown


def test_a_key_is_not_cut_in_half() -> None:
    found = error(400, said("x" * 150 + "recognisable-key"))
    assert "recog" not in str(found)


@pytest.mark.parametrize(("header", "seconds"), [("7", 7.0), ("soon", None), ("", None), ("-1", None)])
def test_retry_after(header: str, seconds: float | None) -> None:
    assert error(429, b"", {"retry-after": header}).retry_after == seconds


def test_retry_after_as_a_date() -> None:
    later = error(429, b"", {"retry-after": format_datetime(datetime.now(UTC) + timedelta(hours=1), usegmt=True)})
    assert later.retry_after is not None
    assert 3000 < later.retry_after <= 3600
    before = error(429, b"", {"retry-after": "Wed, 21 Oct 2015 07:28:00 GMT"})
    assert before.retry_after == 0.0
