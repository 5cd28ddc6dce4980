"""What is said of a run that ended without an answer, by the exit code of its process."""

from __future__ import annotations

import signal

from . import guard, limit, wire

KILLED = 128 + 9
"""By SIGKILL, which not all systems have a name for."""
_SAID = {
    guard.REACHED: "it reached into the interpreter, where results are made",
    wire.MEDDLED: "it meddled with what tells results",
}
"""Exit code → what it stands for. Whoever else ends so has given no answer either."""
_NAMES = {KILLED: "SIGKILL", limit.OVERDUE: "SIGALRM"}
"""Of signals that Windows has not."""


def how(code: int) -> str:
    """How it ended.

    Args:
        code: As a shell gives it: 128 + the signal for a process that was killed.
    """
    if code in _SAID:
        return _SAID[code]
    name = _NAMES.get(code) or next((known.name for known in signal.Signals if known == code - 128), None)
    return (
        "it was killed by %s before it answered" % name
        if name
        else "it ended with exit code %d before it answered" % code
    )
