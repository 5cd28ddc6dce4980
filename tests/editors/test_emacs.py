"""Emacs with its client, set up by the steps of its page, and the real server."""

import re
import subprocess
from pathlib import Path

import pytest

from tests.editors import picture
from tests.editors.conftest import EDITORS, ROOT, Environ, StartModel, need
from tests.editors.screen import screen
from tests.standin import Reply

pytestmark = pytest.mark.editors

PAGE = EDITORS / "emacs/README.md"
PICTURES = EDITORS / "emacs/images"
SCRIPTS = Path(__file__).parent / "emacs"
MENU = ("C-c", "\\;")
"""A semicolon of its own would end tmux's command."""
PATIENCE = 300
"""Seconds for a whole session on a slow machine."""


@pytest.fixture(autouse=True)
def init(environ: Environ) -> Path:
    """The user's init.el, by the steps of the client's page, from a checkout in the home folder."""
    home = Path(environ["HOME"])
    (home / "pennyproof").symlink_to(ROOT)
    steps = re.search(r"<!-- tested -->\n```sh\n(.*?)```", PAGE.read_text("utf-8"), re.DOTALL)
    assert steps is not None
    subprocess.run(["sh", "-eu", "-c", steps[1]], env=environ, check=True)
    path = home / ".emacs.d/init.el"
    # The Emacs of the tests is started by a wrapper, which the compiler to machine code does not know.
    quiet = "(setq native-comp-jit-compilation nil native-comp-enable-subr-trampolines nil inhibit-startup-screen t)"
    path.with_name("early-init.el").write_text(quiet, "utf-8")
    return path


def play(name: str, project: Path, environ: Environ, test: str = "") -> None:
    """Run the tests that a script has, or one of them, after the user's own init.el."""
    run = ["--eval", f"(ert-run-tests-batch-and-exit '{test or 't'})"]
    load = [
        "-l",
        str(Path(environ["HOME"]) / ".emacs.d/init.el"),
        "-L",
        str(SCRIPTS),
        "-l",
        str(SCRIPTS / f"{name}.el"),
    ]
    ran = subprocess.run(
        [need("emacs"), "-Q", "--batch", *load, *run],
        cwd=project,
        env=environ,
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )
    assert ran.returncode == 0, ran.stdout + ran.stderr


def test_a_session_under_eglot(project: Path, environ: Environ) -> None:
    play("eglot-session", project, environ)


def test_the_core_of_a_session_under_lsp_mode(project: Path, environ: Environ, init: Path) -> None:
    init.write_text(init.read_text("utf-8").replace("#'eglot-ensure", "#'lsp-deferred"), "utf-8")
    play("lsp-session", project, environ)


def test_completions_come_to_the_right_place(project: Path, environ: Environ, start_model: StartModel) -> None:
    model = start_model(
        Reply("cents * 2", route="fim", when="def double", times=None),
        Reply("show(cents)", route="fim", times=None),
    )
    play("completions", project, environ)
    assert model.requests[0]["body"]["prompt"].endswith('return "中文 😀𝒻" + ')


def test_a_session_at_a_terminal(project: Path, environ: Environ, start_model: StartModel, tmp_path: Path) -> None:
    start_model(
        Reply("cents * 2", route="fim", times=None),
        Reply("`reserve` compares with all copies, those that are reserved already among them.", route="chat"),
    )
    stock, money = project / "bookshop/stock.py", project / "bookshop/money.py"
    broken = stock.read_text("utf-8")
    mended = broken.replace("if copies > shelf.on_hand:", "if copies > shelf.available:", 1)
    command = [need("emacs"), "-nw", "bookshop/money.py"]
    with screen(command, project, environ, socket=tmp_path / "tmux") as emacs:
        emacs.until("Pennyproof[")

        # Ghost text comes while one types, and goes with C-g; the menu asks for it by hand.
        emacs.keys("M->")
        emacs.keys("Enter", "Enter")
        emacs.type("def double(cents: int) -> int:")
        emacs.keys("Enter")
        emacs.type("return ")
        emacs.until("return cents * 2")
        picture.save(emacs.colours(), PICTURES / "ghost-text.svg", "A completion as ghost text: TAB takes it")
        emacs.keys("C-g")
        emacs.until(lambda text: "cents * 2" not in text)
        emacs.keys(*MENU)
        emacs.until("Find a verified fix")
        picture.save(emacs.colours(), PICTURES / "menu.svg", "C-c ; shows what there is")
        emacs.keys("g")
        emacs.until("return cents * 2")
        emacs.keys("M-f", "TAB", "C-x", "C-s")
        emacs.until(lambda _: money.read_text("utf-8").endswith("int:\n    return cents * 2\n"))

        # A failing test, its explanation, and a fix that is looked at and taken.
        emacs.keys("C-x", "C-f")
        emacs.until("Find file:")
        emacs.type("../tests/test_stock.py")
        emacs.keys("Enter")
        emacs.until("test_stock.py")
        emacs.keys(*MENU)
        emacs.until("Run the tests")
        emacs.keys("t")
        emacs.until("passed, 9 failed")
        emacs.keys("M-x")
        emacs.type("flymake-goto-next-error")
        emacs.keys("Enter")
        emacs.until("OutOfStock")
        emacs.keys(*MENU, "e")
        emacs.until(lambda text: "*Pennyproof explanation*" in text and "those that are reserved already" in text)
        emacs.until(lambda text: "Explaining" not in text)
        picture.save(emacs.colours(), PICTURES / "explanation.svg", "The explanation of a failing test")
        emacs.keys("C-x", "o", "q")
        emacs.until(lambda text: "*Pennyproof explanation*" not in text)
        emacs.keys(*MENU, "d")
        emacs.until(lambda text: "a accepts, q rejects" in text and "fixes" in text)
        picture.save(emacs.colours(), PICTURES / "offer.svg", "A fix, with its evidence, before it is made")
        assert stock.read_text("utf-8") == broken
        emacs.keys("a")
        emacs.until("edited stock.py, not saved yet")
        emacs.keys("C-x", "s", "!")
        emacs.until(lambda _: stock.read_text("utf-8") == mended)


def test_odd_paths_and_files_and_edits_at_odd_times(project: Path, environ: Environ) -> None:
    folder = project.rename(project.parent / 'it\'s a "bookshop" 中文')
    stock = folder / "bookshop/stock.py"
    stock.write_bytes(stock.read_bytes().replace(b"\n", b"\r\n"))
    play("odd-places", folder, environ)


def test_servers_that_are_missing_broken_old_or_others(project: Path, environ: Environ) -> None:
    play("bad-servers", project, environ, "bad-servers")


def test_a_wrong_key(project: Path, environ: Environ, start_model: StartModel) -> None:
    start_model()
    environ["DEEPSEEK_API_KEY"] = "sk-wrong"
    play("bad-servers", project, environ, "wrong-key")


def test_an_untrusted_workspace(project: Path, environ: Environ, tmp_path: Path) -> None:
    environ["PENNYPROOF_TRUST"] = "ask"
    command = [need("emacs"), "-nw", "tests/test_stock.py"]
    with screen(command, project, environ, socket=tmp_path / "tmux") as emacs:
        emacs.until("Pennyproof[")
        emacs.keys("M-x")
        emacs.type("pennyproof-run-tests")
        emacs.keys("Enter")
        # RET alone agrees to nothing.
        emacs.until("(Trust, Not now, Never)")
        emacs.keys("Enter")
        emacs.until("is not trusted")
        assert not (project / ".pytest_cache").exists()
        emacs.keys("M-x")
        emacs.type("pennyproof-trust")
        emacs.keys("Enter")
        emacs.until("is trusted")
        emacs.keys("M-x")
        emacs.type("pennyproof-run-tests")
        emacs.keys("Enter")
        emacs.until("passed, 9 failed")


def test_a_package_is_made_of_the_source(environ: Environ, tmp_path: Path) -> None:
    if not (ROOT / ".git").exists():
        pytest.skip("this copy of the source is no repository, of which a package could be made")
    install = f"""(package-vc-install '(pennyproof :url "{ROOT.as_uri()}" :lisp-dir "editors/emacs"))"""
    check = """(progn (unless (commandp 'pennyproof-debug) (error "No autoloads"))
                      (require 'pennyproof)
                      (princ (locate-library "pennyproof")))"""
    early = Path(environ["HOME"]) / ".emacs.d/early-init.el"
    command = [need("emacs"), "-Q", "--batch", "-l", str(early), "--eval", install, "--eval", check]
    ran = subprocess.run(command, cwd=tmp_path, env=environ, capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert ran.stdout.endswith("elpa/pennyproof/editors/emacs/pennyproof.elc")
    assert "rror:" not in ran.stderr
