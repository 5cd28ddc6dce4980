"""Neovim, set up by its page's own steps, with the real server: whole sessions, and what goes wrong in them.

The sessions are Lua scripts in ``neovim/``; each hands over what it saw.
"""

import json
import math
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.editors.conftest import EDITORS, Environ, StartModel, need
from tests.editors.neovim.session import configure, install
from tests.standin import Reply
from tests.words import MENDED_BY_FAST, WORDS

pytestmark = pytest.mark.editors

SCRIPTS = Path(__file__).with_name("neovim")
_PATIENCE = 300
"""Seconds for a whole session on a slow machine; what is waited for in it gives up sooner."""

Play = Callable[..., Any]


@pytest.fixture
def play(environ: Environ, tmp_path: Path) -> Play:
    """``play("scenario", folder, **variables)`` plays a session, and returns what it saw."""
    install(environ)

    def run(script: str, folder: Path, **variables: str) -> Any:
        seen = tmp_path / "seen.json"
        known = {**environ, **variables, "SEEN": str(seen)}
        path = f"lua package.path = [[{SCRIPTS}/?.lua;]] .. package.path"
        start = f"lua require('support').play([[{SCRIPTS / script}.lua]])"
        command = [need("nvim"), "--headless", "-n", "--cmd", path, "-c", start]
        ran = subprocess.run(
            command, cwd=folder, env=known, capture_output=True, text=True, timeout=_PATIENCE, check=False
        )
        assert ran.returncode == 0, ran.stderr
        return json.loads(seen.read_text("utf-8"))

    return run


def test_a_fix_is_looked_at_and_taken(play: Play, project: Path) -> None:
    # A path that has all that quoting can go wrong with, and a file of Windows.
    folder = project.rename(project.parent / 'it\'s a "bookshop" 中文')
    stock = folder / "bookshop/stock.py"
    stock.write_bytes(stock.read_bytes().replace(b"\n", b"\r\n"))

    seen = play("scenario", folder)

    assert re.search(r"\d+ failed, \d+ passed in", seen["tests"])
    assert seen["diagnostic"] == {"source": "pennyproof", "message": "Failed: DID NOT RAISE OutOfStock"}
    assert seen["status"].startswith("free tier · $0.0000")
    assert {"debug", "explain", "edit", "tests", "spend", "rejections", "cancel"} <= set(seen["subcommands"])
    assert seen["completed"] == ["tests/test_stock.py::test_a_copy_is_promised_once_only"]
    assert "n next · p previous (1 of " in seen["first"]["footer"]
    assert "(2 of " in seen["second"]["footer"]
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


def test_a_server_that_is_killed_comes_back_and_one_that_keeps_ending_stays_away(play: Play, project: Path) -> None:
    seen = play("killed", project)
    assert "ask again once it is back" in seen["lost"]
    assert seen["before_giving_up"] == 0
    assert "the server ended 4 times, at last with signal 9" in seen["gave_up"]
    assert "`:Pennyproof restart`" in " ".join(seen["messages"])
    assert (seen["servers"], seen["times"], seen["without"]) == (0, 1, "")
    assert seen["status"].startswith("free tier")
    assert seen["text"] == "# Not saved."


_OLD = """\
import sys
import pennyproof
pennyproof.__version__ = "0.0.9"
from pennyproof.cli import main
sys.exit(main())
"""


@pytest.mark.parametrize(
    ("program", "says", "health"),
    [
        (None, "was not found. Install it with `pipx install pennyproof`", "was not found"),
        (f"#!{sys.executable}\n{_OLD}", "the server is version 0.0.9, and this plugin needs", "is version 0.0.9"),
        ("#!/bin/sh\nexit 3\n", "the server ended 4 times, at last with exit code 3", "tells no version"),
    ],
    ids=["missing", "too old", "crashing at start"],
)
def test_a_server_that_cannot_be_used_is_told_of_once(
    program: str | None, says: str, health: str, play: Play, project: Path, tmp_path: Path, environ: Environ
) -> None:
    broken = tmp_path / "broken server"
    if program is not None:
        broken.write_text(program, "utf-8")
        broken.chmod(0o755)
    configure(environ, f'require("pennyproof").setup({{ cmd = {{ "{broken}", "serve" }} }})\n')
    mended = shutil.which("pennyproof", path=environ["PATH"])
    assert mended is not None

    seen = play("trouble", project, SAYS=says, MENDED=mended)

    assert (seen["times"], seen["of_neovim"]) == (1, 0)
    assert health in seen["health"]
    assert "ERROR" in seen["health"]


def test_workspaces_and_buffers_that_are_not_as_usual(play: Play, project: Path, tmp_path: Path) -> None:
    second = tmp_path / "second"
    shutil.copytree(project, second)
    alone = tmp_path / "alone/test_alone.py"
    alone.parent.mkdir()
    alone.write_text("def test_alone():\n    assert 1 + 1 == 3\n", "utf-8")

    seen = play("odd", project, ALONE=str(alone), SECOND=str(second))

    assert seen["unsaved"].count("Pennyproof") == 1
    assert "1 failed, 0 passed" in seen["alone"]
    assert seen["roots"] == [str(project), str(second)]
    assert (seen["third"]["passed"], len(seen["third"]["failed"])) == (0, 1)
    assert seen["other_attached"] is True
    assert seen["status"].startswith("free tier")
    assert seen["text"].startswith("# Typed while it was shown.\n# Typed while it searched.\n")
    assert "if copies > shelf.on_hand:" in seen["text"]


def test_code_of_an_untrusted_workspace_runs_once_the_user_agrees(play: Play, project: Path, environ: Environ) -> None:
    # Set up as `pennyproof doctor --editor neovim` prints it, without the step of the page.
    (Path(environ["HOME"]) / ".local/share/nvim/site/pack/pennyproof/start/pennyproof").unlink()
    configure(environ, (EDITORS / "neovim/init.lua").read_text("utf-8"))
    seen = play("trust", project, PENNYPROOF_TRUST="ask")
    assert len(seen["questions"]) == 1
    assert str(project) in seen["questions"][0]["prompt"]
    assert seen["questions"][0]["titles"][1:] == ["Not now", "Never"]


@pytest.fixture
def words(tmp_path: Path) -> Path:
    """A project that only models can mend."""
    root = tmp_path / "project"
    for path, text in WORDS.items():
        if "proust" in path:
            continue
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(text, "utf-8")
    subprocess.run(["git", "init", "-q", str(root)], check=True)
    return root


_EXPLAINED = "In short, `slug` is to make a part of a URL of a title, and does nothing yet."


def test_what_models_write_is_offered_explained_and_cancelled(play: Play, words: Path, start_model: StartModel) -> None:
    explained = Reply(_EXPLAINED, when="You explain code")
    model = start_model(*MENDED_BY_FAST, explained, Reply("", first_token_seconds=math.inf, times=None))

    seen = play("models", words)

    assert "fixes 1 test" in seen["preview"]["title"]
    assert "words/slug.py" in seen["applied"]
    assert "letter.isalnum()" in (words / "words/slug.py").read_text("utf-8")
    assert "deepseek-flash · $0.0" in seen["status"]
    assert _EXPLAINED.partition(",")[0] in seen["explanation"]["text"]
    assert model.key not in json.dumps(seen)


def test_a_key_that_is_wrong_is_told_of_in_one_message(
    play: Play, words: Path, start_model: StartModel, environ: Environ
) -> None:
    start_model()
    environ["DEEPSEEK_API_KEY"] = "sk-wrong"
    seen = play("wrong_key", words)
    assert "key" in seen["told"]
    assert sum(line.startswith("Pennyproof: ") for line in seen["messages"]) == 1
    assert "sk-wrong" not in json.dumps(seen)


def test_a_neovim_that_is_too_old_is_told_so_once(play: Play, project: Path) -> None:
    seen = play("old", project)
    assert (seen["command"], seen["servers"]) == (0, 0)
    assert seen["messages"] == ["Pennyproof needs Neovim 0.11 or newer; this one is older, so it stays off"]


def test_the_help_file_has_its_tags(tmp_path: Path) -> None:
    doc = tmp_path / "doc"
    shutil.copytree(EDITORS / "neovim/doc", doc)
    command = [need("nvim"), "--headless", "--clean", "-c", f"helptags {doc}", "-c", "qall"]
    ran = subprocess.run(command, capture_output=True, text=True, check=True)
    assert ran.stderr == ""
    tags = {line.split("\t")[0] for line in (doc / "tags").read_text("utf-8").splitlines()}
    text = (doc / "pennyproof.txt").read_text("utf-8")
    neovims = {":wall", "vim.lsp.config()"}
    assert set(re.findall(r"\|(\S+?)\|", text)) <= tags | neovims
    subcommands = set(
        re.findall(r"^  (\w+) = \{$", (EDITORS / "neovim/lua/pennyproof/commands.lua").read_text(), re.MULTILINE)
    )
    assert {f":Pennyproof-{name}" for name in subcommands} <= tags
