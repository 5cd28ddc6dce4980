"""What passes between the worker, the fork server and the child that runs a job.

Requests and answers are lines of JSON. A child's answer to the fork server is one line, ``<hmac> <json>``, keyed with
the request's nonce, so that nothing but the reporter can speak for a run.
"""

from __future__ import annotations

from typing import Any, Callable, Dict, Optional

MAX_ANSWER = 64 << 20
"""Bytes; a longer answer is none."""


class Context:
    """What a job is given beside its parameters.

    A job for one run returns its result (a dict), which is then sent as the one answer, or calls ``reply`` itself and
    returns None. The job ``prime`` loops: ``reply`` answers the request that started it, then each ``receive`` is
    followed by one ``reply``; it returns when ``receive`` gives None.
    """

    root: str
    """The project's folder as this run sees it; also the working directory."""
    scratch: str
    """An empty writable folder for this run; ``TMPDIR`` lies in it."""
    receive: Callable[[], Optional[Dict[str, Any]]]
    """The ``params`` of the next request, or None when there are no more. For ``prime`` only."""
    reply: Callable[[Dict[str, Any]], None]
    """Send the one answer to the request at hand. Does nothing in a process forked from the one it was made in."""
    error: Callable[[str], None]
    """Answer with status ``error`` and one line that says why the job cannot be done. As ``reply`` otherwise."""
    detach: Callable[[], None]
    """For a fork of a primed child: close the channel and the answer pipe, which belong to its parent."""
