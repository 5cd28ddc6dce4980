"""``pennyproof fix`` with models: the real command, the real prover, and the stand-in as a process."""

import os
import pty
import re
import subprocess
import sys
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

import pytest

from pennyproof.tiers.hosted.ledger import Ledger
from tests.cli.conftest import Run, tree, write
from tests.standin import Reply, Script
from tests.standin.process import Process, standin_process
from tests.words import MENDED_BY_FAST, MENDED_BY_NONE, MENDED_BY_STRONG, PROUST, ROMAN, SLUG, WORDS

Start = Callable[..., Process]


@pytest.fixture
def start(trusted: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Start:
    """Starts a stand-in that answers as given, and points the command at it."""
    with ExitStack() as stack:

        def start(*replies: Reply) -> Process:
            process = stack.enter_context(standin_process(Script(replies), tmp_path))
            monkeypatch.setenv("PENNYPROOF_MODEL_BASE_URL", process.url)
            monkeypatch.setenv("DEEPSEEK_API_KEY", process.key)
            monkeypatch.setenv("PENNYPROOF_HOME", str(tmp_path / "state"))
            write(WORDS)
            return process

        yield start


def ledger(home: Path) -> list[tuple[str, str, int]]:
    """Action, model and number of calls."""
    opened = Ledger(home / "state")
    try:
        return sorted((row.action, row.model, row.calls) for row in opened.spent())
    finally:
        opened.close()


def test_fast_mends_after_one_wrong_answer(trusted: Run, start: Start, tmp_path: Path) -> None:
    standin = start(*MENDED_BY_FAST)
    ran = trusted("fix", SLUG, "--json", "--apply")
    assert (ran.code, ran.stderr) == (0, "")
    (offer,) = ran.json["offers"]
    assert offer["origin"] == {"tier": "fast", "model": "deepseek-flash", "attempt": 2}
    assert offer["verdict"]["fixed"] == [SLUG]
    assert 0 < offer["cost_usd"] < ran.json["spent_usd"] < 0.05
    assert ran.json["notes"] == []
    assert standin.models == ["deepseek-flash", "deepseek-flash"]
    assert ledger(tmp_path) == [("debug", "deepseek-flash", 2)]
    assert "isalnum" in Path("words/slug.py").read_text()


def test_only_strong_mends(trusted: Run, start: Start, tmp_path: Path) -> None:
    standin = start(*MENDED_BY_STRONG)
    ran = trusted("fix", ROMAN, "--json")
    assert (ran.code, ran.stderr) == (0, "")
    (offer,) = ran.json["offers"]
    assert offer["origin"] == {"tier": "strong", "model": "deepseek-v4-pro", "attempt": 3}
    assert standin.models == ["deepseek-flash", "deepseek-flash", "deepseek-v4-pro"]
    assert [request["body"]["thinking"]["type"] for request in standin.requests] == ["disabled", "disabled", "enabled"]
    assert ledger(tmp_path) == [("debug", "deepseek-flash", 2), ("debug", "deepseek-v4-pro", 1)]


def test_where_none_mends_the_reasons_are_listed(trusted: Run, start: Start, tmp_path: Path) -> None:
    standin = start(*MENDED_BY_NONE)
    before = tree()
    ran = trusted("fix", PROUST, "--json", "--apply", "--deadline", "30")
    assert (ran.code, ran.stderr) == (1, "")
    assert ran.json["offers"] == []
    assert tree() == before
    assert len(standin.models) == 4
    reasons = [one["reason"] for one in ran.json["rejections"] if "deepseek" in one["summary"]]
    assert reasons[0].startswith("tests/test_proust.py: tests and configuration")
    assert len(reasons) == 4
    assert ledger(tmp_path) == [("debug", "deepseek-flash", 3), ("debug", "deepseek-v4-pro", 1)]


def test_a_person_reads_who_mended_it_and_what_it_cost(trusted: Run, start: Start) -> None:
    start(*MENDED_BY_FAST)
    ran = trusted("fix", SLUG)
    assert (ran.code, ran.stderr) == (0, "")
    assert "deepseek-flash changes words/slug.py:3\nfixes 1 test, breaks 0 of " in ran.stdout
    assert re.search(r"Tried \d+ candidates in [\d.]+ s for 0\.00\d\d USD", ran.stdout)


@pytest.mark.parametrize("argv", [("--offline",), ("--max-cost", "0")])
def test_what_may_not_be_spent_is_not_sent(argv: tuple[str, ...], trusted: Run, start: Start, tmp_path: Path) -> None:
    standin = start(*MENDED_BY_FAST)
    ran = trusted("fix", SLUG, "--json", *argv)
    assert (ran.code, ran.json["offers"], ran.json["spent_usd"]) == (1, [], 0)
    assert (standin.requests, ledger(tmp_path)) == ([], [])
    assert ran.stderr.count("\n") == len(ran.json["notes"]) == (1 if "--max-cost" in argv else 0)


def test_without_a_terminal_nothing_is_sent_before_the_user_agreed(
    trusted: Run, start: Start, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    standin = start(*MENDED_BY_FAST)
    monkeypatch.setenv("PENNYPROOF_TRUST", "ask")
    state = Path(os.environ["PENNYPROOF_HOME"])
    state.mkdir()
    (state / "trust.json").write_text(f'{{"{Path.cwd()}": true}}')
    ran = trusted("fix", SLUG, "--json")
    assert (ran.code, standin.requests) == (1, [])
    (line,) = ran.stderr.splitlines()
    assert f"nothing is sent from {Path.cwd()} to 127.0.0.1" in line
    assert "PENNYPROOF_TRUST=always" in line


def test_a_wrong_key_is_one_line_and_in_none_of_it(trusted: Run, start: Start, monkeypatch: pytest.MonkeyPatch) -> None:
    start(*MENDED_BY_FAST)
    monkeypatch.setenv("DEEPSEEK_API_KEY", "sk-recognisable-but-wrong")
    ran = trusted("fix", SLUG, "--json")
    assert ran.code == 1
    (line,) = ran.stderr.splitlines()
    assert line.startswith("pennyproof: deepseek-flash: ")
    assert "recognisable" not in ran.stdout + ran.stderr


def test_on_a_terminal_the_user_is_asked_once(
    start: Start, trusted: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    standin = start(*MENDED_BY_FAST, *MENDED_BY_FAST)
    monkeypatch.setenv("PENNYPROOF_TRUST", "ask")
    shown = on_terminal(b"y\ny\n", "fix", SLUG, "--json")
    assert "Run the tests of" in shown
    assert f"Send code from {Path.cwd()} to 127.0.0.1" in shown
    assert len(standin.requests) == 2
    assert "[y/N]" not in on_terminal(b"", "fix", SLUG, "--json")
    assert len(standin.requests) == 4


def on_terminal(answers: bytes, *argv: str) -> str:
    """What a person sees of a command."""
    controller, terminal = pty.openpty()
    try:
        os.write(controller, answers)
        command = [sys.executable, "-m", "pennyproof", *argv]
        subprocess.run(command, stdin=terminal, stderr=terminal, stdout=subprocess.DEVNULL, check=False)
        return os.read(controller, 1 << 16).decode()
    finally:
        os.close(controller)
        os.close(terminal)
