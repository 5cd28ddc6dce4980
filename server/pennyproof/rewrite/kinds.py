"""Cheap evidence of types: enough to leave out nonsense, never enough to be sure."""

import ast
from collections.abc import Iterable, Mapping

NUMBERS = frozenset({"int", "float", "bool", "complex"})
SEQUENCES = frozenset({"list", "tuple", "str", "bytes", "range"})
COLLECTIONS = SEQUENCES | {"set", "dict", "frozenset"}
_CALLS = {
    "len": "int", "int": "int", "ord": "int", "hash": "int", "round": "int", "id": "int", "float": "float",
    "str": "str", "repr": "str", "chr": "str", "bin": "str", "hex": "str", "oct": "str", "format": "str",
    "input": "str", "ascii": "str", "list": "list", "sorted": "list", "dir": "list", "tuple": "tuple",
    "divmod": "tuple", "set": "set", "frozenset": "frozenset", "dict": "dict", "vars": "dict", "bytes": "bytes",
    "any": "bool", "all": "bool", "bool": "bool", "isinstance": "bool", "issubclass": "bool", "callable": "bool",
    "hasattr": "bool", "range": "range", "Counter": "dict", "defaultdict": "dict", "OrderedDict": "dict",
    "deque": "list", "sqrt": "float", "pow": "float", "floor": "int", "ceil": "int",
}  # fmt: skip
_METHODS = {
    "lower": "str", "upper": "str", "strip": "str", "lstrip": "str", "rstrip": "str", "title": "str", "join": "str",
    "capitalize": "str", "replace": "str", "format": "str", "swapcase": "str", "zfill": "str", "hexdigest": "str",
    "decode": "str", "encode": "bytes", "split": "list", "rsplit": "list", "splitlines": "list", "count": "int",
    "find": "int", "rfind": "int", "startswith": "bool", "endswith": "bool", "isdigit": "bool", "isalpha": "bool",
    "isupper": "bool", "islower": "bool", "isspace": "bool", "isalnum": "bool", "partition": "tuple",
    "rpartition": "tuple", "groups": "tuple", "is_integer": "bool", "issubset": "bool", "issuperset": "bool",
}  # fmt: skip
_ANNOTATIONS = {
    "List": "list", "Sequence": "list", "Dict": "dict", "Mapping": "dict", "Set": "set", "FrozenSet": "frozenset",
    "Tuple": "tuple", "Iterable": "list", "Collection": "list",
}  # fmt: skip
_DISPLAYS: dict[type[ast.expr], str] = {
    ast.List: "list", ast.ListComp: "list", ast.Tuple: "tuple", ast.Set: "set", ast.SetComp: "set", ast.Dict: "dict",
    ast.DictComp: "dict", ast.JoinedStr: "str", ast.Compare: "bool", ast.Lambda: "function",
    ast.GeneratorExp: "generator",
}  # fmt: skip


def of_annotation(annotation: ast.expr | None) -> str | None:
    """The kind that an annotation names, as far as it is one of the built-in ones."""
    match annotation:
        case ast.Subscript():
            return of_annotation(annotation.value)
        case ast.Name(id=name) | ast.Attribute(attr=name):
            return _ANNOTATIONS.get(name, name if name in NUMBERS | COLLECTIONS else None)
        case _:
            return None


def of(node: ast.expr, names: Mapping[str, str]) -> str | None:  # noqa: C901, PLR0911 - a table, by type of node
    """The kind of value an expression most likely has; none where there is no evidence.

    Args:
        node: The expression.
        names: Kinds of the variables in sight.
    """
    match node:
        case ast.Constant():
            return type(node.value).__name__
        case ast.Name():
            return names.get(node.id)
        case ast.Call(func=ast.Name(id="abs" | "sum" | "max" | "min", ctx=_), args=[argument]):
            return _of_reduction(node.func, argument, names)
        case ast.Call(func=ast.Name(id=name)) | ast.Call(func=ast.Attribute(attr=name)) if name in _CALLS:
            return _CALLS[name]
        case ast.Call(func=ast.Attribute(attr=name)):
            return _METHODS.get(name)
        case ast.BinOp():
            return _of_operation(node, names)
        case ast.UnaryOp():
            return "bool" if isinstance(node.op, ast.Not) else of(node.operand, names)
        case ast.Subscript(slice=ast.Slice()):
            return of(node.value, names)
        case ast.Subscript():
            return "str" if of(node.value, names) == "str" else None
        case ast.IfExp():
            return of(node.body, names) or of(node.orelse, names)
        case ast.BoolOp():
            return of(node.values[-1], names)
        case _:
            return _DISPLAYS.get(type(node))


def _of_reduction(function: ast.expr, argument: ast.expr, names: Mapping[str, str]) -> str | None:
    name = function.id if isinstance(function, ast.Name) else ""
    if name == "abs":
        return of(argument, names) or "float"
    return "float" if name == "sum" else None


def _of_operation(node: ast.BinOp, names: Mapping[str, str]) -> str | None:
    left, right = of(node.left, names), of(node.right, names)
    if isinstance(node.op, ast.Div):
        return "float" if left in NUMBERS or right in NUMBERS else None
    if isinstance(node.op, ast.Mod) and left == "str":
        return "str"
    if isinstance(node.op, ast.Mult) and (left in SEQUENCES or right in SEQUENCES):
        return left if left in SEQUENCES else right
    if "float" in (left, right):
        return "float"
    return left or right


def alike(one: str | None, other: str | None) -> bool:
    """Whether a value of one kind may stand where one of the other did; what is unknown may stand anywhere."""
    if one is None or other is None or one == other:
        return True
    return (one in NUMBERS and other in NUMBERS) or (one in {"list", "tuple"} and other in {"list", "tuple"})


def of_names(body: Iterable[ast.AST], seen: Mapping[str, str]) -> dict[str, str]:
    """The kinds of the variables that a function binds.

    Args:
        body: All nodes of the function, outer before inner.
        seen: What the variables were seen to hold, which is better evidence than the text.
    """
    kinds: dict[str, str] = {}
    for node in body:
        match node:
            case ast.arg(annotation=annotation) if (kind := of_annotation(annotation)) is not None:
                kinds[node.arg] = kind
            case ast.AnnAssign(target=ast.Name(id=name)) if (kind := of_annotation(node.annotation)) is not None:
                kinds[name] = kind
            case ast.Assign(targets=[ast.Name(id=name)]) if (kind := of(node.value, kinds)) is not None:
                if kind != "NoneType":
                    kinds.setdefault(name, kind)
            case ast.For() | ast.comprehension():
                for name, kind in _of_targets(node.target, node.iter, kinds):
                    kinds.setdefault(name, kind)
    return kinds | dict(seen)


def _of_targets(target: ast.expr, iterated: ast.expr, names: Mapping[str, str]) -> Iterable[tuple[str, str]]:
    match target, iterated:
        case ast.Name(id=name), ast.Call(func=ast.Name(id="range")):
            yield name, "int"
        case ast.Tuple(elts=[ast.Name(id=name), *_]), ast.Call(func=ast.Name(id="enumerate")):
            yield name, "int"
        case ast.Name(id=name), _ if of(iterated, names) == "str":
            yield name, "str"
