"""What other servers do that speak nearly the same."""

from dataclasses import replace

from tests.standin.exchange import DONE, Exchange, event
from tests.standin.refusals import Refusal
from tests.standin.usage import Usage


async def openrouter_midstream_error(exchange: Exchange) -> None:
    """An error after the head said that all is well; without a stream it comes as what it is."""
    message = "Provider disconnected unexpectedly"
    if not exchange.asked.stream:
        await exchange.refuse(Refusal(502, message, None, 502))
        return
    failure = {
        **exchange.answer.opening(),
        "provider": "openai",
        "error": {"code": "server_error", "message": message},
        "choices": [{"index": 0, "delta": {"content": ""}, "finish_reason": "error"}],
    }
    await exchange.play([b": OPENROUTER PROCESSING\n\n", *exchange.wire.half, event(failure)])


async def vllm_midstream_error(exchange: Exchange) -> None:
    """An error in the middle of the text that is nothing but an error; without a stream it comes as what it is."""
    failure = Refusal(500, "EngineCore encountered an issue", "InternalServerError", 500)
    if not exchange.asked.stream:
        await exchange.refuse(failure)
        return
    await exchange.play([*exchange.wire.half, event(failure.as_json()), DONE])


async def vllm_suffix_400(exchange: Exchange) -> None:
    """Text to be filled in is not supported."""
    if exchange.asked.suffix:
        await exchange.refuse(Refusal(400, "suffix is not currently supported", "BadRequestError", 400))
    else:
        await exchange.play()


async def sglang_suffix_ignored(exchange: Exchange) -> None:
    """The model never sees the suffix, so it may well write it once more."""
    suffix = exchange.asked.suffix
    exchange.asked = replace(exchange.asked, body={**exchange.asked.body, "suffix": None})
    exchange.change(text=exchange.reply.text + suffix)
    await exchange.play()


async def ollama_zero_usage(exchange: Exchange) -> None:
    """Every chunk says that nothing was used; the truth comes last, without choices."""
    exchange.usage_placement = "on_last"
    answer, nothing = exchange.answer, {"usage": Usage().as_json()}
    chunks = [answer.opening(), *answer.body(), *answer.ending()]
    events = [event(chunk | nothing) for chunk in chunks]
    await exchange.play([*events, event(answer.trailing_usage()), DONE] if exchange.asked.stream else None)
