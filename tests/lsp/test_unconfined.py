"""Where there is no sandbox for the platform, tests run for those who agreed to just that."""

import asyncio
from pathlib import Path

import pytest

from pennyproof.assist.trust import TrustStore
from pennyproof.lsp.trust import NEVER, NOT_NOW, UNPROTECTED
from tests.lsp.session import Session
from tests.lsp.test_server import ASKS, MESSAGE, QUESTION, messages, run_session

PLAIN = "nothing protects your files, your keys or the network"


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("PENNYPROOF_HOME", str(tmp_path / "home"))
    monkeypatch.setattr("pennyproof.proof.sandbox.KINDS", {})
    (tmp_path / "root").mkdir()
    return tmp_path / "root"


def resting(session: Session) -> str:
    return str(messages(session, "pennyproof/status")[-1]["message"])


@pytest.mark.parametrize("trust", ["ask", "always"])
@pytest.mark.parametrize(
    ("title", "agreed", "remembered"),
    [(UNPROTECTED, True, True), (NEVER, False, False), (NOT_NOW, False, None)],
)
def test_the_question_says_that_nothing_protects(
    root: Path, trust: str, title: str, agreed: bool, remembered: bool | None
) -> None:
    TrustStore(root.parent / "home").remember(root, True)  # In a sandbox, somewhere else: that is no consent.

    async def check(session: Session) -> None:
        project = session.server.projects.for_root(str(root))
        assert not project.trusted
        waiting = [session.server.ensure_trusted(project) for _ in range(2)]
        assert await asyncio.gather(*waiting) == [agreed] * 2
        [question] = messages(session, QUESTION)
        assert PLAIN in question["message"]
        assert [action["title"] for action in question["actions"]] == [UNPROTECTED, NOT_NOW, NEVER]
        session.server.show_busy()
        assert resting(session) == ("tests run without a sandbox" if agreed else "")

    run_session(
        check, answers={QUESTION: lambda _: {"title": title}}, folders=[root], window=ASKS, options={"trust": trust}
    )
    assert TrustStore(root.parent / "home").answer(root, unconfined=True) is remembered


def test_a_client_that_cannot_ask_is_told_and_may_agree_by_the_command(root: Path) -> None:
    async def check(session: Session) -> None:
        project = session.server.projects.for_root(str(root))
        assert not await session.server.ensure_trusted(project)
        await session.server.trust.remember(project, trusted=True)
        told = [message["message"] for message in messages(session, MESSAGE)]
        assert ["pennyproof.trustWorkspace" in text for text in told] == [True, False]
        assert all(PLAIN in text for text in told)
        assert await session.server.ensure_trusted(project)

    run_session(check, folders=[root])
    assert TrustStore(root.parent / "home").answer(root, unconfined=True) is True
    assert TrustStore(root.parent / "home").answer(root) is None


@pytest.mark.parametrize(("setting", "trusted"), [("never", False), ("always", True)])
def test_who_switches_the_sandbox_off_has_agreed(root: Path, setting: str, trusted: bool) -> None:
    async def check(session: Session) -> None:
        assert await session.server.ensure_trusted(session.server.projects.for_root(str(root))) is trusted

    run_session(check, folders=[root], options={"trust": setting, "proof": {"sandbox": "off"}})
