"""Snapshots: open buffers in front of the disk, and nothing from outside the root."""

from pathlib import Path

import pytest

from pennyproof.core.snapshots import Snapshot
from pennyproof.core.sources import Source
from pennyproof.errors import OutsideRoot, UnreadableSource


@pytest.fixture
def root(tmp_path: Path) -> Path:
    root = (tmp_path / "root").resolve()
    (root / "pkg").mkdir(parents=True)
    (root / "pkg/a.py").write_bytes(b"\xef\xbb\xbfx = 1\r\n")
    (root / "notes.txt").write_bytes("# coding: latin-1 é".encode())
    (root / "broken.py").write_bytes(b"\xff")
    (tmp_path / "secret.py").write_text("key = 1")
    (root / "link.py").symlink_to(tmp_path / "secret.py")
    (root / "alias.py").symlink_to(root / "pkg/a.py")
    return root


def test_the_disk_is_read_in_its_encoding(root: Path) -> None:
    assert Snapshot(root).read("pkg/a.py") == Source("x = 1\r\n", "utf-8-sig")
    assert Snapshot(root).read("notes.txt") == Source("# coding: latin-1 é")


def test_a_buffer_stands_in_front_of_the_disk(root: Path) -> None:
    snapshot = Snapshot(root, {"pkg/a.py": Source("x = 2\n")})
    assert snapshot.read("pkg/a.py") == Source("x = 2\n")
    assert snapshot.read("pkg/../pkg/a.py") == Source("x = 2\n")
    assert snapshot.read("alias.py") == Source("x = 2\n")


@pytest.mark.parametrize("path", ["missing.py", "pkg/a.py/b.py", "pkg/missing/c.py"])
def test_what_is_not_there_is_none(root: Path, path: str) -> None:
    assert Snapshot(root).read(path) is None


@pytest.mark.parametrize("path", ["../secret.py", "/etc/hostname", "link.py", "pkg/../../secret.py"])
def test_nothing_outside_of_the_root_is_read(root: Path, path: str) -> None:
    with pytest.raises(OutsideRoot):
        Snapshot(root).read(path)


@pytest.mark.parametrize("path", ["broken.py", "pkg"])
def test_what_cannot_be_read_says_so_with_its_name(root: Path, path: str) -> None:
    with pytest.raises(UnreadableSource, match=f"^{path}: "):
        Snapshot(root).read(path)


def test_paths_are_relative_with_forward_slashes(root: Path) -> None:
    snapshot = Snapshot(root)
    assert snapshot.relative(root / "pkg" / "a.py") == "pkg/a.py"
    assert snapshot.relative("pkg/./a.py") == "pkg/a.py"
