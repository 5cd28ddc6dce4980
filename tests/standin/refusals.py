"""The API's refusals, in its own words where those are known."""

from dataclasses import dataclass, field

INVALID = "invalid_request_error"
CONTEXT = 1_048_576


@dataclass(eq=False)
class Refusal(Exception):
    """An answer that is an error."""

    status: int
    message: str
    type: str | None = INVALID
    code: str | int | None = INVALID
    headers: tuple[tuple[str, str], ...] = field(default=(), kw_only=True)

    def as_json(self) -> dict[str, object]:
        """The body of the response."""
        return {"error": {"message": self.message, "type": self.type, "param": None, "code": self.code}}


def invalid(message: str) -> Refusal:
    """The request cannot be served as it stands."""
    return Refusal(400, message)


def not_deserialized(problem: str) -> Refusal:
    """The body has not the form of a request."""
    return Refusal(422, f"Failed to deserialize the JSON body into the target type: {problem}")


def wrong_key(key: str) -> Refusal:
    """Nobody has this key."""
    if not key:
        return Refusal(401, "Authentication Fails (auth header format should be Bearer sk-...)", "authentication_error")
    return Refusal(401, f"Authentication Fails, Your api key: ****{key[-4:]} is invalid", "authentication_error")


def no_balance() -> Refusal:
    """The account is empty."""
    return Refusal(402, "Insufficient Balance", "unknown_error")


def no_such_route(path: str) -> Refusal:
    """Nothing is served there."""
    return Refusal(404, f"Not Found: {path}")


def too_many_at_once(current: int, limit: int) -> Refusal:
    """More requests in flight than the balance allows. Waiting alone does not help, so no time is told."""
    return Refusal(
        429,
        f"Your current concurrency is {current}, which exceeds your concurrency limit of {limit} based on your "
        "remaining balance. Please top up your balance to restore your concurrency.",
        "rate_limit_error",
    )


def too_many_tokens(retry_after: float) -> Refusal:
    """Too many tokens in a minute."""
    headers = (("Retry-After", f"{retry_after:g}"),)
    return Refusal(429, "Rate limit reached for TPM", "rate_limit_error", headers=headers)


def too_long(prompt: int, completion: int, limit: int = CONTEXT) -> Refusal:
    """Prompt and completion do not fit into the context together."""
    return invalid(
        f"This model's maximum context length is {limit} tokens. However, you requested {prompt + completion} tokens "
        f"({prompt} in the messages, {completion} in the completion). "
        "Please reduce the length of the messages or completion."
    )


def script_used_up(route: str, model: str) -> Refusal:
    """A test asked more often than its script answers: no word of the API's."""
    message = f"stand-in: no reply of the script is left for this {route} request to {model}"
    return Refusal(500, message, "standin_error", "script_used_up")
