"""What goes wrong in VS Code: each time one message that says what to do, and no text is lost."""

import os
import shutil
import signal
import stat
import subprocess
import sys
from pathlib import Path

import pytest
from playwright.sync_api import expect

from pennyproof import __version__
from tests.editors.conftest import Environ, StartModel
from tests.editors.vscode.server import CodeServer, code_server, vsix
from tests.editors.vscode.window import Window, window
from tests.standin import Reply

pytestmark = pytest.mark.editors

CRASHING = "#!/bin/sh\necho 'no module named pennyproof' >&2\nexit 1\n"
OLD = f"""\
#!{sys.executable}
import runpy
import sys
import pennyproof
pennyproof.__version__ = "0.0.9"
sys.argv = ["pennyproof", "serve"]
runpy.run_module("pennyproof", run_name="__main__")
"""


def program(path: Path, script: str) -> Path:
    """A program of a few lines."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(script, "utf-8")
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    return path


def servers(server: CodeServer) -> list[int]:
    """The language servers that were started from a code-server's window, by their environment."""
    mark = f"PENNYPROOF_HOME={server.home / 'state'}".encode()
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            command, environ = (process / "cmdline").read_bytes(), (process / "environ").read_bytes()
        except OSError:
            continue
        if mark in environ.split(b"\0") and command.rstrip(b"\0").endswith(b"serve"):
            found.append(int(process.name))
    return found


def only_message(shown: Window, text: str) -> None:
    """Wait for a message, and see that it is the only one."""
    expect(shown.message(text)).to_be_visible()
    expect(shown.messages).to_have_count(1)


def test_a_server_that_is_killed_comes_back_until_it_ends_too_often(
    project: Path, environ: Environ, tmp_path: Path
) -> None:
    test = project / "tests/test_stock.py"
    with code_server(tmp_path, environ) as server, window(server, project, test) as shown:
        shown.ready()
        shown.press("Control+End")
        shown.type("# unsaved")
        for _ in range(2):
            (pid,) = servers(server)
            os.kill(pid, signal.SIGKILL)
            shown.until(lambda pid=pid: len(servers(server)) == 1 and pid not in servers(server), "another server")
            shown.ready()
        shown.command("Pennyproof: Run Tests")
        expect(shown.status_bar).to_contain_text("9 failed, 63 passed")
        expect(shown.messages).to_have_count(0)

        (pid,) = servers(server)
        os.kill(pid, signal.SIGKILL)
        only_message(shown, "its server ends again and again, so it was left alone")
        expect(shown.status).to_contain_text("stopped")
        expect(shown.problems).to_have_count(0)
        shown.choose("ends again and again", "Restart")
        shown.ready()
        assert "# unsaved" in shown.text(shown.editor(test))


@pytest.mark.parametrize(
    ("script", "said"),
    [
        (None, "pennyproofServer.command names {command}, which is not there"),
        (CRASHING, "Its last words: no module named pennyproof."),
        (OLD, "the server is version 0.0.9"),
    ],
    ids=["missing", "crashing at its start", "too old"],
)
def test_a_server_that_cannot_be_used_is_told_once(
    script: str | None, said: str, project: Path, environ: Environ, tmp_path: Path
) -> None:
    command = tmp_path / "my server"
    if script is not None:
        program(command, script)
    settings = {"pennyproofServer.command": [str(command)]}
    test = project / "tests/test_stock.py"
    with code_server(tmp_path, environ, settings=settings) as server, window(server, project, test) as shown:
        only_message(shown, said.format(command=command))
        expect(shown.status).to_contain_text("stopped")
        if script is None:
            # Put right, it works by one click.
            program(command, f'#!/bin/sh\nexec "{Path(sys.executable).parent}/pennyproof" serve\n')
            shown.choose("which is not there", "Try Again")
            shown.ready()


def test_an_untrusted_workspace_is_read_only_until_it_is_trusted(
    project: Path, environ: Environ, start_model: StartModel, tmp_path: Path
) -> None:
    model = start_model(Reply("pass", route="fim", times=None))
    environ["PENNYPROOF_TRUST"] = "ask"
    # What the workspace brings along is not started, and not heeded.
    ran = tmp_path / "ran"
    program(project / ".venv/bin/pennyproof", f"#!/bin/sh\ntouch '{ran}'\n")
    program(project / ".vscode/settings.json", f'{{"pennyproofServer.command": ["/usr/bin/touch", "{ran}"]}}')
    test = project / "tests/test_stock.py"
    with code_server(tmp_path, environ, trust=False) as server, window(server, project) as shown:
        expect(shown.status_bar).to_contain_text("Restricted Mode")
        shown.open(test)
        shown.ready("restricted")
        shown.until(lambda: len(servers(server)) == 1, "a server")
        shown.command("Pennyproof: Run Tests")
        only_message(shown, "this workspace is not trusted, so none of its code is run or sent to a model")
        assert (ran.exists(), model.requests) == (False, [])
        (before,) = servers(server)

        # The environment of the project counts from now on: here, a broken one.
        shutil.rmtree(project / ".venv")
        shown.choose("this workspace is not trusted", "Manage Workspace Trust")
        shown.page.get_by_role("button", name="Trust", exact=True).click()
        shown.until(lambda: servers(server) not in ([before], []), "another server")
        shown.ready("deepseek")
        shown.open(test)
        shown.command("Pennyproof: Run Tests")
        # The server asks its own question: it knows what confines the tests.
        shown.choose("running the tests of", "Trust")
        expect(shown.status_bar).to_contain_text("9 failed, 63 passed")


def test_the_vsix_installs_and_brings_its_own_server(project: Path, environ: Environ, tmp_path: Path) -> None:
    del environ["PYTHONPATH"]
    python = subprocess.run(
        [sys.executable, "-c", "import sys; print(sys._base_executable)"], capture_output=True, text=True, check=True
    ).stdout.strip()
    machine = program(tmp_path / "machine/python3", f'#!/bin/sh\nexec "{python}" "$@"\n').parent
    environ["PATH"] = f"{machine}:/usr/bin:/bin"
    offline = {name: value for name, value in environ.items() if not name.startswith("PIP_")}
    offline |= {"PIP_INDEX_URL": "http://127.0.0.1:9/simple", "PIP_RETRIES": "1", "PIP_CONFIG_FILE": os.devnull}
    test = project / "tests/test_stock.py"
    settings = {"pennyproofServer.python": str(tmp_path / "no python")}
    package = vsix()
    with (
        code_server(tmp_path, offline, settings=settings, vsix=package) as server,
        window(server, project, test) as shown,
    ):
        only_message(shown, "pennyproofServer.python names")
        shown.page.locator(".notification-toast .codicon-notifications-clear").click()

        # A Python that is too old.
        old = program(tmp_path / "old", "#!/bin/sh\necho 3 9 /opt/old/python3\n")
        server.set({"pennyproofServer.python": str(old)})
        only_message(shown, "Python 3.9 (/opt/old/python3), and the server needs Python 3.11 or newer")
        shown.page.locator(".notification-toast .codicon-notifications-clear").click()

        # No network.
        server.set({})
        only_message(shown, "the package index cannot be reached. Check the network (and the proxy), then try again")
        assert not (server.storage / "environment/ready").exists()
    # With a network, it begins anew.
    with code_server(tmp_path, environ, vsix=package) as server, window(server, project, test) as shown:
        shown.ready()
        expect(shown.messages).to_have_count(0)
        (pid,) = servers(server)
        started = (Path("/proc") / str(pid) / "cmdline").read_bytes().decode().split("\0")
        assert started[0] == str(server.storage / "environment/bin/python")
        listed = subprocess.run([started[0], "-m", "pip", "list"], capture_output=True, text=True, check=True).stdout
        assert dict(line.split()[:2] for line in listed.splitlines())["pennyproof"] == __version__
        shown.command("Pennyproof: Run Tests")
        expect(shown.status_bar).to_contain_text("9 failed, 63 passed")
