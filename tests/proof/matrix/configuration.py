"""How pytest is configured."""

from tests.proof.matrix.rows import row

ROWS = [
    row(
        "pytest.ini",
        """\
=== pytest.ini
[pytest]
addopts = --strict-markers
markers = slow: takes long
=== test_m.py
from m import f

def test_right():
    assert f(1) == 2

def test_small():
    assert f(1) < 5

import pytest

@pytest.mark.slow
def test_marked():
    assert f(0) < 5
""",
    ),
    row(
        "pytest.toml",
        """\
=== pytest.toml
[pytest]
addopts = ['-ra']
testpaths = ['checks']
=== checks/test_m.py
=== test_not_me.py
assert 0
=== conftest.py
""",
        tests="checks/test_m.py",
        quick=True,
    ),
    row(
        "tox.ini",
        """\
=== tox.ini
[pytest]
testpaths = tests
pythonpath = .
=== tests/test_m.py
=== test_not_me.py
assert 0
""",
        tests="tests/test_m.py",
    ),
    row(
        "setup.cfg",
        """\
=== setup.cfg
[tool:pytest]
python_files = check_*.py
python_classes = Check
=== check_m.py
from m import f

class CheckF:
    def test_right(self):
        assert f(1) == 2

    def test_small(self):
        assert f(1) < 5
""",
        tests="check_m.py::CheckF",
    ),
    row(
        "import mode importlib",
        """\
=== pyproject.toml
[tool.pytest.ini_options]
addopts = '--import-mode=importlib'
pythonpath = ['.']
=== a/test_m.py
=== b/test_n.py
def test_b():
    pass
""",
        tests="a/test_m.py",
        quick=True,
    ),
    row(
        "import mode prepend",
        """\
=== pyproject.toml
[tool.pytest.ini_options]
addopts = '--import-mode=prepend'
pythonpath = ['.']
=== a/test_m.py
=== b/test_n.py
def test_b():
    pass
""",
        tests="a/test_m.py",
    ),
    row(
        "import mode append",
        """\
=== pyproject.toml
[tool.pytest.ini_options]
addopts = '--import-mode=append'
pythonpath = ['.']
=== a/test_m.py
=== b/test_n.py
def test_b():
    pass
""",
        tests="a/test_m.py",
    ),
    row(
        "a plugin in the tree",
        """\
=== the_plugin.py
import pytest
from m import f

def pytest_addoption(parser):
    parser.addini('argument', 'what f gets')

@pytest.fixture
def value(pytestconfig):
    return f(int(pytestconfig.getini('argument')))
=== pytest.ini
[pytest]
addopts = -p the_plugin
pythonpath = .
argument = 1
=== test_m.py
def test_right(value):
    assert value == 2

def test_small(value):
    assert value < 5
""",
        quick=True,
    ),
    row(
        "pytest_plugins",
        """\
=== conftest.py
pytest_plugins = ['the_fixtures']
=== the_fixtures.py
import pytest
from m import f

@pytest.fixture
def value():
    return f(1)
=== test_m.py
def test_right(value):
    assert value == 2

def test_small(value):
    assert value < 5
""",
    ),
    row(
        "files of another kind",
        """\
=== conftest.py
import pytest
from m import f

def pytest_collect_file(parent, file_path):
    if file_path.suffix == ".yaml":
        return Specs.from_parent(parent, path=file_path)

class Specs(pytest.File):
    def collect(self):
        for line in self.path.read_text().splitlines():
            name, _, said = line.partition(": ")
            yield Spec.from_parent(self, name=name, said=said)

class Spec(pytest.Item):
    def __init__(self, *, said, **keywords):
        super().__init__(**keywords)
        self.said = said

    def runtest(self):
        assert eval(self.said, {"f": f})

    def reportinfo(self):
        return self.path, 0, self.name
=== specs.yaml
right: f(1) == 2
small: f(1) < 5
""",
        fixes="specs.yaml::right",
        breaks="specs.yaml::small",
        quick=True,
    ),
]
