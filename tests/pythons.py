"""Runs what is run inside projects under every Python that projects may have.

Called as ``python -m tests.pythons [FOLDER ...]``: looks for the interpreters on the PATH and in the folders (which
``uv python install --install-dir FOLDER 3.8 3.9 ...`` makes), gives each a pytest of its own, and runs the tests with
it in the part of the project's interpreter.
"""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from tests.proof.projects import PACKAGES, environment

VERSIONS = tuple(f"3.{minor}" for minor in range(8, 15))
_BEFORE_3_11 = "exceptiongroup", "tomli"
"""What pytest needs there; pip asks its own Python whether it does."""
_TESTS = "tests/proof/test_pythons.py", "tests/proof/inside"


def found(version: str, folders: list[Path]) -> Path | None:
    """An interpreter of this version."""
    return next((path for path in _places(version, folders) if _is(path, version)), None)


def _places(version: str, folders: list[Path]) -> Iterator[Path]:
    for folder in folders:
        yield from sorted(folder.glob(f"**/bin/python{version}"))
    on_path = shutil.which(f"python{version}")
    if on_path:
        yield Path(on_path)


def _is(python: Path, version: str) -> bool:
    asked = [str(python), "-c", "import sys; print('%d.%d' % sys.version_info[:2])"]
    return subprocess.run(asked, capture_output=True, text=True, check=False).stdout.strip() == version


def check(version: str, python: Path) -> int:
    """The exit code of pytest."""
    target = PACKAGES / f"python-{version}"
    if not target.is_dir():
        wanted = [
            "--only-binary=:all:",
            f"--python-version={version}",
            f"--target={target}",
            "pytest>=7",
            "pytest-xdist",
            *_BEFORE_3_11,
        ]
        subprocess.run([sys.executable, "-m", "pip", "install", "--quiet", *wanted], check=True)
    folder = PACKAGES / f"venv-{version}"
    shutil.rmtree(folder, ignore_errors=True)
    made = environment(folder, target.name, "pytest-xdist", "execnet", python=python)
    variables = {**os.environ, "PENNYPROOF_TEST_PYTHON": str(made.python)}
    return subprocess.run([sys.executable, "-m", "pytest", *_TESTS], env=variables, check=False).returncode


def main() -> int:
    """Try all; returns 1 where a test failed, and where no interpreter was found but ours."""
    folders = [Path(name).resolve() for name in sys.argv[1:]]
    pythons = {version: found(version, folders) for version in VERSIONS}
    failed = []
    for version, python in pythons.items():
        if python:
            print(f"Python {version}: {python}", flush=True)
            if check(version, python):
                failed.append(version)
    missing = [version for version, python in pythons.items() if not python]
    print(f"tried: {', '.join(version for version in VERSIONS if version not in missing) or 'none'}")
    print(f"not found: {', '.join(missing) or 'none'}\nfailed: {', '.join(failed) or 'none'}")
    return 1 if failed or len(missing) >= len(VERSIONS) - 1 else 0


if __name__ == "__main__":
    sys.exit(main())
