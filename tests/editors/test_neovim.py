"""Neovim, set up by its page's own steps, with the real server: whole sessions, and what goes wrong in them.

The sessions are Lua scripts in ``neovim/``; each hands over what it saw.
"""

import json
import re
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.editors.conftest import EDITORS, ROOT, Environ, need

pytestmark = pytest.mark.editors

SCRIPTS = Path(__file__).with_name("neovim")
PAGE = EDITORS / "neovim/README.md"
_PATIENCE = 300
"""Seconds for a whole session on a slow machine; what is waited for in it gives up sooner."""

Play = Callable[..., Any]


@pytest.fixture
def install(environ: Environ) -> None:
    """The plugin, by the steps of its page for Neovim's own packages, from a checkout in the home folder."""
    home = Path(environ["HOME"])
    (home / "pennyproof").symlink_to(ROOT)
    steps = re.search(r"<!-- tested -->\n```sh\n(.*?)```", PAGE.read_text("utf-8"), re.DOTALL)
    assert steps is not None
    subprocess.run(["sh", "-eu", "-c", steps[1]], env=environ, cwd=home, check=True)


@pytest.fixture
def play(install: None, environ: Environ, tmp_path: Path) -> Play:
    """``play("scenario", folder, **variables)`` plays a session, and returns what it saw."""

    def run(script: str, folder: Path, **variables: str) -> Any:
        seen = tmp_path / "seen.json"
        known = {**environ, **variables, "SEEN": str(seen)}
        path = f"lua package.path = [[{SCRIPTS}/?.lua;]] .. package.path"
        command = [need("nvim"), "--headless", "-n", "--cmd", path, "-c", f"luafile {SCRIPTS / script}.lua"]
        ran = subprocess.run(
            command, cwd=folder, env=known, capture_output=True, text=True, timeout=_PATIENCE, check=False
        )
        assert ran.returncode == 0, ran.stderr
        return json.loads(seen.read_text("utf-8"))

    return run


def test_a_fix_is_looked_at_and_taken(play: Play, project: Path) -> None:
    # A path that has all that quoting can go wrong with, and a file of Windows.
    folder = project.rename(project.parent / "it's a \"bookshop\" 中文")
    stock = folder / "bookshop/stock.py"
    stock.write_bytes(stock.read_bytes().replace(b"\n", b"\r\n"))

    seen = play("scenario", folder)

    assert re.search(r"\d+ failed, \d+ passed in", seen["tests"])
    assert seen["diagnostic"] == {"source": "pennyproof", "message": "Failed: DID NOT RAISE OutOfStock"}
    assert seen["status"].startswith("free tier · $0.0000")
    assert {"debug", "explain", "edit", "tests", "spend", "rejections", "cancel"} <= set(seen["subcommands"])
    assert seen["completed"] == ["tests/test_stock.py::test_a_copy_is_promised_once_only"]
    assert re.search(r"fixes \d+ tests?, breaks 0 of \d+", seen["preview"]["title"])
    assert "+        if copies > shelf.available:" in seen["preview"]["text"]
    assert "a accepts" in seen["preview"]["footer"]
    assert seen["after_rejecting"] is False
    assert seen["preview"]["title"].strip() in seen["titles"]
    assert "bookshop/stock.py" in seen["applied"]
    assert b"if copies > shelf.available:\r\n" in stock.read_bytes()
    assert stock.read_bytes().count(b"\n") == stock.read_bytes().count(b"\r\n")
    assert "stock" in seen["explanation"]["text"]
    assert seen["rejections"]["title"].strip() == "Rejected candidates"
    assert seen["spending"]["text"]
    health = seen["health"]
    assert "shows ghost text" in health
    assert "a server for" in health
    assert "key: none" in health
    assert "ERROR" not in health


def test_the_help_file_has_its_tags(tmp_path: Path) -> None:
    doc = tmp_path / "doc"
    shutil.copytree(EDITORS / "neovim/doc", doc)
    command = [need("nvim"), "--headless", "--clean", "-c", f"helptags {doc}", "-c", "qall"]
    ran = subprocess.run(command, capture_output=True, text=True, check=True)
    assert ran.stderr == ""
    tags = {line.split("\t")[0] for line in (doc / "tags").read_text("utf-8").splitlines()}
    text = (doc / "pennyproof.txt").read_text("utf-8")
    assert set(re.findall(r"\|(\S+?)\|", text)) <= tags
    subcommands = set(re.findall(r"^  (\w+) = \{$", (EDITORS / "neovim/lua/pennyproof/commands.lua").read_text(), re.M))
    assert {f":Pennyproof-{name}" for name in subcommands} <= tags
