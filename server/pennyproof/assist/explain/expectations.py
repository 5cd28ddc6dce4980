"""What an assertion compared: its two sides as written, and their values as pytest or unittest told them."""

import ast
import re
from dataclasses import dataclass

from pennyproof.core.outcomes import Failure

_UNITTEST = re.compile(r"assert\w+")
_INTROSPECTION = re.compile(r"\n\s*\+ +(?:where|and) ")


@dataclass(frozen=True, slots=True)
class Comparison:
    """A comparison that did not hold."""

    left: str
    """As written in the source."""
    operator: str
    right: str
    left_value: str | None = None
    """Its ``repr``, where the report tells."""
    right_value: str | None = None

    @property
    def source(self) -> str:
        return f"{self.left} {self.operator} {self.right}"


def comparison(failure: Failure, tree: ast.Module, line: int) -> Comparison | None:
    """The comparison that failed at a line, or ``None`` where the failure is about something else."""
    if failure.kind != "AssertionError":
        return None
    statement = _statement(tree, line)
    match statement:
        case ast.Assert(test=ast.Compare(left=left, ops=[operator], comparators=[right])):
            values = _asserted_values(failure.message, operator)
            return Comparison(ast.unparse(left), _spelled(operator), ast.unparse(right), *values)
        case ast.Expr(value=ast.Call(func=ast.Attribute(attr=name), args=[left, right, *_])) if _UNITTEST.match(name):
            halves = failure.message.partition("\n")[0].partition(" : ")[0].split(" != ")
            values = (halves[0], halves[1]) if name == "assertEqual" and len(halves) == 2 else (None, None)
            return Comparison(ast.unparse(left), _UNITTEST_WORDS.get(name, name), ast.unparse(right), *values)
    return None


_UNITTEST_WORDS = {
    "assertEqual": "==", "assertNotEqual": "!=", "assertIs": "is", "assertIsNot": "is not", "assertIn": "in",
    "assertNotIn": "not in", "assertLess": "<", "assertLessEqual": "<=", "assertGreater": ">",
    "assertGreaterEqual": ">=",
}  # fmt: skip


def _asserted_values(message: str, operator: ast.cmpop) -> tuple[str | None, str | None]:
    """The values in ``assert 3 == 4``; none where pytest shortened them to something that is no expression."""
    told = _INTROSPECTION.split(message)[0].removeprefix("AssertionError:").strip()
    told = told[told.rfind("assert ") :].partition("\n")[0] if "assert " in told else told.partition("\n")[0]
    told = told.removeprefix("assert ")
    try:
        parsed = ast.parse(told, mode="eval").body
    except (SyntaxError, ValueError):
        return _halves(told, _spelled(operator))
    match parsed:
        case ast.Compare(left=left, ops=[_], comparators=[right]):
            return ast.get_source_segment(told, left), ast.get_source_segment(told, right)
    return None, None


def _halves(told: str, operator: str) -> tuple[str | None, str | None]:
    """The sides where a ``repr`` such as ``<Cart of 3>`` is no Python, if only one place can divide them."""
    left, found, right = told.partition(f" {operator} ")
    return (left, right) if found and f" {operator} " not in right else (None, None)


def _statement(tree: ast.Module, line: int) -> ast.stmt | None:
    """The innermost statement that covers a line."""
    around = [
        node
        for node in ast.walk(tree)
        if isinstance(node, ast.stmt) and node.lineno <= line <= (node.end_lineno or node.lineno)
    ]
    return max(around, key=lambda node: (node.lineno, -(node.end_lineno or 0)), default=None)


def _spelled(operator: ast.cmpop) -> str:
    words = ast.unparse(ast.Compare(ast.Name("a"), [operator], [ast.Name("b")]))
    return words.removeprefix("a ").removesuffix(" b")
