"""Bytes that are not as they should be, or seldom are."""

from tests.standin.exchange import Exchange, as_json, event


async def malformed_json(exchange: Exchange) -> None:
    """Sends an event in the middle of the text that is no JSON."""
    await exchange.play([*exchange.wire.half, b'data: {"id":"broken","choices":[{"index"\n\n', *exchange.wire.rest])


async def malformed_event(exchange: Exchange) -> None:
    """Sends an event in the middle of the text that is JSON, but no chunk; nothing else where there are no events."""
    odd = ["not", "a", "chunk"]
    pieces = [*exchange.wire.half, event(odd), *exchange.wire.rest] if exchange.asked.stream else [as_json(odd)]
    await exchange.play(pieces)


async def other_fields(exchange: Exchange) -> None:
    """Sends lines that readers of events have to pass over; none where there are no events."""
    lines = b": a comment\nevent: message\nid: 7\nretry: 3000\nunknown\n\n" if exchange.asked.stream else b""
    await exchange.play([lines, *exchange.wire.half, lines, *exchange.wire.rest])


async def wrong_content_type(exchange: Exchange) -> None:
    """Answers with the page of somebody in between."""
    page = b"<!doctype html><title>Sign in</title><p>Sign in to use this network.</p>"
    await exchange.play([page], content_type="text/html")


async def utf8_split(exchange: Exchange) -> None:
    """Sends every byte by itself, so that letters come in parts."""
    await exchange.play(bytes([byte]) for piece in exchange.wire for byte in piece)


async def crlf(exchange: Exchange) -> None:
    """Ends lines as HTTP does."""
    await exchange.play(piece.replace(b"\n", b"\r\n") for piece in exchange.wire)


async def no_space(exchange: Exchange) -> None:
    """Leaves out the space after ``data:``."""
    await exchange.play(piece.replace(b"data: ", b"data:", 1) for piece in exchange.wire)
