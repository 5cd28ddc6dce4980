"""Connections that fall silent, break, or end where they should not."""

from tests.standin.exchange import Exchange


async def silence(exchange: Exchange) -> None:
    """Sends not one byte, and closes after a while."""
    await exchange.pause()
    exchange.connection.cut()


async def stall(exchange: Exchange) -> None:
    """Falls silent in the middle of the text, and closes after a while."""
    await exchange.start()
    await exchange.write(exchange.wire.half)
    await exchange.pause()
    exchange.connection.cut()


async def connection_reset(exchange: Exchange) -> None:
    """Breaks the connection instead of answering."""
    exchange.connection.reset()


async def stream_disconnect(exchange: Exchange) -> None:
    """Closes the connection before the text begins."""
    await exchange.start()
    await exchange.write([exchange.wire.opening])
    exchange.connection.cut()


async def partial_disconnect(exchange: Exchange) -> None:
    """Closes the connection in the middle of the text."""
    await exchange.start()
    await exchange.write(exchange.wire.half)
    exchange.connection.cut()


async def half_closed(exchange: Exchange) -> None:
    """Says in the middle of the text that nothing more will come, and keeps the connection."""
    await exchange.start()
    await exchange.write(exchange.wire.half)
    await exchange.connection.half_close()


async def stream_eof(exchange: Exchange) -> None:
    """Ends properly after the text, without saying why it ended."""
    await exchange.play([exchange.wire.opening, *exchange.wire.body])


async def partial_eof(exchange: Exchange) -> None:
    """Ends properly in the middle of the text."""
    await exchange.play(exchange.wire.half)


async def finish_without_done(exchange: Exchange) -> None:
    """Says why the text ended, but not ``[DONE]``."""
    await exchange.play([exchange.wire.opening, *exchange.wire.body, *exchange.wire.ending[:-1]])
