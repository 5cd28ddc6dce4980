"""Real editors, set up by the very files of ``editors/``, and the real server over a copy of the sample project.

An editor that is not installed, or is too old for its file, is skipped; ``editors/README.md`` says how to get them.
"""

import itertools
import json
import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from pennyproof.cli.demo import SAMPLE
from pennyproof.cli.editors import EDITORS
from pennyproof.errors import NoSandbox
from pennyproof.proof.sandbox import find_sandbox

HERE = Path(__file__).parent
SETTINGS = HERE.parents[1] / "editors"
PATIENCE = 90
"""Seconds for a whole session on a slow machine."""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    root = tmp_path / "bookshop"
    shutil.copytree(SAMPLE, root, ignore=shutil.ignore_patterns("__pycache__"))
    # Emacs knows projects by their version control.
    subprocess.run(["git", "init", "-q", str(root)], check=True)
    return root


@pytest.fixture
def environ(tmp_path: Path) -> Mapping[str, str]:
    try:
        sandbox = find_sandbox().kind
    except NoSandbox:
        sandbox = "off"
    kept = {name: value for name, value in os.environ.items() if not name.startswith("PENNYPROOF_")}
    return {
        **kept,
        "HOME": str(tmp_path),
        "XDG_CONFIG_HOME": str(tmp_path / "config"),
        "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
        "PYTHONPATH": str(SETTINGS.parent / "server"),
        "PENNYPROOF_HOME": str(tmp_path / "state"),
        "PENNYPROOF_TRUST": "always",
        "PENNYPROOF_TESTS_PYTHON": sys.executable,
        "PENNYPROOF_TESTS_ON_SAVE": "all",
        "PENNYPROOF_PROOF_SANDBOX": sandbox,
    }


def need(program: str, oldest: tuple[int, ...]) -> str:
    path = shutil.which(program)
    if path is None:
        pytest.skip(f"{program} is not installed")
    told = subprocess.run([path, "--version"], capture_output=True, text=True, check=True).stdout
    version = re.search(r"(\d+)\.(\d+)", told)
    assert version is not None
    if tuple(map(int, version.groups())) < oldest:
        pytest.skip(f"{program} {version[0]} is older than its settings need")
    return path


def play(command: list[str], project: Path, environ: Mapping[str, str]) -> Any:
    ran = subprocess.run(
        command, cwd=project, env=environ, capture_output=True, text=True, timeout=PATIENCE, check=False
    )
    assert ran.returncode == 0, ran.stdout + ran.stderr
    return json.loads(ran.stdout)


def check(seen: Any) -> None:
    assert seen["source"] == "pennyproof"
    assert "OutOfStock" in seen["message"]
    assert seen["titles"][0].startswith("Find a verified fix for test_")
    assert seen["edited"].startswith("bookshop")


def test_neovim(project: Path, environ: Mapping[str, str]) -> None:
    nvim = need("nvim", (0, 11))
    script = ["-c", f"luafile {HERE / 'neovim.lua'}"]
    seen = play([nvim, "--headless", "-n", "-u", str(SETTINGS / "neovim/init.lua"), *script], project, environ)
    check(seen)
    assert {"runTests", "showSpend", "debug"} <= set(seen["commands"])
    assert seen["status"]["proof"] == "on"


def test_emacs(project: Path, environ: Mapping[str, str]) -> None:
    emacs = need("emacs", (29,))
    load = ["-l", str(SETTINGS / "emacs/init.el"), "-l", str(HERE / "emacs.el")]
    check(play([emacs, "-Q", "--batch", *load], project, environ))


class Screen:
    """A program in a terminal of tmux."""

    def __init__(self, socket: Path, command: list[str], project: Path, environ: Mapping[str, str]) -> None:
        self._tmux = ["tmux", "-S", str(socket)]
        size = ["-x", "160", "-y", "50", "-c", str(project)]
        subprocess.run([*self._tmux, "new-session", "-d", *size, *command], env=environ, check=True)

    def text(self) -> str:
        return subprocess.run([*self._tmux, "capture-pane", "-p"], capture_output=True, text=True, check=False).stdout

    def keys(self, *keys: str) -> None:
        subprocess.run([*self._tmux, "send-keys", *keys], check=True)

    def until(self, condition: Callable[[str], bool], *keys: str) -> None:
        """Wait for something to be seen; type keys again every few seconds, where those may come too early."""
        deadline = time.monotonic() + PATIENCE
        for turn in itertools.count():
            if condition(text := self.text()):
                return
            assert time.monotonic() < deadline, text
            if keys and turn % 25 == 0:
                self.keys(*keys)
            time.sleep(0.2)

    def close(self) -> None:
        subprocess.run([*self._tmux, "kill-server"], check=False)


def test_helix(project: Path, environ: Mapping[str, str], tmp_path: Path) -> None:
    hx = need("hx", (25,))
    if shutil.which("tmux") is None:
        pytest.skip("tmux is not installed")
    (tmp_path / "config/helix").mkdir(parents=True)
    shutil.copy(SETTINGS / "helix/languages.toml", tmp_path / "config/helix")
    screen = Screen(tmp_path / "tmux", [hx, "tests/test_stock.py"], project, {**environ, "TERM": "xterm-256color"})
    try:
        screen.until(lambda text: "NOR" in text)
        # A file saved before the server is ready runs no tests.
        screen.until(lambda text: "● 1" in text, ":w", "Enter")
        screen.keys("]", "d")
        screen.until(lambda text: "Failed: DID NOT RAISE OutOfStock" in text)
        screen.keys("Space", "a")
        screen.until(lambda text: "Find a verified fix for test_" in text)
        screen.keys("Enter")

        before = (project / "bookshop/stock.py").read_text()
        screen.until(lambda _: (project / "bookshop/stock.py").read_text() != before, ":wa", "Enter")
    finally:
        screen.close()


@pytest.mark.parametrize("name", EDITORS)
def test_doctor_prints_the_files_that_were_tried(name: str) -> None:
    assert EDITORS[name].settings == (SETTINGS / EDITORS[name].file).read_text("utf-8")
