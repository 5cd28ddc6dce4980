"""Plugins that projects use."""

from tests.proof.matrix.rows import row

ROWS = [
    row(
        "xdist",
        """\
=== pytest.ini
[pytest]
addopts = -n 2 --dist loadfile
=== test_m.py
""",
        plugins=("pytest-xdist", "execnet"),
        quick=True,
    ),
    row(
        "cov",
        """\
=== pytest.ini
[pytest]
addopts = --cov=m --cov-branch --cov-report=term --cov-fail-under=100
=== test_m.py
""",
        plugins=("pytest-cov", "coverage"),
        quick=True,
    ),
    row(
        "randomly",
        """\
=== pytest.ini
[pytest]
addopts = -p randomly -p no:cacheprovider
=== test_m.py
""",
        plugins=("pytest-randomly",),
    ),
    row(
        "asyncio, auto",
        """\
=== pytest.ini
[pytest]
asyncio_mode = auto
=== test_m.py
import asyncio

from m import f

async def test_right():
    await asyncio.sleep(0)
    assert f(1) == 2

async def test_small():
    assert f(1) < 5
""",
        plugins=("pytest-asyncio",),
        quick=True,
    ),
    row(
        "asyncio, strict",
        """\
=== test_m.py
import pytest
import pytest_asyncio

from m import f

@pytest_asyncio.fixture
async def value():
    return f(1)

@pytest.mark.asyncio
async def test_right(value):
    assert value == 2

@pytest.mark.asyncio
async def test_small(value):
    assert value < 5
""",
        plugins=("pytest-asyncio",),
    ),
    row(
        "anyio",
        """\
=== conftest.py
import pytest

@pytest.fixture
def anyio_backend():
    return 'asyncio'
=== test_m.py
import pytest

from m import f

pytestmark = pytest.mark.anyio

async def test_right():
    assert f(1) == 2

async def test_small():
    assert f(1) < 5
""",
        plugins=("anyio", "idna"),
    ),
    row(
        "hypothesis",
        """\
=== test_m.py
from hypothesis import given
from hypothesis import strategies as st

from m import f

@given(st.integers())
def test_right(n):
    assert f(n) == n + 1

@given(st.integers())
def test_small(n):
    assert f(n) < n + 5
""",
        plugins=("hypothesis", "sortedcontainers"),
    ),
    row(
        "timeout",
        """\
=== pytest.ini
[pytest]
timeout = 30
timeout_method = thread
=== test_m.py
""",
        plugins=("pytest-timeout",),
    ),
    row(
        "mock",
        """\
=== test_m.py
import m

def test_right(mocker):
    spy = mocker.spy(m, 'f')
    assert m.f(1) == 2
    spy.assert_called_once_with(1)

def test_small(mocker):
    mocker.patch('os.getcwd', return_value='/')
    assert m.f(1) < 5
""",
        plugins=("pytest-mock",),
    ),
    row(
        "numpy",
        """\
=== m.py
import numpy as np

def f(n):
    return np.asarray(n - 1)
=== test_m.py
import numpy as np

from m import f

def test_right():
    np.testing.assert_array_equal(f([1, 1] * np.ones(2, int)), 2)

def test_small():
    assert (f(np.arange(2)) < 5).all()
""",
        plugins=("numpy",),
    ),
]
