"""What was measured, written as it comes, so that a benchmark that was stopped goes on where it was.

A line of JSON for each measurement, in the folder ``results`` of the cache. What was measured of the same version of
the product is not measured again.
"""

import contextlib
import functools
import hashlib
import json
import sys
from collections.abc import Callable, Iterable
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from pydantic import TypeAdapter, ValidationError

import pennyproof
from pennyproof.core.work import Deadline
from tests.bench import Options

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

    Measured = TypeVar("Measured", bound=DataclassInstance)
else:
    Measured = TypeVar("Measured")


class Results(Generic[Measured]):
    """The results of one benchmark, by key.

    Args:
        name: Names the file.
        kind: The dataclass of one result.
        options: Where the cache is, how much time there is, and whether to start afresh.
        version: What is being measured; results of other versions stay in the file and are not read.
    """

    def __init__(self, name: str, kind: type[Measured], options: Options, version: str) -> None:
        self.path = options.cache / "results" / f"{name}.jsonl"
        self._version = version
        self._deadline = Deadline(options.seconds)
        self._known: dict[str, Measured] = {}
        whole = _whole_lines(self.path)
        if not options.afresh:
            adapter = TypeAdapter(kind)
            for entry in map(json.loads, whole):
                if entry["version"] == version:
                    # A benchmark that has learned to tell more measures again what told less.
                    with contextlib.suppress(ValidationError):
                        self._known[entry["key"]] = adapter.validate_python(entry["result"])

    def missing(self, keys: Iterable[str]) -> list[str]:
        """Those keys under which nothing was measured yet."""
        return [key for key in keys if key not in self._known]

    def of(self, keys: Iterable[str]) -> list[Measured]:
        """What was measured under these keys, in their order."""
        return [self._known[key] for key in keys if key in self._known]

    def get(self, key: str, measure: Callable[[], Measured]) -> Measured | None:
        """What is known under a key, else what is measured now; ``None`` when the time is up."""
        if key not in self._known and not self._deadline.passed:
            result = self._known[key] = measure()
            entry: dict[str, Any] = {"version": self._version, "key": key, "result": asdict(result)}
            with self.path.open("a", encoding="utf-8") as stream:
                stream.write(json.dumps(entry) + "\n")
        return self._known.get(key)

    @property
    def time_is_up(self) -> bool:
        """Whether nothing more is to be measured."""
        return self._deadline.passed

    def note(self, keys: Iterable[str]) -> str:
        """Where the results are, and how many are still to come."""
        missing = len(self.missing(keys))
        unfinished = f"; {missing} not measured yet: the same command goes on with them" if missing else ""
        return f"Every result: {self.path}{unfinished}"


@functools.cache
def product_version() -> str:
    """A digest of the product's own code: a commit of anything else leaves what was measured as it is."""
    folder = Path(pennyproof.__file__).parent
    digest = hashlib.sha256()
    for path in sorted(folder.rglob("*.py")):
        digest.update(f"{path.relative_to(folder)}\0".encode() + path.read_bytes())
    return digest.hexdigest()[:12]


def measured_version(options: Options) -> str:
    """What tells results apart: the product, and who made its proofs, where that is not this machine alone."""
    return product_version() + ("" if options.executor == "local" else f" {options.executor}")


def progress(text: str) -> None:
    """Tell whoever waits; the tables go to stdout, this does not."""
    print(text, file=sys.stderr, flush=True)


def _whole_lines(path: Path) -> list[str]:
    """The lines of the file, without one that was being written when its benchmark was ended."""
    path.parent.mkdir(parents=True, exist_ok=True)
    text = path.read_text(encoding="utf-8") if path.exists() else ""
    whole = text[: text.rfind("\n") + 1]
    if whole != text:
        path.write_text(whole, encoding="utf-8")
    return whole.splitlines()
