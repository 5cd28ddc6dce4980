"""Where a provider is."""

from dataclasses import dataclass
from urllib.parse import urlsplit

from pennyproof.errors import UsageError


@dataclass(frozen=True, slots=True)
class Endpoint:
    """A provider's address.

    Args:
        url: Where its paths begin; without ``/beta`` or ``/v1``.

    Raises:
        UsageError: It is no address, or holds a password, which would be sent instead of the key.
    """

    url: str

    def __post_init__(self) -> None:
        try:
            parts = urlsplit(self.url)
            usable = parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.port != 0
        except ValueError:
            usable = False
        if not usable:
            raise UsageError("model.baseUrl is no address; it should be like https://api.deepseek.com")
        if parts.username or parts.password:
            raise UsageError("model.baseUrl holds a user or password; put the key into PENNYPROOF_API_KEY instead")

    @property
    def host(self) -> str:
        """The host, with the port where that is not the usual one: what users agree to send code to."""
        return urlsplit(self.url).netloc

    @property
    def is_encrypted(self) -> bool:
        """Whether nobody on the way can read what is sent."""
        return self.url.startswith("https:")
