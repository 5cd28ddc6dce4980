"""What outcomes rest on: the files as they were when the tests ran, and what was seen of them meanwhile."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from pathlib import PurePosixPath

from pennyproof.proof.answers import Lines

_HOOKS = "pytest_", "import *"
"""In the text of a conftest file: it has hooks, or may have some."""


@dataclass(frozen=True, slots=True)
class Basis:
    """The files as they were when the tests ran, and what of them is known to matter."""

    contents: Mapping[str, bytes]
    """Path → digest, of all files."""
    sources: Mapping[str, str]
    """Path → text, of Python files."""
    loaded: frozenset[str] = frozenset()
    """Files whose functions are watched, as far as they were imported."""
    early: frozenset[str] = frozenset()
    """Those of them that no test file was the first to import."""
    unwatched: frozenset[str] = frozenset()
    """Files that were imported and whose functions are not watched."""
    at_import: Lines = field(default_factory=dict)
    """First lines of functions that ran before any test; zero where the source was opened."""
    touched: Mapping[str, frozenset[str]] = field(default_factory=dict)
    """Test → sources it opened as files."""
    opened: Mapping[str, frozenset[str]] = field(default_factory=dict)
    """Other file → the sources that opened it; the empty string for what is none of the project's."""


def file_of(test: str) -> str:
    """The file that a test is in."""
    return test.partition("::")[0]


def rests_on(file: str, reached: Collection[str]) -> bool:
    """Whether a test file, or a conftest file above it, is among these."""
    return file in reached or any(
        (folder / "conftest.py").as_posix() in reached for folder in PurePosixPath(file).parents
    )


def acts_on_all(path: str, text: str) -> bool:
    """Whether it is a conftest file that may act on any test, and not only on those below its folder."""
    return is_conftest(path) and any(sign in text for sign in _HOOKS)


def is_conftest(path: str) -> bool:
    """Whether pytest loads a file on behalf of the tests below its folder."""
    return PurePosixPath(path).name == "conftest.py"
