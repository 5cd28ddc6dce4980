from pathlib import Path

import pytest

from tests.proof.inside.harness import outcomes, run, write

TESTS = """
import unittest
import pytest
from code_ import attack

def test_first():
    attack()
    assert False

@pytest.fixture
def leaking():
    yield
    assert False

def test_teardown(leaking): pass
def test_raises():
    with pytest.raises(ValueError): pass
def test_later(): assert False

class TestCase(unittest.TestCase):
    def test_method(self):
        attack()
        self.assertEqual(1, 2)
"""

ATTACKS = {
    "skip": "import pytest; pytest.skip('x')",
    "xfail": "import pytest; pytest.xfail('x')",
    "exit": "import pytest; pytest.exit('x', 0)",
    "unittest skip": "import unittest; raise unittest.SkipTest('x')",
    "runner": "import _pytest.runner as r\n    r.call_runtest_hook = lambda *a, **k: r.CallInfo.from_call(int, 'call')",
    "phase": "import _pytest.runner as r; r.pytest_runtest_call = lambda item: None",
    "code": "import _pytest.runner as r\n    def fake(item): pass\n    r.pytest_runtest_call.__code__ = fake.__code__",
    "report": "import _pytest.reports as r\n    old = r.TestReport.from_item_and_call.__func__\n"
    "    def fake(cls, item, call):\n        call.excinfo = None\n        return old(cls, item, call)\n"
    "    r.TestReport.from_item_and_call = classmethod(fake)",
    "report that restores itself": "import _pytest.reports as r\n"
    "    old = r.TestReport.__dict__['from_item_and_call']\n"
    "    def fake(cls, item, call):\n        call.excinfo = None\n        r.TestReport.from_item_and_call = old\n"
    "        return old.__func__(cls, item, call)\n    r.TestReport.from_item_and_call = classmethod(fake)",
    "property": "import _pytest.reports as r; r.BaseReport.failed = property(lambda s: False)",
    "outcome": "import _pytest.reports as r\n"
    "    r.TestReport.outcome = property(lambda s: 'passed', lambda s, v: None)",
    "module": "import sys, types; sys.modules['_pytest.runner'] = types.ModuleType('_pytest.runner')",
    "raises": "import pytest, contextlib; pytest.raises = lambda *a, **k: contextlib.nullcontext()",
    "pluggy": "import pluggy; pluggy.PluginManager._hookexec = lambda *a: []",
    "hook caller": "import gc, pluggy\n"
    "    [setattr(m, '_inner_hookexec', lambda *a: []) for m in gc.get_objects() if type(m).__name__.endswith("
    "'PluginManager')]",
    "plugin": "import gc, pytest\n    class P:\n        @pytest.hookimpl(hookwrapper=True)\n"
    "        def pytest_runtest_makereport(self, item, call):\n            o = yield\n"
    "            o.get_result().outcome = 'passed'\n"
    "    [m.register(P()) for m in gc.get_objects() if type(m).__name__ == 'PytestPluginManager']",
    "unittest": "import unittest; unittest.TestCase.run = lambda self, result=None: result.addSuccess(self)",
    "unittest part": "import unittest.case as c; c._addError = lambda *a: None",
    "tests": "import gc, pytest\n"
    "    [setattr(i, 'runtest', lambda: None) for i in gc.get_objects() if isinstance(i, pytest.Item)]",
    "test code": "import sys\n    for f in list(vars(sys.modules['test_it']).values()):\n"
    "        if hasattr(f, '__code__') and not f.__code__.co_freevars and f.__name__ == 'test_later':\n"
    "            f.__code__ = (lambda: None).__code__",
    "trace": "import sys\n    def jump(frame, event, arg):\n"
    "        if event == 'line': frame.f_lineno = frame.f_lineno\n"
    "        return jump\n    sys._getframe(1).f_trace = jump\n    sys.settrace(jump)\n    sys.settrace(None)",
    "builtins": "import builtins\n    real = builtins.hasattr\n"
    "    builtins.hasattr = lambda o, n: False if n == 'wasxfail' else real(o, n)",
    "thread": "import threading, _pytest.runner as r\n"
    "    t = threading.Thread(target=lambda: setattr(r, 'show_test_item', print))\n    t.start(); t.join()",
    "at exit": "import atexit, os; atexit.register(os._exit, 0)",
}


def check(tmp_path: Path, attack: str) -> tuple[dict[str, str], list[str]]:
    root = write(tmp_path / "p", {"code_.py": f"def attack():\n    {attack}\n", "test_it.py": TESTS})
    result = run(root)
    return (outcomes(result), result["patched"]) if result else ({}, [])


@pytest.fixture(scope="module")
def honest(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    found, patched = check(tmp_path_factory.mktemp("honest"), "pass")
    assert "passed" not in found.values()
    assert len(found) == 5
    return patched


@pytest.mark.parametrize("attack", ATTACKS.values(), ids=ATTACKS)
def test_no_trick_makes_a_test_pass_unnoticed(tmp_path: Path, honest: list[str], attack: str) -> None:
    found, patched = check(tmp_path, attack)
    assert "passed" not in found.values() or set(patched) - set(honest)


def test_leaving_early_gives_no_answer_or_no_outcome(tmp_path: Path) -> None:
    assert check(tmp_path, "import os; os._exit(0)") == ({}, [])


def test_hooks_of_the_project_are_named(tmp_path: Path) -> None:
    conftest = "def pytest_runtest_setup(item): pass\n"
    result = run(write(tmp_path / "p", {"tests/conftest.py": conftest, "tests/test_it.py": "def test(): pass\n"}))
    assert result is not None
    assert "hook pytest_runtest_setup: tests/conftest.py:pytest_runtest_setup" in result["patched"]


def test_a_project_that_changes_nothing_has_nothing_to_name(honest: list[str]) -> None:
    assert [name for name in honest if not name.startswith("hook ")] == []
