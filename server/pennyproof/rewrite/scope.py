"""What can be seen from one function: names, kinds, calls, literals; and how a rewrite is put together."""

import ast
import builtins
import itertools
import re
from collections import Counter
from collections.abc import Iterable, Iterator
from difflib import SequenceMatcher
from functools import cached_property, lru_cache

from pennyproof.core.edits import Edit
from pennyproof.rewrite import kinds
from pennyproof.rewrite.clues import NO_CLUES, Clues
from pennyproof.rewrite.module import Function, Located, Module, Span
from pennyproof.rewrite.precedence import binding_of, required
from pennyproof.rewrite.template import Rewrite

_SHOWN = 60
_MOST_DONORS = 60
_TELLING = 60
"""Documentation of more words than this is likely to hold any given one by chance."""
_DONORS = (ast.Assign, ast.AugAssign, ast.Expr, ast.Raise)


@lru_cache(maxsize=50_000)
def similarity(one: str, other: str) -> float:
    """How alike two identifiers look, from 0 to 1."""
    return SequenceMatcher(None, one.lower(), other.lower(), autojunk=False).ratio()


class Scope:
    """One function, class or module as the templates see it; made once, its facts found when first asked for."""

    def __init__(self, module: Module, owner: Function | None = None, clues: Clues = NO_CLUES) -> None:
        self.module = module
        self.owner = owner
        self.clues = clues
        self._variables: dict[tuple[tuple[ast.AST, ...], int, str | None], list[tuple[str, float]]] = {}
        self._free_names: dict[ast.AST, frozenset[str]] = {}

    # Rewrites.

    def source(self, node: Located) -> str:
        """The text of ``node``."""
        return self.module.source(node)

    def replace(self, node: ast.expr, text: str, weight: float = 1.0, summary: str = "") -> Rewrite:
        """Put ``text`` in the place of an expression, in parentheses where it would else bind wrongly."""
        span = self.module.start(node), self.module.end(node)
        if binding_of(text) < required(self.module.parent(node), node) and not self.module.parenthesised(node):
            text = f"({text})"
        return self.splice(span, text, weight, summary)

    def splice(self, span: Span, text: str, weight: float = 1.0, summary: str = "") -> Rewrite:
        """Put ``text`` in the place of a stretch of the source."""
        old = self.module.text[slice(*span)]
        return Rewrite((Edit(*span, text),), summary or described(old, text), weight)

    def insert(self, offset: int, text: str, weight: float = 1.0, summary: str = "") -> Rewrite:
        """Put ``text`` in at ``offset``."""
        return Rewrite((Edit(offset, offset, text),), summary or f"insert `{shown(text)}`", weight)

    def exchange(self, one: ast.expr, other: ast.expr, weight: float = 1.0) -> Rewrite:
        """Let two expressions that do not overlap change places."""
        there, back = self.replace(one, self.source(other)), self.replace(other, self.source(one))
        summary = f"swap `{shown(self.source(one))}` and `{shown(self.source(other))}`"
        return Rewrite((*there.edits, *back.edits), summary, weight)

    # Names.

    @cached_property
    def nodes(self) -> list[ast.AST]:
        """All nodes of the function, or of the module where there is none."""
        return list(_preorder(self.owner or self.module.tree))

    @cached_property
    def bindings(self) -> dict[str, int]:
        """Parameters and variables of the function → the line that first binds them."""
        found: dict[str, int] = {}
        for node in self.nodes:
            match node:
                case ast.arg():
                    found.setdefault(node.arg, node.lineno)
                case ast.Name(ctx=ast.Store()):
                    found.setdefault(node.id, node.lineno)
                case ast.ExceptHandler(name=str(name)):
                    found.setdefault(name, node.lineno)
        return found

    @cached_property
    def loads(self) -> Counter[str]:
        """How often each name is read in the function."""
        return Counter(node.id for node in self.nodes if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load))

    @cached_property
    def _inner(self) -> dict[ast.AST, tuple[str, ...]]:
        """Comprehensions, lambdas and inner functions → the names that exist only in them."""
        found: dict[ast.AST, tuple[str, ...]] = {}
        for node in self.nodes:
            match node:
                case ast.ListComp() | ast.SetComp() | ast.DictComp() | ast.GeneratorExp():
                    targets = (part for each in node.generators for part in ast.walk(each.target))
                    found[node] = tuple(part.id for part in targets if isinstance(part, ast.Name))
                case ast.Lambda():
                    found[node] = tuple(part.arg for part in ast.walk(node.args) if isinstance(part, ast.arg))
        return found

    def variables(self, at: ast.AST, kind: str | None = None) -> list[tuple[str, float]]:
        """Local variables that can be read at a node, each with how natural it is there.

        Those that nothing reads yet come first: forgetting one is a common way to be wrong.

        Args:
            at: Where they would be read.
            kind: Leave out those known to be of another kind.
        """
        inner = tuple(node for node in (at, *self.module.ancestors(at)) if node in self._inner)
        key = inner, getattr(at, "lineno", 0), kind
        if key not in self._variables:
            self._variables[key] = self._find_variables(*key)
        return self._variables[key]

    def _find_variables(self, around: tuple[ast.AST, ...], line: int, kind: str | None) -> list[tuple[str, float]]:
        elsewhere = {name for node, names in self._inner.items() if node not in around for name in names}
        here = [name for node, names in self._inner.items() if node in around for name in names]
        found: list[tuple[str, float]] = []
        for name, bound in self.bindings.items():
            if (name in elsewhere and name not in here) or name == "_":
                continue
            known = self.kinds.get(name)
            if not kinds.alike(kind, known):
                continue
            weight = 1.0 if bound <= line else 0.2
            weight *= 3.0 if not self.loads[name] else 1.0
            weight *= 1.3 if name in here else 1.0
            weight *= 1.5 if kind is not None and known is not None else 1.0
            weight *= 0.3 if name in {"self", "cls"} else 1.0
            found.append((name, weight))
        return sorted(found, key=lambda pair: -pair[1])

    @cached_property
    def kinds(self) -> dict[str, str]:
        """Local variable → the kind of its values, where there is evidence."""
        return kinds.of_names(self.nodes, self.clues.kinds)

    def kind(self, node: ast.expr) -> str | None:
        """The kind of an expression's value, where there is evidence."""
        return kinds.of(node, self.kinds)

    @cached_property
    def globals(self) -> dict[str, ast.stmt]:
        """Names that the module defines at its top level → where."""
        found: dict[str, ast.stmt] = {}
        for statement in self.module.tree.body:
            match statement:
                case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.ClassDef():
                    found[statement.name] = statement
                case ast.Assign(targets=[ast.Name(id=name)]) | ast.AnnAssign(target=ast.Name(id=name)):
                    found[name] = statement
        return found

    @cached_property
    def imported(self) -> frozenset[str]:
        """The names that the module imports, anywhere in it."""
        return frozenset(
            alias.asname or alias.name.partition(".")[0]
            for node in _preorder(self.module.tree)
            if isinstance(node, (ast.Import, ast.ImportFrom))
            for alias in node.names
        )

    def is_defined(self, node: ast.expr) -> bool:
        """Whether the variable that an expression begins with is one of the function, the module or Python."""
        root = node
        while isinstance(root, (ast.Attribute, ast.Call, ast.Subscript)):
            root = root.func if isinstance(root, ast.Call) else root.value
        if not isinstance(root, ast.Name) or "*" in self.imported:
            return True
        return any(root.id in names for names in (self.bindings, self.globals, self.imported, dir(builtins)))

    @cached_property
    def functions(self) -> dict[str, Function]:
        """Functions of the module's top level."""
        return {name: node for name, node in self.globals.items() if isinstance(node, Function)}

    @cached_property
    def methods(self) -> dict[str, Function]:
        """Methods of the class around the function."""
        around = self.module.enclosing_class(self.owner) if self.owner else None
        return {node.name: node for node in around.body if isinstance(node, Function)} if around else {}

    # What the code at hand is made of.

    @cached_property
    def attributes(self) -> dict[str, Counter[str]]:
        """Text of a receiver → the attributes that the module reads or sets on it; ``self`` only of the same class."""
        around = self.module.enclosing_class(self.owner) if self.owner else None
        found: dict[str, Counter[str]] = {}
        for node in _preorder(self.module.tree):
            if isinstance(node, ast.Attribute):
                receiver = ast.unparse(node.value) if not isinstance(node.value, ast.Name) else node.value.id
                if receiver == "self" and self.module.enclosing_class(node) is not around:
                    continue
                found.setdefault(receiver, Counter())[node.attr] += 1
        if around is not None:
            found.setdefault("self", Counter()).update(list(self.methods))
        return found

    def literals(self, kind: type) -> list[str]:
        """The texts of the function's literals of one type, the commonest first."""
        found = Counter(
            self.source(node)
            for node in self.nodes
            if isinstance(node, ast.Constant) and type(node.value) is kind and self._is_literal(node)
        )
        return [text for text, _ in found.most_common()]

    def _is_literal(self, node: ast.Constant) -> bool:
        parent = self.module.parent(node)
        return not isinstance(parent, ast.JoinedStr) and not (isinstance(parent, ast.Expr))

    @cached_property
    def expressions(self) -> list[ast.expr]:
        """Compound expressions of the function, each text once, short ones first."""
        found: dict[str, ast.expr] = {}
        for node in self.nodes:
            if isinstance(node, (ast.Call, ast.Attribute, ast.Subscript, ast.BinOp, ast.UnaryOp)):
                if not isinstance(getattr(node, "ctx", ast.Load()), ast.Load) or self._inside_fstring(node):
                    continue
                text = self.source(node)
                if len(text) <= _SHOWN and "\n" not in text:
                    found.setdefault(text, node)
        return [found[text] for text in sorted(found, key=len)]

    def _inside_fstring(self, node: ast.AST) -> bool:
        return any(isinstance(around, ast.JoinedStr) for around in self.module.ancestors(node))

    @cached_property
    def iterables(self) -> list[str]:
        """What the loops of the module run over, each text once, where it reads nothing that is not in sight."""
        sight = {*self.bindings, *self.globals, *dir(builtins)}
        loops = (node for node in _preorder(self.module.tree) if isinstance(node, (ast.For, ast.comprehension)))
        found = {self.source(loop.iter): loop.iter for loop in loops}
        return [text for text, iterated in found.items() if "\n" not in text and self.free_names(iterated) <= sight]

    @cached_property
    def conditions(self) -> list[ast.expr]:
        """Conditions that the function tests, each text once."""
        found: dict[str, ast.expr] = {}
        for node in self.nodes:
            tests: list[ast.expr] = []
            match node:
                case ast.If() | ast.While() | ast.IfExp() | ast.Assert():
                    tests = [node.test]
                case ast.comprehension():
                    tests = node.ifs
                case ast.BoolOp():
                    tests = node.values
            for test in tests:
                if not isinstance(test, ast.Constant):
                    found.setdefault(self.source(test), test)
        return list(found.values())

    @cached_property
    def tested_by_identity(self) -> frozenset[str]:
        """The names that the module has on the right of an ``is`` or ``is not``."""
        return frozenset(
            right.id
            for node in _preorder(self.module.tree)
            if isinstance(node, ast.Compare)
            for operator, right in zip(node.ops, node.comparators, strict=True)
            if isinstance(operator, (ast.Is, ast.IsNot)) and isinstance(right, ast.Name)
        )

    def free_names(self, node: ast.AST) -> frozenset[str]:
        """The names that an expression reads."""
        if node not in self._free_names:
            names = frozenset(part.id for part in ast.walk(node) if isinstance(part, ast.Name))
            self._free_names[node] = names
        return self._free_names[node]

    def visible(self, node: ast.expr, at: ast.AST) -> bool:
        """Whether all that an expression reads can be read at another place."""
        here = {name for name, _ in self.variables(at)}
        return all(name in here for name in self.free_names(node) & self.bindings.keys())

    @cached_property
    def donors(self) -> list[tuple[str, float]]:
        """One-line statements that could be missing somewhere, with their weights: the function's own, those of the
        module that read and write nothing but what is in sight, and the function's own with a variable renamed.
        """
        found: dict[str, float] = {}
        own: list[ast.stmt] = []
        sight = {*self.bindings, *self.globals}
        for statement in self.module.statements:
            text = self.source(statement) if isinstance(statement, _DONORS) else "\n"
            if "\n" in text or len(text) > _SHOWN or self.module.is_docstring(statement):
                continue
            if self.module.function(statement) is self.owner:
                found[text] = 1.0
                own.append(statement)
            elif self.free_names(statement) <= sight and self.free_names(statement) & self.bindings.keys():
                found.setdefault(text, 0.5)
        names = [name for name in self.bindings if name not in {"self", "cls"}]
        for statement in own:
            for one, other in itertools.permutations(names, 2):
                if len(found) >= _MOST_DONORS:
                    break
                if one in self.free_names(statement):
                    found.setdefault(re.sub(rf"\b{re.escape(one)}\b", other, self.source(statement)), 0.4)
        return sorted(found.items(), key=lambda pair: -pair[1])[:_MOST_DONORS]

    @cached_property
    def words(self) -> frozenset[str]:
        """Words, in lower case, of the function's name, docstring and comments, and of the failing tests."""
        if self.owner is None:
            return self.clues.words
        text = f"{self.owner.name} {ast.get_docstring(self.owner) or ''}"
        return self.clues.words | frozenset(re.findall(r"[a-z]{2,}", re.sub(r"([A-Z])", r" \1", text).lower()))

    def mentioned(self, *words: str) -> float:
        """A factor above one where the documentation speaks of one of the words, given as their beginnings; the longer
        it is, the less that tells.
        """
        if any(word.startswith(stem) for stem in words for word in self.words):
            return 1.0 + 2.0 * min(1.0, _TELLING / len(self.words))
        return 1.0


def _preorder(node: ast.AST) -> Iterator[ast.AST]:
    yield node
    for child in ast.iter_child_nodes(node):
        yield from _preorder(child)


def shown(text: str) -> str:
    """A piece of code as a summary shows it: on one line, and not too long."""
    line = " ".join(text.split())
    return line if len(line) <= _SHOWN else line[: _SHOWN - 1] + "…"


def described(old: str, new: str) -> str:
    """The summary of putting one piece of code in the place of another."""
    if not old:
        return f"insert `{shown(new)}`"
    return f"replace `{shown(old)}` by `{shown(new)}`" if new.strip() else f"remove `{shown(old)}`"


def unique(found: Iterable[Rewrite]) -> Iterator[Rewrite]:
    """The rewrites, each change once, its heaviest first."""
    seen: set[tuple[Edit, ...]] = set()
    for rewrite in sorted(found, key=lambda each: -each.weight):
        if rewrite.edits not in seen:
            seen.add(rewrite.edits)
            yield rewrite
