"""Runs that started pytest in advance come to what runs from the beginning come to, or are runs from the beginning."""

import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from pennyproof.core.work import Cancel
from pennyproof.proof.inside import ahead, placing
from pennyproof.proof.sandbox import find_sandbox
from pennyproof.proof.worker import Limits, Nursery, Worker, WorkerSpec
from tests.proof.inside.harness import write

PROBE = """
import traceback
from code_ import value

def test_probe():
    assert value == 1
    in_advance = any(frame.name == "go_on" for frame in traceback.extract_stack())
    raise RuntimeError("in advance" if in_advance else "from the beginning")
"""
CODE = "value = 1\n"
PLAIN = {"code_.py": CODE, "tests/test_it.py": PROBE}
PROBED = "tests/test_it.py::test_probe"


@contextmanager
def working(root: Path, args: tuple[str, ...] | None) -> Iterator[Worker]:
    spec = WorkerSpec(root, Path(sys.executable), plugins=False, args=args)
    nursery = Nursery(find_sandbox("bubblewrap"), spec)
    worker = Worker(nursery)
    try:
        yield worker
    finally:
        worker.close()
        nursery.close()


def run(worker: Worker, files: Mapping[str, bytes | None] | None = None, **params: Any) -> dict[str, Any]:
    asked = {"ids": [PROBED], **params}
    answer = worker.run("run", files=files or {}, params=asked, limits=Limits(wall=120), cancel=Cancel())
    assert answer.ok, answer
    return answer.result


def how(result: Mapping[str, Any]) -> str:
    """In advance, or from the beginning, as the probe says."""
    (outcome,) = result["outcomes"]
    return str(outcome["failure"]["message"])


@pytest.mark.parametrize(
    ("further", "expected"),
    [
        ({}, "in advance"),
        ({"pytest.ini": "[pytest]\naddopts = -k nothing\ntestpaths = tests\npythonpath = tests"}, "in advance"),
        (
            {"tests/conftest.py": "def pytest_configure(config):\n    config.addinivalue_line('markers', 'x')"},
            "in advance",
        ),
        ({"tests/conftest.py": "def pytest_collection(session): pass"}, "in advance"),
        ({"conftest.py": "def pytest_sessionstart(session): pass"}, "from the beginning"),
        ({"conftest.py": "def pytest_addoption(parser): parser.addoption('--x')"}, "from the beginning"),
        ({"conftest.py": "def pytest_configure(config): config.option.maxfail = 0"}, "from the beginning"),
        ({"conftest.py": "pytest_plugins = ['helper']", "helper.py": ""}, "from the beginning"),
        ({"conftest.py": "import warnings\nwarnings.simplefilter('ignore')"}, "in advance"),
        ({"pytest.ini": "[pytest]\naddopts = -p helper", "helper.py": ""}, "from the beginning"),
        ({"pytest.ini": "[pytest]\naddopts = tests"}, "from the beginning"),
        ({"pytest.ini": "[pytest]\ntestpaths = */test*"}, "from the beginning"),
    ],
)
def test_when_a_run_is_started_in_advance(tmp_path: Path, further: dict[str, str], expected: str) -> None:
    root = write(tmp_path / "p", {**PLAIN, **further})
    with working(root, ()) as worker:
        assert [how(run(worker)) for _ in range(2)] == [expected, expected]


def test_nested_folders_are_looked_at_too(tmp_path: Path) -> None:
    moved = {"code_.py": CODE, "src/tests/test_it.py": PROBE, "pytest.ini": "[pytest]\ntestpaths = src/tests"}
    root = write(tmp_path / "p", moved)
    with working(root, ()) as worker:
        assert how(run(worker, ids=["src/tests/test_it.py"])) == "in advance"
        (root / "src" / "tests").rename(tmp_path / "old")
        write(root, {"src/tests/test_it.py": PROBE})
        assert how(run(worker, ids=["src/tests/test_it.py"])) == "from the beginning"
        assert how(run(worker, ids=["src/tests/test_it.py"])) == "in advance"


@pytest.mark.parametrize(
    ("files", "params", "expected"),
    [
        ({"code_.py": b"value = 1  # changed"}, {}, "in advance"),
        ({"new.py": b""}, {}, "in advance"),
        ({"pytest.ini": b"[pytest]\n"}, {}, "from the beginning"),
        ({"tests/conftest.py": b"def pytest_sessionstart(): pass"}, {}, "from the beginning"),
        ({}, {"args": ["-x"]}, "from the beginning"),
    ],
)
def test_requests_that_need_another_start(
    tmp_path: Path, files: dict[str, bytes | None], params: dict[str, Any], expected: str
) -> None:
    with working(write(tmp_path / "p", PLAIN), ()) as worker:
        assert how(run(worker, files, **params)) == expected
        assert how(run(worker)) == "in advance"


def test_changes_on_disk_while_a_child_waits_are_seen(tmp_path: Path) -> None:
    root = write(tmp_path / "p", {**PLAIN, "pytest.ini": "[pytest]\n"})
    with working(root, ()) as worker:
        assert how(run(worker)) == "in advance"
        write(root, {"pytest.ini": "[pytest]\npython_functions = other"})
        assert run(worker)["collected"] == []
        write(root, {"pytest.ini": "[pytest]\n"})
        (root / "tests").rename(tmp_path / "old")
        write(root, {"tests/test_it.py": PROBE.replace("test_probe", "test_other")})
        assert run(worker, ids=["tests"])["collected"] == ["tests/test_it.py::test_other"]


RICH = {
    "code_.py": CODE,
    "conftest.py": """
import pytest, code_
ORDER = []

@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_call(item):
    ORDER.append("wrapper")
    yield

@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item):
    ORDER.append("first")

def pytest_collection_modifyitems(items):
    items.reverse()

@pytest.fixture(autouse=True)
def given(): return code_.value

@pytest.fixture
def shadowed(): return "outer"
""",
    "tests/conftest.py": """
import pytest

@pytest.hookimpl(hookwrapper=True, tryfirst=True)
def pytest_runtest_makereport(item, call):
    (yield).get_result().user_properties.append(("seen", "inner"))

@pytest.fixture
def shadowed(shadowed): return "inner " + shadowed
""",
    "tests/test_it.py": """
import warnings, logging, pytest
from conftest import ORDER

def test_fixtures(given, shadowed, tmp_path, capsys, caplog):
    assert (given, shadowed) == (1, "inner outer")
    print("x")
    assert capsys.readouterr().out == "x\\n"

def test_hooks(): assert ORDER[:2] == ["first", "wrapper"]
def test_fails(): assert [1] == [2]
def test_warns(): warnings.warn("w")

@pytest.mark.skip
def test_skipped(): pass
""",
    "pytest.ini": "[pytest]\nfilterwarnings = error\npythonpath = .\nlog_level = INFO\n",
}


@pytest.mark.parametrize(
    "change", [{}, {"code_.py": b"value = 2\n"}, {"code_.py": b"1 / 0\n"}, {"tests/test_it.py": b"import nothing\n"}]
)
@pytest.mark.parametrize("ids", [None, ["tests/test_it.py"], ["tests/test_it.py::test_hooks"]])
def test_both_ways_come_to_the_same(tmp_path: Path, change: dict[str, bytes | None], ids: list[str] | None) -> None:
    root = write(tmp_path / "p", RICH)
    found = []
    for args in ((), None):
        with working(root, args) as worker:
            result = run(worker, change, ids=ids, trace="functions")
            for outcome in result["outcomes"]:
                outcome["seconds"] = 0
            del result["opened"]  # Pytest's own configuration is read once, before the others are run.
            found.append(result)
    assert found[0] == found[1]


def test_files_that_do_not_exist(tmp_path: Path) -> None:
    with working(write(tmp_path / "p", PLAIN), ()) as worker:
        result = run(worker, ids=["missing.py::test"])
        assert (result["unknown"], result["exit"], result["collected"]) == (["missing.py::test"], "none", [])


def test_priming_in_advance(tmp_path: Path) -> None:
    root = write(tmp_path / "p", {**RICH, "code_.py": "value = 1\n\ndef f():\n    return 1\n"})
    write(root, {"tests/test_it.py": "from code_ import f\n\ndef test_f():\n    assert f() == 2\n"})
    params = {"ids": ["tests/test_it.py::test_f"]}
    with (
        working(root, ()) as worker,
        worker.prime(files={}, params=params, limits=Limits(wall=120), cancel=Cancel()) as primed,
    ):
        assert primed.answer.result["usable"], primed.answer
        request = {"op": "screen", "files": {"code_.py": "value = 1\n\ndef f():\n    return 2\n"}, "ids": None}
        assert primed.ask(request, 20).result["passed"] == params["ids"]


def test_hooks_that_can_be_called_late_are_hooks() -> None:
    manager = pytest.Config.fromdictargs({}, []).pluginmanager
    assert {name for name in ahead._LATE_HOOKS if hasattr(manager.hook, name)} == ahead._LATE_HOOKS


def test_late_plugins_take_their_place() -> None:
    manager = pytest.PytestPluginManager()

    def plugin() -> Any:
        class Plugin:
            def pytest_runtest_logstart(self) -> None: ...
            @pytest.hookimpl(tryfirst=True)
            def pytest_runtest_logfinish(self) -> None: ...

        return Plugin()

    first, second, third, late = (plugin() for _ in range(4))
    for each in (first, second, third):
        manager.register(each)
    placing.register(manager, late, after=first)
    for caller in (manager.hook.pytest_runtest_logstart, manager.hook.pytest_runtest_logfinish):
        assert [hook.plugin for hook in caller.get_hookimpls()] == [first, late, second, third]
