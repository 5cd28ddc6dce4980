"""How long VS Code takes from a key stroke to ghost text: ``measure``, for the table of the benchmarks."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from playwright.sync_api import expect

from tests.editors.vscode.server import code_server
from tests.editors.vscode.window import Window, window

EDITOR_DEBOUNCE_MS = 50
"""The least that VS Code itself waits after a key stroke before it asks for inline completions."""

_WATCH = """() => {
    window.seen = {};
    addEventListener("keydown", event => { if (event.key === " ") window.seen = {key: performance.now()}; }, true);
    new MutationObserver(() => {
        if (window.seen.key && !window.seen.ghost && document.querySelector(".ghost-text-decoration, .ghost-text")) {
            requestAnimationFrame(() => { window.seen.ghost ??= performance.now(); });
        }
    }).observe(document.body, {subtree: true, childList: true, attributes: true, attributeFilter: ["class"]});
}"""
"""Runs in the page: notes when a space is pressed, and when ghost text has been drawn first after that."""

_TRACE = re.compile(r"Received response 'textDocument/inlineCompletion - \(\d+\)' in (\d+)ms")


@dataclass(frozen=True, slots=True)
class Sample:
    """One key stroke; times in milliseconds."""

    whole: float
    """From the key event to the frame that shows the ghost text."""
    server: float
    """Of it, from the request to the response, as the client's trace has it."""

    @property
    def editor(self) -> float:
        """What editor and client take, the editor's own debounce among it."""
        return self.whole - self.server


def measure(folder: Path, environ: Mapping[str, str], rounds: int = 20) -> Sequence[Sample]:
    """Type a space where the model has an answer, again and again.

    Args:
        folder: A temporary folder.
        environ: Of the editor: names the stand-in for the model and its key, and trusts the workspace.
        rounds: How many key strokes.
    """
    project = folder / "project"
    project.mkdir()
    file = project / "area.py"
    file.write_text("def area(width: int, height: int) -> int:\n    return", "utf-8")
    settings = {"pennyproof.trace.server": "messages", "editor.inlineSuggest.enabled": True}
    with code_server(folder, environ, settings=settings) as server, window(server, project, file) as shown:
        shown.ready("deepseek-flash")
        shown.command("Developer: Set Log Level...")
        shown.answer("Pennyproof")
        shown.answer("Trace")
        shown.press("Control+End")
        shown.page.evaluate(_WATCH)
        samples = []
        for _ in range(rounds):
            known = len(_times(server.log()))
            whole = _press_space(shown)
            shown.until(lambda known=known: len(_times(server.log())) > known, "the trace of a completion")
            samples.append(Sample(whole, _times(server.log())[-1]))
            shown.press("Escape", "Backspace")
            expect(shown.ghost_text).to_have_count(0)
        return samples


def _press_space(shown: Window) -> float:
    shown.press(" ")
    expect(shown.ghost_text.first).to_be_visible()
    taken = shown.page.wait_for_function("() => window.seen.ghost && window.seen.ghost - window.seen.key")
    return float(taken.json_value())


def _times(log: str) -> list[float]:
    return [float(text) for text in _TRACE.findall(log)]
