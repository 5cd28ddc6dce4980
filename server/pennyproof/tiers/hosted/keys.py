"""Keys of providers: where they are found, and how they are kept out of every text."""

import importlib
import logging
import re
from collections.abc import Callable, Mapping

from pennyproof.errors import UsageError
from pennyproof.settings import ModelSettings

logger = logging.getLogger(__name__)

HIDDEN = "[key]"
_LIKE_A_KEY = re.compile(r"(?i:bearer\s+)[^\s\"',;]{8,}|\b[sprg]k-[A-Za-z0-9_-]{8,}")
"""What a server might quote of a request's headers, or of another key than ours."""
_KEYRING_SERVICE = "pennyproof"


class Key:
    """A provider's key. Whatever prints one, prints no key.

    Args:
        secret: The key itself.
        source: Where it was found, in words for a person: the name of a variable.

    Raises:
        UsageError: No key looks like this, so that a header could not hold it.
    """

    __slots__ = ("_secret", "source")

    def __init__(self, secret: str, source: str) -> None:
        if not (secret.isascii() and secret.isprintable()) or " " in secret:
            raise UsageError(f"{source} holds characters that no key has; set it again")
        self._secret = secret
        self.source = source

    def __repr__(self) -> str:
        return f"Key(from {self.source})"

    def __format__(self, spec: str) -> str:
        return format(repr(self), spec)

    def __reduce__(self) -> str:
        raise TypeError("a key is never written anywhere")

    def bearer(self) -> str:
        """The value of the ``Authorization`` header."""
        return f"Bearer {self._secret}"

    def scrub(self, text: str) -> str:
        """The text without this key, nor anything else that looks like one."""
        return _LIKE_A_KEY.sub(HIDDEN, text.replace(self._secret, HIDDEN))


def scrub(text: str, key: Key | None) -> str:
    """The text without ``key``, nor anything else that looks like one."""
    return key.scrub(text) if key else _LIKE_A_KEY.sub(HIDDEN, text)


class KeyFilter(logging.Filter):
    """Takes a key out of the records of a logger."""

    def __init__(self, key: Key | None) -> None:
        super().__init__()
        self._key = key

    def filter(self, record: logging.LogRecord) -> bool:
        """Write the message anew, without the key; every record passes."""
        record.msg, record.args = scrub(record.getMessage(), self._key), None
        return True


def find_key(model: ModelSettings, provider: str, environ: Mapping[str, str]) -> Key | None:
    """The key of a provider: from its variables, else from the system's keyring.

    Blocks for as long as the keyring does, which may ask the user to unlock it.

    Args:
        model: Says which provider is the default one, and which variable another one's key is in.
        provider: The name of the provider.
        environ: The environment.

    Raises:
        UsageError: What was found cannot be a key.
    """
    for variable in key_variables(model, provider):
        if secret := environ.get(variable, "").strip():
            return Key(secret, variable)
    secret = (_from_keyring(provider) or "").strip()
    return Key(secret, "the system's keyring") if secret else None


def key_variables(model: ModelSettings, provider: str) -> tuple[str, ...]:
    """The environment variables in which a provider's key is looked for, in this order."""
    if provider == model.provider:
        return ("DEEPSEEK_API_KEY", "PENNYPROOF_API_KEY") if provider == "deepseek" else ("PENNYPROOF_API_KEY",)
    return tuple(other.key_env for other in model.providers if other.name == provider and other.key_env)


def _from_keyring(provider: str) -> str | None:
    try:
        read: Callable[[str, str], str | None] = importlib.import_module("keyring").get_password
        return read(_KEYRING_SERVICE, provider)
    except ImportError:
        return None
    except Exception as error:  # noqa: BLE001 (a backend is somebody else's code; whatever it raises, it has no key)
        logger.info("The system's keyring cannot be read (%s)", type(error).__name__)
        return None
