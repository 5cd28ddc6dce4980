"""The real projects: their source archives, environments and working copies, in a cache folder.

A project lies in the cache as ``NAME-VERSION/`` with ``pristine/`` (the archive, unpacked), ``venv/``, and
``tree/``, the working copy that is installed editable in ``venv``. Every measurement makes ``tree`` anew, so that
the environment always runs the copy at hand, as it does at a developer's desk. What is ready is not made again; an
interrupted step leaves nothing half-made.
"""

import contextlib
import fcntl
import hashlib
import shutil
import subprocess
import sys
import tarfile
import tempfile
import tomllib
import venv
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from pennyproof.errors import EnvironmentProblem

_LIST = Path(__file__).parent / "corpus.toml"
_PATIENCE = 600
"""Seconds for one step of pip."""


class Unavailable(EnvironmentProblem):
    """A benchmark cannot be run here; the message says what is missing."""


@dataclass(frozen=True, slots=True)
class Archive:
    """A pinned source archive."""

    name: str
    version: str
    sha256: str


@dataclass(frozen=True, slots=True)
class Project:
    """One project of the corpus."""

    archive: Archive
    modules: tuple[str, ...]
    """Files and folders that hold its code."""
    requires: tuple[str, ...]
    """Everything its environment holds beside the project, pinned."""
    style: str

    @property
    def name(self) -> str:
        return self.archive.name


@dataclass(frozen=True, slots=True)
class Ready:
    """A project that can be run."""

    project: Project
    folder: Path

    @property
    def pristine(self) -> Path:
        return self.folder / "pristine"

    @property
    def tree(self) -> Path:
        return self.folder / "tree"

    @property
    def python(self) -> Path:
        return self.folder / "venv/bin/python"

    def renew(self) -> Path:
        """Make the working copy anew; returns its root."""
        shutil.rmtree(self.tree, ignore_errors=True)
        shutil.copytree(self.pristine, self.tree, symlinks=True)
        return self.tree

    @contextlib.contextmanager
    def lease(self) -> Iterator[None]:
        """Keep other benchmarks away from the working copy meanwhile."""
        with (self.folder / "lock").open("w") as stream:
            try:
                fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError as error:
                raise Unavailable(f"another benchmark is using {self.folder}") from error
            yield


def projects(only: Collection[str] = ()) -> tuple[Project, ...]:
    """The corpus as it is listed, or only the projects that are named.

    Raises:
        Unavailable: A name is not in the corpus.
    """
    listing = tomllib.loads(_LIST.read_text(encoding="utf-8"))
    corpus = tuple(
        Project(
            archive=Archive(entry["name"], entry["version"], entry["sha256"]),
            modules=tuple(entry["modules"]),
            requires=(*listing["common"], *entry.get("requires", ())),
            style=entry["style"],
        )
        for entry in listing["project"]
    )
    if unknown := set(only) - {project.name for project in corpus}:
        raise Unavailable(f"not in the corpus: {', '.join(sorted(unknown))}")
    return tuple(project for project in corpus if not only or project.name in only)


def common() -> tuple[str, ...]:
    """What every environment holds, pinned."""
    return tuple(tomllib.loads(_LIST.read_text(encoding="utf-8"))["common"])


def prepare(project: Project, cache: Path) -> Ready:
    """Download, unpack and install a project, as far as that is not done.

    Raises:
        Unavailable: The package registry cannot be reached, or what it holds cannot be installed.
    """
    ready = Ready(project, cache / f"{project.name}-{project.archive.version}")
    unpack(project.archive, cache, ready.pristine)
    install(ready)
    return ready


def install(ready: Ready) -> None:
    """Make the environment of what lies in ``pristine``, unless it is there."""
    _install(ready.folder, ready.project.requires, ready)


def beside(ready: Ready, name: str, requires: Sequence[str]) -> Path:
    """The interpreter of a second environment of a project, in which these packages are, too, with what they need.

    Raises:
        Unavailable: The package registry cannot be reached.
    """
    folder = ready.folder / name
    _install(folder, (*ready.project.requires, *requires), ready)
    return folder / "venv/bin/python"


def bare(cache: Path) -> Path:
    """The interpreter of an environment with pytest and nothing else, as a small project of a user has.

    Raises:
        Unavailable: The package registry cannot be reached.
    """
    _install(cache / "bare", common())
    return cache / "bare/venv/bin/python"


def _install(folder: Path, requires: Sequence[str], ready: Ready | None = None) -> None:
    """Make ``folder/venv`` with exactly these packages, and the project where there is one, unless it is there."""
    recipe = "\n".join([sys.version, *requires])
    stamp = folder / "ready"
    if stamp.exists() and stamp.read_text() == recipe:
        return
    stamp.unlink(missing_ok=True)
    venv.create(folder / "venv", clear=True, with_pip=False, symlinks=True)
    into = ["--python", str(folder / "venv/bin/python"), "install", "--quiet", "--no-deps"]
    _pip([*into, *requires])
    if ready is not None:
        _pip([*into, "--editable", str(ready.renew())])
    stamp.write_text(recipe)


def unpack(archive: Archive, cache: Path, destination: Path) -> Path:
    """Put the files of an archive at ``destination``, unless they are there; returns it.

    Raises:
        Unavailable: The archive cannot be had, or is not the pinned one.
    """
    if destination.exists():
        return destination
    destination.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=destination.parent, prefix=".unpacking-") as scratch:
        with tarfile.open(_download(archive, cache / "archives")) as tar:
            tar.extractall(scratch, filter="data")
        (top,) = Path(scratch).iterdir()
        top.rename(destination)
    return destination


def digest(root: Path) -> str:
    """A digest over the names, modes and bytes of everything below ``root``."""
    total = hashlib.sha256()
    for path in sorted(root.rglob("*")):
        status = path.lstat()
        total.update(f"{path.relative_to(root)}\0{status.st_mode:o}\0".encode())
        if path.is_symlink():
            total.update(str(path.readlink()).encode())
        elif path.is_file():
            total.update(hashlib.sha256(path.read_bytes()).digest())
    return total.hexdigest()


def _download(archive: Archive, folder: Path) -> Path:
    """The archive's file, downloaded by pip, which checks the digest."""
    kept = folder / f"{archive.sha256}.tar.gz"
    if kept.exists():
        return kept
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder) as scratch:
        pins = Path(scratch, "pins.txt")
        pins.write_text(f"{archive.name}=={archive.version} --hash=sha256:{archive.sha256}\n")
        downloads = Path(scratch, "downloads")
        source_only = ["--no-deps", "--no-binary", archive.name, "--require-hashes"]
        _pip(["download", "--quiet", *source_only, "--dest", str(downloads), "--requirement", str(pins)])
        (file,) = downloads.iterdir()
        file.rename(kept)
    return kept


def _pip(arguments: Sequence[str]) -> None:
    try:
        done = subprocess.run(
            [sys.executable, "-m", "pip", "--disable-pip-version-check", *arguments],
            check=False,
            capture_output=True,
            text=True,
            timeout=_PATIENCE,
        )
    except subprocess.TimeoutExpired as error:
        raise Unavailable(f"pip {arguments[-1]} took more than {_PATIENCE} s") from error
    if done.returncode:
        errors = [line for line in done.stderr.splitlines() if line.lower().startswith("error")]
        reason = errors[-1] if errors else done.stderr.strip()[-300:]
        raise Unavailable(f"pip could not provide {arguments[-1]} (is the package registry reachable?): {reason}")
