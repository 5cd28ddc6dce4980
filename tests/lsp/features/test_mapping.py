"""What is known of the tests is kept up in the background."""

import asyncio
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from pennyproof.core.work import Cancel
from pennyproof.lsp.mapping import MapKeeper
from tests.lsp.features.session import CAPABILITIES, RIGHT, SHOP, WRONG, Session, play

MENDED = SHOP.replace(WRONG, RIGHT)
PROGRESS = "window/workDoneProgress/create"


def eagerly(session: Session) -> None:
    """Begin at once, rather than after a moment in which nothing happens."""
    session.server.mapping.close()
    session.server.mapping = MapKeeper(session.server, quiet=0.0)


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(30):
        while not condition():
            await asyncio.sleep(0.005)


def test_it_begins_when_a_file_is_opened_and_again_after_edits(tmp_path: Path) -> None:
    async def script(session: Session) -> None:
        eagerly(session)
        session.open("shop.py")
        await until(lambda: session.prover.kept == [SHOP])
        await session.settle()
        session.change("shop.py", MENDED)
        await until(lambda: session.prover.kept == [SHOP, MENDED])

    session = play(tmp_path / "p", script)
    assert not [method for method, _ in session.requests if method == PROGRESS]
    assert not [method for method, _ in session.notifications if method == "$/progress"]
    assert not [status for method, status in session.notifications if status and status.get("kind") == "busy"]


def test_a_trusted_folder_is_enough(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PENNYPROOF_TRUST", "always")
    woken: list[Path] = []
    monkeypatch.setattr(MapKeeper, "wake", lambda _, project: woken.append(project.root))

    async def script(session: Session) -> None:
        await session.settle()
        assert woken == [session.root]

    play(tmp_path / "p", script)


def test_what_is_edited_meanwhile_is_taken_up_afterwards(tmp_path: Path) -> None:
    edited = threading.Event()

    async def script(session: Session) -> None:
        eagerly(session)
        session.prover.while_keeping = lambda _: edited.wait(30)
        session.open("shop.py")
        await until(lambda: session.prover.kept == [SHOP])
        session.change("shop.py", SHOP + "\n")
        session.change("shop.py", MENDED, version=3)
        await session.command("pennyproof.showLastRejections")
        edited.set()
        await until(lambda: session.prover.kept == [SHOP, MENDED])
        await session.settle()
        assert session.prover.kept == [SHOP, MENDED]

    play(tmp_path / "p", script)


def test_requests_put_it_off(tmp_path: Path) -> None:
    async def script(session: Session) -> None:
        session.open("shop.py")
        await session.settle()
        (before,) = session.server.mapping._waiting.values()
        await session.command("pennyproof.runTests")
        (after,) = session.server.mapping._waiting.values()
        assert before.cancelled()
        assert after.when() > before.when()

    assert play(tmp_path / "p", script).prover.kept == []


@pytest.mark.parametrize("why", ["not trusted", "no tests unasked"])
def test_where_no_tests_may_run_unasked_none_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, why: str) -> None:
    if why == "no tests unasked":
        monkeypatch.setenv("PENNYPROOF_TESTS_ON_SAVE", "off")

    async def script(session: Session) -> None:
        eagerly(session)
        session.open("shop.py")
        await session.settle()
        await until(lambda: not session.server.mapping._waiting)
        await session.settle()

    assert play(tmp_path / "p", script, trusted=why != "not trusted").prover.kept == []


def test_the_progress_bar_cancels_it_for_good(tmp_path: Path) -> None:
    def wait(cancel: Cancel) -> None:
        asked = threading.Event()
        cancel.on_cancel(asked.set)
        assert asked.wait(30)

    async def script(session: Session) -> None:
        eagerly(session)
        session.answers[PROGRESS] = lambda _: None
        session.prover.while_keeping = wait
        session.open("shop.py")
        await until(lambda: any(method == "$/progress" for method, _ in session.notifications))
        (token,) = [params["token"] for method, params in session.requests if method == PROGRESS]
        session.notify("window/workDoneProgress/cancel", {"token": token})
        await session.settle()
        session.change("shop.py", MENDED)
        await session.settle()
        assert not session.server.mapping._waiting
        assert session.prover.kept == [SHOP]

    window = CAPABILITIES["window"] | {"workDoneProgress": True}
    session = play(tmp_path / "p", script, capabilities=CAPABILITIES | {"window": window})
    kinds = [params["value"]["kind"] for method, params in session.notifications if method == "$/progress"]
    assert (kinds[0], kinds[-1]) == ("begin", "end")
