"""Make ``seeds.json``: single-place bugs, chosen without a hand in it. ``python -m tests.bench.seeding --help``.

The mutation tool cosmic-ray lists every place (a span of a project's code) that it can change, and the operators
that can change it. The places are shuffled with a fixed seed, each as likely as any other, and at each one operator
is drawn, again each as likely as any other: drawing (operator, place) pairs instead would make half of all bugs
arithmetic, since each ``+`` can become eleven other operators. Places are taken one after the other until a dozen
bugs is kept; ``--bugs`` keeps fewer, where the suite takes long. A bug is kept when the project's own suite, run by
plain pytest, catches it: at least one test fails that passed in two runs without it. Turned away, and counted, are

- *survived*: no test notices, so there is nothing to mend;
- *uncollectable*: pytest cannot collect a file any more, so there is no failing test to ask about;
- *hangs*: the suite takes more than three times its processor time and ten seconds;
- *same line*: another kept bug is there already, and a dozen variants of one line would say little;
- *unreadable*: the operator made text that no longer compiles.

The result is checked in, so that every run of the benchmark meets the same bugs and does not need the tool, which the
dependency group ``bench`` installs.
"""

import argparse
import difflib
import math
import random
import sys
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

import cosmic_ray.plugins
import platformdirs
from cosmic_ray.ast import ast_nodes, get_ast
from cosmic_ray.mutating import mutate_code

from pennyproof.core.protected import is_protected
from tests.bench import corpus, plain
from tests.bench.seeds import SEEDS, Seed, Seeded, read, write

_RANDOM_SEED = 20240229
_WANTED = 12

Span = tuple[tuple[int, int], tuple[int, int]]
"""Line (from one) and column (from zero) of a start and of an end."""


@dataclass(frozen=True, slots=True)
class Mutant:
    """One thing that the tool can do to the project."""

    path: str
    operator: str
    occurrence: int
    line: int


def main() -> int:
    """Seed the projects that were named, or all that have no seeds yet."""
    parser = argparse.ArgumentParser(description="Seed bugs into the corpus and keep those that its tests catch.")
    parser.add_argument("names", nargs="*", metavar="PROJECT")
    parser.add_argument("--cache", type=Path, default=Path(platformdirs.user_cache_dir("pennyproof-bench")))
    parser.add_argument("--bugs", type=int, default=_WANTED, help=f"how many to keep of each (default: {_WANTED})")
    arguments = parser.parse_args()
    done = read() if SEEDS.exists() else {}
    for project in corpus.projects(arguments.names):
        if arguments.names or project.name not in done:
            ready = corpus.prepare(project, arguments.cache)
            with ready.lease():
                seeded = seed(ready, arguments.bugs)
            write(seeded)
            print(f"{project.name}: {len(seeded.seeds)} kept of {seeded.drawn} drawn, {seeded.refused}", flush=True)
    return 0


def seed(ready: corpus.Ready, wanted: int) -> Seeded:
    """Draw mutants until enough are kept."""
    runs = [plain.run(ready.python, ready.renew()) for _ in range(2)]
    passing = runs[0].passing & runs[1].passing
    limit = math.ceil(3 * max(run.cpu_seconds for run in runs) + 10)
    lots = random.Random(_RANDOM_SEED)  # noqa: S311 - drawing lots, not keys
    places = all_places(ready)
    lots.shuffle(places)

    kept: list[Seed] = []
    refused: Counter[str] = Counter()
    drawn = 0
    for place in places:
        if len(kept) == wanted:
            break
        drawn += 1
        mutant = lots.choice(place)
        before = (ready.pristine / mutant.path).read_text(encoding="utf-8")
        after = mutate(before, mutant)
        if any((mutant.path, mutant.line) == (other.path, other.line) for other in kept):
            refused["same line"] += 1
        elif not _compiles(after):
            refused["unreadable"] += 1
        else:
            root = ready.renew()
            (root / mutant.path).write_text(after, encoding="utf-8")
            run = plain.run(ready.python, root, cpu_limit=limit)
            failing = tuple(sorted(run.failing & passing))
            if not run.finished:
                refused["hangs"] += 1
            elif run.errors:
                refused["uncollectable"] += 1
            elif not failing:
                refused["survived"] += 1
            else:
                diff = "".join(
                    difflib.unified_diff(
                        before.splitlines(keepends=True),
                        after.splitlines(keepends=True),
                        f"a/{mutant.path}",
                        f"b/{mutant.path}",
                    )
                )
                kept.append(Seed(**asdict(mutant), diff=diff, failing=failing))
                print(f"  {mutant.path}:{mutant.line} {mutant.operator}: {len(failing)} failing", file=sys.stderr)
    return Seeded(
        project=ready.project.name,
        version=ready.project.archive.version,
        places=len(places),
        drawn=drawn,
        refused=dict(sorted(refused.items())),
        unstable=tuple(sorted((runs[0].passing | runs[1].passing) - passing)),
        seeds=tuple(kept),
    )


def all_places(ready: corpus.Ready) -> list[list[Mutant]]:
    """What the tool can do at each place of the project's code, test files left out."""
    operators = {
        name.removeprefix("core/"): kind()
        for name in cosmic_ray.plugins.operator_names()
        if not (kind := cosmic_ray.plugins.get_operator(name)).arguments()  # Some need a variable's name from a person.
    }
    places: dict[tuple[str, Span], list[Mutant]] = defaultdict(list)
    for path in _modules(ready):
        nodes = list(ast_nodes(get_ast((ready.pristine / path).read_text(encoding="utf-8"))))
        for name, operator in operators.items():
            spans = (span for node in nodes for span in operator.mutation_positions(node))
            for occurrence, (start, end) in enumerate(spans):
                places[path, (start, end)].append(Mutant(path, name, occurrence, start[0]))
    return [places[place] for place in sorted(places)]


def mutate(text: str, mutant: Mutant) -> str:
    """The text with the bug in it."""
    operator = cosmic_ray.plugins.get_operator(f"core/{mutant.operator}")()
    mutated = mutate_code(text, operator, mutant.occurrence)
    if mutated is None:
        raise RuntimeError(f"{mutant} is listed, and yet the tool does not make it")
    return str(mutated)


def _modules(ready: corpus.Ready) -> Iterator[str]:
    for name in ready.project.modules:
        whole = ready.pristine / name
        for path in [whole] if whole.is_file() else sorted(whole.rglob("*.py")):
            relative = path.relative_to(ready.pristine).as_posix()
            if not is_protected(relative):
                yield relative


def _compiles(text: str) -> bool:
    try:
        compile(text, "<mutant>", "exec", dont_inherit=True)
    except SyntaxError:
        return False
    return True


if __name__ == "__main__":
    sys.exit(main())
