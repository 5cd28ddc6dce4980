"""The seam between the client, which makes calls, and whoever lets them pass and writes them down."""

from typing import Protocol

from pennyproof.tiers.hosted.answers import Usage


class Entry(Protocol):
    """A call that is being made."""

    def settle(self, usage: Usage | None, *, outcome: str, seconds: float, trace: str) -> None:
        """Write down how the call ended. Called once, and never raises.

        Args:
            usage: What is billed; nothing but noughts where the call was not served, ``None`` where nobody knows.
            outcome: ``ok``, ``cancelled``, or the fault.
            seconds: How long it took.
            trace: The provider's name for the call.
        """


class Recorder(Protocol):
    """Decides about calls before they are sent. Called on the threads that call the client."""

    def begin(self, model: str, bound: Usage) -> Entry:
        """Let a call pass, and set aside the most that it can cost.

        Raises:
            CallRefused: It must not be sent.
        """
