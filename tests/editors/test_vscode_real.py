"""A day's work in VS Code: code-server in a browser, driven by keys and clicks."""

import math
from pathlib import Path

import pytest
from playwright.sync_api import expect

from tests.editors.conftest import Environ, StartModel
from tests.editors.vscode.pictures import picture
from tests.editors.vscode.server import code_server
from tests.editors.vscode.window import Window, window
from tests.standin import Reply

pytestmark = pytest.mark.editors

WEEK = "test_a_week_has_seven_days"
EVIDENCE = "fixes 1 test, breaks 0 of 72 that ran"
AREA = "def area(width: int, height: int) -> int:\n    return "


def run_tests(shown: Window) -> None:
    """Run them all, and wait until the failing ones are known."""
    shown.command("Pennyproof: Run Tests")
    expect(shown.status_bar).to_contain_text("9 failed, 63 passed")


def test_a_failing_test_is_seen_explained_debugged_and_mended(project: Path, environ: Environ, tmp_path: Path) -> None:
    test, source = project / "tests/test_periods.py", project / "bookshop/periods.py"
    before = source.read_text("utf-8")
    with code_server(tmp_path, environ) as server, window(server, project, test) as shown:
        # No key: the status says so, and nothing else does.
        shown.ready("no key")
        run_tests(shown)
        expect(shown.problems).to_have_count(1)
        expect(shown.messages).to_have_count(0)

        # In the Testing view, with a button beside it.
        shown.page.get_by_role("tab", name="Testing").click()
        row = shown.test_row("tests/test_periods.py", WEEK)
        row.hover()
        picture(shown, "testing", {"x": 0, "y": 36, "width": 720, "height": 300})
        row.get_by_role("button", name="Debug with Pennyproof").click()

        # A fix is a diff whose title is its evidence. Rejected, it changes nothing.
        expect(shown.tab(EVIDENCE)).to_be_visible()
        expect(shown.page.locator(".monaco-diff-editor .line-insert").first).to_be_visible()
        shown.press("Control+b")
        expect(shown.page.locator(".monaco-diff-editor.side-by-side")).to_be_visible()
        picture(shown, "diff", {"x": 52, "y": 36, "width": 1048, "height": 390})
        shown.press("Control+b")
        shown.page.get_by_role("button", name="Reject the Fix").click()
        expect(shown.tab(EVIDENCE)).to_have_count(0)
        assert source.read_text("utf-8") == before

        # The explanation is a page to read.
        shown.page.get_by_role("tab", name="Explorer").click()
        shown.open(test)
        shown.go_to(shown.line_of(test, f"def {WEEK}") + 1, 5)
        shown.press("Control+.")
        bulb = shown.page.locator(".action-widget .monaco-list-row")
        expect(bulb.filter(has_text=EVIDENCE).first).to_be_visible()
        picture(shown, "light-bulb", {"x": 190, "y": 330, "width": 910, "height": 170})
        bulb.filter(has_text=f"Explain the failure of {WEEK}").click()
        expect(shown.preview()).to_contain_text(f"{WEEK} fails")
        picture(shown, "explanation", {"x": 325, "y": 36, "width": 775, "height": 420})

        # Asked for from the palette, accepted by a key, it is in the file on disk, and the test passes.
        shown.open(test)
        shown.go_to(shown.line_of(test, f"def {WEEK}"), 1)
        shown.press("Shift+ArrowDown", "Shift+ArrowDown")
        shown.command("Pennyproof: Find a Verified Fix")
        expect(shown.page.get_by_role("button", name="Accept the Fix")).to_be_visible()
        shown.press("Control+Enter")
        expect(shown.tab(EVIDENCE)).to_have_count(0)
        shown.until(lambda: source.read_text("utf-8") != before, "the fix on disk")
        expect(shown.editor(source)).to_be_visible()
        shown.open(test)
        expect(shown.problems).to_have_count(0)
        shown.page.get_by_role("tab", name="Testing").click()
        expect(
            shown.page.locator(".test-explorer .monaco-list-row").filter(has_text="test_periods.py")
        ).to_contain_text("test_periods.py")
        expect(shown.page.locator(".test-explorer .testing-run-icon, .test-explorer .codicon-testing-passed-icon").first
               ).to_be_visible()  # fmt: skip

        # What was accepted is counted.
        shown.status.click()
        expect(shown.preview()).to_contain_text("1 offer")


def test_completions_are_shown_dismissed_and_accepted_with_a_key_of_the_secret_storage(
    environ: Environ, start_model: StartModel, tmp_path: Path
) -> None:
    folder = tmp_path / "shop with 'quotes\" and 中文"
    folder.mkdir()
    file = folder / "area.py"
    file.write_text(AREA, "utf-8")
    model = start_model(Reply("width * height", route="fim", times=None))
    del environ["DEEPSEEK_API_KEY"]
    with code_server(tmp_path, environ) as server, window(server, folder, file) as shown:
        shown.ready("no key")
        shown.command("Pennyproof: Set API Key")
        shown.answer("sk-wrong")
        shown.ready("deepseek-flash")

        # A key that is wrong is told once, however much is typed, with what to do about it.
        shown.press("Control+End", "Backspace")
        shown.type(" ")
        expect(shown.message("does not accept")).to_be_visible()
        shown.press("Backspace")
        shown.type(" ")
        expect(shown.messages).to_have_count(1)
        assert shown.text(shown.editor(file)).endswith("return ")
        shown.choose("does not accept", "Set API Key")
        shown.answer(model.key)
        shown.until(lambda: server.log().count("[info] starting ") == 3, "a server with the other key")
        shown.ready("deepseek-flash")

        # Shown while one types, dismissed by Escape, and accepted by Tab.
        shown.press("Control+End", "Backspace")
        shown.type(" ")
        expect(shown.ghost_text.first).to_contain_text("width")
        picture(shown, "ghost-text", {"x": 325, "y": 36, "width": 775, "height": 160})
        shown.press("Escape")
        expect(shown.ghost_text).to_have_count(0)
        assert shown.text(shown.editor(file)).endswith("return ")
        shown.command("Trigger Inline Suggestion")
        expect(shown.ghost_text.first).to_contain_text("width")
        shown.press("Tab")
        expect(shown.ghost_text).to_have_count(0)
        shown.press("Control+s")
        shown.until(lambda: file.read_text("utf-8") == f"{AREA}width * height", "the completion on disk")

        # The key is in no file of the user's, and what was taken is counted.
        shown.status.click()
        expect(shown.preview()).to_contain_text("1 completion")
        kept = [path for path in (tmp_path / "data/User").rglob("*") if path.is_file()]
        assert [path for path in kept if model.key.encode() in path.read_bytes()] == []
        shown.command("Pennyproof: Remove API Key")
        shown.ready("no key")


def test_a_search_can_be_cancelled_and_text_that_changes_meanwhile_is_kept(
    project: Path, environ: Environ, start_model: StartModel, tmp_path: Path
) -> None:
    # The one failing test here is for a model, which does not answer.
    start_model(Reply("", first_token_seconds=math.inf, times=None))
    (project / "bookshop/taste.py").write_text('def taste():\n    """Of a madeleine."""\n', "utf-8")
    test = project / "tests/test_taste.py"
    test.write_text(
        "from bookshop.taste import taste\n\n\ndef test_taste():\n    assert 'tea' in taste(1).split('-', 2)[1]\n",
        "utf-8",
    )
    with code_server(tmp_path, environ) as server, window(server, project, test) as shown:
        shown.ready("deepseek-flash")
        shown.go_to(5)
        shown.press("Shift+End")
        shown.command("Pennyproof: Find a Verified Fix")
        toast = shown.page.locator(".notification-toast").filter(has_text="Looking for a fix")
        expect(toast).to_be_visible()
        shown.press("Control+End")
        shown.type("# typed meanwhile")
        toast.get_by_role("button", name="Cancel").click()
        expect(toast).to_have_count(0)
        shown.ready("deepseek-flash")
        assert "# typed meanwhile" in shown.text(shown.editor(test))
        expect(shown.messages).to_have_count(0)
