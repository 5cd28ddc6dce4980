"""``pennyproof/status`` tells which model there is and what today cost, as soon as that changes."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest

from pennyproof.assist.trust import ConsentStore
from pennyproof.core.work import Cancel, Deadline
from pennyproof.lsp.server import PennyproofServer
from pennyproof.tiers.hosted.requests import ChatRequest, Message
from tests.lsp.client import Client
from tests.lsp.session import Json, Session
from tests.standin import Reply, Standin

CHAT = ChatRequest("", (Message("user", "Why does it fail?"),), 100)


@pytest.fixture
def standin(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Standin]:
    with Standin([Reply("because", times=None)]) as running:
        monkeypatch.setenv("PENNYPROOF_HOME", str(tmp_path / "state"))
        monkeypatch.setenv("PENNYPROOF_MODEL_BASE_URL", running.url)
        monkeypatch.setenv("DEEPSEEK_API_KEY", running.key)
        yield running


def statuses(session: Session) -> list[Json]:
    return [message["params"] for message in session.notifications if message["method"] == "pennyproof/status"]


def last(session: Session, key: str) -> Json:
    return statuses(session)[-1][key] if statuses(session) else None


def test_every_call_is_told(standin: Standin, tmp_path: Path) -> None:
    ConsentStore(tmp_path / "state").remember(tmp_path, standin.url.removeprefix("http://"), True)

    async def main() -> None:
        async with Session(PennyproofServer()) as session:
            await session.initialize(folders=[tmp_path])
            await session.until(lambda: last(session, "model") == "deepseek-flash")
            assert last(session, "spentTodayUsd") == 0
            models = session.server.projects.for_root(str(tmp_path)).models
            assert models is not None
            fast = models.begin("explain").fast
            for _ in range(3):
                before = last(session, "spentTodayUsd")
                await asyncio.to_thread(fast.chat, CHAT, deadline=Deadline(30), cancel=Cancel())
                await session.until(lambda: last(session, "spentTodayUsd") > before)  # noqa: B023 (used at once)
            spent = models.ledger.spent_today()
            assert last(session, "spentTodayUsd") == pytest.approx(spent, abs=1e-6)
            assert last(session, "kind") == "normal"

    asyncio.run(main())


def test_without_a_key_there_is_no_model(standin: Standin, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DEEPSEEK_API_KEY")

    async def main() -> None:
        async with Session(PennyproofServer()) as session:
            await session.initialize(folders=[tmp_path])
            await session.until(lambda: bool(statuses(session)))
            told = {"kind": "normal", "message": "", "spentTodayUsd": 0.0, "model": None, "tier": None, "proof": "on"}
            assert statuses(session) == [told]

    asyncio.run(main())
    assert not (tmp_path / "state" / "ledger.sqlite").exists()
    assert standin.requests == []


def test_a_damaged_ledger_takes_nothing_away_but_the_sum(standin: Standin, tmp_path: Path) -> None:
    (tmp_path / "state").mkdir()
    (tmp_path / "state" / "ledger.sqlite").write_bytes(b"no ledger " * 1000)

    async def main() -> None:
        async with Session(PennyproofServer()) as session:
            await session.initialize(folders=[tmp_path])
            await session.until(lambda: last(session, "model") == "deepseek-flash")
            assert last(session, "spentTodayUsd") == 0

    asyncio.run(main())


@pytest.mark.parametrize("folders", [True, False])
def test_the_ledger_opens_as_a_page(standin: Standin, tmp_path: Path, folders: bool) -> None:
    shown: list[Json] = []

    def show(params: Json) -> Json:
        shown.append(params)
        return {"success": True}

    with Client(tmp_path if folders else None, handlers={"window/showDocument": show}) as client:
        client.initialize()
        result = client.command("pennyproof.showSpend", {"show": False})
        assert result["rows"] == []
        assert result["markdown"].startswith("# Spending\n\nToday 0.0000 of 0.5 USD are spent")
        assert client.command("pennyproof.showSpend", {}) == result
        client.wait_until(lambda: bool(shown), "the page")
    (page,) = (tmp_path / "state" / "pages").iterdir()
    assert shown[0]["uri"] == page.as_uri()
    assert page.read_text() == result["markdown"]


def test_a_ledger_that_cannot_be_read_is_one_line(standin: Standin, tmp_path: Path) -> None:
    (tmp_path / "state" / "ledger.sqlite").mkdir(parents=True)
    with Client(tmp_path) as client:
        client.initialize()
        answer = client.ask_command("pennyproof.showSpend", {})
        client.wait_until(lambda: answer.response is not None, "the answer")
        assert answer.response is not None
        assert answer.response["error"]["message"].startswith("the ledger ")
