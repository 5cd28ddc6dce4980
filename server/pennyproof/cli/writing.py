"""Writes changes to the user's files, which only ``fix --apply`` asks for: all of them or none."""

import os
import shutil
import tempfile
from collections.abc import Sequence
from pathlib import Path

from pennyproof.core.candidates import FileChange
from pennyproof.core.snapshots import Snapshot
from pennyproof.errors import EnvironmentProblem


def write_changes(snapshot: Snapshot, changes: Sequence[FileChange]) -> None:
    """Bring the files to their state after the changes, keeping mode, encoding and line endings.

    Every new text is first written beside its file and then takes its place at once, so that nobody sees half a file.

    Raises:
        EnvironmentProblem: A file is no longer what the changes are based on, or cannot be written; nothing was.
    """
    paths = [snapshot.root / snapshot.relative(change.path) for change in changes]
    for path, change in zip(paths, changes, strict=True):
        if _bytes(path) != (change.before.data() if change.before else None):
            raise EnvironmentProblem(f"{change.path} changed while its fix was being proved; nothing was written")
    fresh: list[Path | None] = []
    try:
        for path, change in zip(paths, changes, strict=True):
            fresh.append(_write_beside(path, change.after.data()) if change.after else None)
        for path, new in zip(paths, fresh, strict=True):
            if new is None:
                path.unlink()
            else:
                new.replace(path)
    except OSError as error:
        raise EnvironmentProblem(f"cannot write {error.filename}: {error.strerror}") from error
    finally:
        for new in fresh:
            if new is not None:
                new.unlink(missing_ok=True)


def _bytes(path: Path) -> bytes | None:
    try:
        return path.read_bytes()
    except FileNotFoundError:
        return None


def _write_beside(path: Path, data: bytes) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    with os.fdopen(descriptor, "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    new = Path(name)
    if path.exists():
        shutil.copymode(path, new)
    else:
        new.chmod(0o666 & ~_umask())
    return new


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
