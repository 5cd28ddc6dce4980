"""Gives up what a sandboxed process does not need, then becomes another program."""

from __future__ import annotations

import json
import os
from typing import List

from . import landlock, libc, seccomp


def main(arguments: List[str]) -> None:
    """Confine this process, and execute a command in it.

    Args:
        arguments: JSON with the paths that stay ``readable`` and ``writable``; then the command.
    """
    confinement = json.loads(arguments[0])
    if landlock.version() < landlock.TRUNCATES:
        raise SystemExit("this kernel's Landlock is missing or too old: Linux 6.2 or later is needed")
    if not seccomp.available():
        raise SystemExit("there is no seccomp filter for this kind of processor")
    libc.prctl(libc.PR_SET_NO_NEW_PRIVS, 1)
    landlock.restrict(confinement["readable"], confinement["writable"])
    # Sockets: Landlock knows neither UDP nor the Unix sockets by which services of the user can be told to act.
    seccomp.install(sockets=False)
    command = arguments[1:]
    os.execv(command[0], command)  # noqa: S606 - there is no shell to be had, nor wanted
