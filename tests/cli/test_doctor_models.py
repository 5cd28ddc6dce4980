"""What ``pennyproof doctor`` finds out about hosted models, and what it sends for that."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from pennyproof.assist.trust import ConsentStore
from tests.cli.conftest import Run, write
from tests.standin import Standin

KEY = "recognisable-key-0123456789"


@pytest.fixture(autouse=True)
def standin(tmp_path: Path, run: Run, monkeypatch: pytest.MonkeyPatch) -> Iterator[Standin]:
    """A provider whose key is set."""
    with Standin() as running:
        monkeypatch.setenv("PENNYPROOF_HOME", str(tmp_path / "state"))
        monkeypatch.setenv("PENNYPROOF_MODEL_BASE_URL", running.url)
        monkeypatch.setenv("DEEPSEEK_API_KEY", running.key)
        yield running


def found(run: Run, *argv: str) -> dict[str, tuple[str, str]]:
    checks = run("doctor", "--json", *argv).json["checks"]
    return {check["name"]: (check["state"], check["detail"]) for check in checks}


def host(standin: Standin) -> str:
    return standin.url.removeprefix("http://")


def test_all_is_well(run: Run, standin: Standin) -> None:
    checks = found(run)
    assert checks["key"] == ("ok", "from DEEPSEEK_API_KEY")
    assert checks["endpoint"][0] == "ok"
    assert checks["models"] == ("ok", "deepseek-flash, deepseek-v4-pro")
    assert checks["price"][0] == "ok"
    assert checks["consent"] == ("note", f"you will be asked before code of this folder is sent to {host(standin)}")
    assert checks["budget"][1].startswith("0.5000 of 0.5 USD left today, 0.05 USD for one action")
    assert [(request.method, request.path) for request in standin.requests] == [("GET", "/models")]
    assert standin.requests[0].body == ""


def test_offline_nothing_is_sent(run: Run, standin: Standin) -> None:
    assert found(run, "--offline")["endpoint"][0] == "note"
    assert standin.requests == []


@pytest.mark.parametrize(
    ("variables", "name", "state", "detail"),
    [
        ({"DEEPSEEK_API_KEY": "wrong"}, "endpoint", "problem", "does not accept the key from DEEPSEEK_API_KEY"),
        ({"DEEPSEEK_API_KEY": "two words"}, "key", "problem", "DEEPSEEK_API_KEY holds characters that no key has"),
        ({"DEEPSEEK_API_KEY": ""}, "key", "ok", "none: free tier only; DEEPSEEK_API_KEY lets"),
        ({"PENNYPROOF_MODEL_BASE_URL": "http://127.0.0.1:9"}, "endpoint", "note", "cannot be reached"),
        ({"PENNYPROOF_MODEL_BASE_URL": "http://a:b@host"}, "key", "problem", "holds a user or password"),
        ({"PENNYPROOF_MODEL_FAST": "other"}, "models", "note", "does not list other; it lists deepseek-flash"),
        ({"PENNYPROOF_MODEL_STRONG": "other"}, "price", "problem", "that of other is not known"),
        ({"PENNYPROOF_TRUST": "always"}, "consent", "ok", "you agreed"),
        ({"PENNYPROOF_BUDGET_DAILY_USD": "2"}, "budget", "ok", "2.0000 of 2 USD left today"),
    ],
)
def test_what_is_in_the_way_is_named(
    run: Run, variables: dict[str, str], name: str, state: str, detail: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for variable, value in variables.items():
        monkeypatch.setenv(variable, value)
    checks = run("doctor", "--json").json["checks"]
    matching = [check for check in checks if check["name"] == name and detail in check["detail"]]
    assert [check["state"] for check in matching] == [state], checks


def test_a_no_is_remembered(run: Run, standin: Standin, tmp_path: Path) -> None:
    ConsentStore(tmp_path / "state").remember(Path.cwd(), host(standin), False)
    assert found(run)["consent"] == ("note", f"you said no: no code of this folder is sent to {host(standin)}")


def test_without_a_key_nothing_is_sent(run: Run, standin: Standin, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DEEPSEEK_API_KEY")
    assert "endpoint" not in found(run)
    assert standin.requests == []


def test_a_damaged_ledger_is_told(run: Run, tmp_path: Path) -> None:
    (tmp_path / "state").mkdir()
    (tmp_path / "state" / "ledger.sqlite").write_bytes(b"no ledger " * 1000)
    state, detail = found(run)["budget"]
    assert state == "problem"
    assert detail.endswith("is damaged; the next paid call puts it aside")


def test_the_prompt_is_what_would_be_sent(run: Run, standin: Standin) -> None:
    write({"calc.py": "def half(x):\n    \n\ndef twice(x):\n    return x + x\n"})
    ran = run("doctor", "--json", "--offline", "--show-prompt", "calc.py:2")
    prompt = ran.json["prompt"]
    assert prompt["url"] == f"{standin.url}/beta/completions"
    assert prompt["body"]["prompt"] == "# calc.py\ndef half(x):\n    "
    assert prompt["body"]["suffix"] == "\n\ndef twice(x):\n    return x + x\n"
    shown = run("doctor", "--offline", "--show-prompt", "calc.py:2").stdout
    assert "suffix:\n\n\ndef twice(x):\n    return x + x\n" in shown
    assert standin.key not in shown
    assert standin.requests == []


def test_the_prompt_of_an_ignored_file_is_none(run: Run) -> None:
    write({".gitignore": "local.py\n", "local.py": "x = 1\n"})
    assert (
        json.loads(run("doctor", "--json", "--offline", "--show-prompt", "local.py:1").stdout)["prompt"]["body"] is None
    )
    assert "local.py is ignored" in run("doctor", "--offline", "--show-prompt", "local.py:1").stdout


@pytest.mark.parametrize("place", ["nowhere.py:1", "calc.py", "calc.py:9", "../calc.py:1"])
def test_places_that_do_not_exist(run: Run, place: str) -> None:
    write({"calc.py": "x = 1\n"})
    ran = run("doctor", "--offline", "--show-prompt", place)
    assert (ran.code, ran.stdout, ran.stderr.count("\n")) == (2, "", 1)
