"""Plays every scenario file beside this module over the real server in a process of its own."""

import shutil
import sys
from pathlib import Path

import pytest

from tests.lsp.client import CAPABILITIES, Client
from tests.scenarios.editor import Editor
from tests.scenarios.scenario import load

SCENARIOS = sorted(Path(__file__).parent.glob("*.scenario"))
EDITING = {
    "workspace": {
        **CAPABILITIES["workspace"],
        "workspaceEdit": {"documentChanges": True, "changeAnnotationSupport": {}},
    }
}


@pytest.mark.parametrize("path", SCENARIOS, ids=lambda path: path.stem)
def test_scenario(path: Path, tmp_path: Path) -> None:
    scenario = load(path)
    root = (tmp_path / "root").resolve()
    for name, text in scenario.files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text, encoding="utf-8")
    environ = {
        "PENNYPROOF_HOME": str(tmp_path / "state"),
        "PENNYPROOF_TESTS_PYTHON": sys.executable,
        "PENNYPROOF_PROOF_SANDBOX": "auto" if shutil.which("bwrap") else "off",
        "PENNYPROOF_PROOF_WORKERS": "1",
    }
    with Client(root, environ=environ) as client:
        capabilities = {**CAPABILITIES, **EDITING, **(scenario.capabilities or {})}
        settings = {"trust": "always", **(scenario.settings or {})}
        agreed = client.initialize(capabilities, settings)
        editor = Editor(client, root, scenario, agreed["positionEncoding"])
        for step in scenario.steps:
            try:
                editor.do(step)
            except AssertionError as error:
                raise AssertionError(f"{path.name}:{step.line}: {step.verb} {step.rest}: {error}") from error
