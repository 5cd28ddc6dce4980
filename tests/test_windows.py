"""As far as Windows can be played elsewhere: what it lacks is taken away, and everything it needs is imported."""

import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from pennyproof.core.work import Cancel
from pennyproof.proof import interpreter, lint
from pennyproof.proof.environment import readable_paths
from pennyproof.proof.inside import ending
from pennyproof.proof.sandbox import places
from pennyproof.proof.sandbox.launch import Launch
from pennyproof.proof.sandbox.off import Off
from pennyproof.proof.worker import Answer, Limits, Nursery, Status, Worker, WorkerSpec
from tests.proof.projects import environment, write

ONCE = """
import importlib, pkgutil, sys
import pennyproof
# Those of a fork server and of its children, what tries out Linux, and dask, which brings its own demands.
FORKING = {"ahead", "children", "confine", "copied", "isolate", "processes", "server", "taken", "twins", "zygote"}
OURS = [
    module.name
    for module in pkgutil.walk_packages(pennyproof.__path__, "pennyproof.")
    if not ("proof.inside." in module.name and module.name.rpartition(".")[2] in FORKING)
    and not module.name.startswith("pennyproof.cli.sample")
    and not module.name.endswith((".__main__", ".unsharing", ".cluster"))
]
for name in OURS:  # With all they import, which cannot be told that this is Windows.
    importlib.import_module(name)
for name in [name for name in sys.modules if name.partition(".")[0] == "pennyproof"]:
    del sys.modules[name]
"""
LACK = """
import ctypes, os, select, signal, socket, sys

for name in ("fcntl", "resource", "pwd", "grp", "termios", "tty", "pty", "syslog"):
    sys.modules[name] = None
LACKING = {
    os: "fork forkpty pidfd_open getuid geteuid getgid setsid getpgid killpg waitid nice statvfs pread mkfifo chown "
        "sched_getaffinity WNOHANG WEXITED WNOWAIT P_PID ST_NOSUID ST_NODEV ST_NOEXEC O_CLOEXEC O_PATH memfd_create "
        "posix_spawn register_at_fork uname",
    signal: "SIGKILL SIGALRM SIGPROF SIGSTOP SIGCONT SIGHUP SIGUSR1 SIGPIPE alarm setitimer getitimer ITIMER_REAL "
            "pause pthread_sigmask",
    select: "poll epoll",
    socket: "AF_UNIX CMSG_SPACE SCM_RIGHTS",
}
for module, names in LACKING.items():
    for name in names.split():
        if hasattr(module, name):
            delattr(module, name)

class Library(ctypes.CDLL):
    def __init__(self, name, *args, **kwargs):
        if name is None:
            raise TypeError("Windows has no library without a name")
        super().__init__(name, *args, **kwargs)

ctypes.CDLL = Library
"""
PLAY = f"{ONCE}{LACK}sys.platform = 'win32'\n"
TOLD = """
from importlib.machinery import PathFinder

class Teller:
    @staticmethod
    def find_spec(name, path=None, target=None):
        if not name.startswith("_pennyproof_inside."):
            return None
        spec = PathFinder.find_spec(name, path, target)
        run = spec.loader.exec_module

        def told(module):
            before, sys.platform = sys.platform, "win32"
            try:
                run(module)
            finally:
                sys.platform = before

        spec.loader.exec_module = told
        return spec

sys.meta_path.insert(0, Teller)
"""

ALL = """
for name in OURS:
    importlib.import_module(name)
    print(name)
"""


def played(code: str) -> str:
    command = [sys.executable, "-c", PLAY + code]
    finished = subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)
    assert finished.returncode == 0, finished.stderr
    return finished.stdout


def test_everything_can_be_imported() -> None:
    names = played(ALL).split()
    assert {"pennyproof.cli.doctor", "pennyproof.lsp.server", "pennyproof.proof.session"} <= set(names)
    assert {"pennyproof.proof.fresh", "pennyproof.proof.inside.once", "pennyproof.proof.inside.jobs"} <= set(names)


def test_the_command_line_answers() -> None:
    assert "usage: pennyproof" in played("from pennyproof.cli import main\nmain(['--help'])")


def test_the_sandbox_is_off_and_forks_nothing() -> None:
    told = played(
        "from pennyproof.proof.sandbox import find_sandbox, has_none\n"
        "from pennyproof.proof.sandbox.protections import protections\n"
        "bare = find_sandbox('off')\n"
        "print(has_none('auto'), bare.kind, bare.forks, len(protections(bare.kind, limits=bare.forks)))\n"
    )
    assert told.split() == ["True", "off", "False", "6"]


class Played(Off):
    """Runs in interpreters that lack what Windows lacks; our own modules are told that it is Windows."""

    def __init__(self, folder: Path) -> None:
        super().__init__(forks=False)
        self._folder = folder
        folder.mkdir()
        (folder / "sitecustomize.py").write_text(f"import pytest, unittest\n{LACK}{TOLD}")

    def launch(self, spec: WorkerSpec) -> Launch:
        launch = super().launch(spec)
        return replace(launch, environment=launch.environment | {"PYTHONPATH": str(self._folder)})


def test_a_run_takes_nothing_that_windows_lacks(tmp_path: Path) -> None:
    root = write(
        tmp_path / "project",
        {
            "calc.py": "def add(a, b):\n    return a - b\n",
            "test_calc.py": "import os\nfrom calc import add\n\n"
            "def test_add():\n    assert not hasattr(os, 'fork')\n    assert add(1, 2) == 3\n\n"
            "def test_endless():\n    while True: pass\n",
        },
    )
    # Other plugins would miss what only this machine's own of their modules take.
    python = environment(tmp_path / "venv", "plugins").python
    nursery = Nursery(Played(tmp_path / "site"), WorkerSpec(root=root, python=python))
    worker = Worker(nursery)

    def run(test: str, each: float) -> Answer:
        params = {"ids": [f"test_calc.py::{test}"], "each": each, "gently": True, "trace": "functions"}
        files = {"calc.py": b"def add(a, b):\n    return a + b\n"}
        return worker.run("run", files=files, params=params, limits=Limits(), cancel=Cancel())

    try:
        answer = run("test_add", 30.0)
        assert answer.ok, answer
        assert [found["outcome"] for found in answer.result["outcomes"]] == ["passed"], answer.result["errors"]
        answer = run("test_endless", 0.2)
        assert (answer.status, "SIGALRM" in answer.detail) == (Status.CRASHED, True)
    finally:
        worker.close()
        nursery.close()


@pytest.fixture
def windows(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(interpreter, "_WINDOWS", True)


@pytest.mark.usefixtures("windows")
def test_interpreters_are_found_where_windows_has_them(tmp_path: Path) -> None:
    base, root, site = tmp_path / "Python311", tmp_path / "project", "Lib/site-packages"
    for file in ("python.exe", "Lib/os.py", f"{site}/far.pth"):
        (base / file).parent.mkdir(parents=True, exist_ok=True)
        (base / file).touch()
    (tmp_path / "far").mkdir()
    (base / site / "far.pth").write_text(f"{tmp_path / 'far'}\n")
    root.mkdir()
    found = interpreter.find_interpreter(root, None, {"PATH": str(base)})
    assert (found.executable, found.prefixes) == (base / "python.exe", (base,))
    assert readable_paths(found, root, tmp_path / "home") == (base, tmp_path / "far")
    venv = root / ".venv"
    for folder in ("Scripts", site):
        (venv / folder).mkdir(parents=True)
    (venv / "Scripts/python.exe").touch()
    (venv / "pyvenv.cfg").write_text(f"home = {base}\n")
    found = interpreter.find_interpreter(root, None, {"PATH": str(base)})
    assert (found.executable, found.prefixes) == (venv / "Scripts/python.exe", (venv, base))


def test_the_environment_of_a_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", "win32")
    monkeypatch.setenv("SYSTEMROOT", r"D:\Windows")
    monkeypatch.setenv("PENNYPROOF_API_KEY", "sk-secret")
    variables = places.environment(WorkerSpec(root=tmp_path, python=tmp_path / "Scripts" / "python.exe"), "home")
    assert variables["SYSTEMROOT"] == r"D:\Windows"
    assert r"D:\Windows\System32" in variables["PATH"]
    assert "sk-secret" not in variables.values()


def test_the_linter_is_read_by_a_thread_where_pipes_cannot_be_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lint, "_SELECTS", False)
    linter = lint.Linter()
    try:
        assert [finding.code for finding in linter.findings("a.py", "print(nowhere)\n")] == ["F821"]
        assert linter.findings("a.py", "print(1)\n") == ()
    finally:
        linter.close()


@pytest.mark.parametrize(
    ("code", "said"),
    [(3, "exit code 3"), (0xC0000005, "exit code 3221225477"), (137, "killed by SIGKILL"), (142, "killed by SIGALRM")],
)
def test_how_a_process_ended(code: int, said: str) -> None:
    assert said in ending.how(code)
