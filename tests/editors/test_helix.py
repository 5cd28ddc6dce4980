"""Helix, set up as ``editors/helix/README.md`` says, over a copy of the bookshop: what is typed, and what is seen."""

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.editors import picture
from tests.editors.conftest import EDITORS, Environ, StartModel, need
from tests.editors.screen import Screen, screen
from tests.standin import Reply

pytestmark = pytest.mark.editors

SETTINGS = EDITORS / "helix"
STOCK, TEST_STOCK = "bookshop/stock.py", "tests/test_stock.py"
FIND, EXPLAIN = "Find a verified fix for test_", "Explain the failure of test_"
LINE = "def sell(self, isbn, copies):"

NOT_READY = "`pennyproof.runTests` is not supported for any language server"

Start = Callable[..., Screen]


@pytest.fixture
def project(project: Path) -> Path:
    """The bookshop in a folder whose name is hard to write."""
    return project.rename(project.with_name("Anna's 书店 100%"))


@pytest.fixture
def start(project: Path, environ: Environ, tmp_path: Path) -> Iterator[Start]:
    """``start(file)`` opens one in a Helix that was set up as the page says; it is closed with the test."""
    hx = need("hx")
    need("tmux")
    folder = Path(environ["HOME"]) / ".config/helix"
    folder.mkdir(parents=True)
    for name in ("languages.toml", "config.toml"):
        shutil.copy(SETTINGS / name, folder)
    with ExitStack() as open_screens:

        def start(*arguments: str, environ: Mapping[str, str] = environ) -> Screen:
            running = screen([hx, *arguments], project, environ, socket=tmp_path / "tmux")
            return open_screens.enter_context(running)

        yield start


def insert(helix: Screen, key: str, text: str = "") -> None:
    """Type text where a key of normal mode begins to insert."""
    helix.keys(key)
    helix.until(" INS ")
    helix.type(text)


def to_normal_mode(helix: Screen) -> None:
    """Escape and a key that follows at once would be another key."""
    helix.until(" NOR ", "Escape")


def command(helix: Screen, text: str) -> None:
    helix.type(text)
    helix.keys("Enter")


def run_tests(helix: Screen, seen: str) -> None:
    """Type the keys once the server is ready for them; before, Helix says that nobody knows the command."""
    helix.until(" NOR ")
    for _ in range(100):
        helix.keys("Space", "t", "t")
        text = helix.until(lambda text: seen in text or NOT_READY in text)
        if NOT_READY not in text:
            return
        helix.until(lambda text: NOT_READY not in text, "Escape")
    raise AssertionError(helix.text())


def to_the_failure(helix: Screen) -> None:
    helix.until("Failed: DID NOT RAISE OutOfStock", "Space", "t", "n")


def passes(project: Path, file: str) -> bool:
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", file]
    return subprocess.run(command, cwd=project, check=False, capture_output=True).returncode == 0


def test_a_failing_test_is_mended_by_a_fix_whose_evidence_was_read(start: Start, project: Path, tmp_path: Path) -> None:
    before = (project / STOCK).read_bytes()
    assert not passes(project, TEST_STOCK)
    helix = start(TEST_STOCK)
    run_tests(helix, "● 1")
    to_the_failure(helix)
    helix.until(FIND, "Space", "t", "f")
    to_normal_mode(helix)

    # Look for fixes, read what each of them is worth, and take the best.
    helix.keys("Space", "t", "l")
    helix.until("to be taken from the code actions of the failing test")
    menu = helix.until("breaks 0 of", "Space", "t", "f")
    picture.save(helix.colours(), SETTINGS / "images/fixes.svg", "Helix: fixes that were proved, and how")
    assert FIND not in menu
    assert (project / STOCK).read_bytes() == before
    helix.keys("Enter")
    command(helix, f":open {STOCK}")
    helix.until(f"{STOCK} [+]")
    assert (project / STOCK).read_bytes() == before, "what was taken is not written before the user says so"
    command(helix, ":write-all")
    helix.until(lambda _: passes(project, TEST_STOCK))
    helix.keys("g", "a")  # Back to the file before.
    helix.until(lambda text: TEST_STOCK in text and "● 1" not in text)

    # The page that tells what was spent counts it.
    helix.until("# Spending", "Space", "t", "s")
    assert "NOR" in helix.until("spending.md")


def test_the_best_fix_is_applied_at_once_and_a_failure_explained(start: Start, project: Path) -> None:
    helix = start(TEST_STOCK)
    run_tests(helix, "● 1")
    to_the_failure(helix)
    helix.until(EXPLAIN, "Space", "t", "f")
    helix.keys("Down", "Enter")
    page = helix.until("explanation-")
    assert "fails" in page
    helix.keys("g", "a")  # Back to the file before.
    helix.until("DID NOT RAISE")
    helix.until(FIND, "Space", "t", "f")
    helix.keys("Enter")
    helix.until(f"Applied to {STOCK}: ")
    command(helix, ":write-all")
    helix.until(lambda _: passes(project, TEST_STOCK))


def test_a_completion_is_shown_taken_and_dismissed(start: Start, project: Path, start_model: StartModel) -> None:
    body = "\n        if self.shelf(isbn).on_hand < copies:\n            raise OutOfStock(isbn)\n        return isbn"
    model = start_model(Reply(body, route="fim", times=None))
    before = (project / STOCK).read_text("utf-8")
    helix = start(f"{STOCK}:70")
    helix.until("NOR")
    insert(helix, "o")
    helix.keys("BSpace")
    helix.type(LINE)
    helix.until(lambda text: "if self.shelf(isbn).on_hand < copies:…" in text, "C-x")

    # Dismissed: nothing of it stays.
    to_normal_mode(helix)
    line = f"    {LINE}\n"
    command(helix, ":write")
    helix.until(lambda _: line in (project / STOCK).read_text("utf-8"))
    assert body not in (project / STOCK).read_text("utf-8")

    # Looked at, with its evidence and the whole of it beside, and taken.
    insert(helix, "A")
    helix.until("on_hand < copies:…", "C-x")
    shown = helix.until("Pennyproof, deepseek-flash", "Tab")
    picture.save(helix.colours(), SETTINGS / "images/completion.svg", "Helix: a completion and its evidence")
    assert "parses" in shown
    assert "    raise OutOfStock(isbn)" in shown.partition("Pennyproof, deepseek-flash")[2]
    helix.keys("Enter")
    to_normal_mode(helix)
    command(helix, ":write")
    helix.until(lambda _: body in (project / STOCK).read_text("utf-8"))
    after = (project / STOCK).read_text("utf-8")
    assert after.replace(f"    {LINE}{body}\n", "") == before
    assert set(model.models) == {"deepseek-flash"}


def test_a_server_that_is_gone_is_told_of_and_comes_back(start: Start, project: Path, environ: Environ) -> None:
    # A file with the line ends of Windows, and text that is not saved.
    text = (project / TEST_STOCK).read_bytes().replace(b"\n", b"\r\n")
    (project / TEST_STOCK).write_bytes(text)
    helix = start(TEST_STOCK)
    run_tests(helix, "● 1")
    for process in servers_in(project):
        os.kill(process, signal.SIGKILL)
    helix.until("Language server exited: pennyproof")
    insert(helix, "O", "# kept")
    to_normal_mode(helix)
    helix.keys("Space", "t", "R")
    run_tests(helix, "● 1")
    assert servers_in(project)
    command(helix, ":write")
    helix.until(lambda _: (project / TEST_STOCK).read_bytes() == b"# kept\r\n" + text)


def test_without_a_key_nothing_pops_up_and_explanations_are_facts(start: Start, project: Path) -> None:
    helix = start(f"{STOCK}:70")
    helix.until("NOR")
    helix.until("No model has explained this", "Space", "t", "e")
    helix.keys("g", "a")
    helix.until("NOR   bookshop/stock.py")
    insert(helix, "o", "co")
    assert "text" not in helix.until("INS").rpartition("to_reorder")[2]


def test_an_untrusted_workspace_is_asked_about(start: Start, project: Path, environ: Environ) -> None:
    environ["PENNYPROOF_TRUST"] = "ask"
    helix = start(TEST_STOCK)
    run_tests(helix, "Do you trust this workspace?")
    assert [line for line in ("Trust", "Not now", "Never") if line not in helix.text()] == []
    helix.until("is not trusted", "Down", "Enter")

    # Asked no more in this session; the user may change their mind.
    helix.keys("Space", "t", "y")
    run_tests(helix, "● 1")


def test_a_missing_server_is_named_once(start: Start, environ: Environ) -> None:
    bare = {**environ, "PATH": f"{Path(need('hx')).parent}:/usr/bin:/bin"}
    helix = start(TEST_STOCK, environ=bare)
    helix.until("NOR")
    helix.keys("Space", "t", "t")
    helix.until(NOT_READY)


def servers_in(project: Path) -> list[int]:
    """The servers that were started in this folder."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            command = (process / "cmdline").read_bytes().split(b"\0")
            if b"serve" in command and (process / "cwd").readlink() == project:
                found.append(int(process.name))
        except OSError:
            continue
    return found
