"""Jobs for tests: run a piece of code where a project's code would run."""

from __future__ import annotations

from typing import Any


def snippet(params: dict[str, Any], context: Any) -> dict[str, Any] | None:
    """Execute ``code``; the answer is what it leaves in ``found``."""
    names: dict[str, Any] = dict(params, context=context, found=None)
    exec(params["code"], names)  # noqa: S102 - that is the purpose
    return {"found": names["found"]}


def prime(params: dict[str, Any], context: Any) -> None:
    """Answer, then execute the ``code`` of each request; names stay from one to the next."""
    names: dict[str, Any] = {"context": context, "params": params}
    context.reply({"found": "primed"})
    while True:
        request = context.receive()
        if request is None:
            return
        names["found"] = None
        try:
            exec(request["code"], names)  # noqa: S102 - that is the purpose
        except ArithmeticError as error:
            context.error(repr(error))
        else:
            context.reply({"found": names["found"]})


JOBS = {"snippet": snippet, "prime": prime}
