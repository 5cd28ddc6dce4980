"""Workers: what a run sees, how it ends, and what happens when the fork server is lost."""

import os
import shutil
import signal
import sys
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path

import pytest

from pennyproof.core.work import Cancel
from pennyproof.errors import Cancelled, NoSandbox, WorkerLost
from pennyproof.proof.sandbox import Kind, find_sandbox
from pennyproof.proof.sandbox.bubblewrap import Bubblewrap
from pennyproof.proof.sandbox.launch import Sandbox
from pennyproof.proof.sandbox.places import interpreter_places
from pennyproof.proof.worker import Limits, Nursery, Primed, Status, Worker, WorkerSpec
from tests.proof.sandbox.yard import Yard, yard_of

KINDS: tuple[Kind, ...] = ("bubblewrap", "landlock", "off")


@pytest.fixture(scope="module", params=KINDS)
def yard(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Yard]:
    with yard_of(request.param, tmp_path_factory.mktemp(request.param)) as made:
        yield made


@pytest.fixture
def light(tmp_path: Path) -> Iterator[Yard]:
    """A yard of its own, whose worker may be broken."""
    with yard_of("bubblewrap", tmp_path) as made:
        yield made


@pytest.mark.parametrize(
    ("files", "code", "found"),
    [
        ({"module.py": b"value = 'changed'"}, "open('module.py').read()", "value = 'changed'"),
        ({"module.py": None}, "os.path.exists('module.py')", False),
        ({"new/deep/file.py": b"1"}, "open('new/deep/file.py').read()", "1"),
        ({"package/__init__.py": b"\r\n\xff"}, "list(open('package/__init__.py', 'rb').read())", [13, 10, 255]),
        (
            {"module.py": b"value = 1"},
            "__import__('subprocess').check_output(['cat', 'module.py']).decode()",
            "value = 1",
        ),
        ({"script.sh": b"#!/bin/sh"}, "os.stat('script.sh').st_mode & 0o777", 0o755),
        ({"module.py": b"value = 1"}, "os.stat('module.py').st_mtime < 1 << 29", True),
        ({}, "os.getcwd() == context.root and '' not in sys.path and context.root not in sys.path", True),
        ({}, "os.environ['HOME'] != os.environ['TMPDIR'] and os.listdir(os.environ['HOME'])", []),
    ],
)
def test_what_a_run_sees(yard: Yard, files: dict[str, bytes | None], code: str, found: object) -> None:
    script = yard.root / "script.sh"
    script.write_bytes(b"")
    script.chmod(0o755)
    before = yard.digest()
    answer = yard.run(f"found = {code}", files=files)
    assert answer.result == {"found": found}, answer
    assert yard.digest() == before


def test_a_run_has_a_folder_for_temporary_files_of_its_own(yard: Yard) -> None:
    with tempfile.NamedTemporaryFile() as hosts:
        answer = yard.run("found = os.listdir(os.environ['TMPDIR'])")
        assert Path(hosts.name).name not in answer.result["found"]


def test_a_change_on_disk_is_seen_by_the_next_run(yard: Yard) -> None:
    look = "found = open('module.py').read()"
    assert yard.run(look).result["found"] == "value = 'original'\n"
    (yard.root / "module.py").write_text("value = 'edited'\n")
    assert yard.run(look).result["found"] == "value = 'edited'\n"
    (yard.root / "module.py").write_text("value = 'original'\n")


@pytest.mark.parametrize("path", ["../outside.py", "/etc/outside.py", "package/../../outside.py", "."])
def test_files_outside_the_root_are_refused(yard: Yard, path: str) -> None:
    answer = yard.run("found = 1", files={path: b""})
    assert answer.status is Status.ERROR
    assert "leads out of the root" in answer.detail


def test_an_editable_installation_is_imported_as_the_run_sees_it(yard: Yard) -> None:
    answer = yard.run(
        "sys.path.append(root)\nimport module\nfound = module.value"
        if yard.kind == "bubblewrap"
        else "import importlib.machinery as machinery\n"
        "class Editable:\n"
        "    @staticmethod\n"
        "    def find_spec(name, path=None, target=None):\n"
        "        return machinery.PathFinder.find_spec(name, [root]) if name == 'module' else None\n"
        "os.environ['PYTHONDONTWRITEBYTECODE'] = '1'\n"
        "sys.meta_path.append(Editable)\n"
        "import module\nfound = module.value",
        files={"module.py": b"value = 'mended'"},
    )
    if yard.kind == "landlock":
        # The original cannot be read at all, so neither can a finder look there.
        assert answer.status is Status.ERROR
    else:
        assert answer.result == {"found": "mended"}


def test_an_error_in_a_job_is_told_in_one_line(yard: Yard) -> None:
    answer = yard.run("raise ValueError('no such thing')")
    assert (answer.status, answer.detail) == (Status.ERROR, "ValueError: no such thing")


def test_an_unknown_job(yard: Yard) -> None:
    answer = yard.worker.run("missing", files={}, params={}, limits=Limits(), cancel=Cancel())
    assert (answer.status, answer.detail) == (Status.ERROR, "KeyError: 'missing'")


def test_large_answers_and_requests_pass(yard: Yard) -> None:
    answer = yard.run("found = len(open('big').read()) * '\\n\\u20ac'", files={"big": b"x" * 300_000})
    assert answer.result["found"] == "\n€" * 300_000


def prime(yard: Yard, cancel: Cancel | None = None) -> Primed:
    return yard.worker.prime(files={}, params={}, limits=Limits(wall=60), cancel=cancel or Cancel())


def test_a_primed_child_stays(yard: Yard) -> None:
    with prime(yard) as primed:
        assert primed.answer.result == {"found": "primed"}
        assert primed.ask({"code": "kept = 7"}, 20).ok
        assert primed.ask({"code": "found = kept"}, 20).result == {"found": 7}
        error = primed.ask({"code": "1 / 0"}, 20)
        assert (error.status, primed.alive) == (Status.ERROR, True)
        assert primed.ask({"code": "found = kept"}, 20).result == {"found": 7}
    assert not primed.alive
    assert yard.run("found = 'free again'").ok


@pytest.mark.parametrize(
    ("code", "status"),
    [
        ("while True: pass", Status.TIMEOUT),
        ("import os; os._exit(1)", Status.CRASHED),
        (
            "import os\nfor fd in range(3, 99):\n    try: os.write(fd, b'x' * 99)\n    except OSError: pass",
            Status.FORGED,
        ),
    ],
)
def test_a_primed_child_that_fails_is_gone(yard: Yard, code: str, status: Status) -> None:
    with prime(yard) as primed:
        answer = primed.ask({"code": code}, 0.5)
        assert (answer.status, primed.alive) == (status, False), answer
        assert primed.ask({"code": "found = 1"}, 1).status is Status.ERROR
    assert yard.run("found = 'free again'").ok


def test_a_fork_of_a_primed_child_cannot_answer(yard: Yard) -> None:
    fork = """
import os
found = 'honest'
if os.fork() == 0:
    context.reply({'found': 'forged'})
    context.detach()
    os._exit(0)
os.wait()
"""
    with prime(yard) as primed:
        assert primed.ask({"code": fork}, 20).result == {"found": "honest"}
        assert primed.ask({"code": "found = 2"}, 20).result == {"found": 2}


@pytest.mark.parametrize(
    "code",
    [
        "while True: pass",
        "signal.pause()",
        "sum(range(10**15))",
        "for _ in range(20): subprocess.Popen(['sleep', '60'])\nsignal.pause()",
        "signal.pthread_sigmask(signal.SIG_BLOCK, range(1, 32))\nif os.fork() == 0: os.setsid()\nsignal.pause()",
    ],
)
def test_cancelling_ends_a_run_and_nothing_else(yard: Yard, code: str) -> None:
    assert yard.run("found = 1").ok
    server, cancel = yard.worker._plain, Cancel()
    timer = threading.Timer(0.2, cancel.ask)
    timer.start()
    with pytest.raises(Cancelled):
        yard.run(code, limits=Limits(wall=60), cancel=cancel)
    assert yard.run("found = 'free again'").result == {"found": "free again"}
    assert yard.worker._plain is server


def test_cancelling_ends_a_child_that_stays(yard: Yard) -> None:
    cancel = Cancel()
    with prime(yard, cancel) as primed:
        server = yard.worker._plain
        timer = threading.Timer(0.2, cancel.ask)
        timer.start()
        with pytest.raises(Cancelled):
            primed.ask({"code": "while True: pass"}, 60)
        assert not primed.alive
        assert yard.run("found = 'free again'").ok
        assert yard.worker._plain is server


def test_an_answer_that_nobody_waited_for_is_not_taken_for_another(yard: Yard) -> None:
    """Whenever the cancel comes, the next answer is to the next request."""
    for delay in (0.0, 0.001, 0.003, 0.01, 0.03):
        cancel = Cancel()
        timer = threading.Timer(delay, cancel.ask)
        timer.start()
        with suppress(Cancelled):
            assert yard.run("found = 'not waited for'", cancel=cancel).ok
        assert yard.run(f"found = {delay}").result == {"found": delay}


def test_what_is_cancelled_before_never_starts(yard: Yard) -> None:
    cancel = Cancel()
    cancel.ask()
    with pytest.raises(Cancelled):
        prime(yard, cancel)


def test_closing_from_another_thread_ends_a_run(light: Yard) -> None:
    assert light.run("found = 1").ok
    timer = threading.Timer(0.3, light.worker.close)
    timer.start()
    with pytest.raises(Cancelled):
        light.run("while True: pass")
    with pytest.raises(Cancelled):
        light.run("found = 'never again'")


def kill_zygote(yard: Yard) -> None:
    process = yard.nursery._process
    assert process
    os.killpg(process.group, signal.SIGKILL)


@pytest.mark.parametrize("used", [False, True])
def test_a_lost_process_is_started_again(light: Yard, used: bool) -> None:
    light.nursery.imported(Cancel())
    if used:
        assert light.run("found = 1").ok
    kill_zygote(light)
    assert light.run("found = 1").ok


def test_one_that_hangs_is_killed(light: Yard) -> None:
    """A fork server that is stopped answers no request, and does not end by itself."""
    assert light.run("found = 1").ok
    server = light.worker._plain
    assert server
    server.zygote.kill(server._number)
    assert light.run("found = 2").ok


def test_a_closed_nursery_starts_nothing(light: Yard) -> None:
    light.nursery.close()
    with pytest.raises(Cancelled):
        light.run("found = 1")


def test_workers_of_one_nursery_are_independent(yard: Yard) -> None:
    other = Worker(yard.nursery)
    try:
        with prime(yard) as primed:
            params = {"code": "open('module.py', 'w').write('theirs'); found = open('module.py').read()"}
            answer = other.run("snippet", files={}, params=params, limits=Limits(), cancel=Cancel())
            assert answer.result == {"found": "theirs"}
            assert primed.ask({"code": "found = open('module.py').read()"}, 20).result == {
                "found": "value = 'original'\n"
            }
    finally:
        other.close()


@contextmanager
def raised(spec: WorkerSpec, sandbox: Sandbox) -> Iterator[Nursery]:
    nursery = Nursery(sandbox, spec)
    try:
        yield nursery
    finally:
        nursery.close()


def test_a_process_that_cannot_start_says_why(light: Yard) -> None:
    spec = WorkerSpec(root=light.root, python=Path(sys.executable), plugins=False, jobs=light.root / "module.py")
    with raised(spec, light.nursery.sandbox) as nursery, pytest.raises(WorkerLost, match="JOBS"):
        nursery.imported(Cancel())


def test_preloading_leaves_the_project_out(light: Yard) -> None:
    spec = replace(light.nursery.spec, readable=(light.root,), preload=("json.tool", "module", "missing_module"))
    code = "import sys; found = ['json.tool' in sys.modules, 'module' in sys.modules]"
    with raised(spec, light.nursery.sandbox) as nursery:
        assert set(nursery.imported(Cancel()).skipped) == {"module", "missing_module"}
        worker = Worker(nursery)
        answer = worker.run("snippet", files={}, params={"code": code}, limits=Limits(), cancel=Cancel())
        worker.close()
    assert answer.result == {"found": [True, False]}


def test_a_warming_worker_writes_bytecode_that_others_read(yard: Yard) -> None:
    code = "import sys; sys.path.insert(0, '.'); import module; found = module.__cached__"
    warming = Worker(yard.nursery, warming=True)
    try:
        written = warming.run("snippet", files={}, params={"code": code}, limits=Limits(), cancel=Cancel())
    finally:
        warming.close()
    assert Path(written.result["found"]).is_relative_to(yard.pycache)
    before = yard.digest()
    # Same size, and no chance of the same time: the bytecode of the original is not taken for the candidate's.
    changed = yard.run(f"{code}; found = module.value", files={"module.py": b"value = 'replaced'\n"})
    assert changed.result == {"found": "replaced"}
    assert yard.digest() == before


def test_running_a_command_once(yard: Yard) -> None:
    code = "import os, sys; print(sys.argv[1:], 'PENNYPROOF_API_KEY' in os.environ); sys.exit('wrong')"
    spec = yard.nursery.spec
    finished = yard.nursery.sandbox.run_once([sys.executable, "-c", code, "a b"], spec, 20)
    assert (finished.code, finished.stdout, finished.stderr) == (1, "['a b'] False\n", "wrong\n")


def test_a_missing_bubblewrap_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    find_sandbox.cache_clear()
    with pytest.raises(NoSandbox, match=r"install the package bubblewrap.*proof\.sandbox to off"):
        find_sandbox("bubblewrap")
    assert find_sandbox("auto").kind == "landlock"
    find_sandbox.cache_clear()


def test_a_bubblewrap_that_may_do_nothing_is_no_sandbox(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    refusing = tmp_path / "bwrap"
    refusing.write_text("#!/bin/sh\necho 'bwrap: setting up uid map: Permission denied' >&2; exit 1\n")
    refusing.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=os.pathsep)
    find_sandbox.cache_clear()
    with pytest.raises(NoSandbox, match="setting up uid map: Permission denied"):
        find_sandbox("bubblewrap")
    find_sandbox.cache_clear()


def test_the_places_of_an_interpreter(tmp_path: Path) -> None:
    base, environment, home_bin = tmp_path / "base-3.12.1", tmp_path / "project" / ".venv", tmp_path / "local" / "bin"
    for folder in (base / "bin", base / "lib" / "python3.12", environment / "bin", home_bin):
        folder.mkdir(parents=True)
    (base / "bin" / "python3.12").touch()
    (base / "lib" / "python3.12" / "os.py").touch()
    (tmp_path / "base-3.12").symlink_to(base)
    (environment / "pyvenv.cfg").write_text(f"home = {tmp_path / 'base-3.12' / 'bin'}\n")
    (environment / "bin" / "python").symlink_to(base / "bin" / "python3.12")
    (home_bin / "python3").symlink_to(environment / "bin" / "python")
    found = set(interpreter_places(home_bin / "python3"))
    # The folder around a lone link is not shown: it may be a home.
    assert found == {home_bin / "python3", environment, tmp_path / "base-3.12", base}


def test_bubblewrap_starts_with_no_environment_at_all(light: Yard) -> None:
    assert isinstance(light.nursery.sandbox, Bubblewrap)
    assert light.nursery.sandbox.launch(light.nursery.spec).environment == {}
    assert shutil.which("bwrap")
