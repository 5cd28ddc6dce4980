"""Workspaces of all kinds in VS Code: ten roots, one file alone, odd names, CRLF, buffers without a file."""

import json
from pathlib import Path

import pytest
from playwright.sync_api import expect

from tests.editors.conftest import Environ
from tests.editors.vscode.server import code_server
from tests.editors.vscode.window import window

pytestmark = pytest.mark.editors

ALONE = "def add(one, other):\n    return one - other\n"
ITS_TEST = "from adding import add\n\n\ndef test_add():\n    assert add(2, 3) == 5\n"


def test_of_ten_roots_the_one_of_the_current_file_is_meant(environ: Environ, tmp_path: Path) -> None:
    roots = [tmp_path / f"root {number} 'a' \"b\" 中文" for number in range(10)]
    for number, root in enumerate(roots):
        root.mkdir()
        (root / f"test_{number}.py").write_text(f"def test_it():\n    assert {number} == 3\n", "utf-8")
    workspace = tmp_path / "ten.code-workspace"
    workspace.write_text(json.dumps({"folders": [{"path": str(root)} for root in roots]}), "utf-8")
    with code_server(tmp_path, environ) as server, window(server, workspace, roots[7] / "test_7.py") as shown:
        shown.ready()
        shown.command("Pennyproof: Run Tests")
        expect(shown.status_bar).to_contain_text("1 failed, 0 passed")
        expect(shown.problems).to_have_count(1)
        shown.open(roots[3] / "test_3.py")
        shown.command("Pennyproof: Run Tests")
        expect(shown.status_bar).to_contain_text("1 passed")
        expect(shown.messages).to_have_count(0)


def test_one_file_alone_is_mended_and_keeps_its_ends_of_lines(environ: Environ, tmp_path: Path) -> None:
    file = tmp_path / "it's 中文" / "adding.py"
    file.parent.mkdir()
    (file.parent / "test_adding.py").write_text(ITS_TEST, "utf-8")
    file.write_text(ALONE, "utf-8", newline="\r\n")
    with code_server(tmp_path, environ) as server, window(server, None, file) as shown:
        shown.ready()
        # A buffer that was never saved is no file that tests could run.
        shown.command("Create: New File...")
        shown.answer("Text File")
        shown.command("Change Language Mode")
        shown.answer("python")
        shown.type("answer = 4")
        shown.command("Pennyproof: Explain")
        expect(shown.message("save this file first")).to_be_visible()
        expect(shown.messages).to_have_count(1)

        shown.page.get_by_role("tab", name="adding.py").click()
        shown.editor(file).locator(".view-lines").click()
        shown.command("Pennyproof: Find a Verified Fix")
        # Of several fixes one is picked by its evidence.
        offered = shown.page.locator(".quick-input-list .monaco-list-row")
        offered.filter(has_text="replace `-` by `+`: fixes 1 test").first.click()
        expect(shown.tab("replace `-` by `+`: fixes 1 test")).to_be_visible()
        shown.page.get_by_role("button", name="Accept the Fix").click()
        mended = ALONE.replace("one - other", "one + other").replace("\n", "\r\n").encode()
        shown.until(lambda: file.read_bytes() == mended, "the fix on disk")
