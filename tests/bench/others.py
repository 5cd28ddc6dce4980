"""What others choose for an edit: pytest-testmon by its database, and coverage.py by its contexts.

Both run in an environment of their own beside the project's, in the same working copy.
"""

import json
import shutil
import sqlite3
import subprocess
import tempfile
from collections.abc import Sequence
from difflib import SequenceMatcher
from pathlib import Path

from tests.bench import corpus, plain

_REQUIRES = ("coverage==7.17.3", "pytest-cov==7.1.0", "pytest-testmon==2.2.0")
_PATIENCE = 3600
"""Seconds for one run."""


def environment(ready: corpus.Ready) -> Path:
    """The interpreter of an environment that has these tools."""
    return corpus.beside(ready, "others", _REQUIRES)


class Testmon:
    """The tests that ``pytest --testmon`` would run.

    Args:
        python: Has pytest-testmon.
        root: The working copy, without an edit; all tests run there once.
        kept: Where its database is kept.
    """

    __test__ = False

    def __init__(self, python: Path, root: Path, kept: Path) -> None:
        self._python = python
        self._root = root
        self._kept = kept
        if not kept.exists():
            _pytest(python, root, "--testmon")
            shutil.copyfile(root / ".testmondata", kept)

    def choose(self) -> frozenset[str]:
        """The tests for the working copy as it is now."""
        shutil.copyfile(self._kept, self._root / ".testmondata")
        said = _pytest(self._python, self._root, "--testmon", "--testmon-nocollect", "--collect-only", "--color=no")
        return frozenset(line for line in said.splitlines() if "::" in line)


class Contexts:
    """The tests that ran one of the lines that an edit changes.

    Args:
        python: Has coverage.py and pytest-cov.
        root: The working copy, without an edit; all tests run there once.
        kept: Where what they ran is kept.
    """

    def __init__(self, python: Path, root: Path, kept: Path) -> None:
        if not kept.exists():
            with tempfile.TemporaryDirectory() as scratch:
                settings = Path(scratch, "settings")
                settings.write_text(f"[run]\ndata_file = {scratch}/data\n")
                _pytest(python, root, "--cov=.", f"--cov-config={settings}", "--cov-context=test", "--cov-report=")
                kept.write_text(json.dumps(_read(Path(scratch, "data"), root)))
        self._lines: dict[str, dict[str, list[str]]] = json.loads(kept.read_text())

    def choose(self, path: str, before: str, after: str) -> frozenset[str] | None:
        """The tests; ``None``: all, where some line ran at import, and so on behalf of whoever imports it."""
        known = self._lines.get(path, {})
        chosen = set[str]()
        for line in _changed(before.splitlines(), after.splitlines()):
            chosen.update(known.get(str(line), ()))
        return None if "" in chosen else frozenset(chosen)


def _changed(before: Sequence[str], after: Sequence[str]) -> list[int]:
    """Lines, from one, that an edit takes the place of."""
    codes = SequenceMatcher(None, before, after, autojunk=False).get_opcodes()
    return [line for tag, start, stop, _, _ in codes if tag != "equal" for line in range(start + 1, stop + 1)]


def _read(data: Path, root: Path) -> dict[str, dict[str, list[str]]]:
    """Path → line → tests; the empty one is what ran outside of any."""
    found: dict[str, dict[str, list[str]]] = {}
    with sqlite3.connect(data) as database:
        rows = database.execute(
            "select path, context, numbits from line_bits"
            " join file on file.id = file_id join context on context.id = context_id"
        )
        for whole, context, bits in rows:
            if not Path(whole).is_relative_to(root):
                continue
            lines = found.setdefault(Path(whole).relative_to(root).as_posix(), {})
            for line in (8 * byte + bit for byte, value in enumerate(bits) for bit in range(8) if value >> bit & 1):
                lines.setdefault(str(line), []).append(context.rpartition("|")[0])
    return found


def _pytest(python: Path, root: Path, *arguments: str) -> str:
    with tempfile.TemporaryDirectory() as home:
        done = subprocess.run(
            [str(python), "-m", "pytest", "-q", *arguments],
            cwd=root,
            env=plain.environment(python, Path(home)),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=_PATIENCE,
            check=False,
        )
    return done.stdout
