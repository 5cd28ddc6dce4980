"""Small projects, and jobs run on them in a process of their own."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from pennyproof.proof.sandbox.spec import INSIDE

CHILD = Path(__file__).with_name("child.py")
PYTHON = os.environ.get("PENNYPROOF_TEST_PYTHON", sys.executable)
"""The interpreter that plays the project's own."""


def write(root: Path, files: Mapping[str, str]) -> Path:
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return root


class Child:
    def __init__(self, root: Path, job: str, plugins: bool) -> None:
        scratch = root.with_name(root.name + "-scratch")
        scratch.mkdir(exist_ok=True)
        environment = {"PATH": os.environ["PATH"], "TMPDIR": str(scratch), "PYTHONDONTWRITEBYTECODE": "1"}
        if not plugins:
            environment["PYTEST_DISABLE_PLUGIN_AUTOLOAD"] = "1"
        self._process = subprocess.Popen(
            [PYTHON, "-I", str(CHILD), str(INSIDE), str(root), str(scratch), job],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env=environment,
        )

    def ask(self, request: Mapping[str, Any]) -> dict[str, Any] | None:
        """The answer; None where the child ended without one."""
        assert self._process.stdin
        assert self._process.stdout
        self._process.stdin.write(json.dumps(request) + "\n")
        self._process.stdin.flush()
        line = self._process.stdout.readline()
        return json.loads(line) if line else None

    def close(self) -> None:
        assert self._process.stdin
        assert self._process.stdout
        self._process.stdin.close()
        self._process.stdout.close()
        self._process.wait(30)


@contextmanager
def child(root: Path, job: str, plugins: bool = False) -> Iterator[Child]:
    """A process doing a job; ``plugins`` that happen to be installed only make it slower."""
    started = Child(root, job, plugins)
    try:
        yield started
    finally:
        started.close()


def run(root: Path, plugins: bool = False, **params: Any) -> dict[str, Any] | None:
    """The result of the job ``run``; None where the child ended without one."""
    with child(root, "run", plugins) as started:
        return started.ask(params)


def outcomes(result: dict[str, Any] | None) -> dict[str, str]:
    assert result is not None
    return {told["id"]: told["outcome"] for told in result["outcomes"]}
