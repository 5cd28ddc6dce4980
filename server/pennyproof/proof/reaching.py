"""Candidates that look into the interpreter or the test runner, where results are made: a way to forge them.

Names are looked for in the text here, and what is done is watched in the run (``inside/guard``): names can be put
together at run time, and not all that can be done is announced there.
"""

import ast
from collections.abc import Iterable, Iterator
from functools import lru_cache

from pennyproof.core.candidates import Candidate, FileChange
from pennyproof.proof.inside.guard import REACHES
from pennyproof.proof.syntax import equal_ends, lines_of, tree_of

_NAMES = frozenset(
    [
        # what a test is judged by
        "_pytest", "pluggy", "pennyproof", "_pennyproof_inside", "pytest_runtest_makereport",
        # how functions, frames and classes lead to each other
        "__closure__", "cell_contents", "__subclasses__", "f_back", "f_locals", "f_globals", "f_builtins", "tb_frame",
        "gi_frame", "cr_frame", "ag_frame", "_getframe", "_current_frames", "get_objects", "get_referrers",
        "get_referents", "settrace", "setprofile", "addaudithook",
        # memory
        "ctypes", "_ctypes", "cffi", "_testcapi", "_testinternalcapi", "as_strided", "/proc/self/mem",
    ]
)  # fmt: skip


def new_reach(change: FileChange) -> str | None:
    """A name by which a change looks where the file did not look before, or ``None``."""
    if change.after is None:
        return None
    before, after = change.before.text if change.before else "", change.after.text
    start, end = equal_ends(before, after)
    lines = lines_of(after)
    changed = "\n".join(lines[start : len(lines) - end])
    suspects = {name for name in _NAMES if name in changed and name not in before}
    # Most changes mention none of them, and need not be parsed for it.
    return min(suspects.intersection(_mentioned(after)), default=None) if suspects else None


def reaches(candidate: Candidate, others: Iterable[str] = ()) -> dict[str, list[str]]:
    """Of each file that comes with a run, the ways into the interpreter that it has anyway (``guard.REACHES``).

    Args:
        candidate: Whose files have only those of their former text.
        others: Files that the user has changed, who may do as they like.
    """
    anything = {path: list(REACHES) for path in others}
    return anything | {
        change.path: list(_reached(change.before.text)) if change.before else []
        for change in candidate.changes
        if change.after is not None
    }


@lru_cache(maxsize=16)  # Every candidate is compared with the same original.
def _reached(text: str) -> tuple[str, ...]:
    return tuple(kind for kind, reach in REACHES.items() if any(word in text for word in reach.words))


def _mentioned(text: str) -> Iterator[str]:
    """Names and texts in code, comments and docstrings aside; none where it cannot be parsed here."""
    try:
        tree = tree_of(text)
    except (SyntaxError, ValueError, RecursionError):
        return
    prose = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    for node in ast.walk(tree):
        match node:
            case ast.Name(id=name) | ast.Attribute(attr=name):
                yield name
            case ast.Import(names=names):
                yield from (part for alias in names for part in alias.name.split("."))
            case ast.ImportFrom(module=module, names=names):
                yield from (module or "").split(".")
                yield from (alias.name for alias in names)
            case ast.Constant(value=str(value)) if id(node) not in prose:
                yield from (name for name in _NAMES if name in value)
            case _:
                pass
