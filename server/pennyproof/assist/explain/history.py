"""Recent commits that changed given lines; git is asked in a way that runs nothing a repository brings along."""

import os
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from pennyproof.assist.lines import LineMap

_SECONDS = 3.0
"""Longer than this nobody waits for the history of a line."""

_MOST_COMMITS = 5
_SEPARATOR = "\x1f"

_SAFE = (
    "--no-pager", "--no-replace-objects", "--literal-pathspecs",
    "-c", "core.fsmonitor=false", "-c", f"core.hooksPath={os.devnull}", "-c", "log.showSignature=false",
)  # fmt: skip
"""A repository's own configuration may name programs; these settings, and the options below, leave none to be run."""


@dataclass(frozen=True, slots=True)
class Commit:
    """One commit that changed the lines."""

    id: str
    """Abbreviated."""
    date: str
    """The author's day, ``2024-05-31``."""
    author: str
    subject: str


def recent_changes(root: Path, path: str, text: str, lines: range) -> tuple[Commit, ...]:
    """The last commits that changed lines of a file, the newest first.

    Args:
        root: The workspace folder; it need not be a repository, nor git be installed: the answer is then empty.
        path: The file, relative to the root.
        text: Its text as the user sees it, on which ``lines`` count.
        lines: From one.
    """
    committed = _git(root, "cat-file", "blob", f"HEAD:./{path}")
    if committed is None:
        return ()
    moved = LineMap(text, committed)
    known = [found for line in lines if (found := moved.find(line)) is not None]
    if not known:
        return ()
    log = _git(
        root, "log", "--no-ext-diff", "--no-textconv", "--no-show-signature", "--no-patch", f"-n{_MOST_COMMITS}",
        f"--format=%h{_SEPARATOR}%as{_SEPARATOR}%an{_SEPARATOR}%s", f"-L{min(known)},{max(known)}:./{path}",
    )  # fmt: skip
    entries = [line.split(_SEPARATOR, 3) for line in (log or "").split("\n")]
    return tuple(Commit(*entry) for entry in entries if len(entry) == 4)


def _git(root: Path, *arguments: str) -> str | None:
    """What git prints, or ``None`` where there is no git, no repository, or no such thing in it."""
    try:
        done = subprocess.run(
            ["git", "-C", str(root), *_SAFE, *arguments],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            timeout=_SECONDS,
            env=_environment(os.environ),
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout.decode("utf-8", "replace") if done.returncode == 0 else None


def _environment(inherited: Mapping[str, str]) -> dict[str, str]:
    """No variable that points git elsewhere; no configuration but the user's own and the repository's; no transport."""
    kept = {name: inherited[name] for name in ("PATH", "HOME", "XDG_CONFIG_HOME", "SYSTEMROOT") if name in inherited}
    return kept | {
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_OPTIONAL_LOCKS": "0",
        "GIT_TERMINAL_PROMPT": "0",
        "GIT_NO_LAZY_FETCH": "1",
        "GIT_ALLOW_PROTOCOL": "none",
        "LC_ALL": "C",
    }
