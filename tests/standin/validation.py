"""What the API refuses about a body. Each rule looks at one thing and raises the API's refusal."""

import re
from collections.abc import Callable, Collection
from typing import Any

from tests.standin.asked import ALIASES, LONGEST, Asked
from tests.standin.refusals import CONTEXT, invalid, not_deserialized, too_long

Rule = Callable[[Asked], None]

ROLES = ("system", "user", "assistant", "tool")
EFFORTS = ("none", "minimal", "low", "medium", "high", "xhigh", "max", "ultra")
THINKING = ("enabled", "disabled", "adaptive")
BETA = '(set base_url="https://api.deepseek.com/beta")'
TEXT_ONLY = frozenset({"deepseek-v4-pro"})

_TYPES: dict[str, tuple[type | tuple[type, ...], str]] = {
    "model": (str, "a string"),
    "messages": (list, "a sequence"),
    "prompt": (str, "a string"),
    "suffix": (str, "a string"),
    "thinking": (dict, "struct ThinkingOptions"),
    "reasoning_effort": (str, "a string"),
    "max_tokens": (int, "u32"),
    "temperature": ((int, float), "f32"),
    "top_p": ((int, float), "f32"),
    "stop": ((str, list), "a string or a sequence"),
    "stream": (bool, "a boolean"),
    "stream_options": (dict, "struct StreamOptions"),
    "response_format": (dict, "struct ResponseFormat"),
    "tools": (list, "a sequence"),
    "tool_choice": ((str, dict), "a string or struct ToolChoice"),
    "n": (int, "u32"),
    "user_id": (str, "a string"),
    "echo": (bool, "a boolean"),
}
_REQUIRED = {"chat": ("model", "messages"), "fim": ("model", "prompt")}


def validate(asked: Asked, models: Collection[str]) -> None:
    """Checks a request the way the API does.

    Args:
        asked: The request, of which only the JSON was parsed.
        models: The models served.

    Raises:
        Refusal: The first thing that is wrong.
    """
    types(asked)
    model_is_served(asked, models)
    for rule in RULES[asked.route]:
        rule(asked)


def types(asked: Asked) -> None:
    """Fields have to be there and have their types. FIM is given none of the thinking options, and ignores them."""
    for name in _REQUIRED[asked.route]:
        if asked.body.get(name) is None:
            raise not_deserialized(f"missing field `{name}`")
    for name, (wanted, called) in _TYPES.items():
        value = asked.body.get(name)
        if value is None or (asked.route == "fim" and name in {"thinking", "reasoning_effort"}):
            continue
        is_number_by_chance = isinstance(value, bool) and wanted is not bool
        if not isinstance(value, wanted) or is_number_by_chance:
            raise not_deserialized(f"{name}: invalid type: {_type_name(value)}, expected {called}")
    for at, message in enumerate(asked.messages):
        if not isinstance(message, dict):
            raise not_deserialized(f"messages[{at}]: invalid type: {_type_name(message)}, expected struct Message")


def model_is_served(asked: Asked, models: Collection[str]) -> None:
    """Old names are served as long as what serves them is."""
    name = asked.body["model"]
    if ALIASES.get(name, name) not in models:
        raise invalid(f"The supported API model names are {', '.join(models)}, but you passed {name}.")


def messages_have_roles(asked: Asked) -> None:
    """There is a message, and nobody speaks but system, user, assistant and tool."""
    if not asked.messages:
        raise invalid("Empty input messages")
    for at, message in enumerate(asked.messages):
        if "role" not in message:
            raise not_deserialized(f"messages[{at}]: missing field `role`")
        _variant(message["role"], ROLES, f"messages[{at}].role")


def contents_are_understood(asked: Asked) -> None:
    """Contents are text, or parts that the model can read."""
    for at, message in enumerate(asked.messages):
        content = message.get("content")
        if isinstance(content, list):
            for part in content:
                _variant(part.get("type") if isinstance(part, dict) else part, _parts(asked), f"messages[{at}]")
        elif content is None and (message["role"] != "assistant"):
            raise not_deserialized(f"messages[{at}]: missing field `content`")
        elif content is None and not message.get("tool_calls"):
            raise invalid("content or tool_calls must be set")
        elif not isinstance(content, str | None):
            raise not_deserialized(f"messages[{at}]: invalid type: {_type_name(content)}, expected a string")


def calls_are_answered(asked: Asked) -> None:
    """Each tool call is followed by its answer, and nothing else is answered."""
    open_calls: set[str] = set()
    for message in asked.messages:
        if message["role"] == "tool":
            if message.get("tool_call_id") not in open_calls:
                raise invalid("Messages with role 'tool' must be a response to a preceding message with 'tool_calls'")
            open_calls.remove(message["tool_call_id"])
            continue
        _all_answered(open_calls)
        open_calls = {call.get("id") for call in message.get("tool_calls") or ()}
    _all_answered(open_calls)


def thinking_is_known(asked: Asked) -> None:
    """Thinking is switched by words, never by a boolean."""
    if asked.body.get("thinking") is not None:
        _variant(asked.body["thinking"].get("type"), THINKING, "thinking.type")
    if asked.body.get("reasoning_effort") is not None:
        _variant(asked.body["reasoning_effort"], EFFORTS, "reasoning_effort")


def thoughts_are_passed_back(asked: Asked) -> None:
    """With tools, a thinking model wants to see every thought it had; an empty one counts."""
    turns = (message for message in asked.messages if message["role"] == "assistant" and not message.get("prefix"))
    if asked.thinking and asked.tools and not all(isinstance(turn.get("reasoning_content"), str) for turn in turns):
        raise invalid("The `reasoning_content` in the thinking mode must be passed back to the API.")


def prefix_is_beta(asked: Asked) -> None:
    """An answer that was begun for the model stands last, and on the beta host."""
    begun = [at for at, message in enumerate(asked.messages) if message.get("prefix")]
    if begun and not asked.beta:
        raise invalid(f"prefix is only available when using beta api {BETA}")
    if begun and (begun != [len(asked.messages) - 1] or asked.messages[-1]["role"] != "assistant"):
        raise invalid("prefix may only be set on the last message, which must be of role assistant")


def tools_are_functions(asked: Asked) -> None:
    """There are not too many functions, their names are names, and either all or none are strict."""
    functions = [tool.get("function") for tool in asked.tools if isinstance(tool, dict)]
    if len(asked.tools) > 128:
        raise invalid("Invalid 'tools': array too long. Expected an array with maximum length 128.")
    for at, function in enumerate(functions):
        if not isinstance(function, dict) or not re.fullmatch(r"[A-Za-z0-9_-]{1,64}", str(function.get("name", ""))):
            raise invalid(f"Invalid 'tools[{at}].function.name': it must match '^[a-zA-Z0-9_-]{{1,64}}$'")
    strict = [bool(function.get("strict")) for function in functions if function]
    if any(strict) and not asked.beta:
        raise invalid(f"strict is only available when using beta api {BETA}")
    if any(strict) and not all(strict):
        raise invalid("All functions must set strict to true if one of them does")
    for function in functions:
        if any(strict) and function and not (function.get("parameters") or {}).get("properties"):
            raise invalid("An object with no properties is not allowed.")


def tool_choice_fits(asked: Asked) -> None:
    """A call can be forced only from a model that does not think first."""
    choice = asked.body.get("tool_choice")
    if isinstance(choice, str):
        _variant(choice, ("none", "auto", "required"), "tool_choice")
    forced = choice == "required" or isinstance(choice, dict)
    if forced and asked.thinking:
        raise invalid("Thinking mode does not support this tool_choice")
    if forced and not asked.tools:
        raise invalid("tool_choice is only allowed when 'tools' are specified")


def numbers_are_in_range(asked: Asked) -> None:
    """Limits of what can be asked for. Penalties and ``top_p`` have no effect and no limits."""
    if (asked.body.get("n") or 1) != 1:
        raise invalid("Invalid n value (currently only n = 1 is supported)")
    longest = LONGEST[asked.route]
    if not 1 <= asked.max_tokens <= longest:
        raise invalid(f"Invalid max_tokens value, the valid range of max_tokens is [1, {longest}]")
    if not 0 <= (asked.body.get("temperature") or 0) <= 2:
        raise invalid("Invalid temperature value, the valid range of temperature is [0, 2]")
    logprobs = asked.body.get("logprobs" if asked.route == "fim" else "top_logprobs")
    if logprobs is not None and not 0 <= logprobs <= 20:
        raise invalid("Invalid logprobs value, the valid range of logprobs is [0, 20]")
    if len(asked.stop) > 16 or not all(isinstance(text, str) for text in asked.stop):
        raise invalid("Invalid stop value, at most 16 strings are supported")
    if not re.fullmatch(r"[A-Za-z0-9_-]{0,512}", asked.user_id):
        raise invalid("Invalid user_id value, it must match '^[a-zA-Z0-9_-]{1,512}$'")


def stream_options_have_a_stream(asked: Asked) -> None:
    """Options of a stream without a stream."""
    if asked.body.get("stream_options") is not None and not asked.stream:
        raise invalid("stream_options should be set along with stream = true")


def format_is_available(asked: Asked) -> None:
    """Text or any JSON object; schemas are not served."""
    if (asked.body.get("response_format") or {}).get("type", "text") not in {"text", "json_object"}:
        raise invalid("This response_format type is unavailable now")


def fits_the_context(asked: Asked) -> None:
    """The longest answer counts as part of the context."""
    if asked.prompt_tokens + asked.max_tokens > CONTEXT:
        raise too_long(asked.prompt_tokens, asked.max_tokens)


RULES: dict[str, tuple[Rule, ...]] = {
    "chat": (
        messages_have_roles,
        contents_are_understood,
        thinking_is_known,
        numbers_are_in_range,
        stream_options_have_a_stream,
        format_is_available,
        prefix_is_beta,
        tools_are_functions,
        tool_choice_fits,
        thoughts_are_passed_back,
        calls_are_answered,
        fits_the_context,
    ),
    "fim": (numbers_are_in_range, stream_options_have_a_stream, fits_the_context),
}


def _parts(asked: Asked) -> Collection[str]:
    return ("text",) if asked.model in TEXT_ONLY else ("text", "image_url")


def _all_answered(open_calls: set[str]) -> None:
    if open_calls:
        raise invalid(
            "An assistant message with 'tool_calls' must be followed by tool messages responding to each "
            "'tool_call_id'. (insufficient tool messages following tool_calls message)"
        )


def _variant(value: object, known: Collection[str], where: str) -> None:
    if not isinstance(value, str) or value not in known:
        expected = ", ".join(f"`{one}`" for one in known)
        raise not_deserialized(f"{where}: unknown variant `{value}`, expected one of {expected}")


def _type_name(value: Any) -> str:
    names = {bool: "boolean", int: "integer", float: "floating point", str: "string", list: "sequence", dict: "map"}
    return names.get(type(value), "null")
