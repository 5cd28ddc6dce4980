"""The private cache of bytecode: runs of the unmodified project write it, candidates only read it."""

import hashlib
import importlib.util
import logging
import os
import py_compile
import shutil
import tempfile
from collections.abc import Iterable
from pathlib import Path

from pennyproof.proof.sandbox.spec import INSIDE

log = logging.getLogger(__name__)


class Bytecode:
    """A folder for ``sys.pycache_prefix``, kept in the state directory, or for the time of this process."""

    def __init__(self, root: Path, python: Path, state: Path | None) -> None:
        self._root = root
        self._temporary = False
        self.folder = self._kept(state, hashlib.sha256(f"{root}\n{python}".encode()).hexdigest()[:16])

    def forget_racy(self, *sources: Iterable[str]) -> None:
        """Delete the bytecode of files (relative to the root) that may change without their bytecode going stale.

        Python takes bytecode for fresh when the source's size and the *second* of its time are as recorded. A file
        written in the second in which it was compiled can be written again in that second: what git calls racily
        clean. Older files are safe, since any later write moves the time.
        """
        for path in {path for paths in sources for path in paths}:
            source = self._root / path
            cached = self.folder / source.parent.relative_to(source.anchor)
            for file in cached.glob(f"{source.stem}.*.pyc"):
                file.unlink(missing_ok=True)

    def close(self) -> None:
        """Remove the folder, unless it is kept."""
        if self._temporary:
            shutil.rmtree(self.folder, ignore_errors=True)

    def _kept(self, state: Path | None, name: str) -> Path:
        if state is not None:
            folder = state / "bytecode" / name
            try:
                folder.mkdir(parents=True, exist_ok=True, mode=0o700)
                if os.access(folder, os.W_OK):
                    return folder
            except OSError as error:
                log.info("bytecode is kept for this process only: %s: %s", folder, error.strerror)
        self._temporary = True
        return Path(tempfile.mkdtemp(prefix="pennyproof-bytecode-"))


def compile_inside() -> None:
    """Compile our own scripts that run inside the sandbox, where they cannot be, if they were not when installed.

    That helps interpreters of our own version only.
    """
    for source in INSIDE.glob("*.py"):
        compiled = Path(importlib.util.cache_from_source(source))
        try:
            if not compiled.exists() or compiled.stat().st_mtime < source.stat().st_mtime:
                py_compile.compile(str(source), str(compiled), quiet=1)
        except OSError as error:
            log.info("runs start more slowly: %s cannot be written: %s", compiled.parent, error.strerror)
            return
