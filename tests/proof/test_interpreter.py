"""Which interpreter is found, in made-up homes and projects: nothing is started, so that empty files will do."""

import base64
import hashlib
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from pennyproof.errors import NoInterpreter
from pennyproof.proof.environment import readable_paths
from pennyproof.proof.interpreter import find_interpreter


@dataclass
class Machine:
    """A file system with a home, a project, and a Python of the system."""

    root: Path
    home: Path
    environ: dict[str, str]

    def installation(self, prefix: Path) -> Path:
        for name, text in {"bin/python3": "", "bin/python": "", "lib/python3.11/os.py": ""}.items():
            (prefix / name).parent.mkdir(parents=True, exist_ok=True)
            (prefix / name).write_text(text)
            (prefix / name).chmod(0o755)
        return prefix

    def venv(self, folder: Path) -> Path:
        """A virtual environment made from the Python on the PATH."""
        base = Path(self.environ["PATH"])
        (folder / "bin").mkdir(parents=True)
        (folder / "lib/python3.11/site-packages").mkdir(parents=True)
        (folder / "bin/python").symlink_to(base / "python3")
        (folder / "pyvenv.cfg").write_text(f"home = {base}\nversion = 3.11.4\n")
        return folder

    def digest(self, kind: str = "sha256") -> str:
        return base64.urlsafe_b64encode(hashlib.new(kind, str(self.root).encode()).digest()).decode()[:8]


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    tmp_path = tmp_path.resolve()
    machine = Machine(tmp_path / "project", tmp_path / "home", {})
    machine.root.mkdir()
    machine.environ = {"HOME": str(machine.home), "PATH": str(machine.installation(tmp_path / "usr") / "bin")}
    return machine


def check(machine: Machine, expected: Path, setting: str | None = None) -> None:
    assert find_interpreter(machine.root, setting, machine.environ).executable == expected


def active(machine: Machine) -> Path:
    machine.environ["VIRTUAL_ENV"] = str(machine.venv(machine.home / "envs/active"))
    return machine.home / "envs/active/bin/python"


def conda(machine: Machine) -> Path:
    machine.environ["CONDA_PREFIX"] = str(machine.installation(machine.home / "miniconda/envs/x"))
    return machine.home / "miniconda/envs/x/bin/python"


def dot_venv(machine: Machine) -> Path:
    return machine.venv(machine.root / ".venv") / "bin/python"


def env(machine: Machine) -> Path:
    return machine.venv(machine.root / "env") / "bin/python"


def uv(machine: Machine) -> Path:
    machine.environ["UV_PROJECT_ENVIRONMENT"] = "build/uv"
    return machine.venv(machine.root / "build/uv") / "bin/python"


def poetry(machine: Machine) -> Path:
    (machine.root / "pyproject.toml").write_text('[tool.poetry]\nname = "My Thing"\n')
    machine.venv(machine.home / f".cache/pypoetry/virtualenvs/my_thing-{machine.digest()}-py3.9")
    return machine.venv(machine.home / f".cache/pypoetry/virtualenvs/my_thing-{machine.digest()}-py3.12") / "bin/python"


def pdm(machine: Machine) -> Path:
    python = machine.venv(machine.home / ".local/share/pdm/venvs/project-x") / "bin/python"
    (machine.root / ".pdm-python").write_text(f"{python}\n")
    return python


def hatch(machine: Machine) -> Path:
    folder = machine.home / f".local/share/hatch/env/virtual/thing/{machine.digest()}"
    machine.venv(folder / "thing")
    return machine.venv(folder / "hatch-test.py3.11") / "bin/python"


def pyenv(machine: Machine) -> Path:
    (machine.root / ".python-version").write_text("# ours\n3.11\n")
    machine.installation(machine.home / ".pyenv/versions/3.11.2")
    return machine.installation(machine.home / ".pyenv/versions/3.11.10") / "bin/python"


IN_ORDER = [active, conda, dot_venv, env, uv, poetry, pdm, hatch, pyenv]


@pytest.mark.parametrize("place", IN_ORDER)
def test_each_place_alone(machine: Machine, place: Callable[[Machine], Path]) -> None:
    check(machine, place(machine))


def test_places_in_their_order(machine: Machine) -> None:
    expected = [place(machine) for place in reversed(IN_ORDER)]
    check(machine, expected[-1])
    del machine.environ["VIRTUAL_ENV"], machine.environ["CONDA_PREFIX"]
    check(machine, machine.root / ".venv/bin/python")


def test_the_path_comes_last(machine: Machine) -> None:
    (machine.root / "python3").write_text("")
    machine.environ["PATH"] = f".:{machine.root}:{machine.environ['PATH']}"
    check(machine, Path(machine.environ["PATH"].rpartition(":")[2], "python3"))


def test_the_setting_comes_first(machine: Machine) -> None:
    dot_venv(machine)
    other = machine.venv(machine.root / "other")
    check(machine, other / "bin/python", setting="other")
    check(machine, other / "bin/python", setting=str(other / "bin/python"))
    check(machine, Path(machine.environ["PATH"], "python3"), setting="python3")
    with pytest.raises(NoInterpreter, match=r"tests\.python is 'missing'"):
        find_interpreter(machine.root, "missing", machine.environ)


def test_nothing_found(machine: Machine) -> None:
    machine.environ["PATH"] = str(machine.home)
    with pytest.raises(NoInterpreter, match=r"set tests\.python"):
        find_interpreter(machine.root, None, machine.environ)


def test_our_own_environment_is_not_the_projects(machine: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    ours = machine.venv(machine.home / "tools/pennyproof")
    monkeypatch.setattr(sys, "prefix", str(ours))
    machine.environ["VIRTUAL_ENV"] = str(ours)
    check(machine, Path(machine.environ["PATH"], "python3"))
    (ours / "lib/python3.11/site-packages/_pytest").mkdir()
    check(machine, ours / "bin/python")


@pytest.mark.parametrize(
    "named", ["/etc/python", "{home}/.ssh/python", "{home}/.pyenv/versions/../../x/bin/python", "x"]
)
def test_a_commit_chooses_no_folder(machine: Machine, named: str) -> None:
    machine.installation(machine.home / "x")
    (machine.root / ".pdm-python").write_text(named.format(home=machine.home))
    (machine.root / ".python-version").write_text("../../x")
    check(machine, Path(machine.environ["PATH"], "python3"))


def test_a_forged_environment_makes_nothing_readable(machine: Machine) -> None:
    secrets = machine.home / ".ssh"
    secrets.mkdir(parents=True)
    venv = machine.venv(machine.root / ".venv")
    (venv / "pyvenv.cfg").write_text(f"home = {secrets}/bin\n")
    lines = [machine.home, machine.home.parent, "/", secrets, machine.home / "src/lib", "import os; os.system('x')"]
    (machine.home / "src/lib").mkdir(parents=True)
    (venv / "lib/python3.11/site-packages/x.pth").write_text("\n".join(map(str, lines)))
    interpreter = find_interpreter(machine.root, None, machine.environ)
    base = Path(machine.environ["PATH"]).parent
    assert readable_paths(interpreter, machine.root, machine.home) == (base, machine.home / "src/lib")
