"""The hosted models that the settings name, as one action of the user may ask them."""

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from pennyproof.core.candidates import Tier
from pennyproof.core.work import Cancel, Deadline
from pennyproof.errors import UsageError
from pennyproof.settings import Settings
from pennyproof.tiers.hosted.answers import Answer
from pennyproof.tiers.hosted.client import Client, OnText
from pennyproof.tiers.hosted.errors import NotAgreed
from pennyproof.tiers.hosted.ledger import Account, Action, Ledger
from pennyproof.tiers.hosted.prices import Prices
from pennyproof.tiers.hosted.requests import ChatRequest, Fim, FimRequest
from pennyproof.tiers.hosted.routes import Route, connect, route

Agreed = Callable[[str], bool]
"""Whether the user agreed to send code of the workspace to a host; may ask, once."""


@dataclass(frozen=True, slots=True)
class HostedModel:
    """One model, whose calls are put down to one action. Its calls block, and may be made from any thread."""

    tier: Tier
    name: str
    """As the settings name it."""
    host: str
    fills_gaps: bool
    """Whether ``fim`` can be asked of it."""
    _route: Route
    _client: Callable[[], Client]
    _account: Account
    _agreed: Agreed

    def chat(
        self, request: ChatRequest, *, deadline: Deadline, cancel: Cancel, on_text: OnText | None = None
    ) -> Answer:
        """Ask it to go on with a conversation; ``request.model`` is filled in here.

        Raises:
            ProviderError: There is no answer, or the call may not be sent.
            Cancelled: Asked to stop.
        """
        client = self._allowed()
        return client.chat(
            replace(request, model=self._route.model),
            recorder=self._account,
            deadline=deadline,
            cancel=cancel,
            on_text=on_text,
        )

    def fim(self, request: FimRequest, *, deadline: Deadline, cancel: Cancel, on_text: OnText | None = None) -> Answer:
        """Ask it to fill a gap; arguments and errors are those of ``chat``."""
        client = self._allowed()
        return client.fim(
            replace(request, model=self._route.model),
            recorder=self._account,
            deadline=deadline,
            cancel=cancel,
            on_text=on_text,
        )

    def _allowed(self) -> Client:
        if not self._agreed(self.host):
            raise NotAgreed(self._account.action.workspace, self.host)
        return self._client()


@dataclass(frozen=True, slots=True)
class Spending:
    """What one action may ask, and what it spent so far."""

    fast: HostedModel
    strong: HostedModel
    _ledger: Ledger
    _action: Action

    @property
    def spent_usd(self) -> float:
        """USD, with upper bounds for what is being asked right now.

        Raises:
            LedgerUnusable: Nobody knows.
        """
        return self._ledger.spent_on(self._action)


class Models:
    """The hosted models of one workspace. Nothing is opened, started or sent before the first call.

    Args:
        settings: Which models, where, and how much they may cost.
        workspace: The folder whose code is sent.
        state: The state directory, where the ledger is.
        environ: Where keys are found.
        agreed: Asked before every call; remembers the user's answer.
        on_spent: Called after every call, on the thread that made it.
    """

    def __init__(
        self,
        settings: Settings,
        workspace: Path,
        state: Path,
        environ: Mapping[str, str],
        agreed: Agreed,
        on_spent: Callable[[], None] = lambda: None,
    ) -> None:
        self.ledger = Ledger(state, on_settled=on_spent)
        self._settings = settings
        self._workspace = workspace
        self._environ = environ
        self._agreed = agreed
        self._prices = Prices(settings.model.prices)
        self._lock = threading.Lock()
        self._clients: dict[str, Client] = {}

    def obstacle(self, tier: Tier = Tier.FAST) -> str | None:
        """Why this tier cannot be asked, in one line, or ``None``; whether the user agrees is not asked here."""
        try:
            way = self._route(tier)
            client = self._client(way)
        except UsageError as error:
            return str(error)
        if client.has_key or not way.provider.needs_key:
            return None
        return f"there is no key for {way.provider.endpoint.host}; set {way.provider.key_variable}"

    def usable(self) -> str | None:
        """The name of the fast model, where it can be asked."""
        return self._name(Tier.FAST) if self.obstacle(Tier.FAST) is None else None

    def begin(self, action: str, max_usd: float | None = None) -> Spending:
        """The models for one action of the user.

        Args:
            action: ``debug``, ``explain``, ``edit``, ``complete``, …: what the ledger calls it.
            max_usd: The most that it may cost, where that is less than what the settings say.

        Raises:
            UsageError: The settings name a provider that cannot be used.
        """
        budget = self._settings.budget
        if max_usd is not None:
            budget = budget.model_copy(update={"per_action_usd": min(max_usd, budget.per_action_usd)})
        mark = Action(action, self._workspace)

        def model(tier: Tier) -> HostedModel:
            way = self._route(tier)
            return HostedModel(
                tier,
                self._name(tier),
                way.provider.endpoint.host,
                way.provider.able.fim is not Fim.NONE,
                way,
                lambda: self._client(way),
                self.ledger.account(mark, tier, budget, self._prices),
                self._agreed,
            )

        return Spending(model(Tier.FAST), model(Tier.STRONG), self.ledger, mark)

    def close(self) -> None:
        """Cancel all calls."""
        with self._lock:
            clients, self._clients = list(self._clients.values()), {}
        for client in clients:
            client.close()
        self.ledger.close()

    def _name(self, tier: Tier) -> str:
        return self._settings.model.strong if tier is Tier.STRONG else self._settings.model.fast

    def _route(self, tier: Tier) -> Route:
        return route(self._settings.model, self._name(tier))

    def _client(self, way: Route) -> Client:
        with self._lock:
            if way.provider.name not in self._clients:
                self._clients[way.provider.name] = connect(self._settings.model, way.provider, self._environ)
            return self._clients[way.provider.name]
