"""Runs in a project whose files and folders are another's."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Literal

import pytest

from tests.proof.owners import ANOTHER, Given, give_away, needs_root
from tests.proof.sandbox.yard import Yard, yard_of

pytestmark = needs_root

NOBODY = 65534
KINDS: tuple[Literal["bubblewrap", "landlock"], ...] = ("bubblewrap", "landlock")


@pytest.fixture(params=KINDS)
def yard(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Yard]:
    with yard_of(request.param, tmp_path) as made:
        (made.root / "package" / "data").mkdir()
        (made.root / "package" / "old.py").write_text("old")
        yield made


def check(yard: Yard, given: Given, code: str, found: object, files: dict[str, bytes | None] | None = None) -> None:
    """A run finds what it should, and changes nothing of what was given away."""
    answer = yard.run(code, files=files)
    assert answer.ok, answer.detail
    assert answer.result == {"found": found}
    assert given.is_as_it_was()


WRITE = """
os.makedirs('package/data/__pycache__')
pathlib.Path('package/data/__pycache__/new').write_text('new')
pathlib.Path('package/new.py').write_text('new')
os.unlink('package/__init__.py')
pathlib.Path('replacement').write_text('replaced')
os.replace('replacement', 'package/old.py')
os.rmdir(attempt(lambda: os.mkdir('new')) == 'done' and 'new')
found = [sorted(os.listdir('package')), open('package/old.py').read(), open('module.py').read()]
"""


@pytest.mark.parametrize(("owner", "group"), [
    (ANOTHER, ANOTHER),
    (NOBODY, NOBODY),
    (os.geteuid(), ANOTHER),
    (ANOTHER, os.getegid()),
])  # fmt: skip
def test_runs_write_there_as_anywhere(yard: Yard, owner: int, group: int) -> None:
    given = give_away(yard.root, owner, group)
    written = [["data", "new.py", "old.py"], "replaced", "value = 'original'\n"]
    check(yard, given, WRITE, written)
    check(yard, given, "found = sorted(os.listdir('package'))", ["__init__.py", "data", "old.py"])


def test_changed_files_are_put_in_place(yard: Yard) -> None:
    given = give_away(yard.root)
    files = {
        "module.py": b"changed",
        "package/__init__.py": None,
        "package/old.py": b"changed too",
        "package/data/deep/new.py": b"new",
    }
    code = f"found = [open(path).read() if os.path.exists(path) else None for path in {list(files)}]"
    check(yard, given, code, [data.decode() if data else None for data in files.values()], files)


def test_one_folder_of_another_within_ours(yard: Yard) -> None:
    given = give_away(yard.root / "package" / "data")
    check(yard, given, "found = open('package/data/new').read()", "new", {"package/data/new": b"new"})


def test_folders_made_and_removed_between_runs(yard: Yard) -> None:
    look = "found = [sorted(os.listdir('package')), os.path.isdir('package/data')]"
    check(yard, give_away(yard.root), look, [["__init__.py", "data", "old.py"], True])
    (yard.root / "package" / "data").rmdir()
    (yard.root / "package" / "data").write_text("a file now")
    (yard.root / "package" / "new").mkdir()
    given = give_away(yard.root)
    check(yard, given, look, [["__init__.py", "data", "new", "old.py"], False])
    check(yard, given, "found = open('package/new/x').read()", "x", {"package/new/x": b"x"})


def test_what_only_another_may_read_stays_unread(yard: Yard) -> None:
    if yard.kind == "landlock":  # which copies as root whatever root can read
        return
    (yard.root / "package" / "data" / "secret").write_text("secret")
    (yard.root / "package" / "data").chmod(0o700)
    given = give_away(yard.root)
    check(yard, given, "found = attempt(lambda: open('package/data/secret').read())", "refused")
    check(yard, given, "found = open('package/new').read()", "new", {"package/new": b"new"})
