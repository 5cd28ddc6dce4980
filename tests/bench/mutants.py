"""Single-place edits of a project, and what plain pytest says of each: the truth that selections are measured against.

Of three kinds, since tests depend on them in different ways: *function*, a place in the body of a function of the
project, changed by the mutation tool of ``seeding``; *module*, a constant that stands outside of all functions (of a
module, a class, a default argument); *tests*, a constant in a fixture, a conftest file, or outside of functions in a
test file, tables of parameters among them. Places are drawn with a fixed seed, each as likely as any other of its kind.

A test notices when it passed in two runs without the edit and does not pass with it: it fails, or cannot be collected.
What was found does not depend on the product, and is kept when that changes.
"""

import ast
import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path

from pennyproof.core.protected import is_protected
from tests.bench import Options, corpus, plain
from tests.bench.results import Results, progress

WANTED = {"function": 30, "module": 15, "tests": 15}
"""How many of each kind are drawn in a project; fewer where it has fewer places."""
_RANDOM_SEED = 20241117


@dataclass(frozen=True, slots=True)
class Mutant:
    """One edit, and what a full cold run says of it."""

    key: str
    kind: str
    path: str
    line: int
    text: str
    """The file with the edit."""
    failing: tuple[str, ...]
    """The tests that notice."""
    finished: bool
    """Whether the run came to its end; where it did not, nothing is known of the tests."""
    seconds: float
    """What the run took."""


@dataclass(frozen=True, slots=True)
class Confirmed:
    """The tests that notice an edit in a second run as well."""

    failing: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Stable:
    """The tests that pass in each of two runs, and what the second one took."""

    tests: tuple[str, ...]
    seconds: float


@dataclass(frozen=True, slots=True)
class Edit:
    """A change of one file."""

    kind: str
    path: str
    line: int
    make: Callable[[str], str]


def stable(ready: corpus.Ready, options: Options) -> Stable | None:
    """The tests that a mutant can be noticed by; ``None`` when the time is up."""

    def measure() -> Stable:
        first, second = (plain.run(ready.python, ready.renew()) for _ in range(2))
        return Stable(tuple(sorted(first.passing & second.passing)), second.seconds)

    return Results("stable", Stable, options, ready.folder.name).get(ready.project.name, measure)


def mutants(ready: corpus.Ready, options: Options, *, few: bool = False) -> Iterator[Mutant]:
    """The mutants of a project, as far as there is time to try them; ``few``: two of each kind."""
    known = stable(ready, options)
    results = Results("mutants", Mutant, options, ready.folder.name)

    def tried(key: str, edit: Edit, tests: Sequence[str]) -> Mutant:
        text = edit.make((ready.pristine / edit.path).read_text(encoding="utf-8"))
        run = _run(ready, edit.path, text)
        failing = tuple(sorted(set(tests) - run.passing)) if run.finished else ()
        progress(f"{ready.project.name} {edit.path}:{edit.line} ({edit.kind}): {len(failing)} notice")
        return Mutant(key, edit.kind, edit.path, edit.line, text, failing, run.finished, run.seconds)

    for key, edit in _edits(ready, few=few) if known else ():
        mutant = results.get(key, lambda key=key, edit=edit: tried(key, edit, known.tests))
        if mutant is not None:
            yield mutant


def confirmed(ready: corpus.Ready, mutant: Mutant, options: Options) -> frozenset[str]:
    """The tests that notice a mutant in a second full cold run as well: others failed by chance."""

    def measure() -> Confirmed:
        run = _run(ready, mutant.path, mutant.text)
        return Confirmed(tuple(sorted(set(mutant.failing) - run.passing)))

    found = Results("mutants-again", Confirmed, options, ready.folder.name).get(mutant.key, measure)
    return frozenset(found.failing if found else mutant.failing)


def _run(ready: corpus.Ready, path: str, text: str) -> plain.Run:
    root = ready.renew()
    (root / path).write_text(text, encoding="utf-8")
    return plain.run(ready.python, root, arguments=["--continue-on-collection-errors"])


def _edits(ready: corpus.Ready, *, few: bool) -> Iterator[tuple[str, Edit]]:
    for kind, wanted in WANTED.items():
        lots = random.Random(f"{_RANDOM_SEED} {kind}")  # noqa: S311 - drawing lots, not keys
        places = _in_functions(ready) if kind == "function" else constants(ready, kind)
        lots.shuffle(places)
        for number, place in enumerate(places[: 2 if few else wanted]):
            yield f"{ready.project.name} {kind} {number}", lots.choice(place)


def _in_functions(ready: corpus.Ready) -> list[list[Edit]]:
    """What the mutation tool can do at each place in a function of the project."""
    try:
        from tests.bench import seeding  # noqa: PLC0415 - it needs the mutation tool
    except ImportError as error:
        raise corpus.Unavailable(f"mutants take the dependency group bench: {error}") from error

    @cache
    def in_function(path: str) -> frozenset[int]:
        tree = ast.parse((ready.pristine / path).read_text(encoding="utf-8"))
        bodies = (node.body for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef))
        return frozenset(
            line for body in bodies for line in range(body[0].lineno, (body[-1].end_lineno or body[-1].lineno) + 1)
        )

    def edit(mutant: "seeding.Mutant") -> Edit:
        return Edit("function", mutant.path, mutant.line, lambda text: seeding.mutate(text, mutant))

    places = seeding.all_places(ready)
    return [[edit(mutant) for mutant in place] for place in places if place[0].line in in_function(place[0].path)]


def constants(ready: corpus.Ready, kind: str) -> list[list[Edit]]:
    """Constants outside of functions, each changed at its place: of ``module``s, or of ``tests``."""
    places = list[list[Edit]]()
    for path in files(ready, kind):
        text = (ready.pristine / path).read_text(encoding="utf-8")
        every = kind == "tests" and Path(path).name == "conftest.py"
        for node in _outside(ast.parse(text), every=every):
            edit = Edit(kind, path, node.lineno, partial(_altered, node))
            places.append([edit])
    return places


def files(ready: corpus.Ready, kind: str) -> Iterator[str]:
    """The project's own modules, or its test files and conftest files."""
    if kind == "module":
        for name in ready.project.modules:
            whole = ready.pristine / name
            for path in [whole] if whole.is_file() else sorted(whole.rglob("*.py")):
                relative = path.relative_to(ready.pristine).as_posix()
                if not is_protected(relative):
                    yield relative
        return
    for path in sorted(ready.pristine.rglob("*.py")):
        if path.name == "conftest.py" or path.name.startswith("test_"):
            yield path.relative_to(ready.pristine).as_posix()


def _outside(tree: ast.AST, *, every: bool) -> Iterator[ast.Constant]:
    """Constants that stand outside of functions, or in fixtures; ``every``: anywhere."""
    for child in ast.iter_child_nodes(tree):
        if isinstance(child, ast.Expr) and isinstance(child.value, ast.Constant):
            continue  # A docstring.
        if isinstance(child, ast.JoinedStr):
            continue  # Its parts have no places of their own.
        if isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef) and not (every or _is_fixture(child)):
            for part in (*child.decorator_list, child.args):
                yield from _outside(part, every=every)
            continue
        if isinstance(child, ast.Constant) and isinstance(child.value, int | float | str):
            yield child
        yield from _outside(child, every=every)


def _is_fixture(function: ast.FunctionDef | ast.AsyncFunctionDef) -> bool:
    return any("fixture" in ast.unparse(mark) for mark in function.decorator_list)


def _altered(node: ast.Constant, text: str) -> str:
    """The text with another value in the place of a constant."""
    value = node.value
    other = repr(not value if isinstance(value, bool) else value + "x" if isinstance(value, str) else value + 1)  # type: ignore[operator] # int or float, by ``_outside``
    lines = text.encode().splitlines(keepends=True)
    first, last = node.lineno - 1, (node.end_lineno or node.lineno) - 1
    head, tail = lines[first][: node.col_offset], lines[last][node.end_col_offset :]
    return b"".join([*lines[:first], head, other.encode(), tail, *lines[last + 1 :]]).decode()
