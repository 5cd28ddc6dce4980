"""Pictures for the extension's page, taken by the tests where PENNYPROOF_PICTURES says so."""

import os

from playwright.sync_api import FloatRect

from tests.editors.vscode.server import EXTENSION
from tests.editors.vscode.window import Window


def picture(shown: Window, name: str, clip: FloatRect) -> None:
    """Keep a part of the window as ``images/NAME.png``."""
    if os.environ.get("PENNYPROOF_PICTURES"):
        folder = EXTENSION / "images"
        folder.mkdir(exist_ok=True)
        shown.page.screenshot(path=folder / f"{name}.png", clip=clip, animations="disabled")
