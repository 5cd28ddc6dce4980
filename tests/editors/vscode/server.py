"""code-server as long as a block lasts, with the extension as this checkout has it."""

import functools
import json
import os
import shutil
import socket
import subprocess
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.editors.conftest import EDITORS, need

EXTENSION = EDITORS / "vscode"
PATIENCE = 120.0
"""Seconds to wait for what is to be seen: long, because machines are slow; never a measurement."""

STILL = {
    "workbench.startupEditor": "none",
    "workbench.welcomePage.experimentalOnboarding": False,
    "workbench.tips.enabled": False,
    "telemetry.telemetryLevel": "off",
    "update.mode": "none",
    "extensions.autoUpdate": False,
    "extensions.autoCheckUpdates": False,
    "extensions.ignoreRecommendations": True,
    "chat.disableAIFeatures": True,
    "editor.accessibilitySupport": "off",
    "editor.minimap.enabled": False,
    "git.enabled": False,
    "security.workspace.trust.untrustedFiles": "open",
    "workbench.secondarySideBar.defaultVisibility": "hidden",
    "remote.autoForwardPorts": False,
}
"""Settings of the user that keep the page still; none is about Pennyproof."""


@dataclass(frozen=True)
class CodeServer:
    """One that runs."""

    port: int
    home: Path

    @property
    def url(self) -> str:
        """Its address."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def storage(self) -> Path:
        """Where the extension keeps what is its own."""
        return self.home / "data/User/globalStorage/pennyproof.pennyproof"

    def set(self, settings: Mapping[str, Any]) -> None:
        """Set these, as a user does who edits their settings; others are as they were by default."""
        # What the browser's user sets does not reach the settings of the machine, where the server runs.
        for name, written in (("User", STILL), ("Machine", settings)):
            file = self.home / "data" / name / "settings.json"
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(json.dumps(written), "utf-8")

    def log(self) -> str:
        """What the extension has logged, and then what code-server said; for whoever wonders why a test fails."""
        logs = sorted((self.home / "data/logs").glob("**/*Pennyproof*.log"))
        return "\n".join(path.read_text("utf-8", "replace") for path in logs)


@contextmanager
def code_server(
    home: Path,
    environ: Mapping[str, str],
    *,
    settings: Mapping[str, Any] | None = None,
    vsix: Path | None = None,
    trust: bool = True,
) -> Iterator[CodeServer]:
    """Start one, and end it with all that it has started.

    Args:
        home: A folder for all it keeps; kept ones are found again.
        environ: All of its environment, which the language server inherits.
        settings: The user's settings, beside those that keep the page still.
        vsix: Install this file, as a user would; by default the extension is there as this checkout has it.
        trust: Whether workspaces are trusted without a question.
    """
    program = need("code-server")
    data, extensions = home / "data", home / "extensions"
    server = CodeServer(_free_port(), home)
    server.set(settings or {})
    extensions.mkdir(exist_ok=True)
    folders = ["--user-data-dir", str(data), "--extensions-dir", str(extensions)]
    if vsix is None:
        unpack(extensions)
    else:
        subprocess.run([program, *folders, "--install-extension", str(vsix)], env=dict(environ), check=True,
                       stdout=subprocess.DEVNULL)  # fmt: skip
    # Extensions get the PATH of the user's login shell.
    (Path(environ["HOME"]) / ".profile").write_text(f'export PATH="{environ["PATH"]}"\n', "utf-8")
    quiet = ["--auth", "none", "--disable-telemetry", "--disable-update-check", "--disable-getting-started-override"]
    trusting = ["--disable-workspace-trust"] if trust else []
    with (home / "log").open("ab") as log:
        running = subprocess.Popen(
            [program, "--bind-addr", f"127.0.0.1:{server.port}", *quiet, *trusting, *folders],
            env=dict(environ), stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True,
        )  # fmt: skip
        try:
            _wait_for(f"{server.url}/healthz", running)
            yield server
        finally:
            _end(running)


def unpack(extensions: Path) -> None:
    """Put the extension, as this checkout has it, among those that are installed."""
    manifest = json.loads((EXTENSION / "package.json").read_text("utf-8"))
    folder = extensions / f"{manifest['publisher']}.{manifest['name']}-{manifest['version']}"
    shutil.rmtree(folder, ignore_errors=True)
    (folder / "dist").mkdir(parents=True)
    shutil.copy(EXTENSION / "package.json", folder)
    shutil.copytree(EXTENSION / "media", folder / "media")
    shutil.copy(bundle(), folder / "dist/extension.js")


@functools.cache
def bundle() -> Path:
    """The extension's code in one file, built once in a run."""
    _node_modules()
    file = Path(tempfile.mkdtemp(prefix="pennyproof-vscode-")) / "extension.js"
    subprocess.run(["npm", "run", "--silent", "build", "--", f"--outfile={file}"], cwd=EXTENSION, check=True)
    return file


@functools.cache
def vsix() -> Path:
    """The file that users install, packaged once in a run as `make vscode` packages it."""
    _node_modules()
    file = Path(tempfile.mkdtemp(prefix="pennyproof-vscode-")) / "pennyproof.vsix"
    command = ["npm", "run", "--silent", "package", "--", "--out", str(file)]
    subprocess.run(command, cwd=EXTENSION, check=True, stdout=subprocess.DEVNULL)
    return file


def _node_modules() -> None:
    need("npm")
    if not (EXTENSION / "node_modules").is_dir():
        subprocess.run(["npm", "install", "--no-progress", "--loglevel=error"], cwd=EXTENSION, check=True)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _wait_for(url: str, running: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + PATIENCE
    while True:
        try:
            with urllib.request.urlopen(url, timeout=5) as answer:  # noqa: S310 (the address is our own)
                if answer.status == 200:
                    return
        except (urllib.error.URLError, ConnectionError, TimeoutError):
            pass
        assert running.poll() is None, "code-server has ended"
        assert time.monotonic() < deadline, "code-server did not come up"
        time.sleep(0.1)


def _end(running: subprocess.Popen[bytes]) -> None:
    """End the whole session of processes that was begun for it, the language server among them."""
    os.killpg(running.pid, 15)
    try:
        running.wait(10)
    except subprocess.TimeoutExpired:
        os.killpg(running.pid, 9)
        running.wait()
