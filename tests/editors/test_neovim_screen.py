"""Neovim in a terminal: what is seen, and what keys do. The pictures of its page are taken here."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.editors import picture
from tests.editors.conftest import EDITORS, Environ, StartModel, need
from tests.editors.neovim.session import configure, install
from tests.editors.screen import Screen, screen
from tests.standin import Reply

pytestmark = pytest.mark.editors

IMAGES = EDITORS / "neovim/images"

_CONFIGURATION = """\
vim.o.statusline = "%t %m%=%{v:lua.require'pennyproof'.status()} "
vim.o.number = true
vim.o.swapfile = false
vim.diagnostic.config({ virtual_text = true })
vim.keymap.set("i", "<Tab>", function() return "TABBED" end, { expr = true })
"""

_AREA = '''\
def area(width, height):
    """The area of a rectangle."""
    return
'''


@contextmanager
def neovim(file: str, folder: Path, environ: Environ, tmp_path: Path) -> Iterator[Screen]:
    """Neovim with a file, its server ready."""
    install(environ)
    configure(environ, _CONFIGURATION)
    known = {**environ, "COLORTERM": "truecolor"}
    with screen([need("nvim"), file], folder, known, socket=tmp_path / "tmux", columns=110, lines=30) as shown:
        shown.until("$0.0000")
        yield shown


def _leave(shown: Screen) -> None:
    """Leave insert mode, so that what is typed next is a command."""
    shown.keys("Escape")
    shown.until(lambda text: "-- INSERT --" not in text)


def test_ghost_text_is_shown_accepted_and_dismissed(tmp_path: Path, environ: Environ, start_model: StartModel) -> None:
    folder = tmp_path / "project"
    folder.mkdir()
    file = folder / "area.py"
    file.write_text(_AREA, "utf-8")
    model = start_model(Reply("width * height", route="fim", times=None))
    environ["PENNYPROOF_TRUST"] = "ask"
    with neovim("area.py", folder, environ, tmp_path) as shown:
        # The question whether code may be sent waits until nothing is typed.
        shown.keys("G", "A", "Space")
        shown.until("has a question")
        shown.type("(")
        assert model.requests == []
        shown.keys("Escape")
        shown.until("Type number")
        shown.keys("1", "Enter")
        shown.until(lambda text: "Type number" not in text, "Enter")

        # Shown, dismissed, and gone with insert mode.
        shown.keys("A", "BSpace")
        shown.until("return width * height")
        picture.save(shown.colours(), IMAGES / "ghost-text.svg", "A completion, as ghost text: Tab accepts it")
        shown.keys("C-]")
        text = shown.until(lambda text: "return width" not in text)
        assert "-- INSERT --" in text
        shown.keys("M-\\")
        shown.until("return width * height")
        _leave(shown)
        shown.until(lambda text: "return width" not in text)

        # By words; then the rest, some of which was typed before Tab was pressed; then Tab is what it was.
        shown.keys("A")
        shown.until("return width * height")
        shown.keys("M-Right")
        shown.until(lambda text: "return width" in text and "*" not in text)
        _leave(shown)
        shown.type("0Dcc    return ")
        shown.until("return width * height")
        shown.type("wi\t")
        shown.until("return width * height")
        shown.type(" # ")
        shown.keys("Tab")
        shown.until("# TABBED")
        _leave(shown)
        shown.type(":write\n")
        shown.until("written")
        assert file.read_text("utf-8") == _AREA.replace("return", "return width * height # TABBED")

        # What was taken is counted.
        shown.type(":Pennyproof spend\n")
        shown.until("1 completion")


def test_a_fix_is_looked_at_and_taken_by_keys(tmp_path: Path, environ: Environ, project: Path) -> None:
    with neovim("tests/test_stock.py", project, environ, tmp_path) as shown:
        shown.type(":Pennyproof tests\n")
        shown.until("9 failed, 63 passed")
        shown.type(":lua vim.diagnostic.jump({ count = 1 })\n")
        shown.until("Failed: DID NOT")
        shown.type(":Pennyproof debug\n")
        shown.until("a accepts · q rejects")
        picture.save(shown.colours(), IMAGES / "preview.svg", "A fix, titled with its evidence")
        shown.keys("q")
        shown.until(lambda text: "a accepts" not in text)
        assert "on_hand:" in (project / "bookshop/stock.py").read_text("utf-8")
        shown.type(":Pennyproof debug\n")
        shown.until("a accepts · q rejects")
        shown.keys("a")
        shown.until("changed bookshop/stock.py")
        shown.type(":wall\n")
        shown.until(lambda text: "Failed: DID NOT" not in text)
        assert "if copies > shelf.available:" in (project / "bookshop/stock.py").read_text("utf-8")
        shown.type(":edit tests/test_money.py\n")
        shown.until("def test_percent_rounds")
        shown.type(":Pennyproof explain tests/test_money.py::test_share_adds_up\n")
        shown.until("q closes")
        picture.save(shown.colours(), IMAGES / "explanation.svg", "What is known about a failing test")
        shown.keys("C-d")
        shown.keys("q")
        shown.until(lambda text: "q closes" not in text)
