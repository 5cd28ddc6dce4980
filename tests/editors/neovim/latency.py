"""How long Neovim takes from a keystroke to its ghost text."""

import json
import subprocess
from collections.abc import Sequence
from pathlib import Path

from tests.editors.conftest import EDITORS, Environ

DEBOUNCE = 0.2
"""Seconds that Neovim waits after a keystroke: ``vim/lsp/inline_completion.lua``, ``Completor:automatic_request``."""
_PATIENCE = 600
_SCRIPT = Path(__file__).with_name("latency.lua")


def measure(server: Sequence[str], file: Path, environ: Environ, rounds: int) -> list[tuple[float, float]]:
    """Type at the end of a file.

    Args:
        server: The command that starts the server.
        file: A Python file.
        environ: The environment, with the editor in its PATH.
        rounds: How often.

    Returns:
        When each key was pressed and when its completion was shown, in seconds of the monotonic clock.
    """
    seen = file.parent / "seen.json"
    setup = "lua require('pennyproof').setup({ cmd = vim.json.decode(vim.env.SERVER) })"
    command = ["nvim", "--headless", "-n", "--clean", "--cmd", f"set runtimepath^={EDITORS / 'neovim'}"]
    command += ["--cmd", setup, "-c", f"luafile {_SCRIPT}", str(file)]
    known = {**environ, "ROUNDS": str(rounds), "SEEN": str(seen), "SERVER": json.dumps([*server])}
    subprocess.run(command, cwd=file.parent, env=known, check=True, capture_output=True, timeout=_PATIENCE)
    moments = json.loads(seen.read_text("utf-8"))
    return [(pressed / 1e9, shown / 1e9) for pressed, shown in moments]
