"""``pennyproof spend``: the ledger as a table and as JSON, whatever state it is in."""

import os
import sqlite3
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from pennyproof.assist.acceptances import Kind, accept
from pennyproof.assist.spending import spending
from pennyproof.core.candidates import Tier
from pennyproof.settings import BudgetSettings, Settings
from pennyproof.tiers.hosted.answers import Usage
from pennyproof.tiers.hosted.ledger import Action, Ledger
from pennyproof.tiers.hosted.prices import Prices
from tests.cli.conftest import Run

PRICES = Prices({"deepseek-flash": {"input": 1.0, "output": 2.0}})
"""So that a thousand tokens read as a tenth of a cent."""
USED = Usage(hit=750, miss=250, output=500)


@pytest.fixture(autouse=True)
def state(tmp_path: Path, run: Run, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("PENNYPROOF_HOME", str(tmp_path / "state"))
    return tmp_path / "state"


def spend(
    state: Path, action: str, *, model: str = "deepseek-flash", usage: Usage | None = USED, days_ago: int = 0
) -> None:
    """Write one call down; without ``usage`` its cost stays an upper bound."""
    ledger = Ledger(state, lambda: datetime.now().astimezone() - timedelta(days=days_ago))
    budget = None if model == "unheard-of" else BudgetSettings(daily_usd=100, per_action_usd=100)
    entry = ledger.account(Action(action, Path("/project")), Tier.FAST, budget, PRICES).begin(model, Usage(miss=4000))
    entry.settle(usage, outcome="ok", seconds=1.0, trace="")
    ledger.close()


def test_nothing_was_spent(run: Run, state: Path) -> None:
    ran = run("spend")
    assert (ran.code, ran.stderr) == (0, "")
    assert ran.stdout == (
        "No model was called yet.\nToday 0.0000 of 0.5 USD are spent, 0.5000 are left; one action may cost 0.05 USD.\n"
    )
    ran = run("spend", "--json")
    assert (ran.json["rows"], ran.json["total"]["calls"], ran.json["total"]["cost_usd"]) == ([], 0, 0)
    assert not state.exists(), "who only looks leaves nothing behind"


def test_the_ledger_is_a_table(run: Run, state: Path) -> None:
    spend(state, "debug")
    spend(state, "debug")
    spend(state, "complete", usage=None)
    spend(state, "explain", days_ago=1)
    today = datetime.now().astimezone().date()
    lines = [line.split() for line in run("spend").stdout.splitlines()]
    assert lines[:5] == [
        ["day", "model", "action", "calls", "prompt", "tokens", "cached", "written", "USD"],
        [f"{today}", "deepseek-flash", "complete", "1", "4,000", "0%", "0", "≤", "0.0040"],
        [f"{today}", "deepseek-flash", "debug", "2", "2,000", "75%", "1,000", "0.0040"],
        [f"{today - timedelta(days=1)}", "deepseek-flash", "explain", "1", "1,000", "75%", "500", "0.0020"],
        ["total", "4", "7,000", "32%", "1,500", "≤", "0.0100"],
    ]
    assert lines[-1][:7] == ["Today", "0.0080", "of", "0.5", "USD", "are", "spent,"]


def test_json_has_the_same_numbers(run: Run, state: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PENNYPROOF_BUDGET_DAILY_USD", "0.01")
    spend(state, "debug")
    spend(state, "edit", usage=None)
    document = run("spend", "--json").json
    assert document["total"] == {
        "calls": 2,
        "tokens": {"hit": 750, "miss": 4250, "output": 500},
        "cost_usd": pytest.approx(0.006),
        "unpriced": 0,
        "estimated": 1,
    }
    assert [(row["action"], row["estimated"]) for row in document["rows"]] == [("edit", 1), ("debug", 0)]
    assert document["today"] == {
        "spent_usd": pytest.approx(0.006),
        "budget_usd": 0.01,
        "left_usd": pytest.approx(0.004),
        "per_action_usd": 0.05,
    }


def test_what_nobody_knows_the_price_of_is_not_free(run: Run, state: Path) -> None:
    spend(state, "debug", model="unheard-of")
    assert run("spend", "--json").json["rows"][0]["cost_usd"] is None
    shown = run("spend").stdout
    assert "unheard-of" in shown
    assert "unknown: the price of the model is not known; set model.prices." in shown
    spend(state, "debug")
    assert "0.0020 + unknown" in run("spend").stdout


@pytest.mark.parametrize("options", [[], ["--json"]])
@pytest.mark.parametrize("damage", ["damaged", "locked", "a folder"])
def test_a_ledger_that_cannot_be_read_is_one_line(
    run: Run, state: Path, damage: str, options: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    spend(state, "debug")
    file, other = state / "ledger.sqlite", None
    if damage == "damaged":
        for suffix in ("-wal", "-shm"):
            Path(f"{file}{suffix}").unlink(missing_ok=True)
        file.write_bytes(b"no ledger " * 1000)
    elif damage == "locked":
        monkeypatch.setattr("pennyproof.tiers.hosted.database._PATIENCE", 0.01)
        other = sqlite3.connect(file, isolation_level=None)
        other.execute("BEGIN EXCLUSIVE")
    else:
        file.unlink()
        file.mkdir()
    ran = run("spend", *options)
    if other is not None:
        other.close()
    assert ran.code == 2
    assert ran.stderr.startswith("pennyproof: the ledger")
    assert ran.stderr.count("\n") == 1
    assert "Traceback" not in ran.stderr
    assert ran.json["error"] in ran.stderr if options else ran.stdout == ""


def test_no_project_is_needed(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    gone = tmp_path / "gone"
    gone.mkdir()
    monkeypatch.chdir(gone)
    gone.rmdir()
    assert run("spend").code == 0


def test_names_break_no_markdown(state: Path) -> None:
    spend(state, "a|b", model="unheard-of")
    page = spending(Settings(), os.environ).as_markdown()
    assert page.startswith("# Spending\n\nToday 0.0000 of 0.5 USD")
    assert "| unheard-of | a\\|b | 1 |" in page


def test_what_was_accepted_today_is_told(run: Run, state: Path) -> None:
    assert run("spend", "--json").json["accepted"] == {"today": {"completion": 0, "offer": 0}}
    assert "Accepted" not in run("spend").stdout
    for kind in (Kind.OFFER, Kind.COMPLETION, Kind.COMPLETION):
        accept(state, kind)
    assert run("spend", "--json").json["accepted"] == {"today": {"completion": 2, "offer": 1}}
    assert run("spend").stdout.splitlines()[-1] == "Accepted today: 2 completions and 1 offer."
