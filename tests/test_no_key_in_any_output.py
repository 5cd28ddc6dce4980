"""A recognisable key, and everything that anybody could read of what the product says, writes down and sends.

Providers that quote the key in every part of their answer stand for all faults; what each of those does to the client
alone is tested beside the client.
"""

import json
import logging
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from pennyproof.cli import main
from pennyproof.errors import NoSandbox
from pennyproof.proof.sandbox import find_sandbox
from tests.lsp.client import Client, ResponseError
from tests.standin import Reply, Script, Standin
from tests.tiers.hosted.test_secrets import KEY, answering, response

PROJECT = {  # Nothing that templates could mend, so that the models are asked at once.
    "shop.py": 'def motto():\n    """What is written above the door."""\n    return ""\n',
    "test_shop.py": "from shop import motto\n\n\ndef test_motto():\n    assert len(motto().split()) > 9\n",
}
FAULTS = {
    "refused": response("401 {key}", "Bearer {key} is wrong, {key}", "x-ds-trace-id: {key}"),
    "moved": response("307 Moved", "", "location: /elsewhere?{key}"),
    "failed midstream": response("200 OK", 'data: {"error": {"message": "{key}", "code": 400}}\n\n'),
}


@pytest.fixture
def root(tmp_path: Path) -> Path:
    folder = tmp_path / "project"
    folder.mkdir()
    for name, text in PROJECT.items():
        (folder / name).write_text(text)
    return folder.resolve()


@pytest.fixture(params=[*FAULTS, "another key", "answers"])
def environ(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Mapping[str, str]]:
    """What points the product at a provider with a fault."""
    try:
        sandbox = find_sandbox().kind
    except NoSandbox:
        sandbox = "off"
    common = {
        "PENNYPROOF_HOME": str(tmp_path / "state"),
        "PENNYPROOF_TRUST": "always",
        "PENNYPROOF_TESTS_PYTHON": sys.executable,
        "PENNYPROOF_TESTS_ON_SAVE": "off",
        "PENNYPROOF_PROOF_SANDBOX": sandbox,
        "PENNYPROOF_PROOF_WORKERS": "1",
        "PENNYPROOF_LOG_LEVEL": "debug",
        "PENNYPROOF_BUDGET_DAILY_USD": "5",
        "DEEPSEEK_API_KEY": KEY,
    }
    if request.param in FAULTS:
        with answering(FAULTS[request.param]) as (url, came):
            yield {**common, "PENNYPROOF_MODEL_BASE_URL": url}
        assert any(KEY.encode() in one for one in came), "the key was not sent, so nothing was tested"
    else:
        key = KEY if request.param == "answers" else "sk-another"
        script = Script((Reply("a plain answer", times=None),), key=key)
        with Standin(script) as standin:
            yield {**common, "PENNYPROOF_MODEL_BASE_URL": standin.url}
        assert standin.requests


def kept(tmp_path: Path) -> str:
    """What is in the state directory and in the project when all is over."""
    files = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert any(path.name == "ledger.sqlite" for path in files)
    return b"\n".join(path.read_bytes() for path in files).decode(errors="replace")


def test_the_command_line(
    root: Path,
    environ: Mapping[str, str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.DEBUG)
    monkeypatch.chdir(root)
    for name, value in environ.items():
        monkeypatch.setenv(name, value)
    commands = [
        ["complete", "shop.py:3:5"],
        ["explain", "shop.py:1-3", "--json"],
        ["fix", "--deadline", "10"],
        ["spend"],
        ["doctor", "--json", "--show-prompt", "shop.py:3"],
    ]
    said = ""
    for command in commands:
        main(command)
        output = capfd.readouterr()
        assert output.out or output.err, command
        said += output.out + output.err
    assert "recognisable" not in said
    assert "recognisable" not in caplog.text
    assert "recognisable" not in kept(tmp_path)


def test_the_server(root: Path, environ: Mapping[str, str], tmp_path: Path) -> None:
    answers: list[Any] = []

    def show(params: Any) -> Any:
        return {"success": True}

    def apply(params: Any) -> Any:
        return {"applied": False}

    with Client(root, environ=environ, handlers={"window/showDocument": show, "workspace/applyEdit": apply}) as client:
        client.initialize()
        uri = client.open(root / "shop.py")
        place = {"start": {"line": 2, "character": 4}, "end": {"line": 2, "character": 13}}

        def ask(method: str, params: Any) -> None:
            try:
                answers.append(client.request(method, params, 120))
            except ResponseError as error:
                answers.append(f"{error} {error.data}")

        def command(name: str, **argument: Any) -> None:
            ask("workspace/executeCommand", {"command": f"pennyproof.{name}", "arguments": [argument]})

        command("runTests")
        command("explain", uri=uri, range=place)
        command("debug", uri=uri, preview=True)
        command("edit", uri=uri, range=place, instruction="write one")
        command("showLastRejections")
        position = {"textDocument": {"uri": uri}, "position": {"line": 2, "character": 4}}
        ask("textDocument/completion", position)
        ask("textDocument/inlineCompletion", {**position, "context": {"triggerKind": 1}})
        command("showSpend")
        client.wait_until(lambda: len(answers) == 8, "the answers")
        told = json.dumps([answers, client.requests, client.notifications])
        client.notifications.clear()
    assert "recognisable" not in told + client.transcript()
    assert "recognisable" not in kept(tmp_path)
