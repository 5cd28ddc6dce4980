"""From the name of a model in the settings to the provider that has it."""

from collections.abc import Mapping
from dataclasses import dataclass

from pennyproof.settings import ModelSettings
from pennyproof.tiers.hosted.client import Client
from pennyproof.tiers.hosted.endpoint import Endpoint
from pennyproof.tiers.hosted.keys import find_key, key_variables
from pennyproof.tiers.hosted.requests import Capabilities, capabilities


@dataclass(frozen=True, slots=True)
class Provider:
    """A provider, as far as the settings know it."""

    name: str
    endpoint: Endpoint
    able: Capabilities
    is_default: bool
    key_variable: str = "PENNYPROOF_API_KEY"
    """The environment variable in which its key is looked for first."""

    @property
    def needs_key(self) -> bool:
        """Whether it is of no use without one; servers on the user's own machine often are."""
        return self.endpoint.is_encrypted or self.name == "deepseek"


@dataclass(frozen=True, slots=True)
class Route:
    """Where a model is, and what it is called there."""

    provider: Provider
    model: str


def route(settings: ModelSettings, name: str) -> Route:
    """Where ``fast``, ``strong`` or ``advisor`` of the settings is.

    Args:
        settings: Which providers there are.
        name: A model of the default provider, or ``provider/model``. What stands before the first slash is a provider
            only if one has that name: names of models have slashes too.

    Raises:
        UsageError: The provider's address cannot be used.
    """
    first, _, model = name.partition("/")
    for other in settings.providers:
        if model and other.name == first:
            there = Endpoint(other.base_url)
            variable = other.key_env or "its keyEnv in model.providers"
            return Route(
                Provider(first, there, capabilities(other.kind), is_default=False, key_variable=variable), model
            )
    default = Provider(
        settings.provider,
        Endpoint(settings.base_url),
        capabilities(settings.provider),
        is_default=True,
        key_variable=key_variables(settings, settings.provider)[0],
    )
    return Route(default, name)


def connect(settings: ModelSettings, provider: Provider, environ: Mapping[str, str]) -> Client:
    """A client of a provider, which all its models share. Nothing is sent yet.

    Raises:
        UsageError: The provider's key cannot be one.
    """
    key = find_key(settings, provider.name, environ)
    return Client(provider.endpoint, key, provider.able, name="" if provider.is_default else provider.name)
