"""Tests found by their names, as pytest finds them, without running anything."""

import ast
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from pathlib import PurePosixPath

from pennyproof.assist.explain.scopes import FUNCTIONS, nested, parse


@dataclass(frozen=True, slots=True)
class FoundTest:
    """A test function, or a class of tests."""

    id: str
    """As pytest writes it, without parameters: ``tests/test_a.py::TestCart::test_total``."""
    first: int
    """From one, decorators included."""
    line: int
    """Where it is named."""
    last: int
    is_class: bool = False

    @property
    def name(self) -> str:
        return self.id.rpartition("::")[2]


def find_tests(path: str, text: str, test_files: Collection[str] = ()) -> tuple[FoundTest, ...]:
    """The tests in a file, in the order they stand in it; none where it does not parse.

    Args:
        path: Relative to the root.
        text: The file's text.
        test_files: Files known to hold tests, whatever they are called.
    """
    name = PurePosixPath(path).name
    if path not in test_files and not (name.startswith("test_") or name.endswith("_test.py")):
        return ()
    tree = parse(text)
    return tuple(_tests_in(tree, path)) if tree else ()


def ids_of(wanted: str, known: Iterable[str]) -> list[str]:
    """The ids of known tests that ``wanted`` means: itself, its parametrised forms, or all in that class or file."""
    return [test for test in known if test == wanted or test.startswith((f"{wanted}[", f"{wanted}::"))]


def _tests_in(scope: ast.AST, prefix: str) -> Iterator[FoundTest]:
    for node in nested(scope):
        test_id = f"{prefix}::{node.name}"
        first = min([node.lineno, *(mark.lineno for mark in node.decorator_list)])
        last = node.end_lineno or node.lineno
        if isinstance(node, FUNCTIONS):
            if node.name.startswith("test"):
                yield FoundTest(test_id, first, node.lineno, last)
        elif isinstance(node, ast.ClassDef):
            of_unittest = any(_last_name(base).endswith("TestCase") for base in node.bases)
            inner = list(_tests_in(node, test_id))
            if inner and (of_unittest or (node.name.startswith("Test") and not _has_constructor(node))):
                yield FoundTest(test_id, first, node.lineno, last, is_class=True)
                yield from inner


def _last_name(base: ast.expr) -> str:
    return base.attr if isinstance(base, ast.Attribute) else base.id if isinstance(base, ast.Name) else ""


def _has_constructor(node: ast.ClassDef) -> bool:
    return any(isinstance(child, FUNCTIONS) and child.name == "__init__" for child in node.body)
