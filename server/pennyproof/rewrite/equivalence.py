"""Which texts mean the same, as far as that shows without running them.

Two texts do where they compile to the same code: trivial compiler equivalence (Papadakis et al., "Trivial compiler
equivalence", ICSE 2015). Before it is compiled, a text is brought into one form: on which lines it stands is left out,
and so are the ways to write one thing that Python's compiler keeps apart. Of those that are named here the values
differ at most in the sign of a zero, or where a class gives an operator or a slice a meaning of its own.
"""

import ast
import operator
from collections.abc import Callable, Collection, Iterator, Mapping
from functools import cached_property
from types import CodeType
from typing import Any
from warnings import filterwarnings

from pennyproof.core.edits import Edit
from pennyproof.rewrite.constants import number
from pennyproof.rewrite.module import Module, Span

NO_PROGRAM = SyntaxError, ValueError, RecursionError
"""Why a text is refused: it does not parse, holds null characters, or is nested too deeply."""
_NAME = "<slip>"

_NEUTRAL: Mapping[tuple[type[ast.operator], float | None], ast.operator] = {
    (ast.Sub, 0): ast.Add(),
    (ast.BitXor, 0): ast.BitOr(),
    (ast.RShift, 0): ast.LShift(),
}
"""Operators that do with this number on their right what another one does."""
_COMPARES: Mapping[type[ast.cmpop], Callable[[Any, Any], bool]] = {
    ast.Eq: operator.eq, ast.NotEq: operator.ne, ast.Lt: operator.lt,
    ast.LtE: operator.le, ast.Gt: operator.gt, ast.GtE: operator.ge,
}  # fmt: skip
_WITH_NONE: Mapping[type[ast.cmpop], ast.cmpop] = {ast.Eq: ast.Is(), ast.NotEq: ast.IsNot()}
_LENGTH_WITH_ZERO: Mapping[type[ast.cmpop], ast.cmpop] = {ast.Gt: ast.NotEq(), ast.LtE: ast.Eq()}


def meaning(text: str) -> CodeType | None:
    """What a text compiles to once it is in one form, to be compared with that of others; ``None``: to nothing."""
    # What the compiler only warns of is for others to judge. This adds no second filter, and needs no lock.
    filterwarnings("ignore", module=_NAME)
    try:
        module = ast.parse(text, _NAME)
        for node in ast.walk(module):
            _bring_into_form(node)
        code: CodeType = compile(module, _NAME, "exec", dont_inherit=True)
    except NO_PROGRAM:
        return None
    return code


class Meanings:
    """What a file means with one edit and another; of a long file only the part is compiled that is edited.

    Args:
        module: The file.
        before: What the file was; what its parts meant is known, too.
    """

    def __init__(self, module: Module, before: str) -> None:
        self._text = module.text
        self._parts = list(_parts(module))
        self._before = before
        self._known: dict[Span, set[CodeType | None]] = {}

    def is_new(self, edits: Collection[Edit], changed: str) -> bool:
        """Whether a part means with edits what it did not before, nor with others that were asked about.

        Args:
            edits: Of the file.
            changed: The whole file with them.
        """
        head, (start, end) = next(part for part in self._parts if _holds(part[1], edits))
        if (start, end) not in self._known:
            self._known[start, end] = {None, meaning(head + self._text[start:end]), *self._meant_before}
        known = self._known[start, end]
        meant = meaning(head + changed[start : len(changed) - (len(self._text) - end)])
        is_new = meant not in known
        known.add(meant)
        return is_new

    @cached_property
    def _meant_before(self) -> set[CodeType | None]:
        """The meanings of what was changed."""
        try:
            before = Module(self._before)
        except NO_PROGRAM:
            return set()
        now = {head + self._text[slice(*lines)] for head, lines in self._parts}
        then = {head + self._before[slice(*lines)] for head, lines in _parts(before)}
        return set(map(meaning, then - now))


def _parts(module: Module) -> Iterator[tuple[str, Span]]:
    """The statements of a file and of its classes as whole lines, each after what has to stand before it; all of it."""
    for outer in module.tree.body:
        for part in outer.body if isinstance(outer, ast.ClassDef) else [outer]:
            lines = module.lines_span(part)
            if lines:
                yield "" if part is outer else f"class _:\n{module.indentation(part)}pass\n", lines
    yield "", (0, len(module.text))


def _holds(lines: Span, edits: Collection[Edit]) -> bool:
    return all(lines[0] <= edit.start and edit.end <= lines[1] for edit in edits)


def _bring_into_form(node: ast.AST) -> None:
    if hasattr(node, "lineno"):
        _place(node)
    match node:
        case ast.BinOp(right=value) | ast.AugAssign(value=value):
            node.op = _NEUTRAL.get((type(node.op), number(value)), node.op)
        case ast.Compare(ops=[_]):
            _bring_comparison_into_form(node)
        case ast.IfExp(test=ast.UnaryOp(op=ast.Not(), operand=test)):
            node.test, node.body, node.orelse = test, node.orelse, node.body
        case ast.Call(func=ast.Name(id="range"), keywords=[]):
            _drop_defaults_of_range(node)
        case ast.Slice():
            _drop_defaults_of_slice(node)
        case ast.Call(func=ast.Name(id="isinstance" | "issubclass"), args=[_, ast.Tuple() as classes], keywords=[]):
            _sort(classes)
        case ast.ExceptHandler(type=ast.Tuple() as classes):
            _sort(classes)
        case _:
            pass


def _place(node: Any) -> None:
    """Let all stand on one line: where lines begin, the compiler leaves marks for debuggers."""
    node.lineno = node.end_lineno = 1
    node.col_offset = node.end_col_offset = 0


def _bring_comparison_into_form(node: ast.Compare) -> None:
    left, (right,), (compared,) = node.left, node.comparators, node.ops
    if type(compared) in _COMPARES and (values := _literals(left, right)):
        holds = _COMPARES[type(compared)](*values)
        node.left, node.ops, node.comparators = _constant(0), [ast.Eq()], [_constant(0 if holds else 1)]
    elif isinstance(compared, (ast.In, ast.NotIn)) and isinstance(right, (ast.Tuple, ast.List, ast.Set)):
        _sort(right)
    elif isinstance(right, ast.Constant) and right.value is None:
        node.ops = [_WITH_NONE.get(type(compared), compared)]
    elif number(right) == 0 and isinstance(left, ast.Call) and _is_name(left.func, "len"):
        node.ops = [_LENGTH_WITH_ZERO.get(type(compared), compared)]


def _drop_defaults_of_range(node: ast.Call) -> None:
    if len(node.args) == 3 and number(node.args[2]) == 1:
        node.args.pop()
    if len(node.args) == 2 and number(node.args[0]) == 0:
        node.args.pop(0)


def _drop_defaults_of_slice(node: ast.Slice) -> None:
    if node.step and number(node.step) == 1:
        node.step = None
    if node.lower and node.step is None and number(node.lower) == 0:
        node.lower = None


def _sort(display: ast.Tuple | ast.List | ast.Set) -> None:
    """Order what is looked through until it is found, where to look does nothing else."""
    if all(isinstance(element, (ast.Constant, ast.Name, ast.Attribute)) for element in display.elts):
        display.elts.sort(key=ast.dump)


def _literals(left: ast.expr, right: ast.expr) -> tuple[object, object] | None:
    """The values of two numbers, or of two strings; ``None`` where anything else is compared."""
    numbers = number(left), number(right)
    if None not in numbers:
        return numbers
    match left, right:
        case ast.Constant(value=str() as one), ast.Constant(value=str() as other):
            return one, other
        case _:
            return None


def _constant(value: int) -> ast.Constant:
    made = ast.Constant(value)
    _place(made)
    return made


def _is_name(node: ast.expr, name: str) -> bool:
    return isinstance(node, ast.Name) and node.id == name
