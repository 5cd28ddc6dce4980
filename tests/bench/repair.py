"""Repairs with no model of the 82 buggy functions in ``repair_dev.jsonl``.

Each task becomes a project of its own, a module and one test, and ``pennyproof fix --offline --json`` is run on it as a
user would. Twice: with the full test as the project's test, and with nothing but the docstring's examples. The first
offer is graded with the full test, which the second run never sees.
"""

import json
import re
import subprocess
import sys
import tempfile
import textwrap
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from tests.bench import Options
from tests.bench.corpus import Unavailable
from tests.bench.product import fix, git_apply
from tests.bench.tables import Cell, median, percent, quantile, table

NAME = "repair"
ABOUT = "buggy functions, no model: the first offer graded with the full test"

_FILE = "repair_dev.jsonl"
_JOBS = 2
_QUICK = 8
_GRADING_SECONDS = 30


@dataclass(frozen=True, slots=True)
class Task:
    """One buggy function."""

    id: str
    function: str
    bug: str
    program: str
    """The text of the buggy module, docstring included."""
    full: str
    examples: str
    """Scripts that define ``check`` and call it; empty where there is none."""


@dataclass(frozen=True, slots=True)
class Result:
    """What became of one task."""

    task: Task
    failing: bool
    """Whether the visible test fails at all: else there is nothing to be asked for."""
    offered: bool
    right: bool
    """Whether the first offer passes the full test."""
    tried: int
    seconds: float
    problem: str = ""


def run(options: Options) -> str:
    """Run every task with both views of the tests.

    Raises:
        Unavailable: The tasks are not there.
    """
    path = options.data / _FILE
    if not path.is_file():
        raise Unavailable(f"{path} is not there; name the folder of the recorded tasks with --data")
    tasks = list(_tasks(path))[: _QUICK if options.quick else None]
    full, examples = (_all(tasks, visible) for visible in ("full", "examples"))
    problems = [f"{result.task.id}: {result.problem}" for result in (*full, *examples) if result.problem]
    return "\n\n".join([_summary(full, examples), _by_bug(full, examples), _missed(full, examples), *problems])


def _tasks(path: Path) -> Iterator[Task]:
    for line in path.read_text("utf-8").splitlines():
        fields = json.loads(line)
        docstring = fields["docstring"].replace("\\", "\\\\").replace('"""', "'''")
        program = f"{fields['declaration'].rstrip()}\n{textwrap.indent(f'''{_quoted(docstring)}''', '    ')}\n"
        yield Task(
            fields["id"], fields["entry_point"], fields["bug_type"], program + fields["buggy_body"],
            fields["test"], fields["example_test"],
        )  # fmt: skip


def _quoted(docstring: str) -> str:
    return f'"""{docstring}\n"""'


def _all(tasks: Sequence[Task], visible: str) -> list[Result]:
    with ThreadPoolExecutor(_JOBS) as executor:
        return list(executor.map(lambda task: _one(task, visible), tasks))


def _one(task: Task, visible: str) -> Result:
    """Let the command mend one task, and grade what it offers first."""
    script = task.full if visible == "full" else task.examples
    if not script.strip():
        return Result(task, failing=False, offered=False, right=False, tried=0, seconds=0.0)
    with tempfile.TemporaryDirectory(prefix="bench-repair-") as folder:
        root = Path(folder, "project")
        (root / "tests").mkdir(parents=True)
        (root / "solution.py").write_text(task.program, "utf-8")
        (root / "tests" / "test_solution.py").write_text(_as_test(script, task.function), "utf-8")
        (root / "pytest.ini").write_text("[pytest]\npythonpath = .\n", "utf-8")
        answer = fix(Path(sys.executable), root)
        offers = answer.offers
        if offers:
            git_apply(root, offers[0]["diff"])
        right = bool(offers) and _passes(root, task)
    failing = bool(answer.document.get("baseline", {}).get("failed"))
    tried = int(answer.document.get("tried", 0))
    return Result(task, failing, bool(offers), right, tried, answer.seconds, answer.problem)


def _as_test(script: str, function: str) -> str:
    """The script as one test: its call of ``check`` at the end becomes the test's body."""
    checks = re.sub(rf"\n\s*check\({re.escape(function)}\)\s*$", "\n", script)
    return f"from solution import *\n\n{checks.strip()}\n\n\ndef test_{function}():\n    check({function})\n"


def _passes(root: Path, task: Task) -> bool:
    """Whether the mended module passes the full test, run without pytest."""
    grade = root / "grade.py"
    grade.write_text(f"from solution import *\n{task.full}\n", "utf-8")
    try:
        done = subprocess.run(
            [sys.executable, "grade.py"], cwd=root, check=False, capture_output=True, timeout=_GRADING_SECONDS, env={}
        )
    except subprocess.TimeoutExpired:
        return False
    return done.returncode == 0


def _summary(full: Sequence[Result], examples: Sequence[Result]) -> str:
    headings = ("visible tests", "tasks", "failing", "offers", "first offer passes the full test", "median s", "p90 s",
                "median tried")  # fmt: skip
    rows: list[tuple[Cell, ...]] = []
    for visible, results in (("full", full), ("examples", examples)):
        ran = [result for result in results if result.failing]
        seconds, tried = [result.seconds for result in ran], [result.tried for result in ran]
        right = sum(result.right for result in ran)
        offers = percent(sum(result.offered for result in ran), len(ran))
        rows.append(
            (visible, len(results), len(ran), offers, percent(right, len(results)), median(seconds),
             quantile(seconds, 0.9), median(tried))
        )  # fmt: skip
    return table(headings, rows)


def _by_bug(full: Sequence[Result], examples: Sequence[Result]) -> str:
    kinds = Counter(result.task.bug for result in full)
    rows = [
        (
            kind,
            count,
            sum(result.right for result in full if result.task.bug == kind),
            sum(result.right for result in examples if result.task.bug == kind),
        )
        for kind, count in kinds.most_common()
    ]
    return table(("kind of bug", "tasks", "right, full", "right, examples"), rows)


def _missed(full: Sequence[Result], examples: Sequence[Result]) -> str:
    lines = []
    for visible, results in (("full", full), ("examples", examples)):
        silent = [result.task.id for result in results if result.failing and not result.offered]
        wrong = [result.task.id for result in results if result.offered and not result.right]
        lines.append(f"{visible}: no offer for {', '.join(silent) or 'none'}; wrong for {', '.join(wrong) or 'none'}")
    return "\n".join(lines)
