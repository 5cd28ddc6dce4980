"""Kinds of tests."""

from tests.proof.matrix.rows import row

ROWS = [
    row(
        "unittest",
        """\
=== test_m.py
import unittest

from m import f

READY = []

def setUpModule():
    READY.append(f)

def tearDownModule():
    READY.clear()

class TestF(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.f = staticmethod(READY[0])

    def test_right(self):
        self.assertEqual(self.f(1), 2)

    def test_small(self):
        for n in (0, 1):
            with self.subTest(n=n):
                self.assertLess(self.f(n), 5)

    @unittest.expectedFailure
    def test_unexpected(self):
        self.assertEqual(self.f(1), 3)

class TestAsync(unittest.IsolatedAsyncioTestCase):
    async def test_small(self):
        self.assertLess(self.f(1) if hasattr(self, "f") else READY[0](1), 5)
""",
        tests="test_m.py::TestF",
        quick=True,
    ),
    row(
        "doctests of modules",
        '''\
=== m.py
def f(n):
    """Count.

    >>> f(1)
    2
    """
    return n - 1

def g(n):
    """Compare.

    >>> f(n=n_or_one(n=None)) < 5
    True
    """

def n_or_one(n):
    return n or 1
=== pytest.ini
[pytest]
addopts = --doctest-modules
''',
        fixes="m.py::m.f",
        breaks="m.py::m.g",
    ),
    row(
        "doctests in texts",
        """\
=== docs/right.rst
Use it:

>>> from m import f
>>> f(1)
2
=== docs/small.rst
>>> from m import f
>>> f(1) < 5
True
=== pytest.ini
[pytest]
addopts = --doctest-glob=*.rst
pythonpath = .
""",
        fixes="docs/right.rst::right.rst",
        breaks="docs/small.rst::small.rst",
        quick=True,
    ),
    row(
        "odd ids",
        """\
=== test_m.py
import pytest

from m import f

ODD = ['ü-ñ-漢', 'a[b]c', 'with space', 'x::y', 'a/b', '', '100%', 'quote\\'\\\\"', 'new\\\\nline']

@pytest.mark.parametrize('text', ODD, ids=ODD)
def test_right(text):
    assert f(1) == 2

@pytest.mark.parametrize('text', ODD)
def test_small(text):
    assert f(1) < 5
""",
        fixes="test_m.py::test_right[with space]",
        breaks="test_m.py::test_small[x::y]",
        passing=9,
        quick=True,
    ),
    row(
        "fixtures and their ends",
        """\
=== test_m.py
from m import f
import pytest

OPEN = []

@pytest.fixture(scope="session")
def session():
    OPEN.append("session")
    yield f(1)
    assert OPEN.pop() == "session"

@pytest.fixture(scope="module")
def value(session, request):
    OPEN.append("module")
    request.addfinalizer(lambda: OPEN.remove("module"))
    return session

def test_right(value):
    assert value == 2 and OPEN == ["session", "module"]

def test_small(value):
    assert value < 5
""",
    ),
    row(
        "usefixtures",
        """\
=== conftest.py
import pytest
import m

@pytest.fixture
def seen():
    m.SEEN = m.f(1)
    yield
    del m.SEEN
=== test_m.py
import pytest
import m

pytestmark = pytest.mark.usefixtures('seen')

def test_right():
    assert m.SEEN == 2

def test_small():
    assert m.SEEN < 5
""",
    ),
    row(
        "xfail, strict",
        """\
=== pytest.ini
[pytest]
xfail_strict = true
=== test_m.py
import pytest

from m import f

def test_right():
    assert f(1) == 2

@pytest.mark.xfail
def test_small():
    assert f(1) == 7
""",
        quick=True,
    ),
    row(
        "skipped if wrong",
        """\
=== test_m.py
import pytest

from m import f

def test_right():
    assert f(1) == 2

def test_small():
    if f(1) > 5:
        pytest.skip('too large')

@pytest.mark.skip
def test_never():
    assert 0
""",
        quick=True,
    ),
]
