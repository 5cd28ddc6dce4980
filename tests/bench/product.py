"""The product as its users meet it: the command, and the server behind an LSP client."""

import json
import os
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pennyproof.assist.assemble import build_project
from pennyproof.assist.project import Project
from pennyproof.settings import load
from tests.bench.lsp_session import RefusedError, Session

COMMAND = str(Path(sys.executable).with_name("pennyproof"))
DEADLINE = 60
"""Seconds that a search may take: the command's default."""
_SLACK = 120
"""Seconds beyond the deadline after which a run counts as hanging."""
_HANDED_ON = ("PENNYPROOF_PROOF_EXECUTOR",)
"""What whoever runs benchmarks may set for all of them."""
_READING = 1.0
"""Seconds that a user looks at least at what failed before asking for a fix."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What ``pennyproof fix`` said."""

    seconds: float
    """From start to end of the command, its start and the baseline included."""
    document: Mapping[str, Any] = field(default_factory=dict)
    """Its JSON; empty where it said none."""
    problem: str = ""
    """Why there is none."""

    @property
    def offers(self) -> list[Mapping[str, Any]]:
        return list(self.document.get("offers", ()))


@contextmanager
def environment(python: Path) -> Iterator[dict[str, str]]:
    """A user's environment with an empty home, in which every workspace is trusted."""
    with tempfile.TemporaryDirectory(prefix="bench-home-") as home:
        yield {
            "PATH": os.defpath,
            "HOME": home,
            "LANG": "C.UTF-8",
            "PENNYPROOF_HOME": str(Path(home, "state")),
            "PENNYPROOF_TRUST": "always",
            "PENNYPROOF_TESTS_PYTHON": str(python),
            **{name: os.environ[name] for name in _HANDED_ON if name in os.environ},
        }


def open_project(root: Path, variables: Mapping[str, str]) -> Project:
    """The same through its Python API."""
    return build_project(root, load(root, environ=variables).settings, trusted=True, environ=variables)


def fix(python: Path, root: Path, tests: Sequence[str] = (), deadline: int = DEADLINE) -> Answer:
    """Run ``pennyproof fix --offline --json`` on these tests, or on whatever fails in ``root``."""
    command = [COMMAND, "fix", *tests, "--offline", "--json", "--root", str(root), "--deadline", str(deadline)]
    started = time.perf_counter()
    with environment(python) as variables:
        try:
            done = subprocess.run(
                command, check=False, env=variables, capture_output=True, text=True, timeout=deadline + _SLACK
            )
        except subprocess.TimeoutExpired:
            return Answer(time.perf_counter() - started, problem="it does not end")
    seconds = time.perf_counter() - started
    if done.returncode not in (0, 1):
        return Answer(seconds, problem=f"exit code {done.returncode}: {done.stderr.strip()[-500:]}")
    return Answer(seconds, json.loads(done.stdout))


def debug(python: Path, root: Path, test: str, *, warm: bool = False) -> tuple[Mapping[str, Any] | None, float, str]:
    """Ask a fresh server, as an editor, for a fix of one test.

    Args:
        python: The interpreter of the project's environment.
        root: The workspace folder.
        test: The id of the failing test.
        warm: Ask when the tests have run and the editor has shown for a moment that this one fails.

    Returns:
        The edit that the server asked the editor to make, or ``None``; seconds from the command to its result;
        why it failed, where it did.
    """
    edits: list[Mapping[str, Any]] = []
    shown = threading.Event()

    def apply_edit(params: Mapping[str, Any]) -> Mapping[str, Any]:
        edits.append(params["edit"])
        return {"applied": True}

    def show(params: Mapping[str, Any]) -> None:
        if any((diagnostic.get("data") or {}).get("testId") == test for diagnostic in params["diagnostics"]):
            shown.set()

    handlers = {"workspace/applyEdit": apply_edit, "textDocument/publishDiagnostics": show}
    uri = (root / test.partition("::")[0]).as_uri()
    problem = ""
    with environment(python) as variables:
        started = time.perf_counter()
        try:
            with Session([COMMAND, "serve"], root, variables, handlers) as session:
                session.initialize()
                if warm:
                    session.command("pennyproof.runTests", {"uri": uri}, timeout=_SLACK)
                    if not shown.wait(_SLACK):
                        raise TimeoutError(f"it is not shown that {test} fails")
                    time.sleep(_READING)
                started = time.perf_counter()
                session.command("pennyproof.debug", {"uri": uri, "testId": test}, timeout=DEADLINE + _SLACK)
                seconds = time.perf_counter() - started
        except (RefusedError, TimeoutError, OSError, subprocess.TimeoutExpired) as error:
            seconds, problem = time.perf_counter() - started, f"{type(error).__name__}: {error}"
    return (edits[0] if edits else None), seconds, problem


def git_apply(root: Path, diff: str) -> None:
    """Apply a diff by other means than the product's own."""
    subprocess.run(
        ["git", "apply", "--whitespace=nowarn", "-"],
        cwd=root,
        input=diff.encode(),
        check=True,
        env={"PATH": os.environ["PATH"], "GIT_CEILING_DIRECTORIES": str(root.parent)},
    )
