"""What ``doctor`` finds out about hosted models: whether they can be asked, and what stands in the way.

It may ask a provider for its list of models. That takes the key to the key's own host and nothing else anywhere: no
code is sent, so no consent is needed, and nothing is billed.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

from pennyproof.assist.trust import ConsentStore, decide_consent
from pennyproof.cli.checks import Check, State
from pennyproof.errors import UsageError
from pennyproof.settings import BudgetSettings, Settings, state_directory
from pennyproof.tiers.hosted.answers import Usage
from pennyproof.tiers.hosted.errors import Fault, LedgerUnusable, ProviderError
from pennyproof.tiers.hosted.ledger import Ledger
from pennyproof.tiers.hosted.prices import Prices
from pennyproof.tiers.hosted.routes import Provider, Route, connect, route

_PATIENCE = 5.0
"""Seconds that a provider may take to list its models."""
_PASSING = {Fault.UNREACHABLE, Fault.TIMEOUT, Fault.RATE_LIMIT, Fault.SERVER}
"""What may be over in a moment, or be meant: a machine without a network."""
_MOST_NAMED = 8


def examine_models(root: Path, settings: Settings, environ: Mapping[str, str], *, online: bool) -> Iterator[Check]:
    """Look at key, endpoint, models, prices, consent, ledger and budget.

    Args:
        root: The workspace folder.
        settings: What holds for it.
        environ: Where keys are found.
        online: Whether providers may be asked for their models.
    """
    try:
        routes = [route(settings.model, name) for name in (settings.model.fast, settings.model.strong)]
        for provider in {way.provider.name: way.provider for way in routes}.values():
            there = [way for way in routes if way.provider.name == provider.name]
            yield from _provider_checks(root, settings, environ, provider, there, online=online)
    except UsageError as error:
        yield Check("key", State.PROBLEM, str(error))
    yield _ledger_check(state_directory(environ), settings.budget)


def _provider_checks(
    root: Path,
    settings: Settings,
    environ: Mapping[str, str],
    provider: Provider,
    routes: Sequence[Route],
    *,
    online: bool,
) -> Iterator[Check]:
    host = provider.endpoint.host
    with closing(connect(settings.model, provider, environ)) as client:
        if provider.needs_key and not client.has_key:
            yield Check("key", State.OK, f"none: free tier only; {provider.key_variable} lets {host} be asked too")
            return
        yield Check("key", State.OK, f"from {client.key_source}" if client.has_key else f"none, and {host} needs none")
        if online:
            try:
                yield from _listed(host, client.models(_PATIENCE), routes)
            except ProviderError as error:
                state = State.NOTE if error.fault in _PASSING else State.PROBLEM
                yield Check("endpoint", state, f"{error}; the free tier works without")
        else:
            yield Check("endpoint", State.NOTE, f"{host} was not asked, as --offline says")
    yield from _price_checks(settings, routes, provider)
    yield _consent_check(root, settings, state_directory(environ), host)


def _listed(host: str, models: Sequence[str], routes: Sequence[Route]) -> Iterator[Check]:
    yield Check("endpoint", State.OK, f"{host} answers; it was asked for its models, and no code was sent")
    wanted = dict.fromkeys(way.model for way in routes)
    known = [model for model in wanted if model in models]
    if known:
        yield Check("models", State.OK, ", ".join(known))
    for model in wanted:
        if model not in models:
            some = ", ".join(models[:_MOST_NAMED]) + (", …" if len(models) > _MOST_NAMED else "")
            yield Check("models", State.NOTE, f"{host} does not list {model}; it lists {some or 'none'}")


def _price_checks(settings: Settings, routes: Sequence[Route], provider: Provider) -> Iterator[Check]:
    prices, now = Prices(settings.model.prices), datetime.now(UTC)
    for model in dict.fromkeys(way.model for way in routes):
        name = model if provider.is_default else f"{provider.name}/{model}"
        cost = prices.cost(name, Usage(miss=1_000_000), now)
        if cost is None:
            line = f"that of {name} is not known, so it is not used under a budget; set model.prices"
            yield Check("price", State.PROBLEM, line)
        else:
            yield Check("price", State.OK, f"{name}: now {cost:g} USD for a million tokens of a new prompt")


def _consent_check(root: Path, settings: Settings, state: Path, host: str) -> Check:
    agreed = decide_consent(settings.trust, ConsentStore(state), root, host)
    if agreed:
        return Check("consent", State.OK, f"you agreed to send code of this folder to {host}")
    if agreed is None:
        return Check("consent", State.NOTE, f"you will be asked before code of this folder is sent to {host}")
    return Check("consent", State.NOTE, f"you said no: no code of this folder is sent to {host}")


def _ledger_check(state: Path, budget: BudgetSettings) -> Check:
    with closing(Ledger(state)) as ledger:
        try:
            left = max(0.0, budget.daily_usd - ledger.spent_today())
        except LedgerUnusable as error:
            return Check("budget", State.PROBLEM, str(error))
    limits = f"{left:.4f} of {budget.daily_usd:g} USD left today, {budget.per_action_usd:g} USD for one action"
    return Check("budget", State.OK, f"{limits}, as {ledger.path} says")
