"""``pennyproof complete``, with a stand-in for the model."""

import math
from collections.abc import Iterator

import pytest

from tests.cli.conftest import Run, write
from tests.standin import Reply, Standin

FILES = {"shop.py": "# é😀\ndef f():\n    return a + b\n"}
HERE = "shop.py:2:7"


@pytest.fixture
def standin(monkeypatch: pytest.MonkeyPatch) -> Iterator[Standin]:
    with Standin() as running:
        monkeypatch.setenv("PENNYPROOF_MODEL_BASE_URL", running.url)
        monkeypatch.setenv("DEEPSEEK_API_KEY", running.key)
        yield running


@pytest.fixture
def agreed(run: Run, standin: Standin, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Runs a command of a user who agreed to send code to the stand-in."""
    monkeypatch.setenv("PENNYPROOF_TRUST", "always")
    write(FILES)
    return run


def test_the_text_is_printed(agreed: Run, standin: Standin) -> None:
    standin.add(Reply("a, b):"))
    ran = agreed("complete", HERE)
    assert (ran.code, ran.stdout, ran.stderr) == (0, "a, b\n", "")
    assert standin.requests[0].body["prompt"] == "# shop.py\n# é😀\ndef f("


def test_as_json_positions_are_in_utf16(agreed: Run, standin: Standin) -> None:
    standin.add(Reply(" and more"))
    ran = agreed("complete", "shop.py:1:5", "--json")
    [item] = ran.json["items"]
    assert ran.code == 0
    assert item["text"] == " and more"
    assert item["range"] == {"start": {"line": 0, "character": 5}, "end": {"line": 0, "character": 5}}
    assert item["origin"] == {"tier": "fast", "model": "deepseek-flash", "attempt": 1}
    assert (item["verdict"]["level"], item["verdict"]["ran"]) == ("parses", [])
    assert 0 < ran.json["spent_usd"] < 0.001


@pytest.mark.parametrize("text", ["a b", "", "x=gone"])
def test_what_no_gate_lets_pass_is_nothing(agreed: Run, standin: Standin, text: str) -> None:
    standin.add(Reply(text))
    ran = agreed("complete", HERE, "--json")
    assert (ran.code, ran.json["items"]) == (1, [])
    assert ran.json["spent_usd"] > 0
    assert ran.stderr == "pennyproof: no completion was found\n"


def test_offline_asks_nobody(agreed: Run, standin: Standin) -> None:
    ran = agreed("complete", HERE, "--offline", "--json")
    assert (ran.code, ran.json) == (1, {"items": [], "spent_usd": 0.0})
    assert ran.stderr.count("\n") == 1
    assert "--offline" in ran.stderr
    assert standin.requests == []


@pytest.mark.parametrize("behaviour", ["auth_error", "quota_exceeded", "context_overflow", "vllm_suffix_400"])
def test_a_provider_that_fails_is_one_line(agreed: Run, standin: Standin, behaviour: str) -> None:
    standin.add(Reply(behaviour=behaviour, times=None, seconds=math.inf))
    ran = agreed("complete", HERE)
    assert (ran.code, ran.stdout, ran.stderr.count("\n")) == (2, "", 1)
    assert standin.key not in ran.stderr
    assert list(agreed("complete", HERE, "--json").json) == ["error"]


def test_without_a_key_it_says_which_one(agreed: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DEEPSEEK_API_KEY")
    ran = agreed("complete", HERE)
    assert (ran.code, ran.stderr.count("\n")) == (2, 1)
    assert "DEEPSEEK_API_KEY" in ran.stderr


def test_nothing_is_sent_without_consent(agreed: Run, standin: Standin, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PENNYPROOF_TRUST", "ask")
    ran = agreed("complete", HERE)
    assert (ran.code, ran.stderr.count("\n")) == (2, 1)
    assert "PENNYPROOF_TRUST=always" in ran.stderr
    assert standin.requests == []


@pytest.mark.parametrize(
    ("place", "problem"),
    [
        ("shop.py", "FILE:LINE:COLUMN"),
        ("shop.py:2", "FILE:LINE:COLUMN"),
        ("gone.py:1:1", "no such file"),
        ("shop.py:5:1", "lines 1 to 4"),
        ("shop.py:0:1", "lines 1 to 4"),
        ("shop.py:1:6", "columns 1 to 5"),
        ("../shop.py:1:1", "outside"),
    ],
)
def test_a_place_that_is_none(agreed: Run, standin: Standin, place: str, problem: str) -> None:
    ran = agreed("complete", place)
    assert (ran.code, ran.stderr.count("\n")) == (2, 1)
    assert problem in ran.stderr
    assert standin.requests == []
