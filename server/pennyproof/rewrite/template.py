"""What a template is: a small pure function from a node to rewrites, registered with its documentation."""

import ast
import inspect
import re
import textwrap
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

from pennyproof.core.edits import Edit

if TYPE_CHECKING:
    from pennyproof.rewrite.scope import Scope


@dataclass(frozen=True, slots=True)
class Rewrite:
    """One possible change of a text."""

    edits: tuple[Edit, ...]
    summary: str
    """What it does, for a person: ``replace `<` by `<=```."""
    weight: float = 1.0
    """How natural it is among the rewrites of the same template; one is ordinary."""


@dataclass(frozen=True, slots=True)
class Template:
    """A kind of change, and how often it is the right one."""

    name: str
    nodes: tuple[type[ast.AST], ...]
    """The nodes it applies to."""
    prior: float
    """How likely a single one of its rewrites is to be the fix, relative to those of other templates."""
    rewrites: Callable[..., Iterator[Rewrite]]
    """From a node and its scope."""
    summary: str
    example: tuple[str, str]
    """A text, and that text after one of the rewrites."""


F = TypeVar("F", bound=Callable[..., Iterator[Rewrite]])

REGISTRY: dict[str, Template] = {}
_EXAMPLE = re.compile(r"^( *)Before::\n(.*?)^\1After::\n(.*)", re.MULTILINE | re.DOTALL)


def template(*nodes: type[ast.AST], prior: float) -> Callable[[F], F]:
    """Register a function of a node and a scope as a template.

    Its docstring is its documentation: a first line that says what it does, then an example under ``Before::`` and
    ``After::``, which the tests hold it to.

    Args:
        nodes: The nodes it applies to.
        prior: See :attr:`Template.prior`.
    """

    def register(function: F) -> F:
        documentation = inspect.getdoc(function) or ""
        found = _EXAMPLE.search(documentation)
        if found is None:
            raise ValueError(f"the docstring of the template {function.__name__} lacks its example")
        before, after = (textwrap.dedent(part).strip("\n") + "\n" for part in found.group(2, 3))
        summary = documentation.splitlines()[0]
        REGISTRY[function.__name__] = Template(function.__name__, nodes, prior, function, summary, (before, after))
        return function

    return register


def rewrites(found: Template, node: ast.AST, scope: "Scope") -> Iterator[Rewrite]:
    """The rewrites of one template at one node, made when the first is asked for, the most natural first."""
    made: list[Rewrite] = []
    # An operator that cannot be found, a piece that does not parse alone: a rare layout, left as it is.
    with suppress(LookupError, SyntaxError):
        made.extend(found.rewrites(node, scope))
    yield from sorted(made, key=lambda rewrite: -rewrite.weight)
