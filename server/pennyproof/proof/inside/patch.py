"""Functions exchanged in a living process: new text of a file becomes code objects for the functions that changed.

Only the smallest ``def`` around a change that is not itself inside another function is compiled, within the headers of
the classes it lies in, so that ``super()``, mangled names, closures and nested functions come out as they would in the
whole file. Whatever cannot be done like this raises NotPatchable, and the candidate takes the slow way.
"""

from __future__ import annotations
import __future__

import ast
import difflib
import gc
import hashlib
from types import CodeType, FunctionType
from typing import Any, Callable, Dict, Iterable, Iterator, List, Mapping, NamedTuple, Optional, Sequence, Set, Tuple

from .failures import Places

_FUTURE = 0
for _name in __future__.all_feature_names:
    _FUTURE |= getattr(__future__, _name).compiler_flag

FunctionNode = (ast.FunctionDef, ast.AsyncFunctionDef)
Key = Tuple[str, int, str]
"""Path, first line (that of a decorator, if any) and name of a function."""
Hunk = Tuple[int, int, int, int]
"""Lines (from zero, ends excluded) that differ: old first, old last, new first, new last."""


class NotPatchable(Exception):
    """The change is more than other code for functions that are there; says why."""


class Unit(NamedTuple):
    """A function outside of any other function, as it is in the unchanged file."""

    start: int
    """Its first line, decorators included, from zero."""
    end: int
    """The line after its last."""
    headers: Tuple[Tuple[int, str], ...]
    """Column and name of the classes around it, outermost first."""
    node: Any


class Change(NamedTuple):
    """What to do to the functions that share one code object."""

    functions: Sequence[FunctionType]
    code: CodeType
    defaults: Optional[Tuple[Any, ...]]
    keyword_defaults: Optional[Dict[str, Any]]
    replaces_defaults: bool

    def apply(self) -> None:
        for function in self.functions:
            function.__code__ = self.code
            if self.replaces_defaults:
                function.__defaults__ = self.defaults
                function.__kwdefaults__ = self.keyword_defaults


def applied(changes: Sequence[Change]) -> Callable[[], None]:
    """Apply changes; returns how to take them back."""
    before = [
        (function, function.__code__, function.__defaults__, function.__kwdefaults__)
        for change in changes
        for function in change.functions
    ]
    for change in changes:
        change.apply()

    def undo() -> None:
        for function, code, defaults, keyword_defaults in before:
            function.__code__ = code
            function.__defaults__ = defaults
            function.__kwdefaults__ = keyword_defaults

    return undo


class Functions:
    """The living functions of the project.

    Args:
        places: Tells the project's files.
        ran: The code that ran before; what it did then cannot be done again.
    """

    def __init__(self, places: Places, ran: Set[Tuple[str, int]]) -> None:
        self._ran = ran
        self._holders: Dict[int, List[FunctionType]] = {}
        self._codes: Dict[Key, List[CodeType]] = {}
        for function in gc.get_objects():
            if type(function) is FunctionType:
                path = places.in_project(function.__code__.co_filename)
                if path is not None:
                    self._add(path, function)

    def holders(self, code: CodeType) -> List[FunctionType]:
        """The functions whose code this very object is."""
        return self._holders.get(id(code), [])

    def codes(self, key: Key) -> List[CodeType]:
        """The code objects of a function: several where its module was imported more than once."""
        return self._codes.get(key, [])

    def ran(self, path: str, line: int) -> bool:
        """Whether the function that begins on this line ran before."""
        return (path, line) in self._ran

    def _add(self, path: str, function: FunctionType) -> None:
        code = function.__code__
        holders = self._holders.setdefault(id(code), [])
        if not holders:
            self._codes.setdefault((path, code.co_firstlineno, code.co_name), []).append(code)
        holders.append(function)


class File:
    """An unchanged file of the project, ready to be compared with changed texts of it."""

    def __init__(self, path: str, text: str) -> None:
        self.path = path
        self._lines = _split(text)
        self.digest = hashlib.sha256("\n".join(self._lines).encode("utf-8", "surrogatepass")).hexdigest()
        """Of the unchanged text, its line ends aside."""
        self._units = sorted(_units(ast.parse(text).body, ()), key=lambda unit: unit.start)

    def changes(self, text: str, functions: Functions) -> List[Change]:
        """What to do so that the living functions behave as this text says.

        Raises:
            NotPatchable: More than functions would have to change.
            SyntaxError: The text does not compile.
        """
        new = _split(text)
        return self._changes(new, _hunks(self._lines, new), functions)

    def changes_within(self, first: int, last: int, lines: List[str], functions: Functions) -> List[Change]:
        """As ``changes``, where only the lines from ``first`` up to ``last`` (from zero) are exchanged.

        Raises:
            NotPatchable: More than functions would have to change.
            SyntaxError: What comes of it does not compile.
        """
        new = [*self._lines[:first], *lines, *self._lines[last:]]
        return self._changes(new, list(_different(self._lines[first:last], lines, first)), functions)

    def _changes(self, new: List[str], hunks: Iterable[Hunk], functions: Functions) -> List[Change]:
        touched: Dict[int, List[Tuple[int, int]]] = {}
        spans: Dict[int, Tuple[int, int]] = {}
        for first, last, new_first, new_last in hunks:
            index = self._unit_around(first, last, new[new_first:new_last])
            unit = self._units[index]
            touched.setdefault(index, []).append((first, last))
            shift = new_first - first
            start = spans[index][0] if index in spans else unit.start + shift
            spans[index] = (start, unit.end + new_last - last)
        found: List[Change] = []
        for index, places in touched.items():
            start, end = spans[index]
            found += self._unit_changes(self._units[index], places, start, new[start:end], functions)
        return found

    def unit_at(self, line: int) -> Optional[Unit]:
        """The unit that a line (from one) lies in."""
        return next((unit for unit in self._units if unit.start < line <= unit.end), None)

    def changed_units(self, text: str) -> List[Unit]:
        """The units in which a text differs."""
        new = _split(text)
        hunks = list(_hunks(self._lines, new))
        found = dict.fromkeys(self._unit_around(hunk[0], hunk[1], new[hunk[2] : hunk[3]]) for hunk in hunks)
        return [self._units[index] for index in found]

    def _unit_around(self, first: int, last: int, inserted: Sequence[str]) -> int:
        for index, unit in enumerate(self._units):
            if unit.start <= first and last <= unit.end and not first == last == unit.start:
                if first == last == unit.end and not _continues(unit, inserted):
                    break
                return index
        raise NotPatchable("something outside of functions changed")

    def _unit_changes(
        self, unit: Unit, hunks: Sequence[Tuple[int, int]], start: int, lines: Sequence[str], functions: Functions
    ) -> List[Change]:
        live = functions.codes((self.path, unit.start + 1, unit.node.name))
        if not live:
            raise NotPatchable(f"no living function {unit.node.name}")
        owner = _innermost(unit.node, hunks)
        if functions.ran(self.path, _first_line(owner)):
            raise NotPatchable(f"{owner.name} ran when its module was imported")
        tree, node = _parse(unit, start, lines)
        _require_same_interface(unit.node, node, owner)
        defaults = _new_defaults(unit.node.args, node.args)
        found: List[Change] = []
        for old in live:
            compiled = compile(tree, old.co_filename, "exec", old.co_flags & _FUTURE, True)
            new = _descend(compiled, [name for _, name in unit.headers] + [unit.node.name])
            for before, after in _pairs(old, new, functions):
                holders = functions.holders(before)
                if before is old and defaults is not None:
                    found.append(Change(holders, after, *_merged(holders[0], node.args, defaults), True))
                elif holders:
                    found.append(Change(holders, after, None, None, False))
        return found


def _units(body: Iterable[Any], headers: Tuple[Tuple[int, str], ...]) -> Iterator[Unit]:
    for node in body:
        if isinstance(node, FunctionNode):
            yield Unit(_first_line(node) - 1, node.end_lineno or node.lineno, headers, node)
        elif isinstance(node, ast.ClassDef):
            yield from _units(node.body, (*headers, (node.col_offset, node.name)))
        else:
            # ``if``, ``try``, ``with`` and their like do not begin a scope.
            for name in ("body", "orelse", "finalbody"):
                yield from _units(getattr(node, name, None) or (), headers)
            for handler in getattr(node, "handlers", ()):
                yield from _units(handler.body, headers)


def _first_line(node: Any) -> int:
    line: int = min([node.lineno] + [mark.lineno for mark in node.decorator_list])
    return line


def _split(text: str) -> List[str]:
    return text.replace("\r\n", "\n").replace("\r", "\n").split("\n")


def _hunks(old: List[str], new: List[str]) -> Iterator[Hunk]:
    """The ranges that differ."""
    head = 0
    least = min(len(old), len(new))
    while head < least and old[head] == new[head]:
        head += 1
    tail = 0
    while tail < least - head and old[-1 - tail] == new[-1 - tail]:
        tail += 1
    return _different(old[head : len(old) - tail], new[head : len(new) - tail], head)


def _different(old: Sequence[str], new: Sequence[str], head: int) -> Iterator[Hunk]:
    for tag, first, last, new_first, new_last in difflib.SequenceMatcher(None, old, new, False).get_opcodes():
        if tag != "equal":
            yield head + first, head + last, head + new_first, head + new_last


def _continues(unit: Unit, inserted: Sequence[str]) -> bool:
    """Whether lines right after a function belong to it."""
    texts = [line for line in inserted if line.strip()]
    return bool(texts) and all(len(line) - len(line.lstrip()) > unit.node.col_offset for line in texts)


def _innermost(node: Any, hunks: Sequence[Tuple[int, int]]) -> Any:
    """The function within a unit in whose body all of the changes are."""
    for inner in _inner_functions(node):
        first, last = inner.body[0].lineno - 1, inner.end_lineno or inner.lineno
        if all(first <= start and end <= last for start, end in hunks):
            return _innermost(inner, hunks)
    return node


def _inner_functions(node: Any) -> Iterator[Any]:
    """The functions right within a node; no statement lies in an expression."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, FunctionNode):
            yield child
        elif not isinstance(child, (ast.expr, ast.arguments)):
            yield from _inner_functions(child)


def _parse(unit: Unit, start: int, lines: Sequence[str]) -> Tuple[ast.Module, Any]:
    """The tree of a changed unit within the headers of its classes, and the node of the function in it."""
    headers = [" " * column + f"class {name}:" for column, name in unit.headers]
    if not unit.headers and unit.node.col_offset:
        headers = ["if True:"]
    text = "\n" * max(0, start - len(headers)) + "\n".join([*headers, *lines]) + "\n"
    tree = ast.parse(text)
    if start < len(headers):
        ast.increment_lineno(tree, start - len(headers))
    body: Any = tree.body
    for _ in headers:
        body = body[0].body if len(body) == 1 else []
    if len(body) != 1 or not isinstance(body[0], type(unit.node)) or body[0].name != unit.node.name:
        raise NotPatchable("the function became something else")
    return tree, body[0]


def _require_same_interface(old: Any, new: Any, owner: Any) -> None:
    if owner is old and ast.get_docstring(old, clean=False) != ast.get_docstring(new, clean=False):
        raise NotPatchable("the docstring changed")
    if _interface(old) != _interface(new):
        raise NotPatchable("the signature or a decorator changed")


def _interface(node: Any) -> List[str]:
    arguments = node.args
    kinds = [arguments.posonlyargs, arguments.args, [arguments.vararg], arguments.kwonlyargs, [arguments.kwarg]]
    parts = [ast.dump(part) if part else "" for kind in kinds for part in [*kind, None]]
    parts += [str(len(arguments.defaults)), str([default is None for default in arguments.kw_defaults])]
    return parts + [ast.dump(part) for part in [*node.decorator_list, node.returns] if part]


def _new_defaults(old: ast.arguments, new: ast.arguments) -> Optional[Dict[int, Any]]:
    """The values of defaults that changed, by their place among all defaults; None when none did."""
    changed: Dict[int, Any] = {}
    pairs = zip([*old.defaults, *old.kw_defaults], [*new.defaults, *new.kw_defaults])
    for place, (before, after) in enumerate(pairs):
        if before is not None and after is not None and ast.dump(before) != ast.dump(after):
            try:
                changed[place] = ast.literal_eval(after)
            except ValueError:
                raise NotPatchable("a default changed that is no literal") from None
    return changed or None


def _merged(
    function: FunctionType, arguments: ast.arguments, changed: Mapping[int, Any]
) -> Tuple[Optional[Tuple[Any, ...]], Optional[Dict[str, Any]]]:
    held = function.__defaults__ or ()
    if len(held) != len(arguments.defaults):
        raise NotPatchable("the defaults are not those of the source")
    positional = tuple(changed.get(place, value) for place, value in enumerate(held))
    keywords = dict(function.__kwdefaults__ or {})
    for place, argument in enumerate(arguments.kwonlyargs, len(held)):
        if place in changed:
            keywords[argument.arg] = changed[place]
    return positional or None, keywords or None


def _descend(code: CodeType, names: Sequence[str]) -> CodeType:
    for name in names:
        inner = [held for held in _nested(code) if held.co_name == name]
        if not inner:
            raise NotPatchable(f"no code for {name}")
        code = inner[-1]
    return code


def _nested(code: CodeType) -> List[CodeType]:
    return [held for held in code.co_consts if isinstance(held, CodeType)]


def _pairs(old: CodeType, new: CodeType, functions: Functions) -> Iterator[Tuple[CodeType, CodeType]]:
    """Old code and its replacement, for a function and everything nested in it."""
    if functions.holders(old) and old.co_freevars != new.co_freevars:
        raise NotPatchable(f"{old.co_name} uses other variables of the functions around it")
    yield old, new
    before, after = _nested(old), _nested(new)
    for name in dict.fromkeys(code.co_name for code in before):
        olds = [code for code in before if code.co_name == name]
        news = [code for code in after if code.co_name == name]
        if len(olds) == len(news):
            for pair in zip(olds, news):
                yield from _pairs(*pair, functions)
        elif any(_held(code, functions) for code in olds):
            raise NotPatchable(f"other functions are nested in {old.co_name}")


def _held(code: CodeType, functions: Functions) -> bool:
    return bool(functions.holders(code)) or any(_held(inner, functions) for inner in _nested(code))
