"""Clues for the templates, gathered from the failures and the text of the failing tests."""

import ast
import re
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator
from functools import cached_property

from pennyproof.core.outcomes import Frame
from pennyproof.core.problems import Problem
from pennyproof.errors import OutsideRoot, UnreadableSource
from pennyproof.rewrite.clues import Clues

_NUMBER = re.compile(r"(?<![\w.])(?:0|[1-9]\d*)(?:\.\d+)?(?![\w.])")
"""A number as Python writes it: the ``03`` of a date is none."""
_QUOTED = re.compile(r"'([^'\n]{0,200})'|\"([^\"\n]{0,200})\"")
_REPRS = (
    (re.compile(r"""[bB]['"]"""), "bytes"), (re.compile(r"""['"]"""), "str"), (re.compile(r"-?\d+$"), "int"),
    (re.compile(r"-?\d+\.\d|-?\d+e|inf|nan"), "float"), (re.compile(r"True$|False$"), "bool"),
    (re.compile(r"\["), "list"),
    (re.compile(r"\("), "tuple"), (re.compile(r"\{\}|\{[^{}\[\]]{1,60}: "), "dict"), (re.compile(r"\{"), "set"),
)  # fmt: skip
_LONGEST = 400


def kind_of_repr(shown: str) -> str | None:
    """The kind of a value, told from its ``repr``."""
    return next((kind for pattern, kind in _REPRS if pattern.match(shown)), None)


class Evidence:
    """What the targets of one problem tell."""

    def __init__(self, problem: Problem) -> None:
        self._problem = problem
        self._frames = [
            frame for target in problem.targets if target.failure for frame in target.failure.frames if frame.in_project
        ]

    def clues(self, path: str, function: str | None) -> Clues:
        """The clues for one function of one file."""
        kinds: dict[str, str] = {}
        for frame in self._frames:
            if frame.path == path and frame.function == function:
                kinds.update(
                    (name, kind) for name, value in frame.variables if (kind := kind_of_repr(value)) is not None
                )
        return Clues(kinds, self.numbers, self._strings, self._words, self._exceptions)

    @cached_property
    def _tests(self) -> list[ast.AST]:
        """The syntax trees of the failing tests, and of the helpers in their files that their failures name."""
        names: dict[str, set[str]] = defaultdict(set)
        for target in self._problem.targets:
            path = target.path or target.id.partition("::")[0]
            names[path].add(target.id.partition("[")[0].rpartition("::")[2])
            if target.failure:
                names[path] |= {frame.function for frame in target.failure.frames if frame.path == path}
        return [tree for path, wanted in names.items() for tree in self._trees(path, wanted)]

    def _trees(self, path: str, names: Collection[str]) -> Iterator[ast.AST]:
        """The functions and classes of a file that have one of the names."""
        try:
            source = self._problem.snapshot.read(path)
            tree = ast.parse(source.text) if source else ast.Module([], [])
        except (OutsideRoot, UnreadableSource, SyntaxError, ValueError):
            return  # the test ran, so this is a file changed meanwhile or of another Python: it gives no clue
        yield from (node for node in ast.walk(tree) if getattr(node, "name", None) in names)

    @cached_property
    def _messages(self) -> list[str]:
        return [target.failure.message[:_LONGEST] for target in self._problem.targets if target.failure]

    @cached_property
    def numbers(self) -> tuple[str, ...]:
        """Numbers in the failing tests and their messages."""
        constants = (node.value for node in self._constants() if type(node.value) in (int, float))
        return _distinct(
            [*(number for text in self._messages for number in _NUMBER.findall(text)), *map(repr, constants)]
        )

    @cached_property
    def _strings(self) -> tuple[str, ...]:
        quoted = (first or second for text in self._messages for first, second in _QUOTED.findall(text))
        constants = (node.value for node in self._constants() if isinstance(node.value, str))
        local = (value[1:-1] for frame in self._frames for value in _strings_in(frame))
        return _distinct(text for text in (*quoted, *constants, *local) if len(text) <= _LONGEST)[:100]

    def _constants(self) -> Iterator[ast.Constant]:
        for tree in self._tests:
            yield from (node for node in ast.walk(tree) if isinstance(node, ast.Constant))

    @cached_property
    def _words(self) -> frozenset[str]:
        names = " ".join(target.id.rpartition("::")[2] for target in self._problem.targets)
        return frozenset(re.findall(r"[a-z]{3,}", names.lower())) - {"test"}

    @cached_property
    def _exceptions(self) -> tuple[str, ...]:
        asked: list[str] = []
        for tree in self._tests:
            for node in ast.walk(tree):
                match node:
                    case ast.Call(func=ast.Attribute(attr="raises" | "assertRaises"), args=[expected, *_]):
                        asked += [part.id for part in ast.walk(expected) if isinstance(part, ast.Name)]
        raised = [target.failure.kind for target in self._problem.targets if target.failure]
        chained = [
            kind
            for target in self._problem.targets
            if target.failure
            for kind in re.findall(
                r"^E?\s*([A-Z]\w+(?:Error|Exception)|StopIteration)\b", target.failure.text, re.MULTILINE
            )
        ]
        usable = (kind.rpartition(".")[2] for kind in (*asked, *chained, *raised))
        return _distinct(kind for kind in usable if kind.isidentifier() and kind not in {"AssertionError", "Failed"})


def _strings_in(frame: Frame) -> Iterator[str]:
    return (value for _, value in frame.variables if kind_of_repr(value) == "str" and len(value) > 2)


def _distinct(values: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(values))
