"""Which files may import which, by their text."""

import pytest

from pennyproof.proof.imports import ImportGraph, Imports, Scans, scan

FILES = {
    "src/pkg/__init__.py": "from pkg.core import run",
    "src/pkg/core.py": "from . import text\nLIMIT = 3",
    "src/pkg/text.py": "import re, json",
    "src/pkg/lonely.py": "",
    "src/pkg/sub/__init__.py": "",
    "src/pkg/sub/deep.py": "from ..lonely import thing",
    "tests/conftest.py": "",
    "tests/helpers.py": "def help():\n    from pkg.sub.deep import thing",
    "tests/test_core.py": "from pkg.core import LIMIT",
    "tests/test_help.py": "import helpers",
    "tests/test_text.py": "from pkg import text as t",
    "tests/test_patch.py": "from unittest import mock\nmock.patch('pkg.sub.deep.thing')",
    "tests/test_attribute.py": "import pkg\ndef test(): pkg.sub.deep.thing",
    "tests/test_skip.py": "import pytest\nm = pytest.importorskip('lonely')",
    "tests/test_types.py": "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    import pkg.lonely",
    "tests/test_alone.py": "import os.path\nNAME = 'lonely'",
}


def check(changed: str, *expected: str, **others: str) -> None:
    files = FILES | {f"tests/{name}.py": text for name, text in others.items()}
    graph = ImportGraph({path: scan(text) for path, text in files.items()})
    reached = {path.removeprefix("tests/").removesuffix(".py") for path in graph.reaching([changed])}
    assert {name for name in reached if name.startswith("test_")} == set(expected)


@pytest.mark.parametrize(
    ("changed", "expected"),
    [
        ("src/pkg/core.py", "core text patch attribute help skip"),
        ("src/pkg/text.py", "core text patch attribute help skip"),
        ("src/pkg/sub/deep.py", "patch attribute help"),
        ("src/pkg/lonely.py", "patch attribute help skip"),
        ("tests/helpers.py", "help"),
        ("tests/test_core.py", "core"),
    ],
)
def test_what_reaches_a_file(changed: str, expected: str) -> None:
    check(changed, *(f"test_{name}" for name in expected.split()))


@pytest.mark.parametrize(
    "text",
    [
        "import importlib\ndef test(name): importlib.import_module(name)",
        "from importlib import import_module",
        "__import__(input())",
        "exec(open('x').read())",
        "import pkgutil\nlist(pkgutil.walk_packages())",
        "this is no Python",
    ],
)
def test_what_computes_its_imports_may_import_anything(text: str) -> None:
    check("tests/test_core.py", "test_core", "test_any", test_any=text)


def test_importlib_alone_computes_nothing() -> None:
    check("tests/test_core.py", "test_core", test_any="from importlib.metadata import version")


def test_a_relative_import_beyond_the_root_is_none() -> None:
    check("tests/test_core.py", "test_core", test_any="from ....test_core import x")


def test_files_that_ask_for_fixtures_by_computed_names_are_known() -> None:
    assert scan("def test(request, name): request.getfixturevalue(name)").asks_fixtures
    assert not scan("def test(request): request.node").asks_fixtures


def test_equal_content_is_scanned_once() -> None:
    read: list[str] = []

    def reading(path: str) -> str:
        read.append(path)
        return "import a"

    scans = Scans()
    first = scans.graph({"a.py": b"1", "b.py": b"2"}, reading)
    assert scans.graph({"a.py": b"1", "b.py": b"2"}, reading) is first
    assert scans.graph({"a.py": b"1", "c.py": b"2"}, reading).reaching(["a.py"]) == {"a.py", "c.py"}
    assert read == ["a.py", "b.py"]


def test_texts_that_nobody_has_any_more_are_forgotten() -> None:
    read: list[str] = []
    scans = Scans()
    for text in (b"1", b"2", b"3", b"4", b"1"):
        scans.graph({"a.py": text}, lambda path: read.append(path) or "")
    assert len(read) == 5


def test_nothing_imports_nothing() -> None:
    assert scan("") == Imports()
