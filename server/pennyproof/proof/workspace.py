"""What makes up a workspace: its files, a digest of their content, and what they import."""

import hashlib
import itertools
import os
import stat
import sys
import threading
import time
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple, Self

from pennyproof.core.snapshots import Snapshot
from pennyproof.core.sources import decode
from pennyproof.errors import UnreadableSource
from pennyproof.proof.foreign import Imports, bends, foreign, imports

_SKIPPED = frozenset(
    {
        ".git", ".hg", ".svn", ".tox", ".nox", ".venv", "venv", "env", "node_modules", "__pycache__", ".mypy_cache",
        ".pytest_cache", ".ruff_cache", ".hypothesis", ".cache", ".idea", ".vscode", ".eggs", ".pixi",
    }
)  # fmt: skip
"""Folders that hold no part of the program: version control, environments, caches, editors' own files."""

_REMEMBERING = frozenset({".hypothesis"})
"""Those of them in which one run of the tests leaves to the next what it is to try."""

_CONFIGURATION = (".toml", ".ini", ".cfg")
"""How files are called in which, at the top of the root, pytest may be told where to look for modules."""

_WHOLE = 4 << 20
"""Bytes. Larger files are told apart by size and time only; reading them for each digest would be felt."""
_RACY = 2_000_000_000
"""Nanoseconds. A file younger than this may change again without a change of its time, as git says of such files."""
_TICK = 50_000_000
"""Nanoseconds by which the times of files may be behind the clock."""
_FRESH = 0.5
"""Seconds for which the digest of one snapshot is believed, so that many candidates in a row cost one walk."""


class _Stamp(NamedTuple):
    """What says that a file is still the same, or that a folder has the same entries."""

    modified: int
    changed: int
    size: int
    inode: int

    @classmethod
    def of(cls, status: os.stat_result) -> Self:
        return cls(status.st_mtime_ns, status.st_ctime_ns, status.st_size, status.st_ino)


@dataclass(frozen=True, slots=True, eq=False)
class Look:
    """The files of a snapshot as they were found."""

    contents: Mapping[str, bytes]
    """Path → digest, buffers in front of what is on disk."""
    digest: str
    """Of all of them."""
    stamps: Mapping[str, _Stamp]
    """Of those on disk."""
    folders: Mapping[str, _Stamp]
    """Of the folders they lie in."""
    settled: bool
    """Whether all that lies there was looked at, and nothing was written so lately that it may change unseen."""

    def signature(self) -> bytes:
        """Equal where no file on disk was written between two looks, not even with what it held before."""
        total = hashlib.sha256()
        for path in sorted(self.stamps):
            stamp = self.stamps[path]
            told = f"{stamp.modified} {stamp.changed} {stamp.size} {stamp.inode} "
            total.update(told.encode() + os.fsencode(path) + b"\0")
        return total.digest()


class Workspace:
    """The files under one root. Thread-safe."""

    def __init__(self, root: Path, *, whole: int | None = _WHOLE) -> None:
        """Remember where the files are.

        Args:
            root: The folder.
            whole: Bytes up to which files are read; ``None``: all are, so that copies elsewhere can be compared.
        """
        self.root = root
        self._whole = sys.maxsize if whole is None else whole
        self._lock = threading.Lock()
        self._hashes: dict[str, tuple[_Stamp, bytes]] = {}
        self._imports: dict[bytes, Imports] = {}
        self._last: tuple[Snapshot, float, Look] | None = None

    def digest(self, snapshot: Snapshot) -> str:
        """A digest of all files as the snapshot has them: equal digests, equal outcomes."""
        return self.look(snapshot).digest

    def contents(self, snapshot: Snapshot, *, afresh: bool = False) -> Mapping[str, bytes]:
        """The digest of each file as the snapshot has it; ``afresh``: by a look at the files now."""
        return self.look(snapshot, afresh=afresh).contents

    def look(self, snapshot: Snapshot, *, afresh: bool = False) -> Look:
        """All files; unless ``afresh``, as they were half a second ago at most."""
        with self._lock:
            last = None if afresh else self._last
            if not (last and last[0] is snapshot and time.monotonic() - last[1] < _FRESH):
                last = self._last = (snapshot, time.monotonic(), self._look(snapshot))
            return last[2]

    def is_still(self, look: Look) -> bool:
        """Whether the files on disk are those of a look that found them settled: much faster than another one."""
        prefix = f"{self.root}/"
        try:
            return all(
                _Stamp.of(os.stat(prefix + path)) == stamp  # noqa: PTH116 - ten thousand Paths are felt.
                for stamps in (look.folders, look.stamps)
                for path, stamp in stamps.items()
            )
        except OSError:
            return False

    def parts(self, snapshot: Snapshot) -> Mapping[str, str]:
        """A digest of each file or folder at the top of the root, so that it can be said where two copies differ."""
        with self._lock:
            hashes = self._look(snapshot).contents
        tops = itertools.groupby(sorted(hashes), key=lambda path: path.partition("/")[0])
        return {top: _digest(paths, hashes) for top, paths in tops}

    def racy_since(self, moment: float) -> list[str]:
        """Sources whose bytecode, made after ``moment`` (seconds since the epoch), may not be told from that of others.

        They were written after it, or in the second that has not passed yet: they can be written again in that one.
        """
        now, earliest = time.time(), int(moment * 1e9) - _TICK
        return [
            path
            for path, _, stamp in _walk(self.root, [], {})
            if path.endswith(".py")
            and (max(stamp.modified, stamp.changed) >= earliest or stamp.modified // 1_000_000_000 >= int(now))
        ]

    def third_party_imports(self, snapshot: Snapshot) -> tuple[str, ...]:
        """Modules that the sources import outside functions, and that are neither their own nor Python's."""
        with self._lock:
            hashes = self._look(snapshot).contents
            sources: list[Imports] = []
            for path, digest in hashes.items():
                if path.endswith(".py"):
                    if digest not in self._imports:
                        self._imports[digest] = imports(self.text(snapshot, path))
                    sources.append(self._imports[digest])
        configuration = [path for path in hashes if "/" not in path and path.endswith(_CONFIGURATION)]
        bent = any(bends(self.text(snapshot, path)) for path in configuration)
        return foreign(sources, hashes, bent=bent)

    def _look(self, snapshot: Snapshot) -> Look:
        now = time.time_ns()
        hashes: dict[str, bytes] = {}
        stamps: dict[str, _Stamp] = {}
        remembered: dict[str, tuple[_Stamp, bytes]] = {}
        folders: dict[str, _Stamp] = {}
        missed: list[str] = []
        for path, whole, stamp in _walk(self.root, missed, folders):
            stamps[path] = stamp
            known = self._hashes.get(path)
            digest = known[1] if known and known[0] == stamp else _hash_file(whole, stamp, self._whole)
            hashes[path] = digest
            if now - max(stamp.modified, stamp.changed) > _RACY:
                remembered[path] = (stamp, digest)
        self._hashes = remembered
        latest = max((max(stamp.modified, stamp.changed) for stamp in folders.values()), default=0)
        settled = not missed and len(remembered) == len(stamps) and now - latest > _RACY
        for path, source in snapshot.buffers.items():
            hashes[path] = hashlib.sha256(source.data()).digest()
        return Look(hashes, _digest(sorted(hashes), hashes), stamps, folders, settled)

    def text(self, snapshot: Snapshot, path: str) -> str:
        """The text of a file; empty where it has none that can be read."""
        try:
            if path in snapshot.buffers:
                return snapshot.buffers[path].text
            return decode((self.root / path).read_bytes()).text
        except (OSError, UnreadableSource):
            return ""  # Whatever is wrong with it is for the tests to say.


def _digest(paths: Iterable[str], hashes: Mapping[str, bytes]) -> str:
    whole = hashlib.sha256()
    for path in paths:
        whole.update(os.fsencode(path) + b"\0" + hashes[path])
    return whole.hexdigest()


def _walk(root: Path, missed: list[str], looked: dict[str, _Stamp]) -> Iterator[tuple[str, str, _Stamp]]:
    """Relative path, absolute path and stamp of each regular file; links are not followed out of a folder twice.

    What holds further files that are not looked at is added to ``missed``, and what was looked through to ``looked``.
    """
    folders = [""]
    while folders:
        folder = folders.pop()
        try:
            looked[folder] = _Stamp.of(os.stat(os.path.join(root, folder)))  # noqa: PTH116, PTH118 - as below.
            entries = list(os.scandir(os.path.join(root, folder)))  # noqa: PTH118 - ten thousand Paths are felt.
        except OSError:
            missed.append(folder)  # Unreadable for us is unreadable for the tests.
            continue
        for entry in entries:
            path = f"{folder}/{entry.name}" if folder else entry.name
            try:
                if entry.is_dir(follow_symlinks=False):
                    if entry.name not in _SKIPPED and not _is_environment(entry.path):
                        folders.append(path)
                    elif entry.name in _REMEMBERING:
                        missed.append(path)
                    continue
                status = entry.stat()
            except OSError:
                continue  # A broken link, or gone since.
            if stat.S_ISDIR(status.st_mode):
                missed.append(path)
            elif stat.S_ISREG(status.st_mode) and not entry.name.endswith((".pyc", ".pyo")):
                stamp = _Stamp.of(status)
                yield path, entry.path, stamp


def _is_environment(folder: str) -> bool:
    return os.path.exists(folder + "/pyvenv.cfg") or os.path.exists(folder + "/conda-meta")  # noqa: PTH110 - as above.


def _hash_file(path: str, stamp: _Stamp, whole: int) -> bytes:
    if stamp.size > whole:
        return hashlib.sha256(f"{stamp.size} {stamp.modified}".encode()).digest()
    try:
        with Path(path).open("rb") as file:
            return hashlib.file_digest(file, "sha256").digest()
    except OSError:
        return b"unreadable"
