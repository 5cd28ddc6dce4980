"""Functions written from their docstrings: the recorded samples of ``samples_dev.jsonl`` through ``pennyproof.edit``.

Each task becomes a project of its own: a module with the function, its docstring and no body. A stand-in process
answers each request of a task with the next of the 20 bodies that a model really wrote for it, most of them wrong, and
one server, driven over LSP, is asked to implement one function after the other. Twice: with nothing but the docstring,
whose examples the product finds by itself, and with the docstring's examples as a test of the project. What it applies
is graded with the hidden test, which it never sees.
"""

import json
import math
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.bench import Options, corpus
from tests.bench.corpus import Unavailable
from tests.bench.lsp_session import RefusedError, Session, write_edit
from tests.bench.product import COMMAND, environment
from tests.bench.results import Results, product_version, progress
from tests.bench.tables import Cell, median, percent, quantile, table
from tests.standin.script import Reply, Script

NAME = "samples"
ABOUT = "functions from docstrings, 20 recorded samples each, graded with the hidden test"

_FILE, _EXAMPLES_FILE = "samples_dev.jsonl", "repair_dev.jsonl"
_VIEWS = {"docstring": "the docstring alone", "test": "its examples as a test too"}
_QUICK = 8
_PATIENCE = 300.0
_GRADING_SECONDS = 30
_BUDGET = {"PENNYPROOF_BUDGET_PER_ACTION_USD": "1", "PENNYPROOF_BUDGET_DAILY_USD": "1000"}
"""USD; no sample is to be missed for want of pretended money."""
_NO_MORE = "I know of no other way to write it."
"""What is answered once a task's samples are used up."""
_PUBLISHED = (
    ("the first sample that passes the examples", "72.7 %", "55.8 %", "76.8 %"),
    ("the same, where three samples pass", "50.6 %", "–", "87.2 %"),
    ("any of the 20 samples", "–", "62.3 %", "–"),
)
"""How simple ways of choosing do on the same tasks: share offered, share solved, share of the offers that is right."""


@dataclass(frozen=True, slots=True)
class Task:
    """One function to be written."""

    id: str
    function: str
    prompt: str
    """The module so far: it ends with the function's docstring."""
    samples: tuple[str, ...]
    examples: str
    """A script that defines ``check`` and calls it; empty where the docstring has no examples."""
    test: str
    """Hidden."""

    @property
    def module(self) -> str:
        """Names the task in every prompt, so that the stand-in knows which one is asked about."""
        return f"solution_{self.id.rpartition('/')[2]}"


@dataclass(frozen=True, slots=True)
class Result:
    """What became of one task."""

    task: str
    level: str = ""
    """Of the offer that was applied; empty where there is none."""
    right: bool = False
    tried: int = 0
    seconds: float = 0.0
    """From the command to its result."""
    spent_usd: float = 0.0
    problem: str = ""

    @property
    def offered(self) -> bool:
        """Whether there is an offer that something ran for."""
        return self.level in ("passes", "fixes")


def run(options: Options) -> str:
    """Run every task with both views.

    Raises:
        Unavailable: The tasks are not there, or pytest cannot be installed for them.
    """
    for name in (_FILE, _EXAMPLES_FILE):
        if not (options.data / name).is_file():
            raise Unavailable(f"{options.data / name} is not there; name the folder of the recorded tasks with --data")
    tasks = list(_tasks(options.data))[: _QUICK if options.quick else None]
    results = Results(NAME, Result, options, product_version())
    python = corpus.bare(options.cache)
    for view in _VIEWS:
        missing = [task for task in tasks if results.missing([_key(task, view)])]
        if missing and not results.time_is_up:
            _measure(missing, view, python, results)
    return "\n\n".join(_report(tasks, results))


def _key(task: Task, view: str) -> str:
    return f"{task.id} {view}"


def _tasks(data: Path) -> Iterator[Task]:
    repairs = map(json.loads, (data / _EXAMPLES_FILE).read_text("utf-8").splitlines())
    examples = {fields["entry_point"]: fields["example_test"] for fields in repairs}
    for line in (data / _FILE).read_text("utf-8").splitlines():
        fields = json.loads(line)
        function = fields["entry_point"]
        yield Task(
            fields["id"], function, fields["prompt"], tuple(fields["samples"]), examples.get(function, ""),
            fields["test"],
        )  # fmt: skip


def _measure(tasks: Sequence[Task], view: str, python: Path, results: Results[Result]) -> None:
    """Put the tasks to one server, one after the other, until the time is up."""
    with tempfile.TemporaryDirectory(prefix="bench-samples-") as folder, environment(python) as variables:
        root = Path(folder).resolve()
        with _standin(tasks, root) as (url, key):
            variables |= {"PENNYPROOF_MODEL_BASE_URL": url, "DEEPSEEK_API_KEY": key, **_BUDGET}
            applied: list[Mapping[str, Any]] = []

            def apply_edit(params: Mapping[str, Any]) -> Mapping[str, Any]:
                applied.append(params["edit"])
                return {"applied": True}

            with Session([COMMAND, "serve"], root, variables, {"workspace/applyEdit": apply_edit}) as session:
                session.initialize()
                for number, task in enumerate(tasks, 1):

                    def measure(task: Task = task) -> Result:
                        applied.clear()
                        return _one(session, task, view, root / task.module, python, applied)

                    result = results.get(_key(task, view), measure)
                    if result is None:
                        return
                    said = ("right" if result.right else "wrong") if result.level else "no offer"
                    progress(
                        f"{_key(task, view)}: {said} ({result.level or 'nothing'}), {result.tried} tried, "
                        f"{result.seconds:.1f} s, {len(tasks) - number} to go {result.problem}".rstrip()
                    )


def _one(
    session: Session, task: Task, view: str, root: Path, python: Path, applied: Sequence[Mapping[str, Any]]
) -> Result:
    root.mkdir()
    file = root / f"{task.module}.py"
    file.write_text(task.prompt, "utf-8")
    if view == "test" and task.examples.strip():
        (root / "tests").mkdir()
        (root / "tests" / f"test_{task.module}.py").write_text(_as_test(task), "utf-8")
        (root / "pytest.ini").write_text("[pytest]\npythonpath = .\n", "utf-8")
    workspace = [{"uri": root.as_uri(), "name": root.name}]
    session.notify("workspace/didChangeWorkspaceFolders", {"event": {"added": workspace, "removed": []}})
    line = task.prompt.count("\n", 0, task.prompt.rindex(f"def {task.function}("))
    place = {"line": line, "character": 4}
    started = time.perf_counter()
    try:
        told = session.command(
            "pennyproof.edit",
            {"uri": file.as_uri(), "range": {"start": place, "end": place}, "instruction": ""},
            timeout=_PATIENCE,
        )
    except (RefusedError, TimeoutError) as error:
        return Result(task.id, seconds=time.perf_counter() - started, problem=f"{type(error).__name__}: {error}")
    seconds = time.perf_counter() - started
    session.notify("workspace/didChangeWorkspaceFolders", {"event": {"added": [], "removed": workspace}})
    if applied:
        write_edit(applied[0], root)
    result = Result(
        task=task.id,
        level=told["offers"][0]["verdict"]["level"] if applied else "",
        right=bool(applied) and _passes(file, task, python),
        tried=told["tried"],
        seconds=seconds,
        spent_usd=told["spent_usd"],
    )
    shutil.rmtree(root)
    return result


@contextmanager
def _standin(tasks: Sequence[Task], folder: Path) -> Iterator[tuple[str, str]]:
    """A stand-in process that answers with the samples of the task that is asked about, in their order."""
    replies = (
        *(
            Reply(_answer(task, sample), when=f"{task.module}.py", tokens_per_chunk=16)
            for task in tasks
            for sample in task.samples
        ),
        Reply(_NO_MORE, times=None),
    )
    script = Script(replies, models={"deepseek-flash": 100, "deepseek-v4-pro": 100})
    path = folder / "script.json"
    script.save(path)
    command = [sys.executable, "-m", "tests.standin", "--script", str(path)]
    process = subprocess.Popen(
        command, cwd=Path(__file__).parents[2], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    try:
        assert process.stdout is not None
        yield process.stdout.readline().strip(), script.key
    finally:
        process.terminate()
        process.communicate()


def _answer(task: Task, sample: str) -> str:
    """The sample as a chat model would give it: the whole function in a fence."""
    begun = task.prompt[task.prompt.rindex(f"def {task.function}(") :]
    return f"```python\n{begun}{sample.rstrip()}\n```\n"


def _as_test(task: Task) -> str:
    call = f"check({task.function})"
    body = task.examples.rstrip().removesuffix(call).strip()
    return f"from {task.module} import *\n\n{body}\n\n\ndef test_{task.function}():\n    {call}\n"


def _passes(file: Path, task: Task, python: Path) -> bool:
    """Whether the written function passes the hidden test, run without pytest."""
    grade = file.with_name("grade.py")
    grade.write_text(f"{file.read_text('utf-8')}\n{task.test}\n\ncheck({task.function})\n", "utf-8")
    try:
        done = subprocess.run(
            [str(python), "grade.py"],
            cwd=file.parent,
            check=False,
            capture_output=True,
            timeout=_GRADING_SECONDS,
            env={},
        )
    except subprocess.TimeoutExpired:
        return False
    return done.returncode == 0


def _report(tasks: Sequence[Task], results: Results[Result]) -> Iterator[str]:
    """The tables of what has been measured."""
    views = {view: results.of(_key(task, view) for task in tasks) for view in _VIEWS}
    yield _shares(views)
    yield _times(views)
    for view, found in views.items():
        wrong = [result.task for result in found if result.offered and not result.right]
        yield f"{_VIEWS[view]}: wrong for {', '.join(wrong) or 'none'}"
        yield from (f"{result.task}: {result.problem}" for result in found if result.problem)
    yield results.note(_key(task, view) for task in tasks for view in _VIEWS)


def _shares(views: Mapping[str, Sequence[Result]]) -> str:
    headings = ("what decides", "offered", "solved", "right of what is offered")
    rows: list[tuple[Cell, ...]] = []
    for view, found in views.items():
        for proved in (True, False):
            offers = [result for result in found if result.level and (result.offered or not proved)]
            right = sum(result.right for result in offers)
            label = f"pennyproof.edit, {_VIEWS[view]}" + ("" if proved else ", with offers that nothing ran for")
            rows.append((label, _share(len(offers), len(found)), _share(right, len(found)), _share(right, len(offers))))
    return table(headings, [*rows, *_PUBLISHED])


def _share(part: int, whole: int) -> str:
    return f"{percent(part, whole)}" if not whole else f"{part}/{whole} {100 * part / whole:.1f} %"


def _times(views: Mapping[str, Sequence[Result]]) -> str:
    headings = ("what decides", "tasks", "median s", "p90 s", "median tried", "pretended USD, sum")
    rows: list[tuple[Cell, ...]] = []
    for view, found in views.items():
        seconds = [result.seconds for result in found]
        spent = math.fsum(result.spent_usd for result in found)
        tried = median([result.tried for result in found])
        rows.append((_VIEWS[view], len(found), median(seconds), quantile(seconds, 0.9), tried, spent))
    return table(headings, rows)
