"""What an installed library says about itself: signature, docstring, version; read, never imported."""

import ast
import importlib.metadata
import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from pennyproof.assist.explain.definitions import Definition
from pennyproof.assist.explain.scopes import FUNCTIONS, binding

_MOST_LINES = 12
"""Lines of a docstring that are shown; its summary and parameters are nearly always among them."""


@dataclass(frozen=True, slots=True)
class LibraryDoc:
    """A function or class of an installed library."""

    name: str
    """Dotted, with its module."""
    signature: str
    release: str
    """The installed distribution and its version: ``requests 2.31.0``; empty where unknown."""
    text: str
    """The beginning of the docstring; empty where there is none."""


def search_paths(prefixes: Iterable[Path]) -> tuple[Path, ...]:
    """Folders of modules in Python installations and environments, installed packages before the standard library."""
    found: list[Path] = []
    for pattern in (
        "lib/python3*/site-packages",
        "lib/python3*/dist-packages",
        "Lib/site-packages",
        "lib/python3*",
        "Lib",
    ):
        found += [path for prefix in prefixes for path in sorted(prefix.glob(pattern), reverse=True) if path.is_dir()]
    return tuple(dict.fromkeys(found))


def library_doc(definition: Definition) -> LibraryDoc | None:
    """What the library says about a definition in it; ``None`` for what has neither signature nor docstring."""
    node = definition.node
    if not isinstance(node, (*FUNCTIONS, ast.ClassDef)):
        return None
    release = _release(definition.module.home, definition.module.name.partition(".")[0])
    return LibraryDoc(definition.full_name, signature(node), release, docstring(node))


def signature(node: ast.stmt) -> str:
    """The first line of a function or class as its author would write it: ``def f(a, b=1) -> int``."""
    match node:
        case ast.FunctionDef() | ast.AsyncFunctionDef():
            word = "async def" if isinstance(node, ast.AsyncFunctionDef) else "def"
            returns = f" -> {ast.unparse(node.returns)}" if node.returns else ""
            return f"{word} {node.name}({ast.unparse(node.args)}){returns}"
        case ast.ClassDef(name=name, bases=bases):
            made = binding(node, "__init__")
            if isinstance(made, FUNCTIONS):
                arguments = ast.unparse(made.args).partition(", ")[2]
                return f"class {name}({arguments})"
            return f"class {name}({', '.join(ast.unparse(base) for base in bases)})" if bases else f"class {name}"
    return ast.unparse(node)


def docstring(node: ast.AsyncFunctionDef | ast.FunctionDef | ast.ClassDef) -> str:
    """The beginning of a docstring, cut at a paragraph's end where one is near."""
    lines = (ast.get_docstring(node) or "").splitlines()
    if len(lines) <= _MOST_LINES:
        return "\n".join(lines)
    blank = next((at for at in range(_MOST_LINES, _MOST_LINES // 2, -1) if not lines[at].strip()), _MOST_LINES)
    return "\n".join([*lines[:blank], "…"])


def _release(home: Path | None, package: str) -> str:
    if home is None:
        return ""
    if re.fullmatch(r"python3\.\d+", home.name):
        return home.name.replace("python", "Python ") + " standard library"
    distributions = list(importlib.metadata.distributions(path=[str(home)]))
    # Most distributions are called as their package is; only the others are asked for their list of files.
    alike = sorted(distributions, key=lambda distribution: _plain(_name(distribution)) != _plain(package))
    for distribution in alike:
        if _holds(distribution, package):
            return f"{_name(distribution)} {distribution.metadata['Version']}"
    return ""


def _holds(distribution: importlib.metadata.Distribution, package: str) -> bool:
    record = distribution.read_text("RECORD") or ""
    starts = (f"{package}/", f"{package}.py,", f"{package}.")
    return any(line.startswith(starts) for line in record.splitlines())


def _name(distribution: importlib.metadata.Distribution) -> str:
    return distribution.metadata["Name"] or ""


def _plain(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()
