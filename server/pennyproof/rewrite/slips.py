"""Slips: small mistakes made on purpose, as mutation testing makes them, to see whether tests would notice.

Most templates serve repair as well as damage. Those used here are the classical operators of mutation (Offutt et al.,
"An experimental determination of sufficient mutant operators", TOSEM 1996) and their like for slices, calls and
literals. They tend to leave values of the same kind in place: any test that runs a line notices what crashes there.
"""

import ast
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain, islice, zip_longest
from typing import TypeVar

from pennyproof.core.edits import apply
from pennyproof.rewrite.catalogue import TEMPLATES
from pennyproof.rewrite.equivalence import NO_PROGRAM, Meanings
from pennyproof.rewrite.module import Function, Module, Span
from pennyproof.rewrite.scope import Scope
from pennyproof.rewrite.template import Rewrite, Template, rewrites

T = TypeVar("T")

_KINDS = {
    "swap_comparison": 4,
    "swap_boolean": 1,
    "swap_arithmetic": 2,
    "swap_augmented": 2,
    "negate_condition": 1,
    "change_number": 2,
    "flip_boolean": 1,
    "drop_condition": 2,
    "change_range": 2,
    "change_slice": 2,
    "change_index": 2,
    "drop_unary": 1,
    "swap_branches_of_expression": 2,
    "swap_jump": 1,
    "swap_callee": 1,
    "drop_operand": 2,
    "swap_elements": 1,
    "change_filter": 1,
    "delete_statement": 1,
    "swap_arguments": 1,
    "off_by_one": 1,
    "change_empty": 1,
    "change_string": 2,
}
"""Template → how many of its rewrites at one node show something that the others do not. Those come first that are
likeliest to change what a line computes, and nothing else."""
_TEMPLATES = [(template, most) for name, most in _KINDS.items() for template in TEMPLATES if template.name == name]
_GOLDEN = 0.6180339887
"""Multiples of the golden ratio, whole parts left out, fill an interval evenly, however many are taken."""


@dataclass(frozen=True, slots=True)
class Slip:
    """One mistake."""

    text: str
    """The whole file with it."""
    line: int
    """Of the statement it is made in, from one."""
    summary: str


def slips(text: str, within: Sequence[Span], *, but: Collection[int] = (), unlike: str = "") -> Iterator[Slip]:
    """Mistakes in parts of a file, spread over its statements and over the kinds of mistakes; always the same ones.

    Those that mean the same as the file, as another of them, or as ``unlike`` are left out, as far as that shows.

    Args:
        text: The whole file.
        within: The parts, as offsets of whole lines; nothing is changed outside them.
        but: Lines (from one) to leave alone.
        unlike: The file as it was before these parts were changed.
    """
    try:
        module = Module(text)
    except NO_PROGRAM:  # It may be written for a newer Python than ours.
        return
    meanings = Meanings(module, unlike)
    statements = [found for found in module.statements if _is_open(module, found, within, but)]
    for statement, rewrite in _in_turn([_in_statement(module, each, within) for each in _spread(statements)]):
        changed = apply(text, rewrite.edits)
        if meanings.is_new(rewrite.edits, changed):
            yield Slip(changed, statement.lineno, rewrite.summary)


def _is_open(module: Module, statement: ast.stmt, within: Sequence[Span], but: Collection[int]) -> bool:
    """Whether a statement is code that may be changed."""
    start, end = module.span(statement)
    return (
        any(start < stop and begin < end for begin, stop in within)
        and not isinstance(statement, (Function, ast.ClassDef, ast.Import, ast.ImportFrom))
        and not module.is_docstring(statement)
        and not any(line in but for line in module.header_lines(statement))
    )


def _in_statement(module: Module, statement: ast.stmt, within: Sequence[Span]) -> Iterator[tuple[ast.stmt, Rewrite]]:
    """Mistakes in one statement, each kind in turn."""
    scope = Scope(module, module.function(statement))
    nodes = list(module.own_nodes(statement))
    streams = [
        islice((rewrite for rewrite in rewrites(template, node, scope) if _lies_in(rewrite, within)), most)
        for template, most in _TEMPLATES
        for node in nodes
        if isinstance(node, template.nodes) and not _is_as_another(module, template, node)
    ]
    return ((statement, rewrite) for rewrite in _in_turn(streams))


def _is_as_another(module: Module, template: Template, node: ast.AST) -> bool:
    """Whether a template makes what another one does: of ``a + 1 > b`` and ``a >= b`` one is enough."""
    return template.name == "off_by_one" and isinstance(module.parent(node), ast.Compare)


def _lies_in(rewrite: Rewrite, within: Sequence[Span]) -> bool:
    return all(any(start <= edit.start and edit.end <= end for start, end in within) for edit in rewrite.edits)


def _spread(statements: Sequence[ast.stmt]) -> list[ast.stmt]:
    order = sorted(range(len(statements)), key=lambda at: at * _GOLDEN % 1)
    return [statements[at] for at in order]


def _in_turn(streams: Sequence[Iterator[T]]) -> Iterator[T]:
    """The first of each, then the second of each, and so on."""
    rounds = zip_longest(*streams)
    return (item for item in chain.from_iterable(rounds) if item is not None)
