"""The private copy, made equal to the project again whatever a run did to it."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pennyproof.proof.inside.overlay import PrivateCopy

NAMES = ["a.py", "b", "folder/c.py", "folder/deep/d", "other/e"]


def tree(top: Path) -> dict[str, object]:
    """What lies below a folder: text of files, targets of links, None for folders."""
    return {
        path.relative_to(top).as_posix(): str(path.readlink())
        if path.is_symlink()
        else path.read_text()
        if path.is_file()
        else None
        for path in top.rglob("*")
    }


def change(top: Path, name: str, action: str) -> None:
    """Do something to a file, or to what stands in its place."""
    path = top / name
    if action == "write":
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(path.read_text() + "!" if path.exists() else "new")
    elif action == "same size and time" and path.is_file():
        found = path.stat()
        path.write_text(path.read_text()[::-1])
        os.utime(path, ns=(found.st_atime_ns, found.st_mtime_ns))
    elif action == "delete":
        path.unlink(missing_ok=True)
    elif action == "link" and path.is_file():
        path.unlink()
        path.symlink_to("nowhere")
    elif action == "mode" and path.is_file():
        path.chmod(0o755)


actions = st.lists(
    st.tuples(st.sampled_from(NAMES), st.sampled_from(["write", "same size and time", "delete", "link", "mode"])),
    max_size=8,
)


@settings(deadline=None)
@given(by_runs=actions, by_the_user=actions)
def test_the_copy_becomes_equal_again(
    tmp_path_factory: pytest.TempPathFactory, by_runs: list[tuple[str, str]], by_the_user: list[tuple[str, str]]
) -> None:
    original, copy = tmp_path_factory.mktemp("original"), tmp_path_factory.mktemp("copy")
    for name in NAMES[:4]:
        (original / name).parent.mkdir(parents=True, exist_ok=True)
        (original / name).write_text(f"text of {name}")
    private = PrivateCopy(str(original), str(copy))
    private.refresh()
    assert tree(copy) == tree(original)
    for name, action in by_runs:
        change(copy, name, action)
    for name, action in by_the_user:
        if action != "same size and time":
            change(original, name, action)
    private.refresh()
    assert tree(copy) == tree(original)


@pytest.mark.parametrize(
    ("make", "there"),
    [
        (lambda root: (root / ".git").mkdir(), False),
        (lambda root: (root / "environment").mkdir() or (root / "environment" / "pyvenv.cfg").touch(), False),
        (lambda root: os.mkfifo(root / "pipe"), False),
        (lambda root: (root / ".hidden").touch(), True),
    ],
)
def test_what_is_copied(tmp_path: Path, make: Callable[[Path], object], there: bool) -> None:
    original = tmp_path / "original"
    original.mkdir()
    make(original)
    private = PrivateCopy(str(original), str(tmp_path / "copy"))
    private.refresh()
    assert bool(tree(tmp_path / "copy")) is there


def test_links_into_the_project_lead_into_the_copy(tmp_path: Path) -> None:
    original = tmp_path / "original"
    original.mkdir()
    (original / "inside").symlink_to(original / "file")
    (original / "outside").symlink_to("/usr/bin/env")
    PrivateCopy(str(original), str(tmp_path / "copy")).refresh()
    assert tree(tmp_path / "copy") == {"inside": str(tmp_path / "copy" / "file"), "outside": "/usr/bin/env"}
