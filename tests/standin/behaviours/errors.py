"""Answers that are errors."""

from tests.standin import refusals
from tests.standin.exchange import Exchange
from tests.standin.refusals import Refusal


async def rate_limit(exchange: Exchange) -> None:
    """Too many tokens in a minute; try again in so many seconds."""
    await exchange.refuse(refusals.too_many_tokens(exchange.reply.seconds))


async def balance_429(exchange: Exchange) -> None:
    """Too many requests at once for what is left of the balance."""
    await exchange.refuse(refusals.too_many_at_once(40, 39))


async def quota_exceeded(exchange: Exchange) -> None:
    """No money left."""
    await exchange.refuse(refusals.no_balance())


async def server_error(exchange: Exchange) -> None:
    """Something broke."""
    await exchange.refuse(Refusal(500, "Internal Server Error", "server_error", "server_error"))


async def service_unavailable(exchange: Exchange) -> None:
    """Too much to do."""
    message = "Service is too busy. We advise users to temporarily switch to alternative LLM API service providers."
    await exchange.refuse(Refusal(503, message, "service_unavailable_error"))


async def auth_error(exchange: Exchange) -> None:
    """The key is no longer right."""
    await exchange.refuse(refusals.wrong_key("gone"))


async def invalid_request(exchange: Exchange) -> None:
    """Something about the request cannot be served; the reply's text may say what."""
    await exchange.refuse(refusals.invalid(exchange.reply.text or "Invalid request"))


async def context_overflow(exchange: Exchange) -> None:
    """The prompt is too long, by the figures of a smaller model."""
    await exchange.refuse(refusals.too_long(122_942, 8_192, limit=131_072))


async def error_as_bytes(exchange: Exchange) -> None:
    """An error in the usual form, but said to be no JSON."""
    await exchange.refuse(Refusal(500, "Internal Server Error"), "application/octet-stream")


async def error_as_text(exchange: Exchange) -> None:
    """An error of a proxy, in plain words."""
    exchange.connection.start(502, "text/plain")
    await exchange.write([b"upstream connect error or disconnect/reset before headers"])
    exchange.connection.end()
