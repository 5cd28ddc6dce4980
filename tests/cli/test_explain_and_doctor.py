"""``pennyproof explain`` and ``pennyproof doctor`` on a small real project."""

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from pennyproof.cli.editors import EDITORS
from pennyproof.errors import EnvironmentProblem
from tests.cli.conftest import Run, write
from tests.standin import Reply, Standin

PROJECT = {
    "calc.py": "def half(x):\n    third = x / 3\n    return third\n",
    "test_calc.py": "from calc import half\n\ndef test_half():\n    assert half(6) == 3\n",
}


@pytest.mark.parametrize("subject", ["calc.py:1-3", "calc.py:2"])
def test_lines_are_explained_without_running_anything(run: Run, subject: str) -> None:
    write(PROJECT)
    ran = run("explain", subject)
    assert (ran.code, ran.stderr) == (0, "")
    assert "third = x / 3" in ran.stdout


def test_a_file_may_be_named_from_the_current_folder(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    write({"pkg/calc.py": PROJECT["calc.py"]})
    root = Path.cwd()
    monkeypatch.chdir("pkg")
    for subject in ("calc.py:2", "pkg/calc.py:2", f"{root}/pkg/calc.py:2"):
        ran = run("explain", subject, "--root", str(root), "--json")
        assert ran.code == 0
        assert ran.json["references"][0]["path"] == "pkg/calc.py"
        assert (ran.json["claims"], ran.json["origin"], ran.json["spent_usd"]) == ([], None, 0.0)


def test_a_failing_test_is_explained(trusted: Run) -> None:
    write({**PROJECT, "conftest.py": ""})
    ran = trusted("explain", "test_calc.py::test_half")
    assert (ran.code, ran.stderr) == (0, "")
    assert "assert half(6) == 3" in ran.stdout


def test_an_unknown_test_is_not_explained(trusted: Run) -> None:
    write(PROJECT)
    ran = trusted("explain", "test_calc.py::test_nothing")
    assert (ran.code, ran.stdout, ran.stderr.count("\n")) == (2, "", 1)
    assert "test_calc.py::test_nothing" in ran.stderr


def states(document: dict[str, list[dict[str, str]]]) -> dict[str, str]:
    return {check["name"]: check["state"] for check in document["checks"]}


def test_doctor_finds_what_works(trusted: Run, sandbox: str) -> None:
    write(PROJECT)
    ran = trusted("doctor", "--json")
    assert (ran.code, ran.stderr) == (0, "")
    found = states(ran.json)
    expected = dict.fromkeys(("interpreter", "trust", "pytest", "state", "ruff", "workers", "key"), "ok")
    assert expected.items() <= found.items()
    assert found["sandbox"] == ("note" if sandbox == "off" else "ok")
    assert {"filesystem", "network", "processes", "memory", "environment", "signals"} <= found.keys()
    assert found["filesystem"] == found["sandbox"]


def test_doctor_runs_nothing_of_an_untrusted_project(run: Run, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    trap = tmp_path / "ran"
    write({".venv/bin/python": f"#!/bin/sh\ntouch {trap}\n", ".venv/pyvenv.cfg": f"home = {sys.prefix}/bin\n"})
    Path(".venv/bin/python").chmod(0o755)
    monkeypatch.setenv("PENNYPROOF_TESTS_PYTHON", ".venv")
    found = states(run("doctor", "--json").json)
    assert found["trust"] == "note"
    assert found.get("pytest", "note") == "note"
    assert not trap.exists()


def test_doctor_never_shows_a_key(trusted: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DEEPSEEK_API_KEY", "sk-very-secret")
    ran = trusted("doctor", "--offline")
    assert "from DEEPSEEK_API_KEY" in ran.stdout
    assert "sk-very-secret" not in ran.stdout + ran.stderr


def test_doctor_names_what_is_missing(trusted: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PENNYPROOF_TESTS_PYTHON", "nowhere/python")
    ran = trusted("doctor")
    assert ran.code == 2
    assert "✗ interpreter" in ran.stdout
    assert "nowhere/python" in ran.stdout


def test_doctor_tells_of_a_cluster_that_cannot_be_reached(trusted: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(executor: str) -> None:
        raise EnvironmentProblem(f"no scheduler answers at {executor}")

    monkeypatch.setattr("pennyproof.proof.crew.connect", refuse)
    monkeypatch.setenv("PENNYPROOF_PROOF_EXECUTOR", "dask://nowhere:1")
    (told,) = [check for check in trusted("doctor", "--json").json["checks"] if check["name"] == "cluster"]
    assert (told["state"], "no scheduler answers" in told["detail"]) == ("note", True)


@pytest.mark.parametrize("name", EDITORS)
def test_doctor_has_settings_for_editors(trusted: Run, name: str) -> None:
    hint = EDITORS[name]
    assert "serve" in hint.settings
    ran = trusted("doctor", "--editor", name)
    assert ran.stdout.endswith(f"{hint.where}\n\n{hint.settings}")


@pytest.fixture
def standin(monkeypatch: pytest.MonkeyPatch) -> Iterator[Standin]:
    """A model that explains everything in the same words; the user agreed to ask it."""
    with Standin([Reply("It takes a third, not a half: `calc.py:2`, `gone.py:9`.", times=None)]) as standin:
        monkeypatch.setenv("PENNYPROOF_MODEL_BASE_URL", standin.url)
        monkeypatch.setenv("DEEPSEEK_API_KEY", standin.key)
        monkeypatch.setenv("PENNYPROOF_TRUST", "always")
        monkeypatch.setenv("LC_ALL", "fr_FR.UTF-8")
        yield standin


def test_a_model_explains_in_the_users_language(run: Run, standin: Standin) -> None:
    write(PROJECT)
    document = run("explain", "calc.py:1-3", "--json").json
    assert document["markdown"].startswith(
        "# `calc.py:1–3`\n\nIt takes a third, not a half: `calc.py:2`,.\n\n*Written by"
    )
    assert "third = x / 3" in document["markdown"]
    assert document["references"][0] == {"path": "calc.py", "line": 2}
    assert document["origin"] == {"tier": "fast", "model": "deepseek-flash", "attempt": 1}
    assert (document["claims"], document["spent_usd"] > 0) == ([], True)
    assert "the tag fr-FR" in str(standin.requests[0].body)


def test_offline_no_model_is_asked(run: Run, standin: Standin) -> None:
    write(PROJECT)
    ran = run("explain", "calc.py:1-3", "--offline")
    assert (ran.code, standin.requests) == (0, [])
    assert "model" not in ran.stdout


def test_without_a_key_one_line_says_so(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DEEPSEEK_API_KEY", raising=False)
    write(PROJECT)
    ran = run("explain", "calc.py:1-3")
    assert (ran.code, ran.stderr) == (0, "")
    assert "third = x / 3" in ran.stdout
    assert ran.stdout.splitlines()[-1].startswith("*No model has explained this: there is no key for api.deepseek.com")
