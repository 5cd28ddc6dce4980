"""A request for text, read: what it asks for, with the API's defaults filled in."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from tests.standin import usage
from tests.standin.script import Route

Json = Mapping[str, Any]

ALIASES = {"deepseek-v4-flash": "deepseek-flash", "deepseek-v4-flash-vision-exp": "deepseek-flash"}
"""Retired names that are still served."""
LONGEST = {"chat": 393_216, "fim": 4_096}
"""The most tokens that may be asked for."""


@dataclass(frozen=True)
class Asked:
    """A request whose body was read. What `validation` has not yet looked at may have any type."""

    route: Route
    beta: bool
    body: Json

    @property
    def model(self) -> str:
        """The model that serves the name asked for."""
        name = str(self.body["model"])
        return ALIASES.get(name, name)

    @property
    def thinking(self) -> bool:
        """Whether the model may think first, which chats do unless they are told not to."""
        if self.route == "fim":
            return False
        disabled = (self.body.get("thinking") or {}).get("type") == "disabled"
        return not disabled and self.body.get("reasoning_effort") != "none"

    @property
    def max_tokens(self) -> int:
        """How long the answer may get, thoughts included."""
        if self.body.get("max_tokens") is not None:
            return int(self.body["max_tokens"])
        if self.route == "fim":
            return LONGEST["fim"]
        if not self.thinking:
            return 8_192
        return 131_072 if self.body.get("reasoning_effort") in {"max", "ultra"} else 65_536

    @property
    def stream(self) -> bool:
        """Whether the answer is wanted bit by bit."""
        return bool(self.body.get("stream"))

    @property
    def include_usage(self) -> bool:
        """Whether a stream's usage was asked for."""
        return bool((self.body.get("stream_options") or {}).get("include_usage"))

    @property
    def stop(self) -> Sequence[str]:
        """Texts before which the answer ends."""
        stop = self.body.get("stop") or ()
        return (stop,) if isinstance(stop, str) else stop

    @property
    def tools(self) -> Sequence[Json]:
        """The functions the model may call."""
        return self.body.get("tools") or ()

    @property
    def messages(self) -> Sequence[Json]:
        """The conversation so far."""
        return self.body.get("messages") or ()

    @property
    def suffix(self) -> str:
        """What follows the place to be filled in."""
        return self.body.get("suffix") or ""

    @property
    def user_id(self) -> str:
        """Whose prefixes may be found in the cache."""
        return self.body.get("user_id") or ""

    @property
    def wants_json(self) -> bool:
        """Whether the answer has to be a JSON object."""
        return (self.body.get("response_format") or {}).get("type") == "json_object"

    @cached_property
    def prompt(self) -> str:
        """All that the model reads, in an order in which a longer conversation only adds to a shorter one."""
        if self.route == "fim":
            return f"{self.body['prompt']}<fim>{self.suffix}" if self.suffix else str(self.body["prompt"])
        effort = f"<effort>{self.body.get('reasoning_effort', 'high')}" if self.thinking else ""
        tools = f"<tools>{json.dumps(self.tools, ensure_ascii=False)}" if self.tools else ""
        return effort + tools + "".join(map(self.rendered, self.messages))

    @cached_property
    def prompt_tokens(self) -> int:
        """How many tokens the prompt has."""
        return usage.count(self.prompt)

    def rendered(self, message: Json) -> str:
        """One message as the model reads it. Thoughts of earlier turns count only where tools are in play."""
        content = message.get("content") or ""
        text = content if isinstance(content, str) else json.dumps(content, ensure_ascii=False)
        thoughts = (message.get("reasoning_content") or "") if self.tools else ""
        calls = json.dumps(message["tool_calls"], ensure_ascii=False) if message.get("tool_calls") else ""
        return f"<{message['role']}>{thoughts}{text}{calls}"

    def continued(self, answer: Json) -> str:
        """The prompt of a request that goes on from here, up to the answer's end."""
        if self.route == "fim":
            return f"{self.body['prompt']}{answer['content']}"
        return self.prompt + self.rendered(answer)
