"""The job by which a sandbox is tried out: does it show what it should, and refuse what it must?"""

from __future__ import annotations

import os
import socket
from typing import Any, Dict

from . import libc
from .wire import Context


def probe(params: Dict[str, Any], context: Context) -> Dict[str, Any]:
    """See what can be done from in here.

    Args:
        params: ``seen``: a file that came with the request; ``secret``: one outside that must not be opened.
        context: The run's.
    """
    path = os.path.join(context.root, params["seen"])
    with open(path) as file:
        seen = file.read()
    with open(path, "w") as file:
        file.write("written by a run")
    return {
        "seen": seen,
        "secret": _can(lambda: os.close(os.open(params["secret"], os.O_RDONLY))),
        "namespace": _can(lambda: libc.unshare(libc.CLONE_NEWUSER)),
        "network": _can(_reach_out),
    }


def _reach_out() -> None:
    """Ask for a way to a distant address; a datagram socket is connected without anything being sent."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as distant:
        distant.connect(("192.0.2.1", 9))


def _can(attempt: Any) -> bool:
    try:
        attempt()
    except (OSError, AttributeError):  # The second: there is no such call in this system.
        return False
    return True


JOBS = {"probe": probe}
