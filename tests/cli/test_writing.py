"""``fix --apply`` writes all of the changes or none, and keeps what it does not change."""

from pathlib import Path

import pytest

from pennyproof.cli.writing import write_changes
from pennyproof.core.candidates import FileChange
from pennyproof.core.snapshots import Snapshot
from pennyproof.core.sources import Source
from pennyproof.errors import EnvironmentProblem, OutsideRoot


def write(root: Path, *changes: FileChange) -> None:
    write_changes(Snapshot(root.resolve()), changes)


@pytest.mark.parametrize(
    ("data", "old", "new", "encoding", "expected"),
    [
        (b"x = 1\r\ny = 2\r\n", "x = 1", "x = 3", "utf-8", b"x = 3\r\ny = 2\r\n"),
        (b"\xef\xbb\xbfx = 1\n", "1", "2", "utf-8-sig", b"\xef\xbb\xbfx = 2\n"),
        (
            b"# -*- coding: latin-1 -*-\ns = '\xe9'\n",
            "'é'",
            "'è'",
            "iso-8859-1",
            b"# -*- coding: latin-1 -*-\ns = '\xe8'\n",
        ),
        (b"\tx = 1", "1", "'\xf0\x9f\x98\x80'", "utf-8", "\tx = '\xf0\x9f\x98\x80'".encode()),
    ],
    ids=["crlf", "bom", "latin-1", "tab, no newline at the end"],
)
def test_bytes_that_are_not_changed_stay(
    tmp_path: Path, data: bytes, old: str, new: str, encoding: str, expected: bytes
) -> None:
    path = tmp_path / "a.py"
    path.write_bytes(data)
    before = Snapshot(tmp_path.resolve()).read("a.py")
    assert before is not None
    assert before.encoding == encoding
    write(tmp_path, FileChange("a.py", before, Source(before.text.replace(old, new), encoding)))
    assert path.read_bytes() == expected
    assert list(tmp_path.iterdir()) == [path]


def test_the_mode_stays(tmp_path: Path) -> None:
    path = tmp_path / "tool.py"
    path.write_text("a\n")
    path.chmod(0o754)
    write(tmp_path, FileChange("tool.py", Source("a\n"), Source("b\n")))
    assert path.stat().st_mode & 0o777 == 0o754


def test_files_are_created_and_deleted(tmp_path: Path) -> None:
    (tmp_path / "old.py").write_text("a\n")
    write(tmp_path, FileChange("old.py", Source("a\n"), None), FileChange("sub/new.py", None, Source("b\n")))
    assert not (tmp_path / "old.py").exists()
    assert (tmp_path / "sub/new.py").read_text() == "b\n"


def test_a_link_stays_a_link(tmp_path: Path) -> None:
    (tmp_path / "real.py").write_text("a\n")
    (tmp_path / "link.py").symlink_to("real.py")
    write(tmp_path, FileChange("link.py", Source("a\n"), Source("b\n")))
    assert (tmp_path / "link.py").is_symlink()
    assert (tmp_path / "real.py").read_text() == "b\n"


@pytest.mark.parametrize("now", ["changed meanwhile\n", None], ids=["changed", "deleted"])
def test_a_file_that_changed_meanwhile_stops_everything(tmp_path: Path, now: str | None) -> None:
    (tmp_path / "a.py").write_text("a\n")
    if now is not None:
        (tmp_path / "b.py").write_text(now)
    changes = [FileChange(name, Source("a\n"), Source("b\n")) for name in ("a.py", "b.py")]
    with pytest.raises(EnvironmentProblem, match=r"b\.py changed .* nothing was written"):
        write(tmp_path, *changes)
    assert (tmp_path / "a.py").read_text() == "a\n"


def test_nothing_outside_the_root_is_written(tmp_path: Path) -> None:
    root = tmp_path / "root"
    root.mkdir()
    (tmp_path / "a.py").write_text("a\n")
    with pytest.raises(OutsideRoot):
        write(root, FileChange("../a.py", Source("a\n"), Source("b\n")))
    assert (tmp_path / "a.py").read_text() == "a\n"
