"""Kinds of projects: what each is made of, and what its verdicts have to be.

In all of them ``f(1)`` should be 2 and is 0. The right edit makes it 2; the wrong one makes it 7, which no test likes.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from tests.proof.projects import Edit, Environment

MODULE = "def f(n):\n    return n - 1\n"
"""The module with the bug; it is there unless a row brings its own, and what an empty ``m.py`` stands for."""
TESTS = "from m import f\n\n\ndef test_right():\n    assert f(1) == 2\n\n\ndef test_small():\n    assert f(1) < 5\n"
"""Its tests: what an empty test file stands for."""


def nothing(environment: Environment, root: Path) -> None:
    """Nothing to prepare."""


@dataclass(frozen=True)
class Row:
    """A kind of project, with an edit that mends it and one that breaks what worked."""

    name: str
    files: Mapping[str, str | bytes]
    fixes: str
    """The test that the right edit mends."""
    breaks: str
    """The test that the wrong one breaks."""
    right: Sequence[Edit]
    wrong: Sequence[Edit]
    root: str = "project"
    prepare: Callable[[Environment, Path], None] = nothing
    """Gets the environment and the project's folder, after the files were written."""
    links: Mapping[str, str] = field(default_factory=dict)
    """Symbolic links in the project, with what they point to."""
    plugins: tuple[str, ...] = ()
    """Packages that the environment has beside pytest."""
    passing: int | None = None
    """How many tests pass as it is, where that is worth a look."""
    quick: bool = False
    """Whether it is looked at whenever tests run."""


def row(
    name: str,
    text: str,
    *,
    tests: str = "test_m.py",
    fixes: str = "",
    breaks: str = "",
    bug: str = "m.py",
    right: Sequence[Edit] = (),
    wrong: Sequence[Edit] = (),
    root: str = "project",
    prepare: Callable[[Environment, Path], None] = nothing,
    links: Mapping[str, str] | None = None,
    plugins: tuple[str, ...] = (),
    passing: int | None = None,
    raw: Mapping[str, bytes] | None = None,
    quick: bool = False,
) -> Row:
    """A row with what most have in common.

    Args:
        name: What the row is about.
        text: The files, each after a line ``=== path``.
        tests: What the usual tests lie in.
        fixes: The test that the right edit mends, where it is not the usual one.
        breaks: The test that the wrong one breaks, likewise.
        bug: The file that the usual edits change.
        right: The right edit, where it is not the usual one.
        wrong: The wrong one, likewise.
        root: The name of the project's folder.
        prepare: See ``Row``.
        links: See ``Row``.
        plugins: See ``Row``.
        passing: See ``Row``.
        raw: Files whose bytes matter.
        quick: See ``Row``.
    """
    return Row(
        name,
        {"m.py": MODULE, **_files(text), **(raw or {})},
        fixes or f"{tests}::test_right",
        breaks or f"{tests}::test_small",
        right or [(bug, "n - 1", "n + 1")],
        wrong or [(bug, "n - 1", "n + 6")],
        root=root,
        prepare=prepare,
        links=links or {},
        plugins=plugins,
        passing=passing,
        quick=quick,
    )


def _files(text: str) -> dict[str, str]:
    _, *parts = re.split(r"^=== (.+)\n", text, flags=re.MULTILINE)
    usual = {"m.py": MODULE, "test_m.py": TESTS}
    return {path: body or usual.get(Path(path).name, "") for path, body in zip(parts[::2], parts[1::2], strict=True)}
