"""What makes up a workspace."""

import os
import time
from collections.abc import Mapping
from pathlib import Path

import pytest

from pennyproof.core.snapshots import Snapshot
from pennyproof.core.sources import Source
from pennyproof.proof.workspace import Workspace

OLD = time.time() - 3600


def write(root: Path, files: Mapping[str, str]) -> Path:
    root = root.resolve()
    for path, text in files.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(text)
        os.utime(root / path, (OLD, OLD))
    return root


def digest(root: Path, buffers: Mapping[str, str] | None = None, workspace: Workspace | None = None) -> str:
    sources = {path: Source(text) for path, text in (buffers or {}).items()}
    return (workspace or Workspace(root)).digest(Snapshot(root, sources))


def test_the_digest_is_that_of_the_content(tmp_path: Path) -> None:
    root = write(tmp_path, {"a.py": "x = 1\n", "pkg/data.json": "{}"})
    workspace = Workspace(root)
    first = digest(root, workspace=workspace)
    os.utime(root / "a.py")
    assert digest(root, workspace=workspace) == first
    assert digest(root, {"a.py": "x = 1\n"}, workspace) == first
    assert digest(root, {"a.py": "x = 2\n"}, workspace) != first
    (root / "a.py").write_text("x = 2\n")
    os.utime(root / "a.py", (OLD, OLD))  # Same size and time as before.
    assert digest(root, workspace=workspace) == digest(root, {"a.py": "x = 2\n"}) != first


@pytest.mark.parametrize("path", ["new.py", "pkg/new.txt", "pkg/data.json"])
def test_every_file_counts(tmp_path: Path, path: str) -> None:
    root = write(tmp_path, {"a.py": "", "pkg/data.json": "{}"})
    before = digest(root)
    write(root, {path: "[]"})
    assert digest(root) != before


@pytest.mark.parametrize(
    "path", [".git/index", "node_modules/x.py", "pkg/__pycache__/a.pyc", "myenv/lib/x.py", ".tox/x"]
)
def test_what_is_no_part_of_the_program_does_not(tmp_path: Path, path: str) -> None:
    root = write(tmp_path, {"a.py": "", "myenv/pyvenv.cfg": ""})
    before = digest(root)
    write(root, {path: "x"})
    assert digest(root) == before


def test_copies_are_compared_by_what_is_at_the_top(tmp_path: Path) -> None:
    files = {"a.py": "x = 1\n", "pkg/data.json": "{}", "pkg/b.py": ""}
    one, two = (Workspace(write(tmp_path / name, files), whole=None) for name in ("one", "two"))
    parts = one.parts(Snapshot(one.root))
    assert list(parts) == ["a.py", "pkg"]
    assert two.parts(Snapshot(two.root)) == parts
    changed = two.parts(Snapshot(two.root, {"pkg/b.py": Source("y = 1\n"), "new.py": Source("")}))
    assert {name for name in changed if changed[name] != parts.get(name)} == {"pkg", "new.py"}


def test_large_files_are_read_where_copies_are_compared(tmp_path: Path) -> None:
    files = {"data.bin": "x" * (5 << 20)}
    one, two = write(tmp_path / "one", files), write(tmp_path / "two", files)
    os.utime(two / "data.bin", (OLD + 60, OLD + 60))
    assert digest(one) != digest(two)
    assert Workspace(one, whole=None).parts(Snapshot(one)) == Workspace(two, whole=None).parts(Snapshot(two))


def test_links_and_unreadable_folders_are_survived(tmp_path: Path) -> None:
    root = write(tmp_path, {"a.py": ""})
    (root / "loop").symlink_to(root)
    (root / "broken").symlink_to(root / "missing")
    assert digest(root)


def test_third_party_imports(tmp_path: Path) -> None:
    root = write(
        tmp_path,
        {
            "src/pkg/__init__.py": "import os, numpy as np\nfrom yaml import load\nfrom . import a\nfrom pkg import b",
            "src/pkg/a.py": "try:\n    import simplejson\nexcept ImportError:\n    import json\n",
            "src/pkg/b.py": "def f():\n    import pandas\nclass A:\n    import attr\nif 1:\n    import PIL.Image\n",
            "broken.py": "import flask\ndef (:\n",
            "latin.py": "# \xff",
            "helpers.py": "import typing as t\nif t.TYPE_CHECKING:\n    import _typeshed\nelse:\n    import rich\n",
            "tests/test_a.py": "import helpers\nimport hypothesis\n",
        },
    )
    (root / "latin.py").write_bytes(b"\xff\xfe")
    names = Workspace(root).third_party_imports(Snapshot(root))
    assert names == ("PIL.Image", "attr", "hypothesis", "numpy", "rich", "simplejson", "yaml")


@pytest.mark.parametrize(
    ("more", "preloaded"),
    [
        ({}, True),
        ({"docs/conf.py": "import os\nprint(os.path, 'sys')\n"}, True),
        ({"pkg/formats/json.py": ""}, True),
        # Where the file itself may be what is imported, so that another of its name must not be there before.
        ({"pandas.py": ""}, False),
        ({"src/pandas/__init__.py": ""}, False),
        ({"tests/data/pandas/x.txt": ""}, False),
        ({"vendor/pandas/core/__init__.py": ""}, False),
        # Where somebody says that modules are looked for elsewhere.
        ({"tests/conftest.py": "import sys\nsys.path.insert(0, 'pkg/formats')\n"}, False),
        ({"tests/conftest.py": "from sys import path\n"}, False),
        ({"tests/conftest.py": "import site\nsite.addsitedir('pkg/formats')\n"}, False),
        ({"tests/test_a.py": "def test_a(monkeypatch):\n    monkeypatch.syspath_prepend('pkg/formats')\n"}, False),
        ({"pytest.ini": "[pytest]\npythonpath = pkg/formats\n"}, False),
        ({"pyproject.toml": "[tool.pytest.ini_options]\npythonpath = ['pkg/formats']\n"}, False),
    ],
)
def test_a_module_of_a_package_does_not_stand_for_one_of_its_name(
    more: dict[str, str], preloaded: bool, tmp_path: Path
) -> None:
    package = {"pkg/__init__.py": "", "pkg/formats/__init__.py": "", "pkg/formats/pandas.py": "import pandas\n"}
    root = write(tmp_path, {**package, **more})
    assert Workspace(root).third_party_imports(Snapshot(root)) == (("pandas",) if preloaded else ())


def test_what_may_be_written_again_in_its_second_is_racy(tmp_path: Path) -> None:
    before = time.time()
    root = write(tmp_path, {"old.py": "", "new.py": "", "data.json": ""})
    workspace = Workspace(root)
    assert sorted(workspace.racy_since(before)) == [
        "new.py",
        "old.py",
    ]  # They are new, whatever time they claim to be from.
    os.utime(root / "new.py", (time.time() + 2, time.time() + 2))
    assert workspace.racy_since(time.time() + 1) == ["new.py"]
