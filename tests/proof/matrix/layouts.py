"""Where things lie: layouts, editable installs, links, encodings."""

from pathlib import Path

from tests.proof.matrix.rows import MODULE, TESTS, row
from tests.proof.projects import Environment

FINDER = """\
import sys
from importlib.machinery import PathFinder


class Finder:
    @classmethod
    def find_spec(cls, name, path=None, target=None):
        return PathFinder.find_spec(name, [{folder!r}]) if name.partition(".")[0] == "pkg" else None


def install():
    sys.meta_path.append(Finder)
"""


def static(environment: Environment, root: Path) -> None:
    (environment.site / "__editable__.pkg-1.0.pth").write_text(f"{root}/src\n", "utf-8")


def finder(environment: Environment, root: Path) -> None:
    name = "__editable___pkg_finder"
    (environment.site / f"{name}.py").write_text(FINDER.format(folder=str(root / "src")), "utf-8")
    (environment.site / "__editable__.pkg-1.0.pth").write_text(f"import {name}; {name}.install()\n", "utf-8")


def egg_link(environment: Environment, root: Path) -> None:
    (environment.site / "pkg.egg-link").write_text(f"{root}/src\n.", "utf-8")
    (environment.site / "easy-install.pth").write_text(f"{root}/src\n", "utf-8")


ROWS = [
    row(
        "src layout",
        """\
=== src/pkg/__init__.py
=== src/pkg/m.py
=== pyproject.toml
[tool.pytest.ini_options]
pythonpath = ['src']
=== tests/test_m.py
from pkg.m import f

def test_right():
    assert f(1) == 2

def test_small():
    assert f(1) < 5
""",
        tests="tests/test_m.py",
        bug="src/pkg/m.py",
        quick=True,
    ),
    row(
        "flat layout",
        """\
=== pkg/__init__.py
=== pkg/m.py
=== pkg/__main__.py
import sys

from pkg.m import f

print(f(int(sys.argv[1])))
=== tests/__init__.py
=== tests/test_m.py
from pkg.m import f

def test_right():
    assert f(1) == 2

def test_small():
    assert f(1) < 5
""",
        tests="tests/test_m.py",
        bug="pkg/m.py",
    ),
    row(
        "namespace packages",
        """\
=== pyproject.toml
[tool.pytest.ini_options]
pythonpath = ['one', 'two']
=== one/ns/m.py
=== two/ns/use.py
from ns.m import f
=== tests/test_m.py
from ns.use import f

def test_right():
    assert f(1) == 2

def test_small():
    assert f(1) < 5
""",
        tests="tests/test_m.py",
        bug="one/ns/m.py",
    ),
    row(
        "editable, PEP 660",
        """\
=== src/pkg/__init__.py
=== src/pkg/m.py
=== tests/test_m.py
from pkg.m import f

def test_right():
    assert f(1) == 2

def test_small():
    assert f(1) < 5
""",
        tests="tests/test_m.py",
        bug="src/pkg/m.py",
        prepare=static,
    ),
    row(
        "editable, by a finder",
        """\
=== src/pkg/__init__.py
=== src/pkg/m.py
=== tests/test_m.py
from pkg.m import f

def test_right():
    assert f(1) == 2

def test_small():
    assert f(1) < 5
""",
        tests="tests/test_m.py",
        bug="src/pkg/m.py",
        prepare=finder,
        quick=True,
    ),
    row(
        "editable, egg-link",
        """\
=== src/pkg/__init__.py
=== src/pkg/m.py
=== tests/test_m.py
from pkg.m import f

def test_right():
    assert f(1) == 2

def test_small():
    assert f(1) < 5
""",
        tests="tests/test_m.py",
        bug="src/pkg/m.py",
        prepare=egg_link,
    ),
    row(
        "conftest files at several levels",
        """\
=== conftest.py
import pytest
from m import f

@pytest.fixture
def n():
    return 0

@pytest.fixture
def value(n):
    return f(n)
=== tests/conftest.py
import pytest

@pytest.fixture
def n(n):
    return n + 1
=== tests/unit/conftest.py
import pytest

@pytest.fixture(autouse=True)
def checked(value):
    yield
    assert value != 3
=== tests/unit/test_m.py
def test_right(value):
    assert value == 2

def test_small(value):
    assert value < 5
=== tests/test_top.py
def test_top(n):
    assert n == 1
""",
        tests="tests/unit/test_m.py",
        passing=2,
        quick=True,
    ),
    row(
        "spaces and letters",
        """\
=== test_m.py
""",
        root="my päge 漢/the project",
        quick=True,
    ),
    row(
        "a link to a module",
        """\
=== real/m.py
=== test_m.py
=== conftest.py
""",
        bug="real/m.py",
        links={"m.py": "real/m.py"},
        quick=True,
    ),
    row(
        "a link to a folder",
        """\
=== real/pkg/__init__.py
=== real/pkg/m.py
=== test_m.py
from pkg.m import f

def test_right():
    assert f(1) == 2

def test_small():
    assert f(1) < 5
""",
        bug="real/pkg/m.py",
        links={"pkg": "real/pkg"},
    ),
    row(
        "CRLF",
        """\
=== m.py
=== test_m.py
""",
        raw={"m.py": MODULE.replace("\n", "\r\n").encode(), "test_m.py": TESTS.replace("\n", "\r\n").encode()},
    ),
    row(
        "byte order mark",
        """\
=== test_m.py
""",
        raw={"m.py": b"\xef\xbb\xbfdef f(n):\n    return n - 1\n"},
    ),
    row(
        "latin-1",
        """\
=== test_m.py
from m import f

def test_right():
    assert f(1) == 2

def test_small():
    assert f(1) < 5

def test_name():
    import m
    assert m.NAME == '\\xe9'
""",
        raw={"m.py": b"# coding: latin-1\nNAME = '\xe9'\n\n\ndef f(n):\n    return n - 1\n"},
        quick=True,
    ),
]
