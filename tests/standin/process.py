"""The stand-in as a process of its own, up as long as a ``with`` block lasts."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from tests.standin.script import Script

_ROOT = Path(__file__).parents[2]


@dataclass(frozen=True)
class Process:
    """One that runs."""

    url: str
    key: str

    @property
    def requests(self) -> list[dict[str, Any]]:
        """All that came so far, in order; ``body`` is what was sent."""
        found: list[dict[str, Any]] = httpx.get(f"{self.url}/_standin/requests").json()
        return found

    @property
    def models(self) -> list[str]:
        """The model of each request that came."""
        return [request["body"]["model"] for request in self.requests]


@contextmanager
def standin_process(script: Script, folder: Path) -> Iterator[Process]:
    """Start one.

    Args:
        script: What it answers.
        folder: Where the script is written.
    """
    path = folder / "standin.json"
    script.save(path)
    command = [sys.executable, "-m", "tests.standin", "--script", str(path)]
    with subprocess.Popen(command, cwd=_ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as running:
        assert running.stdout is not None
        assert running.stdin is not None
        try:
            yield Process(running.stdout.readline().strip(), script.key)
        finally:
            running.stdin.close()  # It ends with its input.
