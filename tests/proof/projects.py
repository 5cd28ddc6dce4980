"""Small projects with an environment of their own, and their verdicts from the real prover."""

import contextlib
import shutil
import subprocess
import sys
import venv
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from importlib.metadata import distributions
from pathlib import Path

import pytest

from pennyproof.core.candidates import Candidate, FileChange
from pennyproof.core.outcomes import Baseline
from pennyproof.core.snapshots import Snapshot
from pennyproof.core.sources import Source
from pennyproof.core.verdicts import Verdict
from pennyproof.core.work import Cancel, Silent
from pennyproof.proof.prover import ProofOptions, Prover

PACKAGES = Path(sys.prefix) / "for-tests"
"""Where `make setup` installs what projects have: one folder for each group of packages."""

_PYTEST = {"pytest", "pluggy", "iniconfig", "packaging", "pygments", "exceptiongroup", "tomli", "typing_extensions"}

Edit = tuple[str, str | None, str | None]
"""Path, and a text with what stands in its place; without the first a new file, without the second none any more."""


@dataclass
class Environment:
    """A virtual environment that has one group of packages."""

    folder: Path
    python: Path
    site: Path

    def install(self, name: str, version: str, files: Mapping[str, str]) -> None:
        """Put a package there, as pip does; an older one goes."""
        for old in self.site.glob(f"{name}-*.dist-info"):
            (old / "METADATA").unlink()
            old.rmdir()
        told = {f"{name}-{version}.dist-info/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n"}
        write(self.site, {**files, **told})

    def script(self, name: str, text: str) -> None:
        """A console script."""
        path = self.folder / "bin" / name
        path.write_text(f"#!{self.python}\n{text}", "utf-8")
        path.chmod(0o755)


def environment(folder: Path, group: str, *packages: str, python: Path | None = None) -> Environment:
    """Make a virtual environment.

    Args:
        folder: Where.
        group: What was installed for such tests, which has a pytest.
        packages: What the environment has beside pytest; what is not named is not there, and takes no time.
        python: The interpreter that it is made for; ``None``: ours.
    """
    installed = PACKAGES / group
    if not installed.is_dir():
        pytest.fail(f"{installed} is missing: run `make setup`")
    if python is None:
        venv.create(folder, symlinks=True)
    else:
        subprocess.run([python, "-m", "venv", "--without-pip", folder], check=True)
    (site,) = folder.glob("lib/python3*/site-packages")
    for found in distributions(path=[str(installed)]):
        if found.name.lower() in {*_PYTEST, *packages}:
            for file in found.files or ():
                source, target = Path(str(found.locate_file(file))), site / file
                if ".." not in file.parts and source.exists():
                    target.parent.mkdir(parents=True, exist_ok=True)
                    shutil.copy2(source, target)
    return Environment(folder, folder / "bin/python", site)


def write(root: Path, files: Mapping[str, str | bytes]) -> Path:
    for name, content in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content.encode() if isinstance(content, str) else content)
    return root


def tree(root: Path) -> dict[str, object]:
    """All that is in a folder, links as such."""
    return {
        str(path.relative_to(root)): path.readlink() if path.is_symlink() else path.is_file() and path.read_bytes()
        for path in root.rglob("*")
    }


class Project(contextlib.AbstractContextManager["Project"]):
    """A project and its prover."""

    def __init__(self, root: Path, files: Mapping[str, str | bytes], python: Path, state: Path | None = None) -> None:
        self.root = write(root, files).resolve()
        self.snapshot = Snapshot(self.root)
        self.prover = Prover(self.root, ProofOptions(python=str(python), workers=1), state)

    def __exit__(self, *_: object) -> None:
        self.prover.close()

    def baseline(self) -> Baseline:
        return self.prover.baseline(self.snapshot, cancel=Cancel(), progress=Silent())

    def failing(self) -> list[str]:
        return [test.id for test in self.baseline().failing]

    def candidate(self, *edits: Edit) -> Candidate:
        return Candidate(tuple(self._change(*edit) for edit in edits))

    def prove(self, *edits: Edit, targets: Sequence[str] = (), every_test: bool = False) -> Verdict:
        return self.prover.prove(
            self.snapshot,
            self.candidate(*edits),
            targets=targets,
            every_test=every_test,
            afresh=True,
            cancel=Cancel(),
        )

    def _change(self, path: str, old: str | None, new: str | None) -> FileChange:
        before = self.snapshot.read(path)
        if old is None or before is None:
            return FileChange(path, before, Source(new or ""))
        assert old in before.text, (path, old)
        return FileChange(path, before, None if new is None else replace(before, text=before.text.replace(old, new)))
