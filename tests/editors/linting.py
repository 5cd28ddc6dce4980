"""Lint the clients in their own languages: ``python -m tests.editors.linting``, which ``make check`` calls.

A linter that is not installed is named and left out; with ``--all`` that is a failure. ``make editors`` gets them all.
"""

import argparse
import inspect
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from tests.editors.installing import programs

ROOT = Path(__file__).parents[2]


@dataclass(frozen=True, slots=True)
class Linter:
    """One check of one client."""

    name: str
    command: tuple[str, ...]
    folder: str = "."
    needs: tuple[str, ...] = ()
    """Files and folders below ``folder`` without which it cannot run."""

    def missing(self, path: str) -> str | None:
        """What it lacks here; ``None`` where nothing."""
        if shutil.which(self.command[0], path=path) is None:
            return self.command[0]
        return next((name for name in self.needs if not (ROOT / self.folder / name).exists()), None)


LINTERS = (
    Linter("tsc", ("npm", "run", "--silent", "types"), "editors/vscode", ("node_modules",)),
    Linter("eslint", ("npm", "run", "--silent", "lint"), "editors/vscode", ("node_modules",)),
    Linter(
        "luacheck",
        ("luacheck", "--quiet", "--config", "editors/neovim/.luacheckrc", "editors/neovim", "tests/editors/neovim"),
    ),
    Linter("stylua", ("stylua", "--check", "editors/neovim", "tests/editors/neovim")),
    Linter("byte-compile, checkdoc, package-lint", ("emacs", "-Q", "--batch", "-l", "tests/editors/emacs/lint.el")),
)


def main() -> int:
    """Run them all; 1 where one finds something, or cannot run though all have to."""
    parser = argparse.ArgumentParser(description=inspect.getdoc(sys.modules[__name__]))
    parser.add_argument("--all", action="store_true", help="fail where a linter is not installed")
    every = parser.parse_args().all
    path = f"{programs()}:{os.environ['PATH']}"
    failed = False
    for linter in LINTERS:
        missing = linter.missing(path)
        if missing:
            print(f"{linter.name}: not run, since {missing} is not there; `make editors` gets it")
            failed |= every
            continue
        ran = subprocess.run(linter.command, cwd=ROOT / linter.folder, env={**os.environ, "PATH": path}, check=False)
        print(f"{linter.name}: {'found something' if ran.returncode else 'clean'}")
        failed |= ran.returncode != 0
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
