"""The ledger: every call of a model, what it cost, and the budgets that stop calls before they are sent.

A call is written down before it is sent, with the most that it can cost, in the same transaction that compares the sum
of all calls with the budgets. Afterwards the entry gets what the call did cost. So the entry of a process that ended in
between stays what it was: an upper bound, and counted.
"""

import logging
import sqlite3
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, datetime
from pathlib import Path

from pennyproof.core.candidates import Tier
from pennyproof.settings import BudgetSettings
from pennyproof.tiers.hosted.answers import Usage
from pennyproof.tiers.hosted.database import Damaged, Database
from pennyproof.tiers.hosted.errors import BudgetUsedUp, LedgerUnusable, PriceUnknown
from pennyproof.tiers.hosted.prices import Prices
from pennyproof.tiers.hosted.recorder import Entry
from pennyproof.tiers.hosted.wellformed import well_formed

logger = logging.getLogger(__name__)

RESERVED = "reserved"
"""The outcome of a call that is still being made, or whose process ended meanwhile."""
_ROUNDING = 1e-12
"""USD that sums of many small numbers may be off by."""


@dataclass(frozen=True, slots=True)
class Action:
    """What the user asked for, which may take many calls."""

    name: str
    """``complete``, ``explain``, ``debug``, …"""
    workspace: Path
    id: str = field(default_factory=lambda: uuid.uuid4().hex)


@dataclass(frozen=True, slots=True)
class Spent:
    """The calls of one day, model and action together."""

    day: date
    model: str
    action: str
    calls: int
    usage: Usage
    cost_usd: float
    """Of the calls whose price is known."""
    unpriced: int
    """Calls whose price is not."""
    estimated: int
    """Calls whose cost is an upper bound."""


def _now() -> datetime:
    return datetime.now().astimezone()


class Ledger:
    """The record of all calls, in one file that several servers share.

    Args:
        directory: The state directory.
        clock: Tells the time, aware of the user's time zone: a day's budget goes by the user's midnight.
        on_settled: Called after each call of a model, on the thread that made it.
    """

    def __init__(
        self, directory: Path, clock: Callable[[], datetime] = _now, on_settled: Callable[[], None] = lambda: None
    ) -> None:
        self._clock = clock
        self._on_settled = on_settled
        self._database = Database(directory / "ledger.sqlite")

    def account(self, action: Action, tier: Tier, budget: BudgetSettings | None, prices: Prices) -> "Account":
        """What the calls of one tier for one action are put down to; ``budget`` is ``None`` where there is no limit."""
        return Account(self, action, tier, budget, prices)

    def reserve(self, account: "Account", model: str, bound: Usage) -> Entry:
        """Write a call down with the most that it can cost, if the budgets have that left.

        Raises:
            BudgetUsedUp: They have not.
            PriceUnknown: Nobody knows whether they have.
            LedgerUnusable: It cannot be written down.
        """
        now = self._clock()
        cost = account.prices.cost(model, bound, now)
        if cost is None and account.budget is not None:
            raise PriceUnknown(model)
        try:
            with self._database.transaction() as connection:
                if account.budget is not None and cost is not None:
                    _check(connection, account.budget, account.action, now.date(), cost)
                row = _insert(connection, now, account.action, account.tier, model, bound, cost, RESERVED)
        except Damaged as damaged:
            raise self._start_anew(damaged, account.budget, now) from damaged
        return _Entry(self, account, model, now, row)

    @property
    def path(self) -> Path:
        """The file."""
        return self._database.path

    @property
    def today(self) -> date:
        """The user's own day."""
        return self._clock().date()

    def spent_today(self) -> float:
        """USD spent since midnight, with what is set aside for calls that are being made.

        Raises:
            LedgerUnusable: Nobody knows.
        """
        if not self._database.exists:
            return 0.0
        with self._database.transaction() as connection:
            return _sum(connection, "day = ?", self.today.isoformat())

    def spent_on(self, action: Action) -> float:
        """USD spent on one action.

        Raises:
            LedgerUnusable: Nobody knows.
        """
        with self._database.transaction() as connection:
            return _sum(connection, "action_id = ?", action.id)

    def spent(self, since: date = date.min) -> list[Spent]:
        """All calls since a day, put together by day, model and action; the latest day first, then the dearest.

        Raises:
            LedgerUnusable: Nobody knows.
        """
        if not self._database.exists:
            return []
        with self._database.transaction() as connection:
            rows = connection.execute(
                "SELECT day, model, action, COUNT(*), SUM(hit), SUM(miss), SUM(output), SUM(reasoning), "
                "TOTAL(cost_usd) AS usd, SUM(cost_usd IS NULL), SUM(estimated) FROM calls WHERE day >= ? "
                "GROUP BY day, model, action ORDER BY day DESC, usd DESC, model, action",
                (since.isoformat(),),
            ).fetchall()
        return [
            Spent(date.fromisoformat(day), model, action, calls, Usage(hit, miss, output, reasoning), *rest)
            for day, model, action, calls, hit, miss, output, reasoning, *rest in rows
        ]

    def settle(
        self, row: int, usage: Usage | None, cost: float | None, *, outcome: str, seconds: float, trace: str
    ) -> None:
        """Write down how a call ended; without ``usage`` the entry stays the upper bound that it is."""
        try:
            with self._database.transaction() as connection:
                connection.execute(
                    "UPDATE calls SET outcome = ?, seconds = ?, trace = ? WHERE id = ?",
                    (outcome, seconds, well_formed(trace), row),
                )
                if usage is not None:
                    counts = (usage.hit, usage.miss, usage.output, usage.reasoning, cost)
                    connection.execute(
                        "UPDATE calls SET hit = ?, miss = ?, output = ?, reasoning = ?, cost_usd = ?, estimated = 0 "
                        "WHERE id = ?",
                        (*counts, row),
                    )
        except LedgerUnusable as error:
            logger.warning("What a call did cost is not written down, so its upper bound counts: %s", error)
        self._on_settled()

    def close(self) -> None:
        """Close the file."""
        self._database.close()

    def _start_anew(self, damaged: Damaged, budget: BudgetSettings | None, now: datetime) -> LedgerUnusable:
        """Put a damaged ledger aside. If it was written today, the new one says that the day's budget is used up:
        nobody knows what was spent, and that is the most it can have been."""
        aside = self._database.put_aside(damaged)
        line = f"the ledger was damaged and is kept as {aside}; a new one is begun"
        if budget is not None and damaged.written.astimezone(now.tzinfo).date() >= now.date():
            unknown = Action("unknown", Path(), "unknown")
            with self._database.transaction() as connection:
                _insert(connection, now, unknown, None, "unknown", Usage(), budget.daily_usd, "ledger damaged")
            line += ", in which today's budget counts as used up, since nobody knows what was spent"
        return LedgerUnusable(line)


@dataclass(frozen=True, slots=True)
class Account:
    """Records the calls of one tier for one action."""

    ledger: Ledger
    action: Action
    tier: Tier
    budget: BudgetSettings | None
    prices: Prices

    def begin(self, model: str, bound: Usage) -> Entry:
        """Let a call pass if the budgets have left what it may cost.

        Raises:
            CallRefused: They have not, or nobody knows.
        """
        return self.ledger.reserve(self, model, bound)


@dataclass(frozen=True, slots=True)
class _Entry:
    ledger: Ledger
    account: Account
    model: str
    sent: datetime
    row: int

    def settle(self, usage: Usage | None, *, outcome: str, seconds: float, trace: str) -> None:
        """Write down how the call ended."""
        cost = None if usage is None else self.account.prices.cost(self.model, usage, self.sent)
        self.ledger.settle(self.row, usage, cost, outcome=outcome, seconds=seconds, trace=trace)


def _check(connection: sqlite3.Connection, budget: BudgetSettings, action: Action, day: date, cost: float) -> None:
    today = _sum(connection, "day = ?", day.isoformat())
    if today + cost > budget.daily_usd + _ROUNDING:
        raise BudgetUsedUp(
            f"{today:.4f} of today's {budget.daily_usd:g} USD are spent and this call may cost {cost:.4f}; "
            "raise budget.dailyUsd, or go on with the free tier"
        )
    so_far = _sum(connection, "action_id = ?", action.id)
    if so_far + cost > budget.per_action_usd + _ROUNDING:
        raise BudgetUsedUp(
            f"{so_far:.4f} of this action's {budget.per_action_usd:g} USD are spent and this call may cost {cost:.4f}; "
            "raise budget.perActionUsd, or ask for less"
        )


def _sum(connection: sqlite3.Connection, where: str, value: str) -> float:
    (total,) = connection.execute(f"SELECT TOTAL(cost_usd) FROM calls WHERE {where}", (value,)).fetchone()  # noqa: S608 (no text of others)
    return float(total)


def _insert(
    connection: sqlite3.Connection,
    now: datetime,
    action: Action,
    tier: Tier | None,
    model: str,
    usage: Usage,
    cost: float | None,
    outcome: str,
) -> int:
    cursor = connection.execute(
        "INSERT INTO calls (at, day, action, action_id, workspace, tier, model, hit, miss, output, reasoning, "
        "cost_usd, estimated, outcome) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 1, ?)",
        (
            now.isoformat(timespec="milliseconds"),
            now.date().isoformat(),
            action.name,
            action.id,
            well_formed(str(action.workspace)),
            tier or "",
            well_formed(model),
            usage.hit,
            usage.miss,
            usage.output,
            usage.reasoning,
            cost,
            outcome,
        ),
    )
    return cursor.lastrowid or 0
