"""The user's model in the demo: used where there is a key, by their own settings, paid from their own budget."""

import os
from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pennyproof.settings import Settings, load, state_directory
from pennyproof.tiers.hosted.keys import key_variables
from pennyproof.tiers.hosted.models import Models


@dataclass(frozen=True, slots=True)
class DemoModel:
    """What the demo's server has to be told."""

    name: str
    settings: Mapping[str, Any]
    """Which models, and their budgets."""
    keys: Mapping[str, str]
    """The environment variables that hold the keys."""


def find_model(environ: Mapping[str, str] = os.environ) -> DemoModel | None:
    """The model that the user's settings name, or ``None`` where there is no key for it."""
    settings = load(Path(), environ=environ).settings
    with closing(Models(settings, Path(), state_directory(environ), environ, lambda _: False)) as models:
        name = models.usable()
    if name is None:
        return None
    told = settings.model_dump(mode="json", by_alias=True, include={"model", "budget"})
    return DemoModel(name, told, {name: environ[name] for name in _variables(settings) if name in environ})


def share_ledger(state: Path, environ: Mapping[str, str] = os.environ) -> None:
    """Let the demo write what it spends into the user's ledger, as its own state directory goes when it ends.

    Args:
        state: The demo's state directory.
        environ: Tells where the user's is.
    """
    ledger = state_directory(environ).absolute() / "ledger.sqlite"
    ledger.parent.mkdir(parents=True, exist_ok=True)
    state.mkdir(parents=True)
    (state / ledger.name).symlink_to(ledger)


def _variables(settings: Settings) -> set[str]:
    model = settings.model
    providers = (model.provider, *(provider.name for provider in model.providers))
    return {variable for provider in providers for variable in key_variables(model, provider)}
