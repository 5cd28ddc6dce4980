"""``pennyproof.debug`` with models: the real server in a process of its own, the stand-in in another."""

import math
import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.lsp.client import CAPABILITIES, Client, ResponseError
from tests.standin import Reply, Script
from tests.standin.process import Process, standin_process
from tests.words import MENDED_BY_FAST, MENDED_BY_NONE, MENDED_BY_STRONG, PROUST, ROMAN, SLUG, WORDS

PATIENCE = 120.0
"""Seconds for what runs tests: long, because machines are slow; never a measurement."""


@dataclass(frozen=True)
class Session:
    client: Client
    standin: Process
    root: Path

    def debug(self, test: str, **more: Any) -> Any:
        uri = (self.root / "words" / "slug.py").as_uri()
        return self.client.ask_command("pennyproof.debug", {"uri": uri, "testId": test, "preview": True, **more})


@contextmanager
def session(tmp_path: Path, *replies: Reply, trust: str = "always", answer: str | None = None) -> Iterator[Session]:
    root = (tmp_path / "root").resolve()
    for name, text in WORDS.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)
    state = tmp_path / "state"
    state.mkdir()
    (state / "trust.json").write_text(f'{{"{root}": true}}')
    with standin_process(Script(replies), tmp_path) as standin:
        environ = {
            "PENNYPROOF_HOME": str(state),
            "PENNYPROOF_TESTS_PYTHON": sys.executable,
            "PENNYPROOF_PROOF_SANDBOX": "auto" if shutil.which("bwrap") else "off",
            "PENNYPROOF_PROOF_WORKERS": "1",
            "PENNYPROOF_MODEL_BASE_URL": standin.url,
            "DEEPSEEK_API_KEY": standin.key,
        }
        handlers = {"window/showMessageRequest": lambda _: {"title": answer} if answer else None}
        with Client(root, environ=environ, handlers=handlers) as client:
            client.initialize(CAPABILITIES, {"trust": trust, "tests": {"onSave": "off"}})
            yield Session(client, standin, root)


def questions(client: Client) -> list[str]:
    return [params["message"] for method, params in client.requests if method == "window/showMessageRequest"]


def test_fast_mends_after_one_wrong_answer_and_progress_tells_tier_and_money(tmp_path: Path) -> None:
    with session(tmp_path, *MENDED_BY_FAST) as playing:
        found = playing.debug(SLUG).result(PATIENCE)
        assert found["offers"][0]["origin"] == {"tier": "fast", "model": "deepseek-flash", "attempt": 2}
        assert 0 < found["spent_usd"] < 0.05
        assert found["notes"] == []
        told = [
            params["value"].get("message") or ""
            for method, params in playing.client.notifications
            if method == "$/progress"
        ]
        asking = [message for message in told if message.startswith("fast tier: asking deepseek-flash about")]
        assert asking
        statuses = [params for method, params in playing.client.notifications if method == "pennyproof/status"]
        assert {"free", "fast"} <= {status["tier"] for status in statuses if status["kind"] == "busy"}
        assert {status["tier"] for status in statuses if status["kind"] == "normal"} == {None}
        assert all(message.endswith(" USD so far)") for message in asking)
        assert questions(playing.client) == []


def test_only_strong_mends(tmp_path: Path) -> None:
    with session(tmp_path, *MENDED_BY_STRONG) as playing:
        found = playing.debug(ROMAN).result(PATIENCE)
        assert found["offers"][0]["origin"] == {"tier": "strong", "model": "deepseek-v4-pro", "attempt": 3}


def test_where_none_mends_the_reasons_are_shown(tmp_path: Path) -> None:
    with session(tmp_path, *MENDED_BY_NONE) as playing:
        assert playing.debug(PROUST).result(PATIENCE)["offers"] == []
        shown = playing.client.command("pennyproof.showLastRejections", {"show": False})
        reasons = [one["reason"] for one in shown["rejections"] if "deepseek" in one["summary"]]
        assert len(reasons) == 4
        assert reasons[0].startswith("tests/test_proust.py: tests and configuration")


@pytest.mark.parametrize(("answer", "sent"), [("Send", 2), ("Not now", 0)])
def test_the_user_is_asked_once_before_anything_is_sent(answer: str, sent: int, tmp_path: Path) -> None:
    with session(tmp_path, *MENDED_BY_FAST, *MENDED_BY_FAST, trust="ask", answer=answer) as playing:
        for calls in range(1, 3):
            found = playing.debug(SLUG).result(PATIENCE)
            assert len(playing.standin.requests) == calls * sent
            assert bool(found["offers"]) == bool(sent)
            assert len(found["notes"]) == (0 if sent else 1)
        (question,) = questions(playing.client)
        assert f"send code from {playing.root} to 127.0.0.1" in question


def test_cancel_closes_the_connection(tmp_path: Path) -> None:
    with session(tmp_path, Reply(behaviour="silence", seconds=math.inf)) as playing:
        pending = playing.debug(SLUG)
        playing.client.wait_until(lambda: bool(playing.standin.requests), "the request", PATIENCE)
        pending.cancel()
        with pytest.raises(ResponseError, match="cancelled"):
            pending.result(PATIENCE)
        playing.client.wait_until(
            lambda: playing.standin.requests[0]["outcome"] == "abandoned", "the end of the connection", PATIENCE
        )
