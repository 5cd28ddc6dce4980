"""Where only one definition of a file differs from what its bytecode was made of."""

import py_compile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import FunctionType, SimpleNamespace
from typing import Any

import pytest

from pennyproof.proof.inside import probes
from pennyproof.proof.inside.trace import Watched

BEFORE = """
from __future__ import annotations
class Base:
    def area(self): return 2
def double(x):
    return 2 * x
class Square(Base):
    __side = 3
    def area(self):
        return super().area() + self.__side
    def plain(self):
        side: Unknown = self.__side
        return side
"""


def check(
    tmp_path: Path, old: str, new: str, bounds: Mapping[str, Sequence[int]], call: Callable[[Any], Any]
) -> tuple[Any, bool]:
    """What the call gives, and whether the watched line ran, with the rest of the file taken from bytecode."""
    file = tmp_path / "shapes.py"
    file.write_text(BEFORE)
    py_compile.compile(str(file), doraise=True)
    narrow = {**bounds, "rest": [int(file.stat().st_mtime), file.stat().st_size]}
    line = BEFORE[: BEFORE.index(old)].count("\n") + 1
    edited = tmp_path / "edited"
    edited.mkdir()
    (edited / "shapes.py").write_text(BEFORE.replace(old, new))
    watched = Watched(str(edited))
    watched.watch({"shapes.py": [line]}, {"shapes.py": narrow})
    probing = watched.probing("shapes.py")
    assert probing is not None
    assert probing.part is not None
    hits: probes.Hits = set()
    sink = probes.Probes(lambda _: None)
    sink.into(hits)
    try:
        # This is what is compiled where bytecode does not do.
        code = probing.code(b"raise LookupError", str(file))
        names: dict[str, Any] = {"__name__": "shapes"}
        FunctionType(code, names)()
        return call(SimpleNamespace(**names)), ("shapes.py", line) in hits
    finally:
        sink.into(set())


DOUBLE = {"header": (0, 0), "lines": (5, 7)}
AREA = {"header": (7, 8), "lines": (9, 11)}
PLAIN = {"header": (7, 8), "lines": (11, 14)}


@pytest.mark.parametrize(
    ("old", "new", "bounds", "call", "value"),
    [
        ("2 * x", "3 * x", DOUBLE, lambda it: it.double(5), 15),
        ("super().area() +", "super().area() -", AREA, lambda it: it.Square().area(), -1),
        ("return side", "return -side", PLAIN, lambda it: it.Square().plain(), -3),
    ],
)
def test_the_rest_comes_from_bytecode(
    tmp_path: Path, old: str, new: str, bounds: Mapping[str, Sequence[int]], call: Callable[[Any], Any], value: int
) -> None:
    assert check(tmp_path, old, new, bounds, call) == (value, True)


@pytest.mark.parametrize("new", ["return super().area()", "return __class__"])
def test_what_needs_other_code_around_it_is_compiled_with_all_of_it(tmp_path: Path, new: str) -> None:
    with pytest.raises(LookupError):
        check(tmp_path, "return side", new, PLAIN, lambda it: it.Square().plain())
