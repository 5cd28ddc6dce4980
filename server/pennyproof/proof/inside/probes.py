"""Which code of the project ran, told by probes that are put into it as it is imported.

A probe is a call, inserted before a statement, that adds the statement's place to a set: its *sink*, exchanged when a
test begins and ends. ``sys.settrace`` would need no change to the code, but before Python 3.12 it slows the whole
interpreter down several times, pytest itself included; probes cost what the probed lines do. Lines, names and
docstrings stay what they are; only the bytecode differs. Modules that pytest rewrites (tests, conftest files, plugins)
have none.
"""

from __future__ import annotations
import __future__

import ast
import builtins
import functools
import importlib.util
import marshal
import operator
import sys
from importlib.machinery import SourceFileLoader
from types import CodeType
from typing import Any, Callable, List, NamedTuple, Optional, Sequence, Set, Tuple, TypeVar, Union

from .held import HELD, by_time
from .sealed import sealed

Hits = Set[Tuple[str, int]]
Wanted = Callable[[str], "Optional[Probing]"]
"""What to probe in a file (named as the interpreter names it), None for files that are none of ours."""

_NAME = "@pennyproof_ran"
"""No identifier, so that no program has it; pytest names its own helpers alike."""

_FUTURE = functools.reduce(
    operator.or_, (getattr(__future__, name).compiler_flag for name in __future__.all_feature_names)
)
_Node = TypeVar("_Node", bound=ast.AST)
_Function = (ast.FunctionDef, ast.AsyncFunctionDef)


class Part(NamedTuple):
    """One definition of a file: at its top level, or a method of a class there."""

    tree: ast.Module
    """The definition and its class, with nothing else in them."""
    path: Sequence[ast.stmt]
    """The definition, after its class if it is a method."""
    rest: Optional[Sequence[int]]
    """Time and size of a file whose bytecode differs in the body of the definition only; None: there is none."""


class Probing:
    """Where one file gets probes.

    Args:
        path: What the hits call the file.
        lines: Probe statements, too, and not only the beginnings of functions.
        only: Probe what contains one of these lines, at import as well; None: everything within functions.
        tree: The file, if it has been parsed before; it gets the probes.
        part: What is all there is in ``tree``, if the rest of the file is to have no probes.
    """

    def __init__(
        self,
        path: str,
        lines: bool,
        only: Optional[Set[int]] = None,
        tree: Optional[ast.Module] = None,
        part: Optional[Part] = None,
    ) -> None:
        self.path = path
        self.lines = lines
        self.only = only
        self.tree = tree
        self.part = part

    def code(self, source: bytes, filename: str) -> CodeType:
        """The module's code with probes.

        Raises:
            SyntaxError: It is no Python.
        """
        # It is probed once: a module imported twice is parsed anew.
        tree, self.tree, part, self.part = self.tree, None, self.part, None
        if tree is not None and part is not None:
            whole = _compiled(filename, part.rest) or compile(source, filename, "exec", dont_inherit=True)
            code = self._with_part(whole, tree, part.path)
            if code is not None:
                return code
            tree = None
        tree = tree or ast.parse(source, filename)
        _Prober(self).module(tree)
        return compile(tree, filename, "exec", dont_inherit=True)

    def _with_part(self, whole: CodeType, tree: ast.Module, path: Sequence[ast.stmt]) -> Optional[CodeType]:
        """The module's code, with probes in one of its definitions; None where that cannot be told from others."""
        _Prober(self).module(tree)
        probed = compile(tree, whole.co_filename, "exec", whole.co_flags & _FUTURE, dont_inherit=True)
        return _exchanged(whole, probed, path)


class Probes:
    """Puts probes into modules imported from ``start`` on, until ``stop``."""

    def __init__(self, wanted: Wanted, loaded: Optional[Callable[[str], None]] = None) -> None:
        """Prepare.

        Args:
            wanted: Tells what to probe.
            loaded: Told of each file that gets probes.
        """
        self._wanted = wanted
        self._loaded = loaded
        self._sink: Hits = set()
        self._get_code = SourceFileLoader.get_code
        self.loading = False
        """Whether a source is read in order to be run, or shown."""
        self.loads = 0
        """How many files got probes."""

    def start(self) -> None:
        """Have the import system ask here for the code of each module."""
        get_code, wanted = self._get_code, self._wanted

        def get_probed_code(loader: SourceFileLoader, name: str) -> Optional[CodeType]:
            filename = loader.get_filename(name)
            probing = wanted(filename)
            if probing is None:
                return get_code(loader, name)
            self.loads += 1
            if self._loaded is not None:
                self._loaded(probing.path)
            self.loading = True
            try:
                if not sys.dont_write_bytecode:
                    get_code(loader, name)  # It writes the bytecode that runs without probes will read.
                data = loader.get_data(filename)
            finally:
                self.loading = False
            return probing.code(data, filename)

        self.into(self._sink)
        setattr(SourceFileLoader, "get_code", sealed(get_probed_code))  # noqa: B010 - a method is not assigned to in passing

    def stop(self) -> None:
        """Leave further modules alone; what has probes keeps them."""
        setattr(SourceFileLoader, "get_code", self._get_code)  # noqa: B010 - as above

    def note(self, hit: Tuple[str, int]) -> None:
        """Add a hit, unless it comes of loading what is probed, or showing it."""
        if not self.loading:
            self._sink.add(hit)

    def into(self, sink: Hits) -> Hits:
        """Report into another set from now on; returns the one used before."""
        before, self._sink = self._sink, sink
        setattr(builtins, _NAME, sink.add)
        return before


class _Prober:
    """Inserts the probes of one file."""

    def __init__(self, probing: Probing) -> None:
        self._path = probing.path
        self._lines = probing.lines
        self._only = probing.only

    def module(self, tree: ast.Module) -> None:
        tree.body = self._block(tree.body, within=False, after_docstring=True)

    def _block(self, body: List[ast.stmt], within: bool, after_docstring: bool = False) -> List[ast.stmt]:
        """The statements with a probe before each that wants one; ``within``: they belong to a function."""
        probed: List[ast.stmt] = []
        for number, statement in enumerate(body):
            heading = after_docstring and (_is_future(statement) or (number == 0 and _is_docstring(statement)))
            if not heading and self._wants(statement, within):
                probed.append(self._probe(statement, _first_line(statement)))
            if self._contains(statement):
                self._visit(statement, within)
            probed.append(statement)
        return probed

    def _visit(self, node: ast.AST, within: bool) -> None:
        """Probe what lies in a node."""
        if isinstance(node, _Function):
            for child in (*node.decorator_list, node.args):
                self._visit(child, within)
            self._function(node)
        elif isinstance(node, ast.Lambda):
            self._lambda(node)
        else:
            for field, value in ast.iter_fields(node):
                if isinstance(value, list) and value and isinstance(value[0], ast.stmt):
                    setattr(node, field, self._inner_block(node, value, within))
                    continue
                for child in value if isinstance(value, list) else [value]:
                    if isinstance(child, ast.AST):
                        self._visit(child, within)

    def _inner_block(self, owner: ast.AST, body: List[ast.stmt], within: bool) -> List[ast.stmt]:
        is_class = isinstance(owner, ast.ClassDef)
        block = self._block(body, within and not is_class, after_docstring=is_class)
        if isinstance(owner, ast.ExceptHandler) and self._wants(owner, within):
            block.insert(0, self._probe(owner, owner.lineno))
        return block

    def _function(self, node: Union[ast.FunctionDef, ast.AsyncFunctionDef]) -> None:
        has_docstring = _is_docstring(node.body[0])
        node.body = self._block(node.body, within=True, after_docstring=True)
        if self._contains(node):
            node.body.insert(1 if has_docstring else 0, self._probe(node, _first_line(node)))

    def _lambda(self, node: ast.Lambda) -> None:
        self._visit(node.args, within=True)
        self._visit(node.body, within=True)
        if self._contains(node):
            # The probe returns None, so that the value is that of the body.
            values = [self._probe(node, node.lineno).value, node.body]
            node.body = ast.copy_location(ast.BoolOp(ast.Or(), values), node.body)

    def _wants(self, node: ast.AST, within: bool) -> bool:
        return self._lines and (within or self._only is not None) and self._contains(node)

    def _contains(self, node: Any) -> bool:
        if self._only is None:
            return True
        return not self._only.isdisjoint(range(_first_line(node), (node.end_lineno or node.lineno) + 1))

    def _probe(self, before: ast.AST, line: int) -> ast.Expr:
        place = ast.Tuple([ast.Constant(self._path), ast.Constant(line)], ast.Load())
        call = ast.Call(ast.Name(_NAME, ast.Load()), [place], [])
        return ast.fix_missing_locations(_placed(ast.Expr(call), before))


def _placed(new: _Node, old: Any) -> _Node:
    """A node at the beginning of another, so that no line is seen to begin earlier or later than it does."""
    new.lineno = new.end_lineno = old.lineno  # type: ignore[attr-defined]
    new.col_offset = new.end_col_offset = old.col_offset  # type: ignore[attr-defined]
    return new


def _first_line(node: Any) -> int:
    line: int = min([node.lineno] + [mark.lineno for mark in getattr(node, "decorator_list", ())])
    return line


def _compiled(filename: str, stamp: Optional[Sequence[int]]) -> Optional[CodeType]:
    """The code of a file that was compiled with this time and size."""
    if stamp is None:
        return None
    head = by_time(*stamp)
    try:
        path = importlib.util.cache_from_source(filename)
        code: Any = HELD.give(path, [head])
        if code is None:
            with open(path, "rb") as file:
                data = file.read()
            if data[:16] != importlib.util.MAGIC_NUMBER + head:
                return None
            code = marshal.loads(data[16:])  # noqa: S302 - it lies where only runs of the unmodified project write
    except (OSError, NotImplementedError):
        return None
    return code if isinstance(code, CodeType) and code.co_filename == filename else None


def _exchanged(old: CodeType, new: CodeType, path: Sequence[ast.stmt]) -> Optional[CodeType]:
    """Code with that of one definition, ``path`` within it, taken from ``new``; None if it cannot be exchanged."""
    if not path:
        # The code around it makes a function with what the old one used of the scopes there.
        return new if new.co_freevars == old.co_freevars else None
    name, line = getattr(path[0], "name", None), _first_line(path[0])
    before, after = (
        [
            held
            for held in code.co_consts
            if isinstance(held, CodeType) and (held.co_name, held.co_firstlineno) == (name, line)
        ]
        for code in (old, new)
    )
    inner = _exchanged(before[0], after[0], path[1:]) if len(before) == len(after) == 1 else None
    return inner and old.replace(co_consts=tuple(inner if held is before[0] else held for held in old.co_consts))


def _is_docstring(statement: ast.stmt) -> bool:
    return (
        isinstance(statement, ast.Expr)
        and isinstance(statement.value, ast.Constant)
        and isinstance(statement.value.value, str)
    )


def _is_future(statement: ast.stmt) -> bool:
    return isinstance(statement, ast.ImportFrom) and statement.module == "__future__"
