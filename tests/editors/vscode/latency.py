"""How long VS Code takes from a keystroke to its ghost text."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from playwright.sync_api import expect

from tests.editors.latency import Sample, answered
from tests.editors.vscode.server import code_server
from tests.editors.vscode.window import Window, window

DEBOUNCE = 0.05
"""Seconds that VS Code waits at least after a keystroke before it asks for inline completions."""

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


def measure(server: Sequence[str], log: Path, file: Path, environ: Mapping[str, str], rounds: int) -> list[Sample]:
    """Type a space at the end of a file, again and again.

    Args:
        server: The command that starts the server, with a clock beside it.
        log: What the clock writes.
        file: A Python file.
        environ: The environment, with the editor in its PATH.
        rounds: How often.
    """
    file.write_text(file.read_text("utf-8") + "\ntotal =", "utf-8")
    settings = {"pennyproofServer.command": [*server], "editor.inlineSuggest.enabled": True}
    with code_server(log.parent, environ, settings=settings) as running, window(running, file.parent, file) as shown:
        shown.ready("deepseek-flash")
        shown.press("Control+End")
        shown.page.evaluate(_WATCH)
        samples = []
        for _ in range(rounds):
            whole = _press_space(shown)
            came, left = list(answered(log))[-1]
            samples.append(Sample(whole, left - came))
            shown.press("Escape", "Backspace")
            expect(shown.ghost_text).to_have_count(0)
        return samples


def _press_space(shown: Window) -> float:
    """Seconds from the key event to the frame that shows the ghost text."""
    shown.press(" ")
    expect(shown.ghost_text.first).to_be_visible()
    taken = shown.page.wait_for_function("() => window.seen.ghost && window.seen.ghost - window.seen.key")
    return float(taken.json_value()) / 1000
