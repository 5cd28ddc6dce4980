"""Which tests may depend on chance."""

import pytest

from pennyproof.core.outcomes import Baseline, Coverage, Outcome, TestOutcome
from pennyproof.proof.chance import chancy

M = "import random\n\n\ndef plain(n):\n    return n\n\n\n@cache\ndef drawn(n):\n    return random.random() + n\n"


@pytest.mark.parametrize(
    ("test", "conftest", "runs", "expected"),
    [
        ("def test_t():\n    assert plain(1)", "", {4}, False),
        ("def test_t():\n    assert drawn(1)", "", {8}, True),
        ("def test_t():\n    time.sleep(1)", "", set(), True),
        ("def test_other():\n    time.sleep(1)\n\ndef test_t():\n    pass", "", set(), False),
        ("def helper():\n    sleep(1)\n\ndef test_t():\n    helper()", "", set(), True),
        ("NOW = datetime.now()\n\ndef test_t():\n    assert NOW", "", set(), True),
        ("from datetime import now as when\n\ndef test_t():\n    assert when()", "", set(), True),
        ("def test_t(value):\n    pass", "@fixture\ndef value():\n    return uuid4()", set(), True),
        ("def test_t():\n    pass", "@fixture\ndef value():\n    return uuid4()", set(), False),
        ("def test_t():\n    pass", "@fixture(autouse=True)\ndef value():\n    return uuid4()", set(), True),
        ("def test_t():\n    'Now and then at random.'\n    assert plain(1)  # no time to lose", "", {4}, False),
        ("@usefixtures('value')\ndef test_t():\n    pass", "@fixture\ndef value():\n    return uuid4()", set(), True),
        ("def test_t():\n    patch('time.time')", "", set(), True),
        ("def test_t(thread_first):\n    pass", "", set(), False),
        ("@given(x)\ndef test_t(n):\n    pass", "", set(), True),
        ("async def test_t(n):\n    pass", "", set(), True),
        ("class TestC:\n    def setup(self):\n        Thread()\n\n    def test_t(n):\n        pass", "", set(), True),
    ],
)
def test_by_what_it_runs_and_names(test: str, conftest: str, runs: set[int], expected: bool) -> None:
    name = "a/test_m.py::" + ("TestC::test_t" if "TestC" in test else "test_t")
    files = {"a/test_m.py": test, "conftest.py": conftest, "m.py": M}
    functions = Coverage({name: {"m.py": frozenset(runs)}} if runs else {})
    baseline = Baseline({name: TestOutcome(name, Outcome.FAILED, path="a/test_m.py")}, 1.0, functions=functions)
    assert chancy([name], baseline, lambda path: files.get(path, "")) == ({name} if expected else set())
