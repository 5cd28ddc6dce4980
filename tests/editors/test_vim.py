"""Vim with ALE, set up as ``editors/vim/README.md`` says: a failing test is seen, a fix read and taken."""

import shutil
from pathlib import Path

import pytest

from tests.editors.conftest import EDITORS, Environ, need
from tests.editors.screen import screen

pytestmark = pytest.mark.editors

STOCK, TEST_STOCK = "bookshop/stock.py", "tests/test_stock.py"
ALE = Path("/usr/share/vim-ale")


def test_a_failing_test_is_mended(project: Path, environ: Environ, tmp_path: Path) -> None:
    vim = need("vim")
    need("tmux")
    if not ALE.is_dir():
        pytest.skip("ALE is not installed; `make editors` gets it")
    before = (project / STOCK).read_bytes()
    settings = Path(environ["HOME"]) / ".vim"
    settings.mkdir()
    shutil.copy(EDITORS / "vim/ale.vim", settings)
    (settings / "vimrc").write_text("filetype plugin indent on\npackadd ale\nsource ~/.vim/ale.vim\n")
    with screen([vim, TEST_STOCK], project, environ, socket=tmp_path / "tmux") as session:
        session.until("def test_reserve_keeps_copies")
        session.until(
            "Failed: DID NOT RAISE OutOfStock", ":", *"Pennyproof", "Space", *"runTests", "Enter", *":ALENext", "Enter"
        )

        session.type(":Pennyproof debug")
        session.keys("Enter")
        session.until("One fix holds")
        session.until("1) replace", ":", *"ALECodeAction", "Enter")
        assert "breaks 0 of" in session.text()
        session.keys("1", "Enter")
        session.type(":wall")
        session.until(lambda _: (project / STOCK).read_bytes() != before, "Enter")
        assert b"if copies > shelf.available:" in (project / STOCK).read_bytes()

        session.until("spending.md", ":", *"Pennyproof", "Space", *"showSpend", "Enter")
