"""Every call is in the ledger, and no budget is ever overdrawn."""

import os
import sqlite3
import stat
import subprocess
import sys
import textwrap
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import date, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pennyproof.core.candidates import Tier
from pennyproof.settings import BudgetSettings
from pennyproof.tiers.hosted import database
from pennyproof.tiers.hosted.answers import Usage
from pennyproof.tiers.hosted.errors import BudgetUsedUp, CallRefused, LedgerUnusable, PriceUnknown
from pennyproof.tiers.hosted.ledger import Account, Action, Ledger, Spent
from pennyproof.tiers.hosted.prices import Prices

DOLLAR_A_TOKEN = Prices({"m": {"input": 1e6, "output": 1e6}, "other": {"input": 1e6, "output": 1e6}})
"""So that tokens read as USD."""
NOON = datetime(2026, 11, 22, 12, 0, tzinfo=timezone(timedelta(hours=1)))
BUDGET = BudgetSettings(daily_usd=10, per_action_usd=6)


class Clock:
    """A clock that stands until it is set."""

    def __init__(self) -> None:
        self.now = NOON

    def __call__(self) -> datetime:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def ledger(tmp_path: Path, clock: Clock) -> Iterator[Ledger]:
    made = Ledger(tmp_path / "not/there/yet", clock)
    yield made
    made.close()


def account(
    ledger: Ledger, name: str = "debug", *, budget: BudgetSettings | None = BUDGET, tier: Tier = Tier.FAST
) -> Account:
    return ledger.account(Action(name, Path("/project")), tier, budget, DOLLAR_A_TOKEN)


def spend(account: Account, usd: int, model: str = "m") -> None:
    entry = account.begin(model, Usage(miss=usd))
    entry.settle(Usage(miss=usd), outcome="ok", seconds=0.5, trace="t")


def rows(ledger_file: Path) -> list[dict[str, Any]]:
    connection = sqlite3.connect(ledger_file)
    connection.row_factory = sqlite3.Row
    found = [dict(row) for row in connection.execute("SELECT * FROM calls ORDER BY id")]
    connection.close()
    return found


def test_a_call_is_written_down_before_and_after(tmp_path: Path, clock: Clock) -> None:
    ledger = Ledger(tmp_path, clock)
    debug = account(ledger)
    entry = debug.begin("m", Usage(miss=3, output=2))
    (row,) = rows(tmp_path / "ledger.sqlite")
    assert (row["outcome"], row["cost_usd"], row["estimated"], row["seconds"]) == ("reserved", 5.0, 1, None)
    entry.settle(Usage(hit=1, miss=1, output=2, reasoning=1), outcome="ok", seconds=0.25, trace="t-1")
    (row,) = rows(tmp_path / "ledger.sqlite")
    assert row == {
        "id": 1,
        "at": "2026-11-22T12:00:00.000+01:00",
        "day": "2026-11-22",
        "action": "debug",
        "action_id": debug.action.id,
        "workspace": "/project",
        "tier": "fast",
        "model": "m",
        "hit": 1,
        "miss": 1,
        "output": 2,
        "reasoning": 1,
        "cost_usd": 4.0,
        "estimated": 0,
        "outcome": "ok",
        "seconds": 0.25,
        "trace": "t-1",
    }
    ledger.close()


def test_only_the_user_can_read_it(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path)
    assert ledger.spent_today() == 0.0
    assert list(tmp_path.iterdir()) == [], "who only reads makes no file"
    account(ledger).begin("m", Usage(miss=1))
    assert stat.S_IMODE((tmp_path / "ledger.sqlite").stat().st_mode) == 0o600
    ledger.close()


def test_names_that_are_no_text_can_be_written_down(ledger: Ledger) -> None:
    odd = ledger.account(Action("debug", Path("/pro\udcffject")), Tier.FAST, None, DOLLAR_A_TOKEN)
    odd.begin("m\udcff", Usage(miss=1)).settle(Usage(miss=1), outcome="ok", seconds=0, trace="\ud800")
    assert [spent.model for spent in ledger.spent()] == ["m\ufffd"]


def test_a_call_that_was_not_served_costs_nothing(ledger: Ledger) -> None:
    account(ledger).begin("m", Usage(miss=5)).settle(Usage(), outcome="auth", seconds=0.1, trace="")
    assert ledger.spent_today() == 0.0
    assert ledger.spent() == [Spent(NOON.date(), "m", "debug", 1, Usage(), 0.0, 0, 0)]


def test_usage_that_never_arrived_stays_an_upper_bound(ledger: Ledger) -> None:
    account(ledger).begin("m", Usage(miss=5)).settle(None, outcome="cancelled", seconds=0.1, trace="")
    assert ledger.spent() == [Spent(NOON.date(), "m", "debug", 1, Usage(miss=5), 5.0, 0, 1)]


def test_what_a_process_that_ended_had_set_aside_counts(tmp_path: Path, clock: Clock) -> None:
    first = Ledger(tmp_path, clock)
    account(first).begin("m", Usage(miss=6))
    first.close()
    second = Ledger(tmp_path, clock)
    assert second.spent_today() == 6.0
    with pytest.raises(BudgetUsedUp):
        account(second).begin("m", Usage(miss=5))
    second.close()


def test_the_days_budget(ledger: Ledger, clock: Clock) -> None:
    spend(account(ledger), 5)
    spend(account(ledger, "explain"), 4)
    with pytest.raises(
        BudgetUsedUp, match=r"9\.0000 of today's 10 USD are spent .* may cost 2\.0000; raise budget\.dailyUsd"
    ):
        account(ledger).begin("m", Usage(miss=2))
    spend(account(ledger), 1)
    clock.now += timedelta(hours=12)
    spend(account(ledger), 6)
    assert ledger.spent_today() == 6.0


def test_an_actions_budget(ledger: Ledger) -> None:
    debug = account(ledger)
    spend(debug, 4)
    strong = replace(debug, tier=Tier.STRONG)
    with pytest.raises(BudgetUsedUp, match=r"4\.0000 of this action's 6 USD .* raise budget\.perActionUsd"):
        strong.begin("m", Usage(miss=3))
    spend(strong, 2)
    spend(account(ledger), 4)
    assert ledger.spent_on(debug.action) == 6.0


def test_a_budget_of_nought_lets_free_models_pass_only(ledger: Ledger) -> None:
    none = BudgetSettings(daily_usd=0, per_action_usd=0)
    with pytest.raises(BudgetUsedUp):
        account(ledger, budget=none).begin("m", Usage(miss=1))
    free = replace(account(ledger, budget=none), prices=Prices({"local": {"input": 0, "output": 0}}))
    spend(free, 10, "local")


def test_an_unknown_price_is_refused_under_a_budget(ledger: Ledger) -> None:
    with pytest.raises(PriceUnknown, match=r"the price of unheard-of is not known.*set model\.prices"):
        account(ledger).begin("unheard-of", Usage(miss=1))
    assert ledger.spent() == []
    spend(account(ledger, budget=None), 1, "unheard-of")
    assert ledger.spent() == [Spent(NOON.date(), "unheard-of", "debug", 1, Usage(miss=1), 0.0, 1, 0)]


def test_sums_by_day_model_and_action(ledger: Ledger, clock: Clock) -> None:
    spend(account(ledger), 1)
    clock.now += timedelta(days=1)
    spend(account(ledger), 1)
    spend(account(ledger), 2)
    spend(account(ledger, "explain"), 4)
    account(ledger, "explain").begin("other", Usage(hit=1))
    today = date(2026, 11, 23)
    expected = [
        Spent(today, "m", "explain", 1, Usage(miss=4), 4.0, 0, 0),
        Spent(today, "m", "debug", 2, Usage(miss=3), 3.0, 0, 0),
        Spent(today, "other", "explain", 1, Usage(hit=1), 1.0, 0, 1),
        Spent(NOON.date(), "m", "debug", 1, Usage(miss=1), 1.0, 0, 0),
    ]
    assert ledger.spent() == expected
    assert ledger.spent(since=today) == expected[:3]


calls = st.tuples(st.integers(0, 2), st.integers(0, 5), st.one_of(st.none(), st.floats(0, 1)))


@given(st.lists(calls, max_size=12))
def test_no_order_of_calls_overdraws(
    tmp_path_factory: pytest.TempPathFactory, plan: list[tuple[int, int, float | None]]
) -> None:
    """Each call is of one of three actions, bound to some USD, and uses a share of that, or nobody knows what."""
    ledger = Ledger(tmp_path_factory.mktemp("state"), Clock())
    actions = [account(ledger) for _ in range(3)]
    for who, bound, share in plan:
        before = ledger.spent_today(), ledger.spent_on(actions[who].action)
        try:
            entry = actions[who].begin("m", Usage(miss=bound))
        except BudgetUsedUp:
            assert before[0] + bound > 10 or before[1] + bound > 6
        else:
            used = None if share is None else Usage(miss=int(bound * share))
            entry.settle(used, outcome="ok", seconds=0, trace="")
        assert ledger.spent_today() <= 10
        assert ledger.spent_on(actions[who].action) <= 6
    ledger.close()


def test_servers_at_once_do_not_overdraw(tmp_path: Path) -> None:
    passed = threading.Semaphore(0)
    began = threading.Barrier(4)

    def serve() -> None:
        ledger = Ledger(tmp_path)
        began.wait()
        for _ in range(5):
            try:
                account(ledger).begin("m", Usage(miss=1))
                passed.release()
            except BudgetUsedUp:
                continue
        ledger.close()

    servers = [threading.Thread(target=serve) for _ in range(4)]
    for server in servers:
        server.start()
    for server in servers:
        server.join()
    assert [passed.acquire(blocking=False) for _ in range(11)] == [True] * 10 + [False]


def test_processes_at_once_do_not_overdraw(tmp_path: Path) -> None:
    program = textwrap.dedent("""
        import sys
        from pathlib import Path
        from pennyproof.core.candidates import Tier
        from pennyproof.settings import BudgetSettings
        from pennyproof.tiers.hosted.answers import Usage
        from pennyproof.tiers.hosted.errors import BudgetUsedUp
        from pennyproof.tiers.hosted.ledger import Action, Ledger
        from pennyproof.tiers.hosted.prices import Prices

        ledger, passed = Ledger(Path(sys.argv[1])), 0
        prices = Prices({"m": {"input": 1e6, "output": 1e6}})
        sys.stdin.readline()
        for _ in range(8):
            action = Action("debug", Path("/project"))
            try:
                ledger.account(action, Tier.FAST, BudgetSettings(daily_usd=10, per_action_usd=6), prices).begin(
                    "m", Usage(miss=1)
                )
                passed += 1
            except BudgetUsedUp:
                pass
        print(passed)
    """)
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", program, tmp_path], stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environment
        )
        for _ in range(2)
    ]
    outputs = [process.communicate(b"go\n")[0] for process in processes]
    assert sum(map(int, outputs)) == 10


def overwritten(file: Path) -> None:
    file.write_bytes(b"this is no ledger, whatever its name says" * 100)


def cut(file: Path) -> None:
    file.write_bytes(file.read_bytes()[:1000])


def scribbled(file: Path) -> None:
    whole = file.read_bytes()
    file.write_bytes(whole[:4096] + b"\xa5" * (len(whole) - 4096))


@pytest.mark.parametrize("damage", [overwritten, cut, scribbled])
@pytest.mark.parametrize("is_open", [True, False])
def test_a_damaged_ledger_is_kept_aside_and_the_day_counts_as_used_up(
    tmp_path: Path, damage: Callable[[Path], None], is_open: bool
) -> None:
    file = tmp_path / "ledger.sqlite"
    ledger = Ledger(tmp_path)
    spend(account(ledger), 1)
    ledger.close()
    damage(file)
    damaged = file.read_bytes()
    if is_open:
        with pytest.raises(LedgerUnusable, match="is damaged"):
            ledger.spent_today()
    with pytest.raises(LedgerUnusable, match=r"kept as ledger-damaged-\S+\.sqlite.*today's budget counts as used up"):
        account(ledger).begin("m", Usage(miss=1))
    (aside,) = tmp_path.glob("ledger-damaged-*.sqlite")
    assert aside.read_bytes() == damaged
    assert ledger.spent_today() == 10.0
    with pytest.raises(BudgetUsedUp):
        account(ledger).begin("m", Usage(miss=1))
    ledger.close()


def test_a_ledger_damaged_on_another_day_costs_nothing_today(tmp_path: Path) -> None:
    file = tmp_path / "ledger.sqlite"
    overwritten(file)
    os.utime(file, (0, 0))
    ledger = Ledger(tmp_path)
    with pytest.raises(LedgerUnusable, match=r"a new one is begun$"):
        account(ledger).begin("m", Usage(miss=1))
    spend(account(ledger), 6)
    assert ledger.spent_today() == 6.0
    ledger.close()


def test_two_servers_find_the_same_damage(tmp_path: Path) -> None:
    first, second = Ledger(tmp_path), Ledger(tmp_path)
    assert (first.spent_today(), second.spent_today()) == (0.0, 0.0)
    first.close()
    second.close()
    overwritten(tmp_path / "ledger.sqlite")
    for ledger in (first, second):
        with pytest.raises(CallRefused):
            account(ledger).begin("m", Usage(miss=1))
    assert len(list(tmp_path.glob("ledger-damaged-*.sqlite"))) == 1
    assert (first.spent_today(), second.spent_today()) == (10.0, 10.0)
    first.close()
    second.close()


def test_a_ledger_that_is_taken_away_is_begun_anew(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path)
    spend(account(ledger), 1)
    for file in tmp_path.iterdir():
        file.unlink()
    spend(account(ledger), 2)
    assert [row["cost_usd"] for row in rows(tmp_path / "ledger.sqlite")] == [2.0]
    ledger.close()


def test_a_locked_ledger(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    monkeypatch.setattr(database, "_PATIENCE", 0.01)
    ledger = Ledger(tmp_path)
    entry = account(ledger).begin("m", Usage(miss=3))
    other = sqlite3.connect(tmp_path / "ledger.sqlite", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(LedgerUnusable, match="is locked by another program; no paid calls"):
        account(ledger).begin("m", Usage(miss=1))
    entry.settle(Usage(miss=1), outcome="ok", seconds=1, trace="")
    assert "its upper bound counts" in caplog.text
    other.execute("ROLLBACK")
    other.close()
    assert ledger.spent_today() == 3.0
    ledger.close()


def test_a_state_directory_that_cannot_be_used(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("not a directory")
    (tmp_path / "ledger.sqlite").mkdir()
    for directory in (tmp_path / "file", tmp_path):
        with pytest.raises(LedgerUnusable, match=r"cannot be used .*; no paid calls are made until it can be"):
            account(Ledger(directory)).begin("m", Usage(miss=1))


def test_a_full_disk(tmp_path: Path) -> None:
    program = textwrap.dedent("""
        import resource, sys
        from datetime import date
        from pathlib import Path
        from pennyproof.core.candidates import Tier
        from pennyproof.settings import BudgetSettings
        from pennyproof.tiers.hosted.answers import Usage
        from pennyproof.tiers.hosted.errors import LedgerUnusable
        from pennyproof.tiers.hosted.ledger import Action, Ledger
        from pennyproof.tiers.hosted.prices import Prices

        ledger = Ledger(Path(sys.argv[1]))
        account = ledger.account(Action("debug", Path("/project")), Tier.FAST, BudgetSettings(), Prices())
        entry = account.begin("deepseek-flash", Usage())
        used = (Path(sys.argv[1]) / "ledger.sqlite-wal").stat().st_size
        resource.setrlimit(resource.RLIMIT_FSIZE, (used, resource.RLIM_INFINITY))
        try:
            account.begin("deepseek-flash", Usage())
        except LedgerUnusable as error:
            print(error)
        entry.settle(Usage(), outcome="ok", seconds=0, trace="")
        resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
        account.begin("deepseek-flash", Usage())
        print([call.calls for call in ledger.spent(date.min)])
    """)
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    result = subprocess.run(
        [sys.executable, "-c", program, tmp_path], capture_output=True, text=True, env=environment, check=True
    )
    line, calls_afterwards = result.stdout.splitlines()
    assert line.startswith(f"the ledger {tmp_path / 'ledger.sqlite'} cannot be used")
    assert calls_afterwards == "[2]"


def test_a_ledger_of_a_newer_version_is_left_alone(tmp_path: Path) -> None:
    connection = sqlite3.connect(tmp_path / "ledger.sqlite")
    connection.execute("PRAGMA user_version = 99")
    connection.close()
    ledger = Ledger(tmp_path)
    for _ in range(2):
        with pytest.raises(LedgerUnusable, match="newer version"):
            account(ledger).begin("m", Usage(miss=1))
    ledger.close()
