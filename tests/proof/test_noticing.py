"""Whether tests notice slips, in real workers."""

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import pytest

from pennyproof.core.candidates import Candidate, FileChange
from pennyproof.core.outcomes import Baseline, Outcome, TestOutcome
from pennyproof.core.snapshots import Snapshot
from pennyproof.core.sources import Source
from pennyproof.core.work import Cancel, Deadline
from pennyproof.errors import Cancelled
from pennyproof.proof.noticing import Noticing
from pennyproof.proof.options import ProofOptions
from pennyproof.proof.pool import Pool
from pennyproof.proof.records import Recorded
from pennyproof.proof.worker import Worker
from tests.proof.test_prover import Proving

PRICES = {
    "prices.py": """\
RATE = 2


def total(prices):
    result = 0
    for price in prices:
        result -= price
    return result


def gross(net):
    return net * RATE


def unused(net):
    return net
""",
    "test_prices.py": """\
from prices import gross, total


def test_total():
    assert total([1, 2]) == 3


def test_total_runs():
    total([1, 2])


def test_gross():
    assert gross(2) == 4


def test_nothing():
    assert True
""",
    "test_order.py": """\
import os

from prices import gross


def test_begins():
    os.environ["PRICES_BEGUN"] = "yes"


def test_goes_on():
    assert os.environ["PRICES_BEGUN"] == "yes"
    gross(1)
""",
}
TOTAL, RUNS, GROSS, NOTHING = (f"test_prices.py::test_{name}" for name in ("total", "total_runs", "gross", "nothing"))
ALL = [TOTAL, RUNS, GROSS, NOTHING]
IN_ORDER = ["test_order.py::test_begins", "test_order.py::test_goes_on"]
ADD = "result -= price", "result += price"
DOUBLE = "net * RATE", "RATE * net"


@pytest.fixture(scope="module")
def prices(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Proving]:
    with Proving(tmp_path_factory.mktemp("prices"), PRICES) as proving:
        proving.baseline()
        yield proving


def check(
    proving: Proving,
    edit: tuple[str, str],
    slips: list[str],
    tests: list[str],
    cancel: Cancel | None = None,
    seconds: float = 600.0,
) -> Mapping[int, bool]:
    """What the tests notice where the new text of an edit is one of these slips instead."""
    old, new = edit
    wrong = [proving.edit(("prices.py", old, slip)) for slip in slips]
    return proving.prover.noticed(
        proving.snapshot,
        proving.edit(("prices.py", old, new)),
        wrong,
        tests,
        cancel=cancel or Cancel(),
        deadline=Deadline(seconds),
    )


@pytest.mark.parametrize(
    ("edit", "slips", "tests", "noticed"),
    [
        (ADD, ["result *= price", "result = price", "result += price + 1"], ALL, [True, True, True]),
        (ADD, ["result *= price", "result = price", "result += price + 1"], [RUNS], [False, False, False]),
        (ADD, ["result += price * 1", "result = price"], [TOTAL], [False, True]),
        (DOUBLE, ["RATE + net", "RATE / net"], ALL, [False, True]),
        (("RATE = 2", "RATE = 4 - 2"), ["RATE = 3"], [GROSS, "test_prices.py::test_new"], [True]),
        (("RATE = 2", "RATE = 4 - 2"), ["RATE = 4 + 2", "RATE = 4 / 2"], ALL, [True, False]),
        (ADD, ["result = price / 0"], [RUNS], [True]),
        (ADD, ["while True: pass", "__import__('os')._exit(0)"], [RUNS], [True, True]),
    ],
    ids=[
        "strong",
        "weak",
        "equal",
        "by chance the same",
        "a test that is new",
        "at import",
        "breaks down",
        "loops or ends the process",
    ],
)
def test_slips(prices: Proving, edit: tuple[str, str], slips: list[str], tests: list[str], noticed: list[bool]) -> None:
    assert check(prices, edit, slips, tests) == dict(enumerate(noticed))


@pytest.mark.parametrize(
    ("edit", "slip", "tests"),
    [
        (ADD, "result += 'price'", ALL),
        (ADD, "result += pricy", ALL),
        (ADD, "__import__('pytest').skip()", ALL),
        (("RATE = 2", "RATE = 4 - 2"), "RATE = 4 / 0", ALL),
        (("    return net\n", "    return -net\n"), "    return 1\n", ALL),
        (("result -= price", "result -= 2 * price"), "result -= 3 * price", [TOTAL]),
        (DOUBLE, "RATE / net", IN_ORDER),
        (ADD, "result = price", [NOTHING]),
        (ADD, "result = price", []),
    ],
    ids=[
        "another type",
        "no such name",
        "a skip",
        "cannot be imported",
        "not covered",
        "fails without it",
        "fails alone",
        "covered by others",
        "no tests",
    ],
)
def test_what_says_nothing_is_left_out(prices: Proving, edit: tuple[str, str], slip: str, tests: list[str]) -> None:
    assert check(prices, edit, [slip], tests) == {}


def test_what_is_not_tried_in_time_is_left_out(prices: Proving) -> None:
    assert check(prices, ADD, ["result = price"], ALL, seconds=0.0) == {}


def test_nothing_is_begun_that_would_not_end_in_time() -> None:
    def lend() -> Worker:
        raise AssertionError("a worker was asked for")

    outcomes = {test: TestOutcome(test, Outcome.PASSED, seconds=5.0) for test in ALL}
    recorded = Recorded(Baseline(outcomes, 20.0), frozenset())
    snapshot = Snapshot(Path("/nowhere"))
    candidate = Candidate((FileChange("prices.py", Source("RATE = 2\n"), Source("RATE = 4\n")),))
    noticing = Noticing(Pool(1, lend), 1, ProofOptions(), recorded, snapshot, Cancel(), Deadline(50.0))
    assert noticing.noticed(candidate, [candidate], ALL) == {}


class AskedAfter(Cancel):
    """A cancel that is asked as soon as so many have begun to wait for something that it ends."""

    def __init__(self, waits: int) -> None:
        super().__init__()
        self._waits = waits

    def on_cancel(self, callback: Callable[[], None]) -> Callable[[], None]:
        forget = super().on_cancel(callback)
        self._waits -= 1
        if not self._waits:
            self.ask()
        return forget


@pytest.mark.parametrize("waits", [1, 2, 4, 6])
def test_a_cancel_frees_the_worker(prices: Proving, waits: int) -> None:
    with pytest.raises(Cancelled):
        check(prices, ADD, ["while True: pass"] * 100, [RUNS], AskedAfter(waits))
    assert check(prices, ADD, ["result = price"], [TOTAL]) == {0: True}
