"""Files and folders of another owner."""

import os
from dataclasses import dataclass
from pathlib import Path

import pytest

ANOTHER = 12345

needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="needs root to give a folder away")


@dataclass(frozen=True)
class Given:
    """What was given away, and how it was then."""

    top: Path
    before: list[object]

    def is_as_it_was(self) -> bool:
        """Whether no file, mode or owner is another."""
        return _state(self.top) == self.before


def give_away(top: Path, owner: int = ANOTHER, group: int = ANOTHER) -> Given:
    """Make a folder, and all that is in it, another's."""
    for path in (top, *top.rglob("*")):
        os.chown(path, owner, group, follow_symlinks=False)
    return Given(top, _state(top))


def _state(top: Path) -> list[object]:
    found: list[object] = []
    for path in sorted((top, *top.rglob("*"))):
        status = path.lstat()
        content = path.read_bytes() if path.is_file() else b""
        found.append((path, status.st_uid, status.st_gid, status.st_mode, status.st_mtime_ns, content))
    return found
