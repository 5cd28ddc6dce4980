"""Remembered baselines: in memory, and in the state directory as long as that can be written."""

import base64
import contextlib
import hashlib
import json
import logging
import os
import tempfile
import threading
import time
import zlib
from collections import OrderedDict
from collections.abc import Collection, Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from pennyproof.core.outcomes import Baseline, CollectionError, Coverage
from pennyproof.proof.answers import read_coverage, read_lines, read_names, read_outcome
from pennyproof.proof.basis import Basis

log = logging.getLogger(__name__)

_IN_MEMORY = 16
_ON_DISK = 8
"""For one workspace. A baseline is worth keeping for as long as the user may go back to that text."""


@dataclass(frozen=True, slots=True)
class Recorded:
    """A baseline, with what else its run told."""

    baseline: Baseline
    patched: frozenset[str]
    """What the project itself changes in pytest."""
    unrunnable: frozenset[str] = frozenset()
    """Tests that hang or end the process, and so take all others with them; they count as failing."""
    hurried: frozenset[str] = frozenset()
    """Those of them that had less time to end than the user allows."""
    lines: Coverage = field(default_factory=Coverage)
    """The lines that failing tests run, as far as they were looked at."""
    basis: Basis | None = None
    """What the outcomes rest on, where all tests ran."""


_WRITING = 3600 * 1_000_000_000
"""Nanoseconds that no server takes to write one."""


class Records:
    """Baselines by the key of what they are the outcome of. Thread-safe.

    Two servers may use one state directory: each file is written whole and then renamed, and any that does not read
    as it should is taken for missing.
    """

    def __init__(self, root: Path, state: Path | None) -> None:
        self._lock = threading.Lock()
        self._memory: OrderedDict[str, Recorded] = OrderedDict()
        name = hashlib.sha256(os.fsencode(root)).hexdigest()[:16]
        self._folder = state / "baselines" / name if state else None
        self._foreign: set[tuple[Path, int]] = set()
        """Files, and when they were written, of which it has been said that they are none of ours."""

    def get(self, key: str, *, stored: bool = True) -> Recorded | None:
        """What is remembered, from memory or (if ``stored``) from disk."""
        with self._lock:
            if key in self._memory:
                self._memory.move_to_end(key)
                return self._memory[key]
            found = self._load(key) if stored else None
            if found:
                self._remember(key, found)
            return found

    def latest(self, beginning: str) -> Recorded | None:
        """The newest with a basis, of those whose keys begin so."""
        with self._lock:
            for key in reversed(self._memory):
                if key.startswith(beginning) and self._memory[key].basis:
                    return self._memory[key]
            stored = sorted(self._folder.glob(f"{beginning}*.json"), key=_modified) if self._folder else []
            for path in reversed(stored):
                found = self._load(path.stem)
                if found and found.basis:
                    self._remember(path.stem, found)
                    return found
            return None

    def holding(self, beginning: str, test_ids: Collection[str]) -> Recorded | None:
        """The newest in memory that holds tests, of those whose keys begin so."""
        with self._lock:
            found = (known for key, known in reversed(self._memory.items()) if key.startswith(beginning))
            return next((known for known in found if known.baseline.outcomes.keys() >= set(test_ids)), None)

    def put(self, key: str, recorded: Recorded, *, stored: bool = True) -> None:
        """Remember a baseline, on disk too if ``stored``, but for one in which tests were hurried."""
        with self._lock:
            self._remember(key, recorded)
            if stored and not recorded.hurried:
                self._keep(key, recorded)

    def distrust(self, recorded: Recorded, flaky: Collection[str]) -> None:
        """Note that tests of a baseline, and of what else became of it, turned out to be flaky."""
        with self._lock:
            same = [key for key, known in self._memory.items() if known.baseline.outcomes is recorded.baseline.outcomes]
            for key in same:
                known = self._memory[key]
                baseline = replace(known.baseline, flaky=known.baseline.flaky.union(flaky))
                self._memory[key] = replace(known, baseline=baseline)
                if self._folder and (self._folder / f"{key}.json").exists():
                    self._keep(key, self._memory[key])

    def _remember(self, key: str, recorded: Recorded) -> None:
        self._memory[key] = recorded
        while len(self._memory) > _IN_MEMORY:
            self._memory.popitem(last=False)

    def _load(self, key: str) -> Recorded | None:
        path = self._folder / f"{key}.json" if self._folder else None
        if path is None or (path, _modified(path)) in self._foreign:
            return None
        try:
            return _decode(json.loads(path.read_text("utf-8")))
        except OSError:
            return None
        except (ValueError, KeyError, TypeError, AttributeError, IndexError, RecursionError, zlib.error) as error:
            self._foreign.add((path, _modified(path)))
            log.warning(
                "%s is no baseline of ours, and the tests are run again: %s: %s", path, type(error).__name__, error
            )
            return None

    def _keep(self, key: str, recorded: Recorded) -> None:
        if self._folder is None:
            return
        try:
            self._store(self._folder, key, recorded)
        except OSError as error:
            log.warning("baselines are kept in memory only: %s: %s", self._folder, error.strerror)
            self._folder = None

    def _store(self, folder: Path, key: str, recorded: Recorded) -> None:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)  # Values of variables may stand in failures.
        descriptor, temporary = tempfile.mkstemp(dir=folder, suffix=".tmp")
        try:
            with os.fdopen(descriptor, "w", encoding="utf-8") as file:
                json.dump(_encode(recorded), file, separators=(",", ":"))
            Path(temporary).replace(folder / f"{key}.json")
        except BaseException:
            with contextlib.suppress(OSError):
                Path(temporary).unlink()
            raise
        _prune(folder)


def _prune(folder: Path) -> None:
    """Keep the newest, and nothing that a server left when it was ended while it wrote."""
    ended = time.time_ns() - _WRITING
    with contextlib.suppress(FileNotFoundError):  # Another server prunes the same folder.
        for path in folder.glob("*.tmp"):
            if _modified(path) < ended:
                path.unlink()
    with contextlib.suppress(FileNotFoundError):  # Another server prunes the same folder.
        for path in sorted(folder.glob("*.json"), key=_modified)[:-_ON_DISK]:
            path.unlink()


def _modified(path: Path) -> int:
    """When a file was written; those that another server has just pruned, or that cannot be had, come first."""
    try:
        return path.stat().st_mtime_ns
    except OSError:
        return 0


def _encode(recorded: Recorded) -> dict[str, Any]:
    baseline = recorded.baseline
    return {
        "outcomes": [asdict(test) for test in baseline.outcomes.values()],
        "seconds": baseline.seconds,
        "errors": [asdict(error) for error in baseline.errors],
        "flaky": sorted(baseline.flaky),
        "functions": _encode_coverage(baseline.functions),
        "lines": _encode_coverage(recorded.lines),
        "patched": sorted(recorded.patched),
        "unrunnable": sorted(recorded.unrunnable),
        "basis": _encode_basis(recorded.basis) if recorded.basis else None,
    }


def _decode(data: Mapping[str, Any]) -> Recorded:
    baseline = Baseline(
        outcomes={item["id"]: read_outcome(item) for item in data["outcomes"]},
        seconds=float(data["seconds"]),
        errors=tuple(CollectionError(**error) for error in data["errors"]),
        flaky=frozenset(data["flaky"]),
        functions=read_coverage(data["functions"]),
    )
    return Recorded(
        baseline,
        frozenset(data["patched"]),
        frozenset(data["unrunnable"]),
        lines=read_coverage(data["lines"]),
        basis=_decode_basis(data["basis"]) if data["basis"] else None,
    )


def _encode_basis(basis: Basis) -> dict[str, Any]:
    sources = zlib.compress(json.dumps(dict(basis.sources)).encode(), level=1)
    return {
        "contents": {path: digest.hex() for path, digest in basis.contents.items()},
        "sources": base64.b64encode(sources).decode("ascii"),
        "loaded": sorted(basis.loaded),
        "early": sorted(basis.early),
        "unwatched": sorted(basis.unwatched),
        "at_import": {path: sorted(lines) for path, lines in basis.at_import.items()},
        "touched": {test: sorted(paths) for test, paths in basis.touched.items()},
        "opened": {path: sorted(sources) for path, sources in basis.opened.items()},
    }


def _decode_basis(data: Mapping[str, Any]) -> Basis:
    return Basis(
        contents={path: bytes.fromhex(digest) for path, digest in data["contents"].items()},
        sources=json.loads(zlib.decompress(base64.b64decode(data["sources"]))),
        loaded=frozenset(data["loaded"]),
        early=frozenset(data["early"]),
        unwatched=frozenset(data["unwatched"]),
        at_import=read_lines(data["at_import"]),
        touched=read_names(data["touched"]),
        opened=read_names(data["opened"]),
    )


def _encode_coverage(coverage: Coverage) -> dict[str, dict[str, list[int]]]:
    return {test: {path: sorted(lines) for path, lines in files.items()} for test, files in coverage.lines.items()}
