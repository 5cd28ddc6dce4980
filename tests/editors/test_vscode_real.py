"""The scenario of every editor, in VS Code: code-server in a browser."""

from pathlib import Path

import pytest
from playwright.sync_api import expect

from tests.editors.conftest import Environ
from tests.editors.vscode.server import code_server
from tests.editors.vscode.window import window

pytestmark = pytest.mark.editors


def test_a_failing_test_is_seen_debugged_and_mended(project: Path, environ: Environ, tmp_path: Path) -> None:
    test = project / "tests/test_money.py"
    before = (project / "bookshop/money.py").read_text("utf-8")
    with code_server(tmp_path, environ) as server, window(server, project, test) as shown:
        shown.ready()
        shown.command("Pennyproof: Run Tests")
        expect(shown.problems.first).to_be_visible()
        print(shown.text(shown.editor(test)))
        shown.page.screenshot(path="/tmp/shot1.png")
        shown.command("Pennyproof: Find a Verified Fix")
        shown.page.wait_for_timeout(15000)
        shown.page.screenshot(path="/tmp/shot2.png")
        print(shown.messages.all_inner_texts())
        print(server.log()[-3000:])
