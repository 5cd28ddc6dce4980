"""Which Python runs a project's tests: found by looking at files only; nothing is started to find out.

Whoever writes the repository may also write ``.venv/pyvenv.cfg``, ``.python-version`` or ``.pdm-python``. What these
name is therefore run in the sandbox only, and makes a folder readable there only where it is a real installation of
Python (``_installation``).
"""

import base64
import hashlib
import os
import re
import shutil
import sys
import tomllib
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from pennyproof.errors import NoInterpreter

_WINDOWS = sys.platform == "win32"


@dataclass(frozen=True, slots=True)
class Interpreter:
    """A Python that could run the project's tests."""

    executable: Path
    """Absolute, links kept: a virtual environment is recognised by the name its interpreter is called by."""
    origin: str
    """How it was found, for messages: ``tests.python``, ``.venv`` …"""
    prefixes: tuple[Path, ...]
    """Folders it imports from: its environment, and the installation that this was made from."""


def find_interpreter(root: Path, setting: str | None, environ: Mapping[str, str]) -> Interpreter:
    """The project's interpreter.

    The first that exists of: the setting ``tests.python``, the active environment, ``.venv``/``venv``/``env`` in the
    root, the environments that uv, poetry, pdm, hatch and pyenv keep for it, ``python3`` on the ``PATH``.

    Args:
        root: The project's folder, links resolved.
        setting: A path to an interpreter or to an environment, or a command on the ``PATH``.
        environ: The environment variables to look at.

    Raises:
        NoInterpreter: There is none, or the setting names none.
    """
    if setting:
        return _from_setting(root, setting, environ)
    for origin, find in _PLACES:
        for environment in find(root, environ):
            interpreter = _interpreter(environment, origin)
            if interpreter is not None and not _is_only_ours(interpreter, root):
                return interpreter
    raise NoInterpreter(f"no Python found for {root}: make a .venv in it, or set tests.python to an interpreter")


def _from_setting(root: Path, setting: str, environ: Mapping[str, str]) -> Interpreter:
    path = Path(setting).expanduser()
    if len(path.parts) == 1 and (found := shutil.which(setting, path=environ.get("PATH", ""))):
        path = Path(found)
    interpreter = _interpreter(root / path, "tests.python")
    if interpreter is None:
        raise NoInterpreter(f"tests.python is {setting!r}, which is neither an interpreter nor a virtual environment")
    return interpreter


def _active(_root: Path, environ: Mapping[str, str]) -> Iterator[Path]:
    yield from (Path(environ[name]) for name in ("VIRTUAL_ENV", "CONDA_PREFIX") if environ.get(name))


def _in_root(root: Path, environ: Mapping[str, str]) -> Iterator[Path]:
    yield from (root / name for name in (".venv", "venv", "env"))
    if environ.get("UV_PROJECT_ENVIRONMENT"):
        yield root / environ["UV_PROJECT_ENVIRONMENT"]
    yield root / ".pixi/envs/default"


def _poetry(root: Path, environ: Mapping[str, str]) -> Iterator[Path]:
    """Poetry names an environment after the project, a digest of its folder, and the version of Python."""
    project = _pyproject(root)
    name = project.get("tool", {}).get("poetry", {}).get("name") or project.get("project", {}).get("name")
    if not isinstance(name, str):
        return
    cache = Path(environ.get("POETRY_CACHE_DIR") or _home(environ, "XDG_CACHE_HOME", ".cache") / "pypoetry")
    folder = Path(environ.get("POETRY_VIRTUALENVS_PATH") or cache / "virtualenvs")
    sanitized = re.sub(r'[ $`!*@"\\\r\n\t]', "_", name.lower())[:42]
    yield from _newest(folder, f"{sanitized}-{_digest(root)}-py*")


def _pdm(root: Path, environ: Mapping[str, str]) -> Iterator[Path]:
    """PDM writes the interpreter it chose into the project, where a repository could bring its own.

    Only places in which users keep environments are believed, so that no commit chooses what else is made readable.
    """
    named = _first_line(root / ".pdm-python")
    places = [
        root,
        _home(environ, "XDG_DATA_HOME", ".local/share") / "pdm/venvs",
        _home(environ, "WORKON_HOME", ".virtualenvs"),
        _pyenv_versions(environ),
    ]
    if named and ".." not in Path(named).parts and any(Path(named).is_relative_to(place) for place in places):
        yield Path(named)


def _hatch(root: Path, environ: Mapping[str, str]) -> Iterator[Path]:
    """Hatch files environments under the project's name and a digest of its folder."""
    data = _home(environ, "XDG_DATA_HOME", ".local/share") / "hatch/env/virtual"
    # `hatch-test` is the environment that `hatch test` makes.
    found = sorted(data.glob(f"*/{_digest(root)}/*"))
    yield from sorted(found, key=lambda path: not path.name.startswith("hatch-test"))


def _pyenv(root: Path, environ: Mapping[str, str]) -> Iterator[Path]:
    version = _first_line(root / ".python-version") or environ.get("PYENV_VERSION", "")
    if re.fullmatch(r"[\w.-]+", version) and version.strip("."):
        yield _pyenv_versions(environ) / version
        yield from _newest(_pyenv_versions(environ), f"{version}.*")


def _on_path(root: Path, environ: Mapping[str, str]) -> Iterator[Path]:
    for folder in environ.get("PATH", "").split(os.pathsep):
        # A relative entry means a folder of whatever project happens to be open.
        if Path(folder).is_absolute() and not Path(folder).resolve().is_relative_to(root):
            yield Path(folder, "python.exe" if _WINDOWS else "python3")


_PLACES: tuple[tuple[str, Callable[[Path, Mapping[str, str]], Iterable[Path]]], ...] = (
    ("the active environment", _active),
    ("the environment in the project", _in_root),
    ("poetry's environment", _poetry),
    (".pdm-python", _pdm),
    ("hatch's environment", _hatch),
    ("pyenv's version", _pyenv),
    ("the PATH", _on_path),
)
"""In order of preference: folders of environments, or interpreters, that may or may not exist."""


def _interpreter(path: Path, origin: str) -> Interpreter | None:
    """The interpreter at ``path``, which is itself one or the folder of an environment."""
    names = ("Scripts/python.exe", "python.exe") if _WINDOWS else ("bin/python", "bin/python3")
    for executable in (path, *(path / name for name in names)):
        if executable.is_file():
            environment = _prefix_of(executable)
            prefixes = [environment] if _is_environment(environment) else []
            prefixes += _installation(_prefix_of(executable.resolve()))
            prefixes += _installation(_base_of(environment))
            return Interpreter(executable.absolute(), origin, tuple(dict.fromkeys(prefixes))) if prefixes else None
    return None


def _prefix_of(executable: Path) -> Path:
    """The installation or environment that an interpreter belongs to; on Windows an installation has it at its top."""
    folder = executable.parent
    return folder if _WINDOWS and folder.name.lower() != "scripts" else folder.parent


def package_folders(prefix: Path) -> list[Path]:
    """Where an installation or environment keeps its packages."""
    return list(prefix.glob("Lib/site-packages" if _WINDOWS else "lib*/python3*/*-packages"))


def _is_environment(folder: Path) -> bool:
    return (folder / "pyvenv.cfg").is_file() and any(folder.glob("Lib" if _WINDOWS else "lib*/python3*"))


def _installation(prefix: Path | None) -> list[Path]:
    """``prefix`` if Python is installed there, as its standard library shows."""
    patterns = ("Lib/os.py",) if _WINDOWS else ("lib*/python3*/os.py", "lib/pypy3*/os.py")
    return [prefix] if prefix is not None and any(any(prefix.glob(pattern)) for pattern in patterns) else []


def _base_of(environment: Path) -> Path | None:
    """The installation that a virtual environment was made from, as its ``pyvenv.cfg`` says."""
    try:
        text = (environment / "pyvenv.cfg").read_text("utf-8", errors="replace")
    except OSError:
        return None
    match = re.search(r"^home\s*=\s*(.+?)\s*$", text, re.MULTILINE)
    if match is None or not Path(match[1]).is_absolute():
        return None
    home = Path(match[1]).resolve()
    return home if _WINDOWS else home.parent


def _is_only_ours(interpreter: Interpreter, root: Path) -> bool:
    """Whether it is the environment that Pennyproof was installed into, as a tool, and nothing more.

    Pennyproof does not need pytest itself: where that is installed beside it, the environment is a project's too.
    """
    ours = Path(sys.prefix).resolve()
    if interpreter.prefixes[0].resolve() != ours or ours.is_relative_to(root):
        return False
    return not any((folder / "_pytest").exists() for folder in package_folders(ours))


def _home(environ: Mapping[str, str], variable: str, default: str) -> Path:
    return Path(environ.get(variable) or Path(environ.get("HOME") or Path.home()) / default)


def _pyenv_versions(environ: Mapping[str, str]) -> Path:
    return _home(environ, "PYENV_ROOT", ".pyenv") / "versions"


def _digest(root: Path) -> str:
    """How poetry and hatch shorten a folder's path."""
    return base64.urlsafe_b64encode(hashlib.sha256(str(root).encode()).digest()).decode()[:8]


def _newest(folder: Path, pattern: str) -> list[Path]:
    def version(path: Path) -> list[int]:
        return [int(part) for part in re.findall(r"\d+", path.name.rpartition("py")[2])]

    return sorted(folder.glob(pattern), key=version, reverse=True)


def _first_line(path: Path) -> str:
    try:
        lines = path.read_text("utf-8", errors="replace").split("\n")
    except OSError:
        return ""
    return next((line.strip() for line in lines if line.strip() and not line.startswith("#")), "")


def _pyproject(root: Path) -> dict[str, dict[str, dict[str, object]]]:
    try:
        return tomllib.loads((root / "pyproject.toml").read_text("utf-8"))
    except (OSError, ValueError):
        return {}
