"""A window of VS Code in a browser, driven by keys and clicks, read as what is to be seen."""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import quote

from playwright.sync_api import Locator, Page, expect, sync_playwright

from tests.editors.conftest import need
from tests.editors.vscode.server import PATIENCE, CodeServer

_QUIET = ("--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
          "--disable-component-update", "--disable-sync")  # fmt: skip
_STATUS = '.statusbar-item[id^="pennyproof"]'


class Window:
    """What a window shows, and what is done in it."""

    def __init__(self, page: Page, server: CodeServer) -> None:
        self.page = page
        self.server = server

    # Seeing

    @property
    def status(self) -> Locator:
        """The extension's item in the status bar."""
        return self.page.locator(_STATUS)

    @property
    def messages(self) -> Locator:
        """The messages that are shown now."""
        return self.page.locator(".notification-toast .notification-list-item-message")

    def message(self, text: str) -> Locator:
        """The one message that has a text."""
        return self.messages.filter(has_text=text)

    @property
    def ghost_text(self) -> Locator:
        """What a completion shows in the editor."""
        return self.page.locator(".ghost-text-decoration, .ghost-text")

    @property
    def problems(self) -> Locator:
        """What is underlined as an error."""
        return self.page.locator(".squiggly-error")

    @property
    def status_bar(self) -> Locator:
        """The whole status bar."""
        return self.page.locator(".part.statusbar")

    def tab(self, title: str) -> Locator:
        """The tab whose title has a text."""
        return self.page.locator(".tabs-container .tab").filter(has_text=title)

    def test_row(self, file: str, name: str) -> Locator:
        """A test in the Testing view, which is open."""
        rows = self.page.locator(".test-explorer .monaco-list-row")
        rows.filter(has_text=file).click()
        self.page.keyboard.press("ArrowRight")
        return rows.filter(has_text=name)

    def line_of(self, path: Path, text: str) -> int:
        """The line of a file, from one, that has a text."""
        return next(at for at, line in enumerate(path.read_text("utf-8").splitlines(), 1) if text in line)

    def editor(self, path: Path) -> Locator:
        """The editor of a file."""
        return self.page.locator(f'.monaco-editor[data-uri$="{quote(str(path))}"]')

    def text(self, locator: Locator) -> str:
        """The text of an editor's lines that are on the screen."""
        lines = locator.locator(".view-line").all_inner_texts()
        return "\n".join(line.replace("\xa0", " ") for line in lines)

    def ready(self, what: str = "no key") -> None:
        """Wait until the server runs, and its status says something."""
        expect(self.status).to_contain_text(what)

    def until(self, condition: Callable[[], bool], what: str) -> None:
        """Wait for what no element of the page shows, such as a file on disk."""
        for _ in range(int(PATIENCE * 10)):
            if condition():
                return
            self.page.wait_for_timeout(100)
        raise AssertionError(f"{what} did not come; the log says\n{self.server.log()}")

    # Doing

    def command(self, title: str) -> None:
        """Run a command of the palette by its title."""
        self.pick(title, "F1", f">{title}")

    def pick(self, row: str, key: str, text: str) -> None:
        """Open a list by a key, type, and take the row that has a text."""
        box = self.page.locator(".quick-input-widget input")
        self.page.keyboard.press(key)
        expect(box).to_be_visible()
        box.fill(text)
        found = self.page.locator(".quick-input-list .monaco-list-row").filter(has_text=row).first
        found.click()

    def answer(self, text: str) -> None:
        """Fill in the box that asks for something."""
        box = self.page.locator(".quick-input-widget input")
        expect(box).to_be_visible()
        box.fill(text)
        self.page.keyboard.press("Enter")
        expect(box).to_be_hidden()

    def open(self, path: Path) -> Locator:
        """Open a file of the workspace, and put the cursor into it."""
        self.pick(path.name, "Control+p", str(path))
        editor = self.editor(path)
        expect(editor).to_be_visible()
        editor.locator(".view-lines").click()
        return editor

    def go_to(self, line: int, column: int = 1) -> None:
        """Move the cursor of the editor that has the focus."""
        self.page.keyboard.press("Control+g")
        box = self.page.locator(".quick-input-widget input")
        expect(box).to_be_visible()
        box.fill(f":{line}:{column}")
        self.page.keyboard.press("Enter")
        expect(box).to_be_hidden()

    def press(self, *keys: str) -> None:
        """Press keys."""
        for key in keys:
            self.page.keyboard.press(key)

    def type(self, text: str) -> None:
        """Type text, key by key."""
        self.page.keyboard.type(text)

    def choose(self, message: str, button: str) -> None:
        """Press a button of a message."""
        toast = self.page.locator(".notification-toast").filter(has_text=message)
        expect(toast).to_be_visible()
        toast.get_by_role("button", name=button, exact=True).click()

    def preview(self) -> Locator:
        """The rendered page that is shown, once it is there."""
        outer = self.page.frame_locator("iframe.webview.ready").last
        return outer.frame_locator("#active-frame").locator("body")


@contextmanager
def window(server: CodeServer, folder: Path | None = None, file: Path | None = None) -> Iterator[Window]:
    """A window as long as the block lasts.

    Args:
        server: Where it comes from.
        folder: The workspace: a folder, or a file that names several.
        file: What is open in it.
    """
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=need("chromium"), args=list(_QUIET))
        try:
            page = browser.new_page(viewport={"width": 1100, "height": 700})
            page.set_default_timeout(PATIENCE * 1000)
            expect.set_options(timeout=PATIENCE * 1000)
            page.route(lambda url: not url.startswith(server.url), lambda route: route.abort())
            page.goto(address(server, folder, file))
            expect(page.locator(".monaco-workbench")).to_be_visible()
            shown = Window(page, server)
            if file is not None:
                expect(shown.editor(file)).to_be_visible()
                shown.editor(file).locator(".view-lines").click()
            yield shown
        finally:
            browser.close()


def address(server: CodeServer, folder: Path | None, file: Path | None) -> str:
    """What a browser is sent to."""
    what = "workspace" if folder is not None and folder.suffix == ".code-workspace" else "folder"
    query = f"{what}={quote(str(folder))}" if folder is not None else "ew=true"
    if file is not None:
        opened = f"vscode-remote://127.0.0.1:{server.port}{quote(str(file))}"
        query += f"&payload={quote(json.dumps([['openFile', opened]]))}"
    return f"{server.url}/?{query}"
