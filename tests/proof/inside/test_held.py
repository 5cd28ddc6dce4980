"""Bytecode in memory is used where the file would be, and nowhere else."""

import importlib.util
import os
import py_compile
import sys
from collections.abc import Callable
from pathlib import Path
from py_compile import PycInvalidationMode

import pytest

from pennyproof.proof.inside import held
from pennyproof.proof.inside.held import Held, by_time

OLD = 1_600_000_000


class Module:
    """A module, its bytecode, and what keeps that."""

    def __init__(self, folder: Path, mode: PycInvalidationMode) -> None:
        self.source = folder / "shop.py"
        self.source.write_text("PRICE = 3\n")
        os.utime(self.source, (OLD, OLD))
        self.bytecode = Path(importlib.util.cache_from_source(str(self.source)))
        py_compile.compile(str(self.source), doraise=True, invalidation_mode=mode)
        self.held = Held()
        self.held.take([str(self.bytecode)])

    def price(self) -> int | None:
        """What the kept code says; None where nothing is given."""
        stamp = by_time(int(self.source.stat().st_mtime), self.source.stat().st_size)
        by_hash = bytes((3, 0, 0, 0)) + importlib.util.source_hash(self.source.read_bytes())
        code = self.held.give(str(self.bytecode), [stamp, by_hash])
        names: dict[str, int] = {}
        if code is not None:
            exec(code, names)  # noqa: S102 - compiled a few lines above
        return names.get("PRICE")


@pytest.fixture(autouse=True)
def _prefix(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "pycache_prefix", str(tmp_path / "cache"))


def nothing(_: Module) -> None:
    """Leave it as it is."""


def touch(module: Module) -> None:
    os.utime(module.source, (OLD + 1, OLD + 1))


def write_in_the_same_second(module: Module) -> None:
    module.source.write_text("PRICE = 4\n")
    os.utime(module.source, (OLD, OLD))


def forget(module: Module) -> None:
    module.bytecode.unlink()


def compile_anew(module: Module) -> None:
    forget(module)
    py_compile.compile(str(module.source), doraise=True)


def give_once(module: Module) -> None:
    assert module.price() == 3


@pytest.mark.parametrize(
    ("change", "mode", "price"),
    [
        (nothing, PycInvalidationMode.TIMESTAMP, 3),
        (nothing, PycInvalidationMode.CHECKED_HASH, 3),
        (touch, PycInvalidationMode.TIMESTAMP, None),
        (touch, PycInvalidationMode.CHECKED_HASH, 3),
        # What the file of the bytecode cannot tell, whoever keeps it cannot either: see ``Bytecode.forget_racy``.
        (write_in_the_same_second, PycInvalidationMode.TIMESTAMP, 3),
        (write_in_the_same_second, PycInvalidationMode.CHECKED_HASH, None),
        (forget, PycInvalidationMode.TIMESTAMP, None),
        (compile_anew, PycInvalidationMode.TIMESTAMP, None),
        (give_once, PycInvalidationMode.TIMESTAMP, None),
        (nothing, PycInvalidationMode.UNCHECKED_HASH, None),
    ],
)
def test_when_code_is_given(
    tmp_path: Path, change: Callable[[Module], None], mode: PycInvalidationMode, price: int | None
) -> None:
    module = Module(tmp_path, mode)
    change(module)
    assert module.price() == price


def test_what_is_no_bytecode_of_the_cache_is_left_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    module = Module(tmp_path, PycInvalidationMode.TIMESTAMP)
    noise = module.bytecode.with_name("noise.pyc")
    noise.write_bytes(module.bytecode.read_bytes()[:16] + b"noise")
    module.held.take([str(noise), str(noise.with_name("missing.pyc")), str(tmp_path)])
    assert module.held.give(str(noise), [module.bytecode.read_bytes()[4:16]]) is None
    monkeypatch.setattr(sys, "pycache_prefix", str(tmp_path / "elsewhere"))
    other = Held()
    other.take([str(module.bytecode)])
    module.held = other
    assert module.price() is None


def test_what_is_not_kept_yet_is_told(tmp_path: Path) -> None:
    module = Module(tmp_path, PycInvalidationMode.TIMESTAMP)
    assert module.price() == 3
    assert not module.held.missed
    compile_anew(module)
    assert module.price() is None
    assert module.held.missed == [str(module.bytecode)]


def test_there_is_room_for_so_much_only(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    module = Module(tmp_path, PycInvalidationMode.TIMESTAMP)
    monkeypatch.setattr(held, "_MOST", module.bytecode.stat().st_size)
    other = module.bytecode.with_name("other.pyc")
    other.write_bytes(module.bytecode.read_bytes())
    stamp = other.read_bytes()[4:16]
    module.held.take([str(other)])
    assert module.held.give(str(other), [stamp]) is None
    module.held.take([str(module.bytecode)])  # What is read anew takes the room of what it replaces.
    assert module.price() == 3
