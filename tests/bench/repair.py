"""Repairs with no model of the 82 buggy functions in ``repair_dev.jsonl``.

Each task becomes a project of its own, a module and one test, in an environment that holds nothing but pytest, and
``pennyproof fix --offline --json`` is run on it as a user would. Twice: with the full test as the project's test, and
with nothing but the docstring's examples. The first offer is graded with the full test, which the second run never
sees. Every fourth task is also put to a server that runs already, as in an editor that shows the failing test.
"""

import json
import re
import subprocess
import tempfile
import textwrap
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from tests.bench import Options, cluster, corpus
from tests.bench.corpus import Unavailable
from tests.bench.lsp_session import write_edit
from tests.bench.product import debug, fix, git_apply
from tests.bench.results import Results, measured_version, progress
from tests.bench.tables import Cell, median, percent, quantile, table

NAME = "repair"
ABOUT = "buggy functions, no model: the first offer graded with the full test"

_FILE = "repair_dev.jsonl"
_IN_EDITOR = 4
"""Every so-manieth task is asked in an editor too: its search is the same, its way in and out is not."""
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
class Run:
    """One task put to the product in one way."""

    task: Task
    visible: str
    """``full`` or ``examples``: the test that the project has."""
    way: str = "command"
    """``command`` or ``editor``."""

    @property
    def key(self) -> str:
        return f"{self.task.id} {self.visible} {self.way}"

    @property
    def script(self) -> str:
        return self.task.full if self.visible == "full" else self.task.examples


@dataclass(frozen=True, slots=True)
class Result:
    """What became of one run."""

    task: str
    bug: str
    failing: bool = False
    """Whether the visible test fails at all: else there is nothing to be asked for."""
    offered: bool = False
    right: bool = False
    """Whether the first offer passes the full test."""
    seconds: float = 0.0
    """Of the whole command; in an editor, from the request to its result."""
    searching: float | None = None
    """The part of it that the command says it took for tests and search; the rest is the start and end of it."""
    tried: int | None = None
    problem: str = ""


def run(options: Options) -> str:
    """Run every task with both views of the tests.

    Raises:
        Unavailable: The tasks are not there, or pytest cannot be installed for them.
    """
    path = options.data / _FILE
    if not path.is_file():
        raise Unavailable(f"{path} is not there; name the folder of the recorded tasks with --data")
    tasks = list(_tasks(path))[: _QUICK if options.quick else None]
    results = Results(NAME, Result, options, measured_version(options))
    python = corpus.bare(options.cache)
    commands = [Run(task, visible) for visible in ("full", "examples") for task in tasks]
    with cluster.executor(options, python):
        _all(commands, python, results, options.jobs)
        failing = (run for run in commands if any(result.failing for result in results.of([run.key])))
        editors = [Run(run.task, run.visible, "editor") for run in failing if run.task in tasks[::_IN_EDITOR]]
        _all(editors, python, results, options.jobs)
    runs = [*commands, *editors]
    return "\n\n".join(_report(runs, results))


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


def _all(runs: Sequence[Run], python: Path, results: Results[Result], jobs: int) -> None:
    """Measure what has not been measured yet, until the time is up."""
    keys = [run.key for run in runs]

    def one(run: Run) -> None:
        if results.missing([run.key]) and (result := results.get(run.key, lambda: _measure(run, python))):
            said = (
                "right" if result.right else "wrong" if result.offered else "no offer" if result.failing else "passes"
            )
            left = len(results.missing(keys))
            progress(f"{run.key}: {said}, {result.seconds:.1f} s, {left} to go {result.problem}".rstrip())

    with ThreadPoolExecutor(jobs) as executor:
        list(executor.map(one, runs))


def _measure(run: Run, python: Path) -> Result:
    """Let the product mend one task, and grade what it offers first."""
    task = run.task
    if not run.script.strip():
        return Result(task.id, task.bug)
    with tempfile.TemporaryDirectory(prefix="bench-repair-") as folder:
        root = Path(folder, "project").resolve()
        (root / "tests").mkdir(parents=True)
        (root / "solution.py").write_text(task.program, "utf-8")
        (root / "tests" / "test_solution.py").write_text(_as_test(run.script, task.function), "utf-8")
        (root / "pytest.ini").write_text("[pytest]\npythonpath = .\n", "utf-8")
        return (_by_command if run.way == "command" else _by_editor)(task, root, python)


def _by_command(task: Task, root: Path, python: Path) -> Result:
    answer = fix(python, root)
    if answer.offers:
        git_apply(root, answer.offers[0]["diff"])
    return Result(
        task=task.id,
        bug=task.bug,
        failing=bool(answer.document.get("baseline", {}).get("failed")),
        offered=bool(answer.offers),
        right=bool(answer.offers) and _passes(root, task, python),
        seconds=answer.seconds,
        searching=answer.document.get("seconds"),
        tried=answer.document.get("tried"),
        problem=answer.problem,
    )


def _by_editor(task: Task, root: Path, python: Path) -> Result:
    edit, seconds, problem = debug(python, root, f"tests/test_solution.py::test_{task.function}", warm=True)
    if edit is not None:
        write_edit(edit, root)
    return Result(
        task=task.id,
        bug=task.bug,
        failing=True,
        offered=edit is not None,
        right=edit is not None and _passes(root, task, python),
        seconds=seconds,
        problem=problem,
    )


def _as_test(script: str, function: str) -> str:
    """The script as one test: its call of ``check`` at the end becomes the test's body."""
    checks = re.sub(rf"\n\s*check\({re.escape(function)}\)\s*$", "\n", script)
    return f"from solution import *\n\n{checks.strip()}\n\n\ndef test_{function}():\n    check({function})\n"


def _passes(root: Path, task: Task, python: Path) -> bool:
    """Whether the mended module passes the full test, run without pytest."""
    grade = root / "grade.py"
    grade.write_text(f"from solution import *\n{task.full}\n", "utf-8")
    try:
        done = subprocess.run(
            [str(python), "grade.py"], cwd=root, check=False, capture_output=True, timeout=_GRADING_SECONDS, env={}
        )
    except subprocess.TimeoutExpired:
        return False
    return done.returncode == 0


def _report(runs: Sequence[Run], results: Results[Result]) -> Iterator[str]:
    """The tables of what has been measured."""
    views = {
        (visible, way): results.of(run.key for run in runs if (run.visible, run.way) == (visible, way))
        for visible in ("full", "examples")
        for way in ("command", "editor")
    }
    full, examples = views["full", "command"], views["examples", "command"]
    yield _summary(full, examples)
    yield "Every fourth task, both ways; in the editor the failing test is shown already, and the workers are warm:"
    yield _both_ways(views)
    yield _by_bug(full, examples)
    yield _missed(full, examples)
    yield from (f"{run.key}: {result.problem}" for run in runs for result in results.of([run.key]) if result.problem)
    yield results.note(run.key for run in runs)


def _summary(full: Sequence[Result], examples: Sequence[Result]) -> str:
    headings = ("visible tests", "tasks", "failing", "offers", "first offer passes the full test", "median s", "p90 s",
                "of it start s", "median tried")  # fmt: skip
    rows: list[tuple[Cell, ...]] = []
    for visible, results in (("full", full), ("examples", examples)):
        ran = [result for result in results if result.failing]
        seconds = [result.seconds for result in ran]
        starts = [result.seconds - result.searching for result in ran if result.searching is not None]
        right = sum(result.right for result in ran)
        offers = percent(sum(result.offered for result in ran), len(ran))
        tried = median([result.tried for result in ran if result.tried is not None])
        rows.append(
            (visible, len(results), len(ran), offers, percent(right, len(results)), median(seconds),
             quantile(seconds, 0.9), median(starts), tried)
        )  # fmt: skip
    return table(headings, rows)


def _both_ways(views: Mapping[tuple[str, str], Sequence[Result]]) -> str:
    headings = ("visible tests", "tasks", "right, command", "right, editor", "s, command", "s, in the editor (warm)",
                "p90 s, in the editor (warm)")  # fmt: skip
    rows: list[tuple[Cell, ...]] = []
    for visible in ("full", "examples"):
        commands = {result.task: result for result in views[visible, "command"]}
        both = [
            (commands[result.task], result)
            for result in views[visible, "editor"]
            if result.failing and result.task in commands
        ]
        here = [editor.seconds for _, editor in both]
        rows.append(
            (visible, len(both), sum(command.right for command, _ in both), sum(editor.right for _, editor in both),
             median([command.seconds for command, _ in both]), median(here), quantile(here, 0.9))
        )  # fmt: skip
    return table(headings, rows)


def _by_bug(full: Sequence[Result], examples: Sequence[Result]) -> str:
    kinds = Counter(result.bug for result in full)
    rows = [
        (
            kind,
            count,
            sum(result.right for result in full if result.bug == kind),
            sum(result.right for result in examples if result.bug == kind),
        )
        for kind, count in kinds.most_common()
    ]
    return table(("kind of bug", "tasks", "right, full", "right, examples"), rows)


def _missed(full: Sequence[Result], examples: Sequence[Result]) -> str:
    lines = []
    for visible, results in (("full", full), ("examples", examples)):
        silent = [result.task for result in results if result.failing and not result.offered]
        wrong = [result.task for result in results if result.offered and not result.right]
        lines.append(f"{visible}: no offer for {', '.join(silent) or 'none'}; wrong for {', '.join(wrong) or 'none'}")
    return "\n".join(lines)
