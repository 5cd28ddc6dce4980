"""Which tests may depend on chance, as far as the text of what they run tells.

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
    r"\b(?:random|rand|randn|randint|randrange|uniform|shuffle|sample|choices?|default_rng|getrandbits|urandom|secrets"
    r"|token_\w+|uuid[14]|time|time_ns|monotonic|perf_counter|sleep|now|utcnow|today|thread\w*|Thread\w*|concurrent"
    r"|\w+Executor|multiprocessing|Process|asyncio|async|await|trio|anyio|subprocess|Popen|check_output|socket\w*"
    r"|select|signal|given|Faker|faker|gc|weakref)\b"
)
_NAME = re.compile(r"[^\W\d]\w*")

Read = Callable[[str], str]


def chancy(tests: Sequence[str], baseline: Baseline, read: Read) -> frozenset[str]:
    """Those of the tests that run code which names a source of chance.

    Args:
        tests: Ids of tests at baseline.
        baseline: Tells which functions each of them runs.
        read: Reads a file of the project.
    """
    return frozenset(test for test in tests if any(map(_CHANCE.search, _texts(test, baseline, read))))


def _texts(test: str, baseline: Baseline, read: Read) -> Iterator[str]:
    """What a test runs: the functions that it was seen to call, and what it names in its file and conftest files."""
    for path, lines in baseline.functions.lines.get(test, {}).items():
        yield from _functions(read(path), lines)
    file = baseline.outcomes[test].path or test.partition("::")[0]
    blocks: dict[str, str] = {}
    for path in _files_for(file):
        blocks = {**_blocks(read(path)), **blocks}
    names = [part.partition("[")[0] for part in test.split("::")[1:]]
    seen = set[str]()
    todo = [name for name in (*names, *_everywhere(blocks)) if name in blocks]
    while todo:
        name = todo.pop()
        if name not in seen:
            seen.add(name)
            yield blocks[name]
            todo += [other for other in _NAME.findall(blocks[name]) if other in blocks]


def _files_for(file: str) -> Iterator[str]:
    yield file
    for folder in PurePosixPath(file).parents:
        yield (folder / "conftest.py").as_posix()


def _functions(text: str, lines: frozenset[int]) -> Iterator[str]:
    """The functions that begin in these lines; everything, where that cannot be told."""
    found = _chancy_functions(text)
    if found is None:
        yield text
    else:
        yield from (found[line] for line in lines & found.keys())


@lru_cache(maxsize=512)
def _chancy_functions(text: str) -> dict[int, str] | None:
    """The functions that name a source of chance, by where they begin."""
    if not _CHANCE.search(text):
        return {}
    tree = _parsed(text)
    if tree is None:
        return None
    rows = text.splitlines()
    found: dict[int, str] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            first = min([node.lineno, *(decorator.lineno for decorator in node.decorator_list)])
            body = "\n".join(rows[first - 1 : node.end_lineno])
            if _CHANCE.search(body):
                found[first] = body
    return found


@lru_cache(maxsize=64)
def _blocks(text: str) -> dict[str, str]:
    """What a file binds at its top level, name by name, with the text that does."""
    tree = _parsed(text)
    if tree is None:
        return {}
    found: dict[str, str] = {}
    rows = text.splitlines()
    for node in tree.body:
        names = [alias.asname or alias.name for alias in getattr(node, "names", [])]
        names += [target.id for target in ast.walk(node) if isinstance(target, ast.Name) and _is_bound(target)]
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            names = [node.name]
        first = min([node.lineno, *(decorator.lineno for decorator in getattr(node, "decorator_list", []))])
        block = "\n".join(rows[first - 1 : node.end_lineno])
        for name in names:
            found[name] = found.get(name, "") + "\n" + block
    return found


def _everywhere(blocks: dict[str, str]) -> list[str]:
    """What runs for tests that do not name it."""
    return [name for name, text in blocks.items() if "autouse" in text or name.startswith(("setup_", "setUp"))]


def _is_bound(name: ast.Name) -> bool:
    return isinstance(name.ctx, ast.Store)


def _parsed(text: str) -> ast.Module | None:
    try:
        return ast.parse(text)
    except (SyntaxError, ValueError, RecursionError):
        return None
