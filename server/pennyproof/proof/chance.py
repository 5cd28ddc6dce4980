"""Which tests may depend on chance, as far as the code that they run tells.

A run that fails for no reason cannot be told from one that fails for a bug, but code that meets chance mostly names it:
random numbers, clocks, threads, other processes, sockets. A test that runs such code is given more trials before a
candidate is said to mend it. All others are not, so that their verdicts take no longer.
"""

import ast
import re
from collections.abc import Callable, Iterator, Sequence
from functools import lru_cache
from pathlib import PurePosixPath

from pennyproof.core.outcomes import Baseline

_CHANCE = re.compile(
    r"random|rand|randn|randint|randrange|uniform|shuffle|sample|choices?|default_rng|getrandbits|urandom|secrets"
    r"|token_(?:bytes|hex|urlsafe)|uuid[14]|time|time_ns|monotonic|perf_counter|sleep|now|utcnow|today|_?thread(?:ing)?"
    r"|Thread\w*|concurrent|\w+Executor|multiprocessing|Process|asyncio|async|trio|anyio|subprocess|Popen|check_output"
    r"|socket\w*|select|signal|given|Faker|faker|gc|weakref"
)
_NAMES = re.compile(r"[^\W\d]\w*(?:\.[^\W\d]\w*)*")
"""A string that says no more than a name: a fixture's for ``usefixtures``, a function's for ``patch``."""
_Names = frozenset[str]
"""What a piece of code names. Its comments and docstrings talk of much that it does not do."""

Read = Callable[[str], str]


def chancy(tests: Sequence[str], baseline: Baseline, read: Read) -> frozenset[str]:
    """Those of the tests that run code which names a source of chance.

    Args:
        tests: Ids of tests at baseline.
        baseline: Tells which functions each of them runs.
        read: Reads a file of the project.
    """
    return frozenset(test for test in tests if any(map(_meets_chance, _named(test, baseline, read))))


def _meets_chance(names: _Names) -> bool:
    return any(map(_CHANCE.fullmatch, names))


def _named(test: str, baseline: Baseline, read: Read) -> Iterator[_Names]:
    """What is named by the functions that a test was seen to call, and by what it names in its file and conftest."""
    for path, lines in baseline.functions.lines.get(test, {}).items():
        yield from _functions(read(path), lines)
    file = baseline.outcomes[test].path or test.partition("::")[0]
    blocks: dict[str, _Names] = {}
    for path in _files_for(file):
        blocks = {**_blocks(read(path)), **blocks}
    parts = [part.partition("[")[0] for part in test.split("::")[1:]]
    seen = set[str]()
    todo = {name for name in (*parts, *_everywhere(blocks)) if name in blocks}
    while todo:
        name = todo.pop()
        seen.add(name)
        yield blocks[name]
        todo |= (blocks[name] & blocks.keys()) - seen


def _files_for(file: str) -> Iterator[str]:
    yield file
    for folder in PurePosixPath(file).parents:
        yield (folder / "conftest.py").as_posix()


def _functions(text: str, lines: frozenset[int]) -> Iterator[_Names]:
    """What the functions name that begin in these lines; everything's words, where that cannot be told."""
    found = _by_line(text)
    if found is None:
        yield frozenset(re.findall(r"\w+", text))
    else:
        yield from (found[line] for line in lines & found.keys())


@lru_cache(maxsize=512)
def _by_line(text: str) -> dict[int, _Names] | None:
    """What each function names, by where it begins; ``None`` for a text that is no Python."""
    if not _CHANCE.search(text):
        return {}
    tree = _parsed(text)
    if tree is None:
        return None
    functions = (node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef))
    return {min([node.lineno, *(one.lineno for one in node.decorator_list)]): _names(node) for node in functions}


@lru_cache(maxsize=64)
def _blocks(text: str) -> dict[str, _Names]:
    """What a file binds at its top level, with what is named by the statements that do."""
    tree = _parsed(text)
    found: dict[str, _Names] = {}
    for node in tree.body if tree else ():
        names = _names(node)
        for bound in _bound(node):
            found[bound] = found.get(bound, frozenset()) | names
    return found


def _bound(node: ast.stmt) -> Iterator[str]:
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
        yield node.name
    elif isinstance(node, ast.Import | ast.ImportFrom):
        yield from (alias.asname or alias.name for alias in node.names)
    else:
        names = (inner for inner in ast.walk(node) if isinstance(inner, ast.Name))
        yield from (name.id for name in names if isinstance(name.ctx, ast.Store))


def _names(node: ast.stmt) -> _Names:
    """All that a piece of code names, and ``async`` where it waits for others."""
    return frozenset(name for inner in ast.walk(node) for name in _dotted(inner).split("."))


def _dotted(node: ast.AST) -> str:
    match node:
        case ast.Name(id=name) | ast.Attribute(attr=name) | ast.arg(arg=name) | ast.alias(name=name):
            return name
        case ast.ImportFrom(module=str(name)) | ast.keyword(arg=str(name)):
            return name
        case ast.Constant(value=str(name)) if _NAMES.fullmatch(name):
            return name
        case ast.AsyncFunctionDef() | ast.Await():
            return "async"
    return ""


def _everywhere(blocks: dict[str, _Names]) -> list[str]:
    """What runs for tests that do not name it."""
    return [name for name, named in blocks.items() if "autouse" in named or name.startswith(("setup_", "setUp"))]


def _parsed(text: str) -> ast.Module | None:
    try:
        return ast.parse(text)
    except (SyntaxError, ValueError, RecursionError):
        return None
