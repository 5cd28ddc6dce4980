"""Jobs for tests: run a piece of code where a project's code would run."""

from __future__ import annotations

from typing import Any, Dict, Optional


def snippet(params: Dict[str, Any], context: Any) -> Optional[Dict[str, Any]]:
    """Execute ``code``; the answer is what it leaves in ``found``."""
    names: Dict[str, Any] = dict(params, context=context, found=None)
    exec(params["code"], names)
    return {"found": names["found"]}


def prime(params: Dict[str, Any], context: Any) -> None:
    """Answer, then execute the ``code`` of each request; names stay from one to the next."""
    names: Dict[str, Any] = {"context": context, "params": params}
    context.reply({"found": "primed"})
    while True:
        request = context.receive()
        if request is None:
            return
        names["found"] = None
        try:
            exec(request["code"], names)
        except ArithmeticError as error:
            context.error(repr(error))
        else:
            context.reply({"found": names["found"]})


JOBS = {"snippet": snippet, "prime": prime}
