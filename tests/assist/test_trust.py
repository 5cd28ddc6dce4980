"""Trust is remembered, by several servers at once, and whatever happens to the file."""

import json
import logging
import threading
from pathlib import Path

import pytest

from pennyproof.assist.trust import ConsentStore, TrustStore, decide, decide_consent


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "project").mkdir()
    return tmp_path / "project"


@pytest.mark.parametrize("trusted", [True, False])
def test_a_decision_is_remembered_and_can_be_forgotten(tmp_path: Path, root: Path, trusted: bool) -> None:
    state = tmp_path / "not/there/yet"
    assert TrustStore(state).answer(root) is None
    TrustStore(state).remember(root, trusted)
    assert TrustStore(state).answer(root) is trusted
    assert TrustStore(state).answer(root / "below") is None
    TrustStore(state).forget(root)
    assert TrustStore(state).answer(root) is None


def test_a_root_is_known_by_where_it_really_is(tmp_path: Path, root: Path) -> None:
    (tmp_path / "link").symlink_to(root)
    store = TrustStore(tmp_path)
    store.remember(tmp_path / "link", True)
    assert store.answer(root) is True


def test_two_servers_keep_each_others_answers(tmp_path: Path, root: Path) -> None:
    first, second = TrustStore(tmp_path), TrustStore(tmp_path)
    first.remember(root, True)
    second.remember(root / "other", False)
    assert (second.answer(root), first.answer(root / "other")) == (True, False)


def test_readers_never_see_half_a_file(tmp_path: Path, root: Path) -> None:
    store = TrustStore(tmp_path)
    store.remember(root, True)
    done = threading.Event()

    def keep_writing() -> None:
        for number in range(40):
            TrustStore(tmp_path).remember(root / str(number), True)
        done.set()

    writer = threading.Thread(target=keep_writing)
    writer.start()
    while not done.is_set():
        assert TrustStore(tmp_path).answer(root) is True
    writer.join()
    assert [path.name for path in tmp_path.iterdir() if path.is_file()] == ["trust.json"]


@pytest.mark.parametrize("damage", ["", "{", "[]", "null", "\udcff"])
def test_a_damaged_file_means_undecided_and_is_mended_by_the_next_answer(
    tmp_path: Path, root: Path, damage: str, caplog: pytest.LogCaptureFixture
) -> None:
    file = tmp_path / "trust.json"
    file.write_bytes(damage.encode("utf-8", "surrogateescape"))
    store = TrustStore(tmp_path)
    assert store.answer(root) is None
    assert store.answer(root) is None
    assert [record.levelno for record in caplog.records] == [logging.WARNING]
    store.remember(root, True)
    assert json.loads(file.read_text()) == {str(root.resolve()): True}


def test_only_true_and_false_count(tmp_path: Path, root: Path) -> None:
    (tmp_path / "trust.json").write_text(json.dumps({str(root.resolve()): "yes"}))
    assert TrustStore(tmp_path).answer(root) is None


def test_a_state_directory_that_cannot_be_used_leaves_this_session(
    tmp_path: Path, root: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "file").write_text("not a directory")
    store = TrustStore(tmp_path / "file")
    store.remember(root, True)
    store.remember(root / "other", False)
    assert (store.answer(root), store.answer(root / "other")) == (True, False)
    store.forget(root)
    assert store.answer(root) is None
    assert [record.levelno for record in caplog.records] == [logging.WARNING]
    assert "this session only" in caplog.text


@pytest.mark.parametrize(
    ("setting", "answer", "decision"),
    [
        ("ask", None, None),
        ("ask", True, True),
        ("ask", False, False),
        ("always", False, True),
        ("never", True, False),
    ],
)
def test_the_setting_comes_before_the_answer(
    tmp_path: Path, root: Path, setting: str, answer: bool | None, decision: bool | None
) -> None:
    store = TrustStore(tmp_path)
    if answer is not None:
        store.remember(root, answer)
    assert decide(setting, store, root) is decision  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("setting", "trusted", "agreed", "decision"),
    [
        ("ask", None, None, None),
        ("ask", True, None, None),
        ("ask", False, None, False),
        ("ask", None, True, True),
        ("ask", True, False, False),
        ("ask", False, True, True),
        ("always", True, None, None),
        ("always", None, True, True),
        ("always", None, False, False),
        ("never", True, True, False),
    ],
)
def test_what_nothing_confines_takes_an_answer_of_its_own(
    tmp_path: Path, root: Path, setting: str, trusted: bool | None, agreed: bool | None, decision: bool | None
) -> None:
    store = TrustStore(tmp_path)
    if trusted is not None:
        store.remember(root, trusted)
    if agreed is not None:
        store.remember(root, agreed, unconfined=True)
    assert decide(setting, TrustStore(tmp_path), root, unconfined=True) is decision  # type: ignore[arg-type]
    store.forget(root)
    assert TrustStore(tmp_path).answer(root, unconfined=True) is None


def test_who_agreed_to_run_unconfined_is_still_asked_for_trust(tmp_path: Path, root: Path) -> None:
    store = TrustStore(tmp_path)
    store.remember(root, True, unconfined=True)
    assert store.answer(root) is None


def test_consent_is_remembered_for_a_workspace_and_a_host(tmp_path: Path, root: Path) -> None:
    ConsentStore(tmp_path).remember(root, "api.example.com", True)
    ConsentStore(tmp_path).remember(root, "127.0.0.1:8080", False)
    store = ConsentStore(tmp_path)
    assert store.answer(root, "api.example.com") is True
    assert store.answer(root, "API.example.com") is True
    assert store.answer(root, "127.0.0.1:8080") is False
    assert store.answer(root, "other.example.com") is None
    assert store.answer(root / "below", "api.example.com") is None
    assert TrustStore(tmp_path).answer(root) is None
    store.forget(root, "api.example.com")
    assert ConsentStore(tmp_path).answer(root, "api.example.com") is None


@pytest.mark.parametrize(
    ("setting", "answer", "decision"),
    [
        ("ask", None, None),
        ("ask", True, True),
        ("ask", False, False),
        ("always", False, True),
        ("never", True, True),
        ("never", None, None),
    ],
)
def test_trusting_always_is_consent_too(
    tmp_path: Path, root: Path, setting: str, answer: bool | None, decision: bool | None
) -> None:
    store = ConsentStore(tmp_path)
    if answer is not None:
        store.remember(root, "api.example.com", answer)
    assert decide_consent(setting, store, root, "api.example.com") is decision  # type: ignore[arg-type]
