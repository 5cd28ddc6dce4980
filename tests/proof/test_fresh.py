"""Runs that start an interpreter each, as on Windows: what they see, how they end, and what proofs make of them."""

import os
import threading
import venv
from collections.abc import Iterator
from pathlib import Path

import pytest

from pennyproof.core.candidates import Candidate
from pennyproof.core.verdicts import Gate, Level
from pennyproof.core.work import Cancel, Deadline
from pennyproof.errors import Cancelled, NoPytest, WorkerLost
from pennyproof.proof import session
from pennyproof.proof.fresh import FreshServer
from pennyproof.proof.inside import limit
from pennyproof.proof.sandbox.off import Off
from pennyproof.proof.worker import Limits, Nursery, Status, WorkerSpec
from tests.proof.projects import Project, environment
from tests.proof.sandbox.yard import Yard, processes_with, yard_of

BARE = Off(forks=False)


@pytest.fixture(scope="module")
def yard(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Yard]:
    with yard_of(BARE, tmp_path_factory.mktemp("yard")) as made:
        yield made


@pytest.mark.parametrize(
    ("files", "code", "found"),
    [
        ({"module.py": b"value = 'changed'"}, "open('module.py').read()", "value = 'changed'"),
        ({"module.py": None}, "os.path.exists('module.py')", False),
        ({"new/deep/file.py": b"1"}, "open('new/deep/file.py').read()", "1"),
        ({}, "os.getcwd() == context.root and '' not in sys.path and context.root not in sys.path", True),
        ({}, "os.environ['HOME'] != os.environ['TMPDIR'] and os.listdir(os.environ['HOME'])", []),
        ({}, "sys.stdin.read(), sys.argv[1:]", ["", ["once"]]),
    ],
)
def test_what_a_run_sees(yard: Yard, files: dict[str, bytes | None], code: str, found: object) -> None:
    before = yard.digest()
    answer = yard.run(f"print('printed'); found = {code}", files=files)
    assert answer.result == {"found": found}, answer
    assert yard.digest() == before


def test_what_a_run_writes_is_gone_for_the_next(yard: Yard) -> None:
    write = "for name in ('module.py', 'left'): open(name, 'w').write('theirs')\nfound = sorted(os.listdir('.'))"
    look = "found = open('module.py').read(), os.path.exists('left')"
    assert yard.run(write).result == {"found": ["left", "module.py", "package"]}
    assert yard.run(look).result == {"found": ["value = 'original'\n", False]}
    (yard.root / "module.py").write_text("value = 'edited'\n")
    assert yard.run(look).result == {"found": ["value = 'edited'\n", False]}
    (yard.root / "module.py").write_text("value = 'original'\n")


@pytest.mark.parametrize(
    ("code", "status", "said"),
    [
        ("raise ValueError('no such thing')", Status.ERROR, "ValueError: no such thing"),
        ("print('last words', flush=True); os._exit(3)", Status.CRASHED, "exit code 3 before it answered:\nlast words"),
        ("os.abort()", Status.CRASHED, "killed by SIGABRT"),
        ("os.kill(os.getpid(), 9)", Status.CRASHED, "killed by SIGKILL"),
        (f"os._exit({limit.OVERDUE})", Status.CRASHED, "killed by SIGALRM"),
        ("os._exit(70)", Status.CRASHED, "it reached into the interpreter"),
        ("while True: pass", Status.TIMEOUT, "longer than 2 s"),
        ("subprocess.Popen(['sleep', '60']).wait()", Status.TIMEOUT, "longer than 2 s"),
        ("for fd in range(3, 9):\n  try: os.write(fd, b'x' * 99)\n  except OSError: pass", Status.FORGED, "not verify"),
    ],
)
def test_how_a_run_ends(yard: Yard, code: str, status: Status, said: str) -> None:
    answer = yard.run(code, limits=Limits(wall=2 if status is Status.TIMEOUT else 60))
    assert (answer.status, answer.result) == (status, {}), answer
    assert said in answer.detail


@pytest.mark.parametrize("path", ["../outside.py", "/etc/outside.py", "."])
def test_files_outside_the_root_are_refused(yard: Yard, path: str) -> None:
    answer = yard.run("found = 1", files={path: b""})
    assert (answer.status, "leads out of the root" in answer.detail) == (Status.ERROR, True)


def test_what_a_run_leaves_running_is_ended(yard: Yard) -> None:
    token = f"pennyproof-{os.getpid()}"
    code = f"found = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(60)', {token!r}]) and 1"
    assert yard.run(code).result == {"found": 1}
    patience = Deadline(10.0)  # A process that was killed is seen for a moment.
    while processes_with(token):
        assert not patience.passed


def test_no_child_stays(yard: Yard) -> None:
    with yard.worker.prime(files={}, params={}, limits=Limits(), cancel=Cancel()) as primed:
        assert (primed.answer.status, primed.alive) == (Status.ERROR, False)
    assert yard.run("found = 'free again'").ok


def test_cancelling_ends_the_run(yard: Yard) -> None:
    cancel = Cancel()
    threading.Timer(0.3, cancel.ask).start()
    with pytest.raises(Cancelled):
        yard.run("while True: pass", limits=Limits(wall=60), cancel=cancel)
    with pytest.raises(Cancelled):
        yard.run("found = 1", cancel=cancel)
    assert yard.run("found = 'free again'").ok


def test_closing_from_another_thread_ends_the_run_and_removes_its_copy(tmp_path: Path) -> None:
    with yard_of(BARE, tmp_path) as light:
        assert light.run("found = 1").ok
        server = light.worker._plain
        assert isinstance(server, FreshServer)
        folder = Path(server._folder)
        assert folder.is_dir()
        threading.Timer(0.3, light.worker.close).start()
        with pytest.raises(Cancelled):
            light.run("while True: pass", limits=Limits(wall=60))
        with pytest.raises(Cancelled):
            light.run("found = 'never again'")
    assert not folder.parent.exists()


def test_an_interpreter_that_does_not_start(tmp_path: Path) -> None:
    nursery = Nursery(BARE, WorkerSpec(root=tmp_path, python=tmp_path / "none"))
    with pytest.raises(WorkerLost, match="does not say what it is"):
        nursery.imported(Cancel())
    nursery.close()


def test_a_test_that_does_not_end_where_there_are_no_alarms(monkeypatch: pytest.MonkeyPatch) -> None:
    over = threading.Event()
    monkeypatch.setattr(limit, "_ALARMS", False)
    monkeypatch.setattr(limit, "_leave", over.set)
    waiting, prompt = limit.Limit(0.01), limit.Limit(60)
    prompt.begin()
    assert prompt.end() is None
    waiting.begin()
    assert over.wait(20)


FILES = {
    "pyproject.toml": "[tool.pytest.ini_options]\npythonpath = ['src']\n",
    "src/shop/__init__.py": "",
    "src/shop/cart.py": """\
def total(prices):
    result = 0
    for price in prices:
        result -= price
    return result


def count(prices):
    return len(prices)
""",
    "tests/conftest.py": "import pytest\n\n@pytest.fixture\ndef prices():\n    return [1, 2]\n",
    "tests/test_cart.py": """\
from shop.cart import count, total


def test_total(prices, tmp_path):
    (tmp_path / "kept").write_text("1")
    assert total(prices) == 3


def test_count(prices):
    assert count(prices) == 2
""",
}
TOTAL, COUNT = (f"tests/test_cart.py::test_{name}" for name in ("total", "count"))


@pytest.fixture(scope="module")
def python(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An interpreter whose pytest has no plugins, which starts sooner."""
    return environment(tmp_path_factory.mktemp("python") / "venv", "plugins").python


@pytest.fixture
def project(tmp_path: Path, python: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Project]:
    monkeypatch.setattr(session, "likely_sandbox", lambda _: None)
    monkeypatch.setattr(session, "find_sandbox", lambda _: BARE)
    with Project(tmp_path / "shop", FILES, python) as made:
        yield made


def test_proofs(project: Project) -> None:
    cart = "src/shop/cart.py"
    assert project.failing() == [TOTAL]
    mended = project.prove((cart, "-=", "+="), targets=[TOTAL])
    assert (mended.level, mended.fixed, mended.ran) == (Level.FIXES, (TOTAL,), (TOTAL,))
    broken = project.prove((cart, "len(prices)", "0"))
    assert (broken.level, broken.gate, broken.broken) == (Level.REJECTED, Gate.TESTS, (COUNT,))


def test_the_screen_runs_every_candidate(project: Project) -> None:
    candidates: list[Candidate] = [project.candidate(("src/shop/cart.py", "-=", sign)) for sign in ("+=", "*=")]
    project.failing()
    found = project.prover.screen(project.snapshot, iter(candidates), [TOTAL], cancel=Cancel(), deadline=Deadline(60))
    assert {candidates.index(screened.candidate): screened.fixed for screened in found} == {0: (TOTAL,), 1: ()}


def test_an_interpreter_without_pytest_is_told_so(tmp_path: Path, project: Project) -> None:
    venv.create(tmp_path / "empty", symlinks=True)
    with Project(tmp_path / "other", FILES, tmp_path / "empty" / "bin" / "python") as other, pytest.raises(NoPytest):
        other.failing()
