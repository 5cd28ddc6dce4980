"""Scenario files: a small project, what is done in the editor, and what is seen, in one text.

    One sentence that says what the scenario shows.

    -- settings.json --
    {"tests": {"onSave": "off"}}
    -- capabilities.json --
    {"general": {"positionEncodings": ["utf-8"]}}
    -- shop.py --
    def total(prices):
        return sum(prices[$01:])
    -- tests/test_shop.py --
    from shop import total

    def test_total(): #@ lens("Run test", "Debug")
        assert total([1, 2]) == 3 #@ diagnostic("AssertionError: …", "tests/test_shop.py::test_total")
    -- steps --
    open tests/test_shop.py
    run runTests {}
      {"passed": 0, "failed": [{"message": "assert 2 == 3…"}]}
    diagnostics

``$0`` marks the cursor and is no part of the file. Markers are comments: they say what is to be seen at their lines.
Both settings and capabilities are optional. The steps are described in ``editor.py``; what is indented below a step is
what it has to give: JSON that the result contains, or lines. A text that ends in ``…`` stands for all that begin so,
one that begins with it too for all that contain it.
"""

import ast
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

Json = Any

_SECTION = re.compile(r"^-- (.+) --$\n?", re.MULTILINE)
_MARKER = re.compile(r"#@ (\w+)(\(.*\))")
CURSOR = "$0"


@dataclass(frozen=True)
class Step:
    """One thing that is done, and what is to come of it."""

    line: int
    """In the scenario file, from one."""
    verb: str
    rest: str
    expected: str
    """The indented lines below, without their indentation."""


@dataclass(frozen=True)
class Scenario:
    """One scenario file."""

    path: Path
    files: dict[str, str]
    cursor: tuple[str, int]
    """The file and the offset of ``$0``; the start of the first file where there is none."""
    steps: tuple[Step, ...]
    settings: Json
    capabilities: Json


def load(path: Path) -> Scenario:
    """Read a scenario file."""
    text = path.read_text(encoding="utf-8")
    _, *parts = _SECTION.split(text)
    sections = dict(zip(parts[::2], parts[1::2], strict=True))
    first_line = text[: text.index("-- steps --\n")].count("\n") + 2
    steps = tuple(_steps(sections.pop("steps"), first_line))
    settings = json.loads(sections.pop("settings.json", "null"))
    capabilities = json.loads(sections.pop("capabilities.json", "null"))
    cursor = next(((name, body.index(CURSOR)) for name, body in sections.items() if CURSOR in body), None)
    files = {name: body.replace(CURSOR, "") for name, body in sections.items()}
    return Scenario(path, files, cursor or (next(iter(files)), 0), steps, settings, capabilities)


def markers(kind: str, text: str) -> dict[int, tuple[Any, ...]]:
    """Line (from zero) → arguments, of every marker of a kind."""
    found = {}
    for number, line in enumerate(text.split("\n")):
        for name, arguments in _MARKER.findall(line):
            if name == kind:
                value = ast.literal_eval(arguments)
                found[number] = value if isinstance(value, tuple) else (value,)
    return found


def mismatch(actual: Json, expected: Json, place: str = "") -> str | None:
    """Where ``actual`` lacks what is expected of it, or ``None`` where it has it all.

    Lists are compared whole, unless what is expected ends in ``…``.
    """
    if isinstance(expected, dict) and isinstance(actual, dict):
        found = (mismatch(actual.get(key), value, f"{place}.{key}") for key, value in expected.items())
        return next((problem for problem in found if problem), None)
    if isinstance(expected, list) and isinstance(actual, list) and expected[-1:] == ["…"]:
        expected, actual = expected[:-1], actual[: len(expected) - 1]
    if isinstance(expected, list) and isinstance(actual, list) and len(actual) == len(expected):
        pairs = enumerate(zip(actual, expected, strict=True))
        found = (mismatch(one, other, f"{place}[{at}]") for at, (one, other) in pairs)
        return next((problem for problem in found if problem), None)
    if (
        isinstance(expected, str)
        and isinstance(actual, str)
        and len(expected) > 2
        and expected[0] + expected[-1] == "……"
    ):
        return None if expected[1:-1] in actual else f"{place}: {actual!r} does not contain {expected[1:-1]!r}"
    if isinstance(expected, str) and isinstance(actual, str) and expected.endswith("…"):
        return None if actual.startswith(expected[:-1]) else f"{place}: {actual!r} does not begin {expected[:-1]!r}"
    return None if actual == expected else f"{place}: {actual!r} is not {expected!r}"


def _steps(text: str, first_line: int) -> Iterator[Step]:
    lines = text.split("\n")
    for number, line in enumerate(lines):
        if not line or line.startswith((" ", "#")):
            continue
        below = []
        for following in lines[number + 1 :]:
            if following and not following.startswith("  "):
                break
            below.append(following.removeprefix("  "))
        verb, _, rest = line.partition(" ")
        yield Step(first_line + number, verb, rest, "\n".join(below).rstrip("\n"))
