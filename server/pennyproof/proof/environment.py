"""What the project's interpreter has to say about itself, asked in the sandbox; and what it has to be able to read."""

import hashlib
import json
import os
import subprocess
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

from pennyproof.errors import NoInterpreter, NoPytest
from pennyproof.proof.interpreter import Interpreter, package_folders
from pennyproof.proof.sandbox import Sandbox
from pennyproof.proof.sandbox.spec import WorkerSpec

OLDEST = (3, 8)
"""What runs inside the project is written for this Python and newer ones."""

_PROBE_SECONDS = 30.0
"""Generous: a cold start from a network drive takes seconds."""

_PROBE = """
import json, sys
told = {"version": list(sys.version_info[:3]), "pytest": None}
try:
    from importlib import metadata
    told["pytest"] = metadata.version("pytest")
except ImportError:
    pass
print("\\n" + json.dumps(told))
"""


@dataclass(frozen=True, slots=True)
class Environment:
    """The project's interpreter, known to work."""

    interpreter: Interpreter
    version: tuple[int, int, int]
    pytest: str
    """The version of its pytest."""

    def fingerprint(self) -> str:
        """Changes when packages are installed or removed, as far as the folders they lie in show it."""
        return json.dumps([self.version, self.pytest, _stamps(self.interpreter)])

    def inventory(self) -> str:
        """A digest of the versions of Python and of all packages: equal on machines where code does the same."""
        prefix, (major, minor, _) = self.interpreter.prefixes[0], self.version
        folders = (f"lib*/{name}/*-packages/*.*-info" for name in (f"python{major}.{minor}", "python3"))
        packages = {path.name for folder in folders for path in prefix.glob(folder)}
        told = [self.version, self.pytest, sorted(packages)]
        return hashlib.sha256(json.dumps(told).encode()).hexdigest()


def probe(sandbox: Sandbox, interpreter: Interpreter, root: Path) -> Environment:
    """What an interpreter is and has, asked in the sandbox.

    Raises:
        NoInterpreter: It does not start, or is too old.
        NoPytest: It cannot import pytest.
    """
    version, pytest = _ask(sandbox, interpreter, root)
    return Environment(interpreter, version, pytest)


def _ask(sandbox: Sandbox, interpreter: Interpreter, root: Path) -> tuple[tuple[int, int, int], str]:
    python = interpreter.executable
    name = f"{python} (from {interpreter.origin})"
    spec = WorkerSpec(root, python, readable=readable_paths(interpreter, root, Path.home()))
    try:
        finished = sandbox.run_once([str(python), "-c", _PROBE], spec, _PROBE_SECONDS)
    except subprocess.TimeoutExpired:
        raise NoInterpreter(f"{name} did not answer within {_PROBE_SECONDS:g} s: set tests.python to another") from None
    try:
        told = json.loads(finished.stdout.strip().rpartition("\n")[2])
    except ValueError:
        why = finished.stderr.strip().rpartition("\n")[2] or f"exit code {finished.code}"
        raise NoInterpreter(f"{name} does not work ({why}): set tests.python to another") from None
    major, minor, micro = told["version"]
    version = (major, minor, micro)
    if version < OLDEST:
        has, needed = (".".join(map(str, numbers)) for numbers in (version, OLDEST))
        raise NoInterpreter(f"{name} is Python {has}, which is too old: tests.python has to be {needed} or newer")
    if not told["pytest"]:
        raise NoPytest(f"{name} has no pytest: run {python} -m pip install pytest, or set tests.python to another")
    return version, told["pytest"]


def _stamps(interpreter: Interpreter) -> list[tuple[str, int]]:
    """What changes when the interpreter is exchanged, packages are installed or removed, or a path is another."""
    files = [str(interpreter.executable)]
    folders: list[tuple[str, int]] = []
    links: list[str] = []
    for prefix in interpreter.prefixes:
        files.append(f"{prefix}/pyvenv.cfg")
        for folder in _package_folders(prefix):
            modified = _modified(folder)
            folders.append((folder, modified))
            links += _path_files(folder, modified)
    # What an installer writes anew shows in its folder, but such a file may be written in place.
    found = [(path, _modified(path)) for path in (*files, *links)]
    return [(path, modified) for path, modified in (*found, *sorted(folders)) if modified]


def _package_folders(prefix: Path) -> tuple[str, ...]:
    """Where packages lie; looked for anew only when that can have changed, since every proof asks."""
    found = _FOUND.get(prefix)
    if found is None or any(_modified(folder) != modified for folder, modified in found.around):
        around = [prefix, *prefix.glob("lib*"), *prefix.glob("lib*/python3*")]
        stamps = tuple((str(folder), _modified(str(folder))) for folder in around)
        _FOUND[prefix] = found = _Found(stamps, tuple(map(str, sorted(package_folders(prefix)))))
    return found.folders


class _Found(NamedTuple):
    around: tuple[tuple[str, int], ...]
    """The folders above, and when they were modified."""
    folders: tuple[str, ...]


_FOUND: dict[Path, _Found] = {}


def _modified(path: str) -> int:
    """When a file was modified; zero if there is none."""
    try:
        return os.stat(path).st_mtime_ns  # noqa: PTH116 - a Path takes longer than the look.
    except OSError:
        return 0


@lru_cache(maxsize=16)
def _path_files(folder: str, modified: int) -> tuple[str, ...]:  # noqa: ARG001 - looked for anew when that changes
    """The files of a folder that add to the path of modules; it may hold thousands."""
    try:
        with os.scandir(folder) as entries:
            return tuple(sorted(entry.path for entry in entries if entry.name.endswith((".pth", ".egg-link"))))
    except OSError:
        return ()


def readable_paths(interpreter: Interpreter, root: Path, home: Path) -> tuple[Path, ...]:
    """What imports need beside the root: the interpreter's prefixes, and what editable installs point to.

    A ``.pth`` file may lie in an environment that the repository brought, so that it never makes the home folder
    readable, nor anything above it, nor the folders in it whose names begin with a dot, which is where secrets are.
    """
    pointed = (path for prefix in interpreter.prefixes for path in _pth_paths(prefix))
    wanted = [*interpreter.prefixes, *(path for path in pointed if _is_harmless(path, home))]
    resolved = dict.fromkeys(path.resolve() for path in wanted)
    return tuple(path for path in resolved if not path.is_relative_to(root))


def _pth_paths(prefix: Path) -> list[Path]:
    """Folders that ``.pth`` files add to ``sys.path``; lines that are code are left to the interpreter."""
    folders: list[Path] = []
    for file in sorted(file for folder in package_folders(prefix) for file in folder.glob("*.pth")):
        lines = file.read_text("utf-8", errors="replace").splitlines()
        paths = (file.parent / line.strip() for line in lines if line.strip() and not line.startswith(("#", "import ")))
        folders += [path for path in paths if path.is_dir()]
    return folders


def _is_harmless(path: Path, home: Path) -> bool:
    path, home = path.resolve(), home.resolve()
    if home.is_relative_to(path):
        return False
    return not (path.is_relative_to(home) and path.relative_to(home).parts[0].startswith("."))
