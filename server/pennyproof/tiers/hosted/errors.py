"""What can go wrong with a hosted model, as one class with a kind.

ProviderError
└── CallRefused            the call was not sent
    ├── BudgetUsedUp       it might have cost more than what is left
    ├── PriceUnknown       nobody can say what it would cost
    ├── NotAgreed          the user has not agreed to send code there
    └── LedgerUnusable     it could not be written down

Every message is one line that says what happened and what to do about it. What a server wrote is part of it only where
it helps, and then shortened and without anything that looks like a key.
"""

from enum import StrEnum
from pathlib import Path

from pennyproof.errors import EnvironmentProblem
from pennyproof.tiers.hosted.answers import Answer


class Fault(StrEnum):
    """The kinds of what can go wrong."""

    AUTH = "auth"
    """There is no key, or the provider does not accept it."""
    BALANCE = "balance"
    """The account has too little money."""
    RATE_LIMIT = "rate limit"
    BAD_REQUEST = "bad request"
    CONTEXT_OVERFLOW = "context overflow"
    """The request is longer than the model takes."""
    UNKNOWN_MODEL = "unknown model"
    NOT_FOUND = "not found"
    """The provider has no such address, or sends us to another one."""
    SERVER = "server"
    """The provider failed, or is overloaded."""
    TIMEOUT = "timeout"
    """The time was up, or nothing came for too long."""
    UNREACHABLE = "unreachable"
    """There was no connection, or it broke before anything came."""
    TRUNCATED = "truncated"
    """The answer ended before it was done."""
    UNREADABLE = "unreadable"
    """The answer is not what the protocol allows."""
    EMPTY = "empty"
    """The answer was done, and nothing was in it."""
    RAN_OUT = "ran out"
    """All tokens went into the reasoning."""
    LEAKED = "leaked"
    """The answer holds markup that the provider should have taken out."""
    CONTENT_FILTER = "content filter"
    BUDGET = "budget"
    PRICE = "price"
    LEDGER = "ledger"
    CONSENT = "consent"
    """The user has not agreed to send code there."""


class ProviderError(EnvironmentProblem):
    """A call to a hosted model that gave no answer.

    Args:
        fault: What kind of thing went wrong.
        message: One line for the user.
        retryable: Whether the same call may succeed a little later.
        retry_after: Seconds to wait before that, where the provider says so.
        status: The HTTP status, where there was one.
        detail: What the server said, shortened and without keys; for the log.
        partial: What had arrived.
    """

    def __init__(
        self,
        fault: Fault,
        message: str,
        *,
        retryable: bool = False,
        retry_after: float | None = None,
        status: int | None = None,
        detail: str = "",
        partial: Answer | None = None,
    ) -> None:
        super().__init__(message)
        self.fault = fault
        self.retryable = retryable
        self.retry_after = retry_after
        self.status = status
        self.detail = detail
        self.partial = partial


class CallRefused(ProviderError):
    """A call that was not sent, since it must not be paid for."""


class BudgetUsedUp(CallRefused):
    """The call might have cost more than what is left of a budget."""

    def __init__(self, message: str) -> None:
        super().__init__(Fault.BUDGET, message)


class PriceUnknown(CallRefused):
    """Nobody can say what the call would cost."""

    def __init__(self, model: str) -> None:
        super().__init__(
            Fault.PRICE, f"the price of {model} is not known, so it is not used under a budget; set model.prices"
        )


class NotAgreed(CallRefused):
    """The user has not agreed to send code of this workspace to the model's host."""

    def __init__(self, workspace: Path, host: str) -> None:
        super().__init__(
            Fault.CONSENT,
            f"nothing is sent from {workspace} to {host} before you agree; agree in the editor or on a terminal, "
            "or set PENNYPROOF_TRUST=always",
        )
        self.host = host


class LedgerUnusable(CallRefused):
    """The call could not be written down."""

    def __init__(self, message: str) -> None:
        super().__init__(Fault.LEDGER, message)
