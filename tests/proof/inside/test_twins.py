"""Which folders get a twin, and when the twins are out of date."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from pennyproof.proof.inside import twins
from pennyproof.proof.inside.twins import Twins, find_folders


def project(root: Path) -> Path:
    for folder in ("package/data", "tests", ".git/objects", "environment/lib"):
        (root / folder).mkdir(parents=True)
    (root / "environment" / "pyvenv.cfg").touch()
    (root / "package" / "__init__.py").touch()
    (root / "link").symlink_to("package")
    return root


def all_are_anothers(patch: pytest.MonkeyPatch) -> None:
    """By our being another: the folders then belong to whoever made them."""
    user = os.getuid() + 1
    patch.setattr(os, "getuid", lambda: user)


def test_there_is_none_of_our_own_folders(tmp_path: Path) -> None:
    assert find_folders(str(project(tmp_path))) == {}


def test_all_folders_of_another_but_what_no_run_writes_to(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    all_are_anothers(monkeypatch)
    found = find_folders(str(project(tmp_path)))
    assert sorted(found) == ["", ".git", "environment", "package", "package/data", "tests"]


def test_the_folders_on_the_way_there_are_found_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    root = project(tmp_path)
    inode = (root / "package" / "data").stat().st_ino
    lstat = os.lstat

    def another(path: str) -> os.stat_result:
        status = lstat(path)
        return os.stat_result([*status[:5], status.st_gid + 1, *status[6:]]) if status.st_ino == inode else status

    monkeypatch.setattr(os, "lstat", another)
    assert sorted(find_folders(str(root))) == ["", "package", "package/data"]


@pytest.mark.parametrize(("mode", "ours", "twin"), [
    (0o755, True, 0o755),
    (0o555, True, 0o555),
    (0o755, False, 0o755),
    (0o555, False, 0o755),
    (0o3775, False, 0o775),
])  # fmt: skip
def test_permission_bits(mode: int, ours: bool, twin: int) -> None:
    owner = os.getuid() if ours else os.getuid() + 1
    assert twins._folder(os.stat_result([0o40000 | mode, 0, 0, 0, owner, 0, 0, 0, 0, 0])).mode == twin


def test_those_near_the_root_come_first_where_there_are_very_many(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    all_are_anothers(monkeypatch)
    monkeypatch.setattr(twins, "_MOST", 4)
    found = find_folders(str(project(tmp_path)))
    assert len(found) == 4
    assert "package/data" not in found


@pytest.mark.parametrize(("change", "outdated"), [
    (lambda root: None, False),
    (lambda root: (root / "package" / "new.py").touch(), False),
    (lambda root: (root / "package" / "new").mkdir(), True),
    (lambda root: (root / "package" / "data").rmdir(), True),
    (lambda root: (root / "tests").chmod(0o777), True),
    (lambda root: ((root / "tests").rmdir(), (root / "tests").touch()), True),
])  # fmt: skip
def test_twins_are_made_anew_when_folders_changed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, change: Callable[[Path], object], outdated: bool
) -> None:
    all_are_anothers(monkeypatch)
    root, place = project(tmp_path / "root"), tmp_path / "place"
    place.mkdir()
    mounted: list[str] = []
    monkeypatch.setattr(twins.libc, "mount", lambda _, target, *rest: (mounted.append(target), place.mkdir()))
    monkeypatch.setattr(twins.libc, "unmount", lambda target: place.rename(tmp_path / "before"))
    place.rmdir()
    made = Twins(str(root), str(place), find_folders(str(root)))
    made.mount()
    change(root)
    assert made.renew() is outdated
    assert len(mounted) == 1 + outdated
    assert folders(Path(made.layer)) == folders(root)
    assert made.renew() is False


def folders(top: Path) -> dict[str, int]:
    """Those that have twins, and their permission bits."""
    return {
        path.relative_to(top).as_posix(): path.stat().st_mode
        for path in top.rglob("*")
        if path.is_dir() and not path.is_symlink() and path.parent.name not in {".git", "environment"}
    }
