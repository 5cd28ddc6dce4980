"""A stand-in for the hosted model's API on loopback, for tests and benchmarks; the product has no canned answers.

It checks requests as the API does, counts tokens and cached prefixes, and answers what its script says, as one of the
``BEHAVIOURS`` says. In the process of a test::

    with Standin([Reply("return 1", when="def one")]) as standin:
        ask(standin.url, key=standin.key)
    assert standin.requests[0].body["model"] == "deepseek-flash"

As a process of its own, ``python -m tests.standin --script FILE`` prints its URL.
"""

from tests.standin.behaviours import BEHAVIOURS
from tests.standin.script import Reply, Script, ToolCall
from tests.standin.server import Standin
from tests.standin.service import Request

__all__ = ["BEHAVIOURS", "Reply", "Request", "Script", "Standin", "ToolCall"]
