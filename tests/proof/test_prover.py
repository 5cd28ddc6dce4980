"""Whole proofs of small projects, in real workers."""

import logging
import os
import signal
import subprocess
import sys
import threading
import venv
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from pennyproof.core.candidates import Candidate, FileChange, Tier
from pennyproof.core.outcomes import Baseline, Outcome
from pennyproof.core.snapshots import Snapshot
from pennyproof.core.sources import Source
from pennyproof.core.verdicts import Gate, Level, Line, Verdict
from pennyproof.core.work import Cancel, Deadline, Silent
from pennyproof.errors import Cancelled, EnvironmentProblem, NoPytest, NoTests, UnknownTest
from pennyproof.proof.prover import ProofOptions, Prover
from tests.proof.owners import give_away, needs_root

SHOP = {
    "shop/__init__.py": "",
    "shop/cart.py": """\
from shop.tax import RATE, tax

LIMIT = 3


def total(prices):
    result = 0
    for price in prices:
        result -= price
    return result


def gross(net):
    return net + tax(net)


def full(prices):
    return len(prices) >= LIMIT


def unused():
    return 1
""",
    "shop/tax.py": "RATE = 0.5\n\n\ndef tax(net):\n    return net * RATE\n",
    "tests/test_cart.py": """\
import os

import pytest

from shop.cart import full, gross, total


def test_total():
    assert total([1, 2]) == 3


def test_total_of_nothing():
    assert total([]) == 0


@pytest.mark.parametrize("net", [0, 2])
def test_gross(net):
    assert gross(net) == net * 1.5


def test_full():
    assert full([1, 2, 3])


def test_shipping():
    assert os.path.exists("shipping.txt")
""",
}
TOTAL, SHIPPING = "tests/test_cart.py::test_total", "tests/test_cart.py::test_shipping"


def write(root: Path, files: Mapping[str, str]) -> Path:
    root = root.resolve()
    for path, text in files.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(text)
    return root


class Proving:
    """A project and its prover."""

    def __init__(
        self,
        root: Path,
        files: Mapping[str, str],
        state: Path | None = None,
        timeout: float = 60,
        *,
        patching: bool = True,
        waiting: bool = True,
        workers: int = 1,
    ) -> None:
        self.root = write(root, files)
        self.snapshot = Snapshot(self.root)
        options = ProofOptions(
            python=sys.executable, workers=workers, timeout_seconds=timeout, patching=patching, waiting=waiting
        )
        self.prover = Prover(self.root, options, state)

    def __enter__(self) -> "Proving":
        return self

    def __exit__(self, *_: object) -> None:
        self.prover.close()

    def edit(self, *edits: tuple[str, str, str]) -> Candidate:
        """A candidate that replaces in each path the one text by the other."""
        texts: dict[str, tuple[Source, str]] = {}
        for path, old, new in edits:
            before = self.snapshot.read(path)
            assert before is not None
            text = texts[path][1] if path in texts else before.text
            assert text.count(old) == 1, (path, old)
            texts[path] = before, text.replace(old, new)
        return Candidate(tuple(FileChange(path, old, Source(new)) for path, (old, new) in texts.items()))

    def baseline(self, *test_ids: str) -> Baseline:
        return self.prover.baseline(self.snapshot, test_ids=test_ids or None, cancel=Cancel(), progress=Silent())

    def prove(self, candidate: Candidate, *test_ids: str, every_test: bool = False, afresh: bool = False) -> Verdict:
        targets = [TOTAL] if (self.root / "shop").exists() else []
        return self.prover.prove(
            self.snapshot,
            candidate,
            targets=targets,
            test_ids=test_ids or None,
            every_test=every_test,
            afresh=afresh,
            cancel=Cancel(),
        )


def kill_sandboxes() -> None:
    """Kill all that this process has started, with everything in them."""
    listed = subprocess.run(
        ["ps", "-o", "pid=", "--ppid", str(os.getpid())], capture_output=True, text=True, check=True
    )
    commands = {pid: Path(f"/proc/{pid}/cmdline") for pid in listed.stdout.split()}
    workers = [int(pid) for pid, command in commands.items() if command.exists() and b"bwrap" in command.read_bytes()]
    assert workers
    for pid in workers:
        os.kill(pid, signal.SIGKILL)


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Proving]:
    folder = tmp_path_factory.mktemp("shop")
    with Proving(folder / "project", SHOP, folder / "state") as proving:
        yield proving


def short(ids: tuple[str, ...]) -> list[str]:
    return [test.rpartition("::test_")[2] for test in ids]


def test_the_baseline(shop: Proving) -> None:
    baseline = shop.baseline()
    assert short(tuple(baseline.outcomes)) == ["total", "total_of_nothing", "gross[0]", "gross[2]", "full", "shipping"]
    assert short(tuple(test.id for test in baseline.failing)) == ["total", "shipping"]
    assert list(shop.baseline(TOTAL).outcomes) == [TOTAL]
    failure = baseline.outcomes[TOTAL].failure
    assert failure is not None
    assert "assert -3 == 3" in failure.message


@pytest.mark.parametrize(
    ("old", "new", "level", "selection", "ran"),
    [
        ("result -= price", "result += price", Level.FIXES, "map", 2),
        ("result = 0", "result = 0.0", Level.PASSES, "map", 2),
        ("net + tax(net)", "tax(net) + net", Level.PASSES, "map", 3),
        ("LIMIT = 3", "LIMIT = 1 + 2", Level.PASSES, "imports", 6),
        ("return 1", "return 2", Level.PARSES, "map", 1),
        ("def total(prices):", "def total(prices, start=0):", Level.PASSES, "imports", 6),
        ("result = 0", "return sum(prices)\n    result = 0", Level.FIXES, "map", 2),
        ("def unused", "def new():\n    return 2\n\n\ndef unused", Level.PARSES, "imports", 6),
        ("LIMIT = 3", "# How many.\nLIMIT = 3", Level.PARSES, "map", 1),
    ],
)
def test_candidates_that_hold(shop: Proving, old: str, new: str, level: Level, selection: str, ran: int) -> None:
    verdict = shop.prove(shop.edit(("shop/cart.py", old, new)))
    assert (verdict.level, verdict.selection, len(verdict.ran)) == (level, selection, ran), verdict
    assert (verdict.fixed == (TOTAL,)) == (level is Level.FIXES)
    assert not verdict.broken


@pytest.mark.parametrize(
    ("old", "new", "gate", "words"),
    [
        ("result -= price", "result +=", Gate.PARSES, ["line 9"]),
        ("result -= price", "result += prise", Gate.NAMES, ["`prise`"]),
        ("result -= price", "result += price is 'x'", Gate.LINT, ["F632"]),
        ("result -= price", "all(iter(lambda: 1, 0)), prise", Gate.NAMES, ["`prise`"]),
        ("result = 0", "result = 1", Gate.TESTS, ["breaks", "test_total_of_nothing", "assert 1 == 0"]),
        ("LIMIT = 3", "LIMIT = 4", Gate.TESTS, ["breaks", "test_full"]),
        ("result = 0", "result = 0; raise SystemExit(0)", Gate.TESTS, ["breaks", "test_total_of_nothing"]),
        ("result = 0", "result = 0; import os; os._exit(0)", Gate.TESTS, ["ended the process"]),
        ("result = 0", "result = 0; import pytest; pytest.skip('x')", Gate.TESTS, ["it is skipped now"]),
        ("result = 0", "result = 0; import pytest; pytest.exit('x', 0)", Gate.TESTS, ["test_total"]),
        (
            "LIMIT = 3",
            "LIMIT = 3\nraise ValueError('gone')",
            Gate.TESTS,
            ["tests/test_cart.py can no longer be collected", "gone"],
        ),
        ("from shop.tax import RATE, tax", "from shop.tax import RATE, tax, more", Gate.TESTS, ["ImportError", "more"]),
        ("def full", "def fuller", Gate.TESTS, ["can no longer be collected", "full"]),
    ],
)
def test_candidates_that_do_not(shop: Proving, old: str, new: str, gate: Gate, words: list[str]) -> None:
    verdict = shop.prove(shop.edit(("shop/cart.py", old, new)))
    assert (verdict.level, verdict.gate) == (Level.REJECTED, gate), verdict
    assert [word for word in words if word not in (verdict.reason or "")] == [], verdict.reason


def test_what_a_change_reaches_from_another_file(shop: Proving) -> None:
    verdict = shop.prove(shop.edit(("shop/tax.py", "RATE = 0.5", "RATE = 0.25")))
    assert short(verdict.broken) == ["gross[2]"]


def test_two_files_at_once(shop: Proving) -> None:
    candidate = shop.edit(
        ("shop/cart.py", "result -= price", "result += price"), ("shop/tax.py", "net * RATE", "RATE * net")
    )
    verdict = shop.prove(candidate)
    assert (verdict.level, len(verdict.ran)) == (Level.FIXES, 4)


def test_new_and_deleted_files(shop: Proving) -> None:
    unused = Candidate((FileChange("shop/new.py", None, Source("def f():\n    return 1\n")),))
    verdict = shop.prove(unused)
    assert (verdict.level, verdict.selection, verdict.uncovered) == (Level.PARSES, "all", (Line("shop/new.py", 2),))
    gone = Candidate((FileChange("shop/tax.py", shop.snapshot.read("shop/tax.py"), None),))
    assert shop.prove(gone).gate is Gate.TESTS
    data = Candidate((FileChange("shipping.txt", None, Source("fast\n")),))
    assert short(shop.prove(data).fixed) == ["shipping"]


def test_tests_that_are_asked_for(shop: Proving) -> None:
    candidate = shop.edit(("shop/cart.py", "result -= price", "result = 3"))
    verdict = shop.prove(candidate, TOTAL)
    assert (verdict.level, verdict.selection, short(verdict.ran)) == (Level.FIXES, "asked", ["total"])
    verdict = shop.prove(candidate, "tests/test_cart.py::test_gross")
    assert short(verdict.ran) == ["total", "gross[0]", "gross[2]"]
    assert len(shop.prove(candidate, every_test=True).ran) == 6
    with pytest.raises(UnknownTest, match=r"no test 'tests/test_cart\.py::test_no'"):
        shop.prove(candidate, "tests/test_cart.py::test_no")
    with pytest.raises(UnknownTest, match=r"no test 'no\.py'"):
        shop.baseline("no.py")


def test_what_does_not_start_from_the_files_as_they_are(shop: Proving) -> None:
    stale = Candidate((FileChange("shop/cart.py", Source("x"), Source("y")),))
    assert "has changed since" in (shop.prove(stale).reason or "")
    source = shop.snapshot.read("shop/cart.py")
    assert shop.prove(Candidate((FileChange("shop/cart.py", source, source),))).reason == "changes nothing"
    bent = shop.edit(("tests/test_cart.py", "== 3", "== -3"))
    assert shop.prove(bent).reason == "touches tests/test_cart.py: tests are not bent to pass"


def test_open_buffers_stand_before_the_disk(shop: Proving) -> None:
    text = SHOP["shop/cart.py"].replace("result -= price", "result += price")
    snapshot = Snapshot(shop.root, {"shop/cart.py": Source(text)})
    baseline = shop.prover.baseline(snapshot, cancel=Cancel(), progress=Silent())
    assert short(tuple(test.id for test in baseline.failing)) == ["shipping"]
    back = Candidate((FileChange("shop/cart.py", Source(text), Source(SHOP["shop/cart.py"])),))
    assert short(shop.prover.prove(snapshot, back, cancel=Cancel()).broken) == ["total"]


@pytest.mark.parametrize(
    ("path", "old", "new", "failing"),
    [
        ("tests/test_cart.py", "== 3", "== 4", ["total", "shipping"]),
        ("shop/tax.py", "0.5", "0.7", ["gross[2]", "shipping"]),
    ],
)
def test_files_that_change_after_many_runs_have_read_them(
    tmp_path: Path, path: str, old: str, new: str, failing: list[str]
) -> None:
    with Proving(tmp_path / "project", SHOP) as shop:
        mended = shop.edit(("shop/cart.py", "-= price", "+= price"))
        for _ in range(4):  # By then all that these tests import is kept in memory.
            assert shop.prove(mended).level is Level.FIXES
        changed = shop.root / path
        changed.write_text(changed.read_text().replace(old, new))
        shop.snapshot = Snapshot(shop.root, {"shop/cart.py": Source(SHOP["shop/cart.py"].replace("-= p", "+= p"))})
        assert short(tuple(test.id for test in shop.baseline().failing)) == failing


def test_coverage_of_single_tests(shop: Proving) -> None:
    coverage = shop.prover.coverage(shop.snapshot, [TOTAL], cancel=Cancel())
    assert coverage.lines[TOTAL]["shop/cart.py"] >= {7, 8, 9, 10}
    assert coverage.lines[TOTAL]["shop/cart.py"].isdisjoint({14, 18, 22})


def screened(shop: Proving, candidates: list[Candidate]) -> dict[str, bool]:
    found = shop.prover.screen(shop.snapshot, iter(candidates), [TOTAL], cancel=Cancel(), deadline=Deadline(60))
    return {item.candidate.summary: item.survived for item in found}


def test_the_screen_lets_through_what_mends_the_target(shop: Proving) -> None:
    edits = {
        "right": ("result -= price", "result += price"),
        "wrong": ("result -= price", "result *= price"),
        "loops": ("result -= price", "while True: pass"),
        "exits": ("result -= price", "import os; os._exit(0)"),
        "outside functions": ("LIMIT = 3", "LIMIT = 3\n\n\ndef sum_(x):\n    return x"),
        "new signature": ("def total(prices):", "def total(prices, zero=0):\n    return sum(prices)"),
    }
    candidates = [Candidate(shop.edit(("shop/cart.py", *edit)).changes, summary=name) for name, edit in edits.items()]
    assert screened(shop, candidates) == {name: name in ("right", "new signature") for name in edits}


def test_the_screen_tells_what_remains_and_asks_the_guards(shop: Proving) -> None:
    edits = {"right": "result += price", "three": "pass\n    return 3", "for two": "return len(prices) + 1"}
    candidates = [
        Candidate(shop.edit(("shop/cart.py", "result -= price", edit)).changes, summary=name)
        for name, edit in edits.items()
    ]
    of_nothing = "tests/test_cart.py::test_total_of_nothing"

    def screened(guards: list[str]) -> dict[str, tuple[tuple[str, ...], tuple[str, ...]]]:
        found = shop.prover.screen(
            shop.snapshot,
            iter(candidates),
            [TOTAL, SHIPPING],
            guards=guards,
            cancel=Cancel(),
            deadline=Deadline(60),
        )
        return {item.candidate.summary: (item.fixed, item.remaining) for item in found}

    mended = ((TOTAL,), (SHIPPING,))
    assert screened([]) == dict.fromkeys(edits, mended)
    assert screened([of_nothing]) == {"right": mended, "three": ((), ()), "for two": mended}


def test_behaviours_tell_candidates_apart(shop: Proving) -> None:
    edits = ["result += price", "result = result + price", "result = 3"]
    candidates = [shop.edit(("shop/cart.py", "result -= price", edit)) for edit in edits]
    seen = shop.prover.behaviours(shop.snapshot, candidates, [TOTAL], cancel=Cancel(), deadline=Deadline(60))
    assert seen[0] == seen[1] != seen[2]


def test_cancelled_work_stops(shop: Proving) -> None:
    shop.baseline()
    endless = shop.edit(("shop/cart.py", "result -= price", "while True: pass"))
    cancel = Cancel()
    timer = threading.Timer(0.3, cancel.ask)
    timer.start()
    with pytest.raises(Cancelled):
        shop.prover.prove(shop.snapshot, endless, targets=[TOTAL], cancel=cancel)
    with pytest.raises(Cancelled):
        shop.prover.prove(shop.snapshot, endless, cancel=cancel)
    assert shop.prove(shop.edit(("shop/cart.py", "result -= price", "result += price"))).level is Level.FIXES


def test_a_screen_ends_at_its_deadline_and_when_nobody_listens(shop: Proving) -> None:
    candidate = shop.edit(("shop/cart.py", "result -= price", "result *= price"))

    def endless() -> Iterator[Candidate]:
        while True:
            yield candidate

    def screen(seconds: float) -> Iterator[object]:
        return shop.prover.screen(shop.snapshot, endless(), [TOTAL], cancel=Cancel(), deadline=Deadline(seconds))

    assert list(screen(0)) == []
    found = screen(600)
    assert next(iter(found))
    found.close()  # type: ignore[attr-defined]  # It is a generator.
    assert "pennyproof-screen" not in {thread.name for thread in threading.enumerate()}
    assert shop.prove(shop.edit(("shop/cart.py", "result -= price", "result += price"))).level is Level.FIXES


def test_a_killed_worker_is_replaced(shop: Proving) -> None:
    fixing = shop.edit(("shop/cart.py", "result -= price", "result += price"))
    shop.prove(fixing)
    kill_sandboxes()
    assert shop.prove(fixing).level is Level.FIXES


def test_baselines_are_remembered_across_provers(shop: Proving, tmp_path: Path) -> None:
    shop.baseline()
    (state,) = shop.root.parent.glob("state")
    other = Prover(shop.root, ProofOptions(python=sys.executable), state)
    try:
        said: list[str] = []

        class Saying:
            def report(self, message: str, fraction: float | None = None, *, tier: Tier | None = None) -> None:
                said.append(message)

        other.baseline(shop.snapshot, cancel=Cancel(), progress=Saying())
        assert said == []
    finally:
        other.close()


def test_a_prover_that_is_closed_says_so(tmp_path: Path) -> None:
    with Proving(tmp_path, SHOP) as proving:
        proving.prover.close()
        with pytest.raises(EnvironmentProblem, match="closed"):
            proving.baseline()


ROUGH = {
    "m.py": "def f():\n    return 1\n\n\ndef g():\n    return 2\n",
    "keep.txt": "kept",
    "test_rough.py": """\
import os
import shutil
import socket

import pytest

import m


def test_ends_the_process():
    os._exit(0)


def test_prints_megabytes():
    for _ in range(3):
        print("x" * 1_000_000)


def test_deletes_files():
    os.remove("keep.txt")
    shutil.rmtree(os.path.dirname(os.path.abspath(__file__)), ignore_errors=True)


def test_writes_files():
    with open("new.txt", "w") as file:
        file.write("x")


def test_needs_the_network():
    with pytest.raises(OSError):
        socket.create_connection(("192.0.2.1", 80), timeout=1)


def test_needs_memory():
    with pytest.raises(MemoryError):
        bytearray(64 << 30)


def test_leaves_a_child():
    if os.fork() == 0:
        while True:
            pass


def test_f():
    assert m.f() == 1
""",
    "test_broken.py": "def test_never(:\n",
    "test_missing.py": "import nowhere\n",
}


def contents(root: Path) -> dict[str, bytes]:
    return {str(path.relative_to(root)): path.read_bytes() for path in root.rglob("*") if path.is_file()}


def test_rough_tests_spoil_nothing_but_themselves(tmp_path: Path) -> None:
    with Proving(tmp_path, ROUGH) as proving:
        before = contents(proving.root)
        baseline = proving.baseline()
        assert {error.path for error in baseline.errors} == {"test_broken.py", "test_missing.py"}
        failed = {test.id.rpartition("::test_")[2]: test.failure for test in baseline.failing}
        assert list(failed) == ["ends_the_process"]
        assert (failure := failed["ends_the_process"])
        assert "ended the process" in failure.message
        verdict = proving.prove(proving.edit(("m.py", "return 1", "return 3 - 2")), every_test=True)
        assert (verdict.level, len(verdict.ran)) == (Level.PASSES, 7)
        assert contents(proving.root) == before


def test_a_test_that_hangs_fails_and_can_be_mended(tmp_path: Path) -> None:
    files = {
        "m.py": "def f():\n    while True:\n        pass\n",
        "test_m.py": "import m\n\n\ndef test_f():\n    assert m.f() is None\n\n\ndef test_other():\n    assert m\n",
    }
    with Proving(tmp_path, files, timeout=3) as proving:
        outcomes = proving.baseline().outcomes
        assert [test.outcome for test in outcomes.values()] == [Outcome.FAILED, Outcome.PASSED]
        assert (failure := outcomes["test_m.py::test_f"].failure)
        assert (failure.kind, failure.message.split(" within ")[0]) == ("Timeout", "did not end")
        candidate = proving.edit(("m.py", "        pass", "        break"))
        verdict = proving.prover.prove(proving.snapshot, candidate, targets=["test_m.py::test_f"], cancel=Cancel())
        assert (verdict.level, verdict.fixed) == (Level.FIXES, ("test_m.py::test_f",))


LOOPING = {
    "m.py": "def f(n):\n    while n > 0:\n        n\n    return n\n",
    "test_m.py": "import m\n\n\ndef test_f():\n    assert m.f(2) == 0\n\n\n"
    "def test_g():\n    assert m.f(3) == 0\n\n\ndef test_other():\n    assert m.f(0) == 0\n",
}
HANGING = ["test_m.py::test_f", "test_m.py::test_g"]


def test_tests_that_hang_are_screened_and_proved_together(tmp_path: Path) -> None:
    with Proving(tmp_path, LOOPING) as proving:
        prover, snapshot = proving.prover, proving.snapshot
        baseline = prover.baseline(snapshot, patience=1, cancel=Cancel(), progress=Silent())
        assert [test.id for test in baseline.failing] == HANGING
        coverage = prover.coverage(snapshot, [*HANGING, "test_m.py::test_other"], cancel=Cancel())
        assert [sorted(coverage.lines[test]["m.py"]) for test in HANGING] == [[1, 2, 3], [1, 2, 3]]
        good, bad = (proving.edit(("m.py", "        n\n", f"        n {sign}= 1\n")) for sign in "-+")
        results = prover.screen(snapshot, iter([bad, good]), HANGING[:1], cancel=Cancel(), deadline=Deadline(60))
        assert {result.candidate.changes: result.fixed for result in results} == {
            bad.changes: (),
            good.changes: (HANGING[0],),
        }
        verdict = prover.prove(snapshot, good, targets=HANGING, cancel=Cancel())
        assert (verdict.level, list(verdict.fixed)) == (Level.FIXES, HANGING)
        verdict = prover.prove(snapshot, bad, targets=HANGING, cancel=Cancel())
        assert (verdict.level, verdict.fixed) == (Level.PARSES, ())


def test_a_test_that_was_hurried_has_its_time_when_nobody_is_in_a_hurry(tmp_path: Path) -> None:
    text = "import time\n\n\ndef test_slow():\n    time.sleep(0.8)\n"
    with Proving(tmp_path / "p", {"test_m.py": text}, tmp_path / "state") as proving:
        hurried = proving.prover.baseline(proving.snapshot, patience=0.1, cancel=Cancel(), progress=Silent())
        assert [test.id for test in hurried.failing] == ["test_m.py::test_slow"]
        assert proving.baseline().failing == ()


def test_a_test_that_is_only_slow_is_not_mended_by_an_edit(tmp_path: Path) -> None:
    text = "import time\n\nimport m\n\n\ndef test_slow():\n    time.sleep(0.8)\n    assert m.f()\n"
    with Proving(tmp_path / "p", {"m.py": "def f():\n    return 1\n", "test_m.py": text}) as proving:
        proving.prover.baseline(proving.snapshot, patience=0.1, cancel=Cancel(), progress=Silent())
        verdict = proving.prover.prove(
            proving.snapshot,
            proving.edit(("m.py", "return 1", "return 2")),
            targets=["test_m.py::test_slow"],
            cancel=Cancel(),
        )
        assert verdict.fixed == ()


def test_a_syntax_error_that_is_mended(tmp_path: Path) -> None:
    files = {"m.py": "def f(:\n    return 1\n", "test_m.py": "import m\n\n\ndef test_f():\n    assert m.f() == 1\n"}
    with Proving(tmp_path, files) as proving:
        assert [error.path for error in proving.baseline().errors] == ["test_m.py"]
        verdict = proving.prove(proving.edit(("m.py", "(:", "():")))
        assert (verdict.level, verdict.fixed) == (Level.FIXES, ("test_m.py::test_f",))


def test_tests_that_depend_on_their_order_are_not_blamed_on_the_candidate(tmp_path: Path) -> None:
    files = {
        "m.py": "SEEN = []\n\n\ndef f():\n    return 1\n",
        "test_m.py": "import m\n\n\ndef test_first():\n    m.SEEN.append(1)\n\n\n"
        "def test_second():\n    assert m.f()\n    assert m.SEEN\n\n\ndef test_third():\n    assert m.f()\n",
    }
    with Proving(tmp_path, files) as proving:
        verdict = proving.prove(proving.edit(("m.py", "return 1", "return 2")))
        assert (verdict.level, verdict.selection, len(verdict.ran)) == (Level.PASSES, "map", 2)


def test_a_function_that_runs_at_import_takes_every_test(tmp_path: Path) -> None:
    files = {
        "m.py": "def f():\n    return 1\n\n\nTABLE = [f()]\n",
        "test_m.py": "import m\n\n\ndef test_f():\n    assert m.f()\n\n\ndef test_table():\n    assert m.TABLE == [1]",
    }
    with Proving(tmp_path, files) as proving:
        verdict = proving.prove(proving.edit(("m.py", "return 1", "return 2")))
        assert verdict.broken == ("test_m.py::test_table",)


def test_flaky_tests_are_no_targets(tmp_path: Path) -> None:
    text = "import m\n\n\ndef test_first():\n    m.SEEN.append(1)\n\n\ndef test_alone():\n    assert not m.SEEN\n"
    with Proving(tmp_path, {"m.py": "SEEN = []\n", "test_m.py": text}) as proving:
        baseline = proving.baseline()
        assert (baseline.flaky, baseline.failing) == ({"test_m.py::test_alone"}, ())


def test_no_tests(tmp_path: Path) -> None:
    with Proving(tmp_path, {"m.py": ""}) as proving, pytest.raises(NoTests, match="no tests found"):
        proving.baseline()


def test_arguments_that_pytest_refuses(tmp_path: Path) -> None:
    root = write(tmp_path, {"test_m.py": "def test(): pass\n"})
    prover = Prover(root, ProofOptions(python=sys.executable, args=("--no-such-option",)), None)
    try:
        with pytest.raises(EnvironmentProblem, match="--no-such-option"):
            prover.baseline(Snapshot(root), cancel=Cancel(), progress=Silent())
    finally:
        prover.close()


def test_no_pytest(tmp_path: Path) -> None:
    root = write(tmp_path, {"test_m.py": "def test(): pass\n"})
    venv.create(root / ".venv", with_pip=False, symlinks=True)
    prover = Prover(root, ProofOptions(), None, environ={"PATH": "", "HOME": str(tmp_path)})
    with pytest.raises(NoPytest, match=r"\.venv/bin/python .*-m pip install pytest"):
        prover.baseline(Snapshot(root), cancel=Cancel(), progress=Silent())


@pytest.mark.parametrize("spoilt", ["a file", "read-only"])
def test_a_state_directory_that_cannot_be_written(tmp_path: Path, spoilt: str) -> None:
    state = tmp_path / "state"
    if spoilt == "a file":
        state.write_text("")
    else:
        state.mkdir(mode=0o500)
    with Proving(tmp_path / "project", {"test_m.py": "def test(): pass\n"}, state) as proving:
        assert proving.baseline().passing


def test_two_provers_in_one_workspace_at_once(tmp_path: Path) -> None:
    state = tmp_path / "state"
    with Proving(tmp_path / "p", SHOP, state) as one, Proving(tmp_path / "p", SHOP, state) as two:
        verdicts: list[Level] = []

        def work(proving: Proving) -> None:
            candidate = proving.edit(("shop/cart.py", "result -= price", "result += price"))
            verdicts.append(proving.prove(candidate).level)

        threads = [threading.Thread(target=work, args=(proving,)) for proving in (one, two)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert verdicts == [Level.FIXES, Level.FIXES]


def test_a_folder_that_the_sandbox_may_not_write_is_told_and_no_candidate_blamed(tmp_path: Path) -> None:
    files = {"pkg/m.py": "def f():\n    return 1\n", "test_m.py": "import pkg.m\ndef test_f(): assert pkg.m.f() == 2\n"}
    with Proving(tmp_path / "p", files) as proving:
        folder = proving.root / "pkg"
        folder.chmod(0o555)
        try:
            with pytest.raises(EnvironmentProblem, match="cannot be put in place"):
                proving.prove(proving.edit(("pkg/m.py", "1", "2")))
        finally:
            folder.chmod(0o755)


ONE = {"pkg/m.py": "def f():\n    return 1\n", "test_m.py": "import pkg.m\ndef test_f(): assert pkg.m.f() == 2\n"}


@needs_root
def test_a_project_of_another_owner_is_proved_as_any_other(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "pennyproof.proof.session")
    with Proving(tmp_path / "p", ONE) as proving:
        given = give_away(proving.root)
        assert proving.prove(proving.edit(("pkg/m.py", "1", "2"))).level is Level.FIXES
        assert given.is_as_it_was()
    # The first trial of the sandbox did, and no other was needed.
    assert caplog.messages == []


@needs_root
@pytest.mark.parametrize("mode", [0o755, 0o777])
def test_a_folder_given_away_meanwhile_is_told_and_no_candidate_blamed(tmp_path: Path, mode: int) -> None:
    with Proving(tmp_path / "p", ONE) as proving:
        proving.baseline()
        give_away(proving.root / "pkg")
        (proving.root / "pkg").chmod(mode)
        with pytest.raises(EnvironmentProblem, match="cannot be put in place"):
            proving.prove(proving.edit(("pkg/m.py", "1", "2")))
