"""From ``--root`` to a project that may be asked: its settings, and its user's trust."""

import argparse
import os
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from pennyproof.assist.assemble import build_project
from pennyproof.assist.project import Project
from pennyproof.assist.trust import TrustStore, decide
from pennyproof.cli.output import warn
from pennyproof.core.work import Cancel
from pennyproof.errors import Untrusted, UsageError
from pennyproof.proof.sandbox import has_none, named
from pennyproof.settings import Settings, load, state_directory


@dataclass(frozen=True, slots=True)
class Session:
    """One command at work on one project."""

    project: Project
    settings: Settings
    cancel: Cancel


def add_root(parser: argparse.ArgumentParser) -> None:
    """Add ``--root``."""
    parser.add_argument("--root", default=".", metavar="FOLDER", help="the project (default: the current folder)")


def existing_folder(text: str) -> Path:
    """The folder that a user named, links resolved.

    Raises:
        UsageError: There is none.
    """
    path = Path(text).resolve()
    if not path.is_dir():
        raise UsageError(f"{text} is not a folder")
    return path


@contextmanager
def session(root: str, overrides: Mapping[str, Any] | None = None, *, runs_code: bool = True) -> Iterator[Session]:
    """Open a project, and end all it started when the command is done, interrupted or not.

    Args:
        root: As the user gave it.
        overrides: Settings that the command line names, nested like the settings.
        runs_code: Whether the command runs project code, which takes the user's trust.

    Raises:
        UsageError: The root is not a folder.
        Untrusted: Code of the project may not run, and there is no terminal to ask on.
    """
    folder = existing_folder(root)
    loaded = load(folder, cli=overrides, environ=os.environ)
    for warning in loaded.warnings:
        warn(warning)
    trusted = _may_run_code(folder, loaded.settings) if runs_code else is_trusted(folder, loaded.settings) is True
    project = build_project(folder, loaded.settings, trusted, ask_consent=partial(_ask_consent, folder))
    opened = Session(project, loaded.settings, Cancel())
    try:
        if runs_code:
            opened.project.warm()
        yield opened
    finally:
        opened.cancel.ask()
        opened.project.close()


def is_trusted(root: Path, settings: Settings) -> bool | None:
    """Whether code of the root may run; ``None`` where the user has not decided."""
    unconfined = has_none(settings.proof.sandbox)
    return decide(settings.trust, TrustStore(state_directory(os.environ)), root, unconfined=unconfined)


def _may_run_code(root: Path, settings: Settings) -> bool:
    """Make sure of the user's trust, asking for it on a terminal.

    Raises:
        Untrusted: The user said no, or cannot be asked.
    """
    trusted = is_trusted(root, settings)
    if trusted is None:
        trusted = _ask(root, settings)
    if not trusted and has_none(settings.proof.sandbox):
        raise Untrusted(
            f"there is no sandbox for {named()}, so the tests of {root} run only if you agree to that on a "
            "terminal, or set PENNYPROOF_PROOF_SANDBOX=off and PENNYPROOF_TRUST=always"
        )
    if not trusted:
        raise Untrusted(
            f"{root} is not trusted, and running its tests runs its code: set PENNYPROOF_TRUST=always to allow it"
        )
    return True


def _ask_consent(root: Path, host: str) -> bool | None:
    """Whether code may be sent to a host, asked on a terminal; ``None``: not now."""
    return _says_yes(f"Send code from {root} to {host}?") or None


def _ask(root: Path, settings: Settings) -> bool:
    unconfined = has_none(settings.proof.sandbox)
    if unconfined:
        question = f"There is no sandbox for {named()}. Run the tests of {root} unprotected, with all your rights?"
    else:
        confined = "without a sandbox" if settings.proof.sandbox == "off" else "in the sandbox"
        question = f"Run the tests of {root} {confined}?"
    agreed = _says_yes(question)
    if agreed:  # Saying no costs a question the next time; only the editor's "Never" is for good.
        TrustStore(state_directory(os.environ)).remember(root, True, unconfined=unconfined)
    return agreed


def _says_yes(question: str) -> bool:
    """Whether the user agrees; without a terminal there is nobody who could."""
    if not (sys.stdin.isatty() and sys.stderr.isatty()):
        return False
    print(f"{question} [y/N] ", end="", file=sys.stderr, flush=True)
    return sys.stdin.readline().strip().lower() in ("y", "yes")
