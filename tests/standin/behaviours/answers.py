"""Answers that are whole, each in a shape of its own."""

from tests.standin.exchange import Exchange, pieces_of
from tests.standin.script import ToolCall

DSML = """<｜DSML｜tool_calls>
<｜DSML｜invoke name="{call.name}">
<｜DSML｜parameter name="arguments" string="true">{call.arguments}</｜DSML｜parameter>
</｜DSML｜invoke>
</｜DSML｜tool_calls>"""


async def success(exchange: Exchange) -> None:
    """Answers as the reply says."""
    await exchange.play()


async def slow_success(exchange: Exchange) -> None:
    """Sends nothing for a while, not even the head, then answers."""
    await exchange.pause()
    await exchange.play()


async def queued(exchange: Exchange) -> None:
    """Sends signs of life for a while, then answers."""
    await exchange.start()
    await exchange.keep_alive()
    await exchange.write(pieces_of(exchange.answer))
    exchange.connection.end()


async def queued_in_vain(exchange: Exchange) -> None:
    """Sends signs of life for a while, then closes without an answer."""
    await exchange.start()
    await exchange.keep_alive()
    exchange.connection.end()


async def reasoning_success(exchange: Exchange) -> None:
    """Thinks first, if it may, also where the reply has no thoughts."""
    exchange.change(reasoning=exchange.reply.reasoning or "Let me see what is asked.")
    await exchange.play()


async def reasoning_eats_budget(exchange: Exchange) -> None:
    """Thinks, if it may, until no token is left for text."""
    thought = exchange.reply.reasoning or "Let me think about that once more. "
    exchange.change(reasoning=thought * exchange.asked.max_tokens, finish_reason="")
    await exchange.play()


async def tool_call_success(exchange: Exchange) -> None:
    """Calls the reply's functions, or the first one that was offered."""
    offered = tuple(ToolCall(tool["function"]["name"]) for tool in exchange.asked.tools[:1])
    exchange.change(tool_calls=exchange.reply.tool_calls or offered)
    await exchange.play()


async def max_tokens(exchange: Exchange) -> None:
    """Says that the text was cut at its budget."""
    exchange.change(finish_reason="length")
    await exchange.play()


async def empty(exchange: Exchange) -> None:
    """Says that all went well, and nothing else."""
    exchange.change(text="", reasoning="", tool_calls=())
    await exchange.play()


async def empty_body(exchange: Exchange) -> None:
    """Ends before the first byte of the body."""
    await exchange.play([])


async def usage_on_last(exchange: Exchange) -> None:
    """Sends usage on the chunk that ends the text, asked for or not."""
    exchange.usage_placement = "on_last"
    await exchange.play()


async def usage_trailing_chunk(exchange: Exchange) -> None:
    """Sends usage on a chunk of its own, if asked for."""
    exchange.usage_placement = "trailing"
    await exchange.play()


async def unknown_finish_reason(exchange: Exchange) -> None:
    """Ends for a reason nobody has heard of."""
    exchange.change(finish_reason=exchange.reply.finish_reason or "paused_for_review")
    await exchange.play()


async def dsml_leak(exchange: Exchange) -> None:
    """Writes a call of a function as text, its markers split over chunks."""
    calls = exchange.reply.tool_calls or (ToolCall("read_file", '{"path": "x.py"}'),)
    leaked = "".join(DSML.format(call=call) for call in calls)
    exchange.change(text=exchange.reply.text + leaked, tool_calls=(), tokens_per_chunk=1)
    await exchange.play()
