"""What parts are got with: Debian's packages, npm's, and small scripts that start programs."""

import os
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

from tests.editors.installing import home, programs


def run(command: Sequence[str], environ: Mapping[str, str] | None = None, *, root: bool = False) -> None:
    """Run a command, its output into the log.

    Args:
        command: The program and its arguments.
        environ: Variables beside those that there are.
        root: Whether it has to run as root.

    Raises:
        OSError: It failed.
    """
    as_root = ["sudo"] if root and os.geteuid() != 0 else []
    more = {"DEBIAN_FRONTEND": "noninteractive"} if root else {}
    known = {**os.environ, **more, **(environ or {})}
    log = home() / "log"
    with log.open("ab") as output:
        ran = subprocess.run(
            [*as_root, *command], env=known, stdin=subprocess.DEVNULL, stdout=output, stderr=output, check=False
        )
    if ran.returncode:
        raise OSError(f"`{' '.join(command)}` failed; {log} says why")


def debian(packages: Sequence[str]) -> None:
    """Install packages of the machine's own release that are not there."""
    asked = ["dpkg-query", "-W", "-f", "${Package} ${db:Status-Status}\n", *packages]
    told = subprocess.run(asked, capture_output=True, text=True, check=False).stdout
    there = {line.split()[0] for line in told.splitlines() if line.endswith(" installed")}
    missing = [package for package in packages if package not in there]
    if missing:
        run(["apt-get", "update", "-qq"], root=True)
        run(["apt-get", "install", "-y", "-qq", "--no-install-recommends", *missing], root=True)


def mirror() -> str:
    """Where the machine's own packages come from."""
    listed = ["apt-get", "indextargets", "--format", "$(SITE)", "Created-By: Packages"]
    return subprocess.run(listed, capture_output=True, text=True, check=True).stdout.split()[0]


def npm(name: str, *packages: str, environ: Mapping[str, str] | None = None) -> Path:
    """Packages of npm in a folder of their own, and the folder of what was installed."""
    folder = home() / name
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    quiet = ["--no-audit", "--no-fund", "--loglevel=error"]
    run(["npm", "install", *quiet, "--prefix", str(folder), *packages], environ)
    return folder / "node_modules"


def path() -> str:
    """The PATH that there is."""
    return os.environ["PATH"]


def write(name: str, script: str) -> None:
    """A program for the PATH."""
    path = programs() / name
    path.write_text(f"#!/bin/sh\n{script}\n", "utf-8")
    path.chmod(0o755)
