"""How long Neovim takes from a keystroke to its ghost text."""

import json
import subprocess
from collections.abc import Sequence
from pathlib import Path

from tests.editors.conftest import EDITORS, Environ
from tests.editors.latency import Sample, answered

DEBOUNCE = 0.2
"""Seconds that Neovim waits after a keystroke: ``vim/lsp/inline_completion.lua``, ``Completor:automatic_request``."""
_PATIENCE = 600
_SCRIPT = Path(__file__).with_name("latency.lua")


def measure(server: Sequence[str], log: Path, file: Path, environ: Environ, rounds: int) -> list[Sample]:
    """Type at the end of a file.

    Args:
        server: The command that starts the server, with a clock beside it.
        log: What the clock writes.
        file: A Python file.
        environ: The environment, with the editor in its PATH.
        rounds: How often.
    """
    seen = file.parent / "seen.json"
    setup = "lua require('pennyproof').setup({ cmd = vim.json.decode(vim.env.SERVER) })"
    command = ["nvim", "--headless", "-n", "--clean", "--cmd", f"set runtimepath^={EDITORS / 'neovim'}"]
    command += ["--cmd", setup, "-c", f"luafile {_SCRIPT}", str(file)]
    known = {**environ, "ROUNDS": str(rounds), "SEEN": str(seen), "SERVER": json.dumps([*server])}
    subprocess.run(command, cwd=file.parent, env=known, check=True, capture_output=True, timeout=_PATIENCE)
    # Neovim's clock is the same one: it tells which request it was whose answer is shown.
    spans, samples = list(answered(log)), []
    for pressed, shown in ((pressed / 1e9, shown / 1e9) for pressed, shown in json.loads(seen.read_text("utf-8"))):
        within = [left - came for came, left in spans if came >= pressed and left <= shown]
        if within:
            samples.append(Sample(shown - pressed, within[-1]))
    return samples
