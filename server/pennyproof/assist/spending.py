"""What hosted models have cost: the ledger, laid out for a person and as JSON."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from pennyproof.assist.acceptances import Kind, accepted, today
from pennyproof.assist.report import JsonObject
from pennyproof.settings import BudgetSettings, Settings, state_directory
from pennyproof.tiers.hosted.ledger import Ledger, Spent

HEADINGS = ("day", "model", "action", "calls", "prompt tokens", "cached", "written", "USD")
LEFT_ALIGNED = 3
"""So many columns, from the left, hold words; the others hold numbers."""


@dataclass(frozen=True, slots=True)
class Total:
    """Some calls together."""

    calls: int
    cost_usd: float | None
    """Of the calls whose price is known; ``None`` where that is none of them."""
    unpriced: int
    """Calls whose price is not known."""
    estimated: int
    """Calls whose cost is an upper bound."""
    hit: int
    """Tokens of prompts that the provider had in its cache."""
    miss: int
    output: int

    @classmethod
    def of(cls, spent: Sequence[Spent]) -> "Total":
        """All rows of the ledger together."""
        calls, unpriced = sum(row.calls for row in spent), sum(row.unpriced for row in spent)
        return cls(
            calls,
            None if calls and calls == unpriced else sum(row.cost_usd for row in spent),
            unpriced,
            sum(row.estimated for row in spent),
            sum(row.usage.hit for row in spent),
            sum(row.usage.miss for row in spent),
            sum(row.usage.output for row in spent),
        )

    def cells(self) -> tuple[str, ...]:
        """The numbers, as the table shows them."""
        prompt = self.hit + self.miss
        share = f"{self.hit / prompt:.0%}" if prompt else "–"
        return (f"{self.calls:,}", f"{prompt:,}", share, f"{self.output:,}", self._cost())

    def as_json(self) -> JsonObject:
        """The numbers."""
        return {
            "calls": self.calls,
            "tokens": {"hit": self.hit, "miss": self.miss, "output": self.output},
            "cost_usd": self.cost_usd,
            "unpriced": self.unpriced,
            "estimated": self.estimated,
        }

    def _cost(self) -> str:
        if self.cost_usd is None:
            return "unknown"
        bound = "≤ " if self.estimated else ""
        return f"{bound}{self.cost_usd:.4f}" + (" + unknown" if self.unpriced else "")


@dataclass(frozen=True, slots=True)
class Spending:
    """The ledger, and what is left of today's budget."""

    rows: tuple[Spent, ...]
    """By day, model and action; the latest day first."""
    today_usd: float
    budget: BudgetSettings
    accepted: Mapping[Kind, int] = field(default_factory=dict)
    """What the user took today."""

    @property
    def left_usd(self) -> float:
        """What is left of today's budget."""
        return max(0.0, self.budget.daily_usd - self.today_usd)

    @property
    def today(self) -> str:
        """Today's money, in one line."""
        return (
            f"Today {self.today_usd:.4f} of {self.budget.daily_usd:g} USD are spent, {self.left_usd:.4f} are left; "
            f"one action may cost {self.budget.per_action_usd:g} USD."
        )

    @property
    def taken(self) -> str:
        """What the user took today, in one line; empty where nothing."""
        counts = [f"{number} {kind}{'s' * (number != 1)}" for kind, number in sorted(self.accepted.items())]
        return f"Accepted today: {' and '.join(counts)}." if counts else ""

    def table(self) -> list[tuple[str, ...]]:
        """A row of cells for each row of the ledger, and a last one with the total."""
        rows = [(row.day.isoformat(), row.model, row.action, *Total.of([row]).cells()) for row in self.rows]
        return [*rows, ("total", "", "", *Total.of(self.rows).cells())]

    def notes(self) -> list[str]:
        """What the table does not say for itself."""
        total = Total.of(self.rows)
        notes = []
        if total.estimated:
            notes.append("≤: of some calls only the most that they can have cost is known, and that is what counts.")
        if total.unpriced:
            notes.append("unknown: the price of the model is not known; set model.prices.")
        return notes

    def as_json(self) -> JsonObject:
        """What ``spend --json`` prints."""
        return {
            "rows": [
                {"day": row.day.isoformat(), "model": row.model, "action": row.action, **Total.of([row]).as_json()}
                for row in self.rows
            ],
            "total": Total.of(self.rows).as_json(),
            "today": {
                "spent_usd": self.today_usd,
                "budget_usd": self.budget.daily_usd,
                "left_usd": self.left_usd,
                "per_action_usd": self.budget.per_action_usd,
            },
            "accepted": {"today": {kind.value: self.accepted.get(kind, 0) for kind in Kind}},
        }

    def as_markdown(self) -> str:
        """A page."""
        parts = ["# Spending", self.today, *filter(None, [self.taken])]
        if self.rows:
            ruler = ["---"] * LEFT_ALIGNED + ["--:"] * (len(HEADINGS) - LEFT_ALIGNED)
            lines = [HEADINGS, ruler, *([_escaped(cell) for cell in row] for row in self.table())]
            parts.append("\n".join(f"| {' | '.join(line)} |" for line in lines))
            parts += self.notes()
        else:
            parts.append("No model was called yet.")
        return "\n\n".join(parts) + "\n"


def spending(settings: Settings, environ: Mapping[str, str]) -> Spending:
    """Read the ledger; blocks, for a second at most.

    Raises:
        LedgerUnusable: It is damaged, locked, or not ours to read.
    """
    directory = state_directory(environ)
    ledger = Ledger(directory)
    try:
        taken = accepted(directory, today())
        return Spending(tuple(ledger.spent()), ledger.spent_today(), settings.budget, taken)
    finally:
        ledger.close()


def _escaped(cell: str) -> str:
    """Names of models and actions come from settings and servers."""
    return "".join(f"\\{letter}" if letter in "|\\`*_<>[]" else letter for letter in " ".join(cell.split()))
