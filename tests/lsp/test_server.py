"""What handlers rely on: projects, their settings, trust, status."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from pennyproof.assist.project import Project
from pennyproof.assist.trust import TrustStore
from pennyproof.errors import OutsideRoot, UsageError
from tests.lsp.session import Session, folder_of

ASKS = {"showMessage": {}}


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("PENNYPROOF_HOME", str(tmp_path / "home"))
    for folder in ("root/nested/below", "other", "alone/pkg"):
        (tmp_path / folder).mkdir(parents=True)
    (tmp_path / "alone/pyproject.toml").write_text("")
    return tmp_path / "root"


def run_session(
    test: Callable[[Session], Awaitable[None]], *, answers: dict[str, Callable[[Any], Any]] | None = None, **client: Any
) -> None:
    async def main() -> None:
        async with Session() as session:
            session.answers.update(answers or {})
            await session.initialize(**client)
            await session.server.prepare()
            await test(session)

    asyncio.run(main())


def messages(session: Session, method: str) -> list[Any]:
    return [message["params"] for message in session.requests + session.notifications if message["method"] == method]


QUESTION, MESSAGE = "window/showMessageRequest", "window/showMessage"


@pytest.mark.parametrize(
    ("title", "trusted", "remembered"),
    [("Trust", True, True), ("Never", False, False), ("Not now", False, None), (None, False, None)],
)
def test_the_user_is_asked_once(root: Path, title: str | None, trusted: bool, remembered: bool | None) -> None:
    async def check(session: Session) -> None:
        project = session.server.projects.for_root(str(root))
        waiting = [session.server.ensure_trusted(project) for _ in range(3)]
        assert await asyncio.gather(*waiting) == [trusted] * 3
        assert await session.server.ensure_trusted(project) is trusted
        assert project.trusted is trusted
        [question] = messages(session, QUESTION)
        assert str(root) in question["message"]
        assert [action["title"] for action in question["actions"]] == ["Trust", "Not now", "Never"]

    answers = {QUESTION: lambda _: {"title": title} if title else None}
    run_session(check, answers=answers, folders=[root], window=ASKS)
    assert TrustStore(root.parent / "home").answer(root) is remembered


def test_an_answer_holds_in_the_next_session(root: Path) -> None:
    async def check(session: Session) -> None:
        assert session.server.projects.for_root(str(root)).trusted
        assert await session.server.ensure_trusted(session.server.projects.for_root(str(root)))
        assert messages(session, QUESTION) == []

    TrustStore(root.parent / "home").remember(root, True)
    run_session(check, folders=[root], window=ASKS)


@pytest.mark.parametrize(("setting", "trusted"), [("always", True), ("never", False)])
def test_the_setting_answers_for_the_user(root: Path, setting: str, trusted: bool) -> None:
    async def check(session: Session) -> None:
        assert await session.server.ensure_trusted(session.server.projects.for_root(str(root))) is trusted
        assert messages(session, QUESTION) == []

    run_session(check, folders=[root], window=ASKS, options={"trust": setting})


def test_a_client_that_cannot_ask_is_told_of_the_command_once(root: Path) -> None:
    async def check(session: Session) -> None:
        project = session.server.projects.for_root(str(root))
        assert not await session.server.ensure_trusted(project)
        assert not await session.server.ensure_trusted(project)
        [told] = messages(session, MESSAGE)
        assert "pennyproof.trustWorkspace" in told["message"]
        assert messages(session, QUESTION) == []
        await session.server.trust.remember(project, trusted=True)
        assert await session.server.ensure_trusted(project)

    run_session(check, folders=[root])


def test_the_question_stays_open_when_one_who_waits_is_cancelled(root: Path) -> None:
    async def check(session: Session) -> None:
        project = session.server.projects.for_root(str(root))
        first = asyncio.create_task(session.server.ensure_trusted(project))
        second = asyncio.create_task(session.server.ensure_trusted(project))
        await session.until(lambda: bool(session.requests))
        first.cancel()
        session.send({"jsonrpc": "2.0", "id": session.requests[0]["id"], "result": {"title": "Trust"}})
        assert await second

    run_session(check, folders=[root], window=ASKS)


def test_a_file_belongs_to_the_deepest_folder_that_holds_it(root: Path) -> None:
    def root_of(session: Session, path: Path) -> Path:
        return session.server.projects.for_uri(path.as_uri()).root

    async def check(session: Session) -> None:
        assert root_of(session, root / "a.py") == root
        assert root_of(session, root / "nested/below/b.py") == root / "nested"
        assert root_of(session, root.parent / "alone/pkg/c.py") == root.parent / "alone"
        assert session.server.projects.for_uri((root / "a b.py").as_uri()) is _project(session, root)
        with pytest.raises(UsageError, match="not a file"):
            session.server.projects.for_uri("untitled:Untitled-1")

    run_session(check, folders=[root, root / "nested"])


def _project(session: Session, root: Path) -> Project:
    return session.server.projects.for_root(root.as_uri())


def test_a_root_is_a_folder_of_the_workspace(root: Path) -> None:
    async def check(session: Session) -> None:
        projects = session.server.projects
        assert projects.for_root(str(root)) is projects.for_root(root.as_uri())
        with pytest.raises(OutsideRoot):
            projects.for_root(str(root.parent))
        with pytest.raises(OutsideRoot):
            projects.for_root(str(root / "../other"))
        for wrong in ("relative", str(root / "missing"), ""):
            with pytest.raises(UsageError):
                projects.for_root(wrong)

    run_session(check, folders=[root])


def test_folders_come_and_go(root: Path) -> None:
    other = root.parent / "other"

    async def check(session: Session) -> None:
        before = _project(session, root)
        event = {"added": [folder_of(other)], "removed": [folder_of(root)]}
        session.notify("workspace/didChangeWorkspaceFolders", {"event": event})
        await session.eventually(lambda: session.server.projects.roots == (other,))
        assert [project.root for project in session.server.projects.all()] == [other]
        with pytest.raises(OutsideRoot):
            session.server.projects.for_root(str(before.root))

    run_session(check, folders=[root])


def test_each_folder_has_its_settings_and_they_are_pulled_again(root: Path) -> None:
    other = root.parent / "other"
    timeouts = {root.as_uri(): 5, other.as_uri(): 7}

    def configuration(params: Any) -> Any:
        assert {item["section"] for item in params["items"]} == {"pennyproof"}
        return [{"tests": {"timeoutSeconds": timeouts[item["scopeUri"]]}} for item in params["items"]]

    async def check(session: Session) -> None:
        projects = session.server.projects
        seconds = [projects.settings(folder).tests.timeout_seconds for folder in (root, other)]
        assert seconds == [5, 7]
        before, kept = _project(session, root), _project(session, other)
        timeouts[root.as_uri()] = 9
        session.notify("workspace/didChangeConfiguration", {"settings": None})
        await session.eventually(lambda: projects.settings(root).tests.timeout_seconds == 9)
        assert _project(session, root) is not before
        assert _project(session, other) is kept
        assert [params["registrations"][0]["method"] for params in messages(session, "client/registerCapability")] == [
            "workspace/didChangeConfiguration"
        ]

    run_session(
        check,
        answers={"workspace/configuration": configuration, "client/registerCapability": lambda _: None},
        folders=[root, other],
        workspace={"configuration": True, "didChangeConfiguration": {"dynamicRegistration": True}},
    )


def test_settings_may_be_pushed(root: Path) -> None:
    async def check(session: Session) -> None:
        pushed = {"pennyproof": {"tests": {"timeoutSeconds": 3}}}
        session.notify("workspace/didChangeConfiguration", {"settings": pushed})
        await session.eventually(lambda: session.server.projects.settings(root).tests.timeout_seconds == 3)

    run_session(check, folders=[root])


def test_what_is_wrong_with_settings_is_told_once(root: Path) -> None:
    async def check(session: Session) -> None:
        for folder in (root, root / "nested"):
            session.server.projects.settings(folder)
        [told] = messages(session, MESSAGE)
        assert "tests.onSave" in told["message"]

    run_session(check, folders=[root, root / "nested"], options={"tests": {"onSave": "sometimes"}})


def test_a_status_is_said_once(root: Path) -> None:
    async def check(session: Session) -> None:
        for _ in range(2):
            session.server.status.set("warning", "no pytest")
        told = {"kind": "warning", "message": "no pytest", "spentTodayUsd": 0.0, "model": None, "tier": None}
        assert messages(session, "pennyproof/status") == [{**told, "proof": "on"}]

    run_session(check, folders=[root])


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16", "utf-32"])
def test_the_first_encoding_of_the_client_counts(root: Path, encoding: str) -> None:
    async def check(session: Session) -> None:
        assert session.server.documents.encoding == encoding
        assert session.server.server_capabilities.position_encoding == encoding

    run_session(check, general={"positionEncodings": ["utf-7", encoding, "utf-16"]})
