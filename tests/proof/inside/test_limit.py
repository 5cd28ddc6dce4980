"""Tests that hang: what they cost, and what is told of them."""

from pathlib import Path

import pytest

from tests.proof.inside.harness import outcomes, run, write

LOOP = "def total(n):\n    result = 0\n    while n > 0:\n        result += n\n    return result\n"
TESTS = """
from loop import total

def test_hangs():
    assert total(3) == 6

def test_after():
    assert total(0) == 0
"""


def test_a_test_that_hangs_costs_no_more_than_its_limit(tmp_path: Path) -> None:
    root = write(tmp_path / "p", {"loop.py": LOOP, "test_loop.py": TESTS})
    result = run(root, each=0.3, locals=True, trace="lines")
    assert outcomes(result) == {"test_loop.py::test_hangs": "failed", "test_loop.py::test_after": "passed"}
    assert result is not None
    failure = result["outcomes"][0]["failure"]
    assert (failure["kind"], failure["message"]) == ("Timeout", "did not end within 0.3 s")
    assert [frame["function"] for frame in failure["frames"]] == ["test_hangs", "total"]
    innermost = failure["frames"][-1]
    assert innermost["line"] in (3, 4)
    assert ["n", "3"] in innermost["variables"]
    assert result["coverage"]["test_loop.py::test_hangs"] == {"loop.py": [1, 2, 3, 4]}


@pytest.mark.parametrize(
    ("body", "outcome"),
    [
        ("    signal.setitimer(signal.ITIMER_REAL, 0)", "passed"),
        ("    signal.signal(signal.SIGALRM, lambda *_: None)\n    signal.alarm(3)", "passed"),
        ("    assert signal.getsignal(signal.SIGPROF) is signal.SIG_DFL", "passed"),
        ("    try:\n        signal.pause()\n    except BaseException:\n        pass", "failed"),
        ("    threading.Event().wait()", "failed"),
        ("    subprocess.run([sys.executable, '-c', 'while True: pass'])", "failed"),
        ("    with pytest.raises(BaseException):\n        signal.pause()", "failed"),
    ],
)
def test_what_else_a_test_does_with_alarms(tmp_path: Path, body: str, outcome: str) -> None:
    text = f"import signal, subprocess, sys, threading, pytest\n\ndef test_it():\n{body}\n\ndef test_next(): pass\n"
    root = write(tmp_path / "p", {"test_it.py": text})
    assert outcomes(run(root, each=1)) == {"test_it.py::test_it": outcome, "test_it.py::test_next": "passed"}


@pytest.mark.parametrize(
    "body",
    [
        "    while True:\n        try:\n            signal.pause()\n        except BaseException:\n            pass",
        "    collections.deque(itertools.repeat(0), maxlen=0)",
    ],
)
def test_what_cannot_be_interrupted_ends_the_process(tmp_path: Path, body: str) -> None:
    text = f"import collections, itertools, signal\n\ndef test_it():\n{body}\n"
    assert run(write(tmp_path / "p", {"test_it.py": text}), each=0.5) is None


def test_set_up_and_teardown_are_limited_too(tmp_path: Path) -> None:
    text = """
import pytest

@pytest.fixture
def before():
    while True: pass

@pytest.fixture
def after():
    yield
    while True: pass

def test_before(before): pass
def test_after(after): pass
def test_other(): pass
"""
    found = outcomes(run(write(tmp_path / "p", {"test_it.py": text}), each=1))
    assert list(found.values()) == ["error", "error", "passed"]


def test_many_that_hang_get_less_time(tmp_path: Path) -> None:
    text = "import time\n\n" + "".join(f"def test_{n}(): time.sleep(9)\n" for n in range(1, 4))
    result = run(write(tmp_path / "p", {"test_it.py": text}), each=0.5, patience=0.4)
    assert result is not None
    messages = [told["failure"]["message"] for told in result["outcomes"]]
    assert messages == ["did not end within 0.5 s", "did not end within 0.05 s", "did not end within 0.05 s"]


@pytest.mark.parametrize("file", ["test_hangs.py", "conftest.py"])
def test_imports_are_limited(tmp_path: Path, file: str) -> None:
    root = write(tmp_path / "p", {file: "while True: pass\n", "test_other.py": "def test_other(): pass\n"})
    result = run(root, collecting=0.5)
    assert result is not None
    (error,) = result["errors"]
    assert error["message"].endswith("did not end within 0.5 s")
    assert len(result["outcomes"]) == (file == "test_hangs.py")
