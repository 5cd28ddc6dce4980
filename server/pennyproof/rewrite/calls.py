"""Calls: which function, which arguments, in which order; calls put around a value or taken off it."""

import ast
from collections.abc import Iterator

from pennyproof.rewrite import kinds
from pennyproof.rewrite.scope import Scope, similarity, unique
from pennyproof.rewrite.template import Rewrite, template

_FAMILIES = tuple(
    tuple(line.split())
    for line in """
    min max sum len
    any all
    append extend add insert appendleft update
    sorted reversed list set tuple iter
    upper lower title capitalize swapcase
    startswith endswith
    removeprefix removesuffix
    floor ceil trunc round int
    strip lstrip rstrip
    union intersection difference symmetric_difference
    issubset issuperset isdisjoint
    isupper islower istitle
    isdigit isalpha isalnum isspace isnumeric isidentifier
    keys values items
    get pop setdefault
    pop remove discard popleft clear
    find rfind index rindex count
    split rsplit splitlines
    partition rpartition
    ljust rjust center zfill
    chr ord str int
    int float str bool abs
    bin hex oct str
    sin cos tan asin acos atan
    exp log log2 log10 sqrt
    prod sum
    gcd lcm
    isinstance issubclass
    hasattr getattr
    map filter
    zip enumerate zip_longest
    combinations permutations product
    bisect bisect_left bisect_right
    encode decode
    match search fullmatch findall
    dumps dump
    loads load
    read readline readlines
    acquire release
    start stop
    seconds total_seconds
    deepcopy copy
    md5 sha1 sha256
    """.strip().splitlines()
)
"""Functions that are taken for one another; the nearer in a line, the more often."""
_OPTIONAL_SECOND = frozenset({"join", "split", "get", "pop", "round", "strip", "int", "enumerate", "range"})
_KIN: dict[str, list[str]] = {}
for _family in _FAMILIES:
    for _name in _family:
        _KIN.setdefault(_name, []).extend(other for other in _family if other != _name)

_SIZED = kinds.COLLECTIONS | {"generator", None}
_ITERABLE = kinds.COLLECTIONS | {"generator", None}
_NUMBER = frozenset({"int", "float", "bool", None})
_ANY: frozenset[str | None] = frozenset({*kinds.COLLECTIONS, *kinds.NUMBERS, "generator", "NoneType", None})
_WRAPS: tuple[tuple[str, float, frozenset[str | None], tuple[str, ...]], ...] = (
    ("abs", 1.0, _NUMBER, ("absolute", "distance", "differ", "deviation", "magnitude", "clos")),
    ("len", 0.9, _SIZED, ("number", "length", "count", "size", "how")),
    ("set", 0.9, _ITERABLE, ("unique", "distinct", "different", "duplicate", "same")),
    ("sorted", 0.9, _ITERABLE, ("sort", "order", "ascending")),
    ("list", 0.6, _ITERABLE, ("list",)), ("int", 0.7, _NUMBER | {"str"}, ("integer", "digit", "whole")),
    ("str", 0.7, _ANY, ("string", "text", "represent")), ("tuple", 0.4, _ITERABLE, ("tuple", "pair")),
    ("round", 0.5, _NUMBER, ("round", "decimal", "nearest")), ("sum", 0.7, _ITERABLE, ("sum", "total")),
    ("max", 0.5, _ITERABLE, ("max", "larg", "great", "longest")), ("min", 0.5, _ITERABLE, ("min", "small", "least")),
    ("float", 0.3, _NUMBER | {"str"}, ("float", "real")), ("bool", 0.3, _ANY, ("true", "boolean")),
    ("reversed", 0.4, _ITERABLE, ("revers", "backward", "last")), ("any", 0.15, _ITERABLE, ("any",)),
    ("all", 0.15, _ITERABLE, ("all", "every")), ("repr", 0.2, _ANY, ("repr",)),
    ("ord", 0.2, frozenset({"str", None}), ()),
    ("chr", 0.2, frozenset({"int", None}), ()),
    ("bin", 0.2, frozenset({"int", None}), ("binary", "bit")),
    ("enumerate", 0.2, _ITERABLE, ("index",)), ("dict", 0.2, _ITERABLE, ("dict", "mapping")),
    ("type", 0.1, _ANY, ("type",)), ("range", 0.3, frozenset({"int", None}), ("range",)),
)  # fmt: skip


@template(ast.Call, prior=0.045)
def swap_callee(node: ast.Call, scope: Scope) -> Iterator[Rewrite]:
    """Call a function of the same family.

    Before::

        largest = min(sizes)

    After::

        largest = max(sizes)
    """
    name, span = _callee(node, scope)
    for index, other in enumerate(_KIN.get(name, ())):
        yield scope.splice(span, other, scope.mentioned(other) / (1 + 0.3 * index))


def _callee(node: ast.Call, scope: Scope) -> tuple[str, tuple[int, int]]:
    """The last name of what is called, and where it lies."""
    end = scope.module.end(node.func)
    name = node.func.attr if isinstance(node.func, ast.Attribute) else scope.source(node.func)
    return name, (end - len(name), end)


@template(ast.Call, prior=0.015)
def swap_own_callee(node: ast.Call, scope: Scope) -> Iterator[Rewrite]:
    """Call another function of the module, or another method of the class.

    Before::

        def read_head(): ...
        def read_tail(): ...
        head = read_tail()

    After::

        def read_head(): ...
        def read_tail(): ...
        head = read_head()
    """
    name, span = _callee(node, scope)
    own = isinstance(node.func, ast.Attribute) and scope.source(node.func.value) in {"self", "cls"}
    if not own and not isinstance(node.func, ast.Name):
        return
    skipped = 1 if own else 0
    for other, function in (scope.methods if own else scope.functions).items():
        if other != name and _accepts(function, len(node.args) + len(node.keywords) + skipped):
            yield scope.splice(span, other, 0.3 + similarity(name, other))


def _accepts(function: ast.FunctionDef | ast.AsyncFunctionDef, count: int) -> bool:
    arguments = function.args
    most = len(arguments.posonlyargs) + len(arguments.args) + len(arguments.kwonlyargs)
    least = len(arguments.posonlyargs) + len(arguments.args) - len(arguments.defaults)
    return least <= count and (count <= most or arguments.vararg is not None)


@template(ast.Name, ast.Call, ast.Attribute, ast.Subscript, ast.BinOp, ast.ListComp, ast.GeneratorExp, prior=0.012)
def wrap_in_call(node: ast.expr, scope: Scope) -> Iterator[Rewrite]:
    """Put a call around a value.

    Before::

        distance = here - there

    After::

        distance = abs(here - there)
    """
    parent = scope.module.parent(node)
    if not isinstance(getattr(node, "ctx", ast.Load()), ast.Load) or _is_no_value(node, parent):
        return
    kind = scope.kind(node)
    outer = parent.func.id if isinstance(parent, ast.Call) and isinstance(parent.func, ast.Name) else ""
    inner = node.func.id if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) else ""
    for name, weight, fitting, stems in _WRAPS:
        if kind in fitting and name not in {outer, inner} and not (kind == name and name != "list"):
            usual = weight * scope.mentioned(*stems) * (1.0 if kind else 0.6) * _place(parent)
            yield scope.replace(node, f"{name}({_argument(node, scope)})", usual)


def _argument(node: ast.expr, scope: Scope) -> str:
    source = scope.source(node)
    return source[1:-1] if isinstance(node, ast.GeneratorExp) and source.startswith("(") else source


def _is_no_value(node: ast.expr, parent: ast.AST | None) -> bool:
    """Whether a node is a function's name, a receiver, a statement of its own: not a value that can be wrapped."""
    if isinstance(parent, (ast.Attribute, ast.Expr, ast.Starred, ast.withitem, ast.keyword, ast.FormattedValue)):
        return True
    if isinstance(parent, ast.Call):
        return node is parent.func
    return isinstance(parent, (ast.Raise, ast.ExceptHandler, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef))


def _place(parent: ast.AST | None) -> float:
    """How usual it is to wrap a value that stands in ``parent``."""
    match parent:
        case ast.Assign(targets=[ast.Tuple()]):
            return 0.2
        case ast.Return() | ast.Assign() | ast.Call() | ast.For() | ast.comprehension():
            return 1.0
        case ast.Compare() | ast.AugAssign():
            return 0.8
        case _:
            return 0.5


@template(ast.Call, prior=0.012)
def wrap_in_own_call(node: ast.Call, scope: Scope) -> Iterator[Rewrite]:
    """Put a call of the module's own function around a call.

    Before::

        def rotate(text): ...
        def rotate_back(text):
            return rotate(text)

    After::

        def rotate(text): ...
        def rotate_back(text):
            return rotate(rotate(text))
    """
    for name, function in scope.functions.items():
        if function is not scope.owner and _accepts(function, 1):
            yield scope.replace(node, f"{name}({scope.source(node)})", 0.3 + similarity(name, scope.source(node.func)))


@template(ast.Call, prior=0.03)
def unwrap_call(node: ast.Call, scope: Scope) -> Iterator[Rewrite]:
    """Take a call off its argument, or a method call off its receiver.

    Before::

        return items.sort()

    After::

        return items
    """
    if isinstance(scope.module.parent(node), ast.Expr):
        return
    if isinstance(node.func, ast.Attribute):
        yield scope.replace(node, scope.source(node.func.value))
    if len(node.args) == 1 and not isinstance(node.args[0], ast.Starred):
        argument = node.args[0]
        source = scope.source(argument)
        if isinstance(argument, ast.GeneratorExp) and not source.startswith("("):
            source = f"({source})"
        yield scope.replace(node, source, 1.0 if isinstance(node.func, ast.Name) else 0.3)


@template(ast.Call, prior=0.02)
def swap_arguments(node: ast.Call, scope: Scope) -> Iterator[Rewrite]:
    """Let two arguments change places.

    Before::

        move(target, source)

    After::

        move(source, target)
    """
    for index, one in enumerate(node.args):
        for other in node.args[index + 1 :]:
            if scope.source(one) != scope.source(other) and not isinstance(other, ast.Starred):
                yield scope.exchange(one, other)


@template(ast.Call, prior=0.02)
def drop_argument(node: ast.Call, scope: Scope) -> Iterator[Rewrite]:
    """Leave out an argument.

    Before::

        ordered = sorted(names, reverse=True)

    After::

        ordered = sorted(names)
    """
    arguments: list[ast.expr | ast.keyword] = [*node.args, *node.keywords]
    arguments.sort(key=scope.module.start)
    for index, argument in enumerate(arguments):
        if len(arguments) == 1:
            span = scope.module.start(argument), scope.module.end(argument)
        elif index:
            span = scope.module.end(arguments[index - 1]), scope.module.end(argument)
        else:
            span = scope.module.start(argument), scope.module.start(arguments[1])
        weight = 1.0 if len(arguments) > 1 else 0.3
        yield scope.splice(span, "", weight, f"remove the argument `{scope.source(argument)}`")


@template(ast.Call, prior=0.016)
def add_argument(node: ast.Call, scope: Scope) -> Iterator[Rewrite]:
    """Pass one more argument: one that the called function has a parameter for, or a usual keyword.

    Before::

        def scaled(size, factor=1): ...
        def draw(size, factor):
            return scaled(size)

    After::

        def scaled(size, factor=1): ...
        def draw(size, factor):
            return scaled(size, factor)
    """
    yield from unique(
        scope.insert(*_place_for_argument(node, text, scope), weight, f"pass `{text}`")
        for text, weight in _more_arguments(node, scope)
    )


def _place_for_argument(node: ast.Call, text: str, scope: Scope) -> tuple[int, str]:
    arguments: list[ast.expr | ast.keyword] = [*node.args, *node.keywords]
    if not arguments:
        return scope.module.end(node) - 1, text
    if "=" not in text and node.keywords and node.args:
        return scope.module.end(node.args[-1]), f", {text}"
    return max(scope.module.end(argument) for argument in arguments), f", {text}"


def _more_arguments(node: ast.Call, scope: Scope) -> Iterator[tuple[str, float]]:
    name, _ = _callee(node, scope)
    given = {keyword.arg for keyword in node.keywords}
    yield from ((text, weight) for text, weight in _usual_keywords(name, scope) if text.partition("=")[0] not in given)
    own = isinstance(node.func, ast.Attribute) and scope.source(node.func.value) in {"self", "cls"}
    function = scope.methods.get(name) if own else scope.functions.get(name)
    if function is not None:
        arguments = function.args
        parameters = [argument.arg for argument in (*arguments.posonlyargs, *arguments.args)][1 if own else 0 :]
        missing = parameters[len(node.args) :]
        for parameter in [*missing, *(argument.arg for argument in arguments.kwonlyargs)]:
            if parameter in scope.bindings and parameter not in given:
                positional = missing and parameter == missing[0]
                yield (parameter if positional else f"{parameter}={parameter}"), 3.0
    used = scope.free_names(node)
    for variable, weight in scope.variables(node)[:6]:
        if variable not in used and variable not in {"self", "cls"}:
            yield variable, weight * (0.5 if function is not None else 0.2)
    if name in _OPTIONAL_SECOND and len(node.args) == 1:
        for text in ("1", "2", "None", "0", "''"):
            yield text, 0.1


def _usual_keywords(name: str, scope: Scope) -> Iterator[tuple[str, float]]:
    """Keyword arguments that are often forgotten."""
    if name in {"sorted", "sort"}:
        yield "reverse=True", 1.5 * scope.mentioned("descend", "revers")
    if name in {"max", "min"}:
        yield "default=0", 0.25
        yield "default=None", 0.25
    if name in {"sorted", "sort", "max", "min"}:
        yield "key=len", 0.8 * scope.mentioned("length", "long", "short")
        yield "key=str", 0.15
        yield "key=abs", 0.15
        for other in scope.functions:
            yield f"key={other}", 0.25
