"""``pennyproof demo``: a short real session on a copy of the bundled sample project.

Nothing here knows the bugs. An editor without a screen starts the real server, runs the tests, asks for fixes of what
fails, makes the edits that come back, and runs the tests again. Where there is a key, the model has its part in it.
"""

import argparse
import hashlib
import os
import shutil
import sys
import tempfile
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pennyproof.cli.demo_client import AppliedEdit, Editor, ServerError
from pennyproof.cli.demo_model import DemoModel, find_model, share_ledger
from pennyproof.cli.output import Bar, Style, coloured_diff, count, styled
from pennyproof.core.candidates import FileChange
from pennyproof.core.diffs import write as write_diff
from pennyproof.core.sources import Source
from pennyproof.errors import NoSandbox
from pennyproof.proof.sandbox import find_sandbox

SAMPLE = Path(__file__).with_name("sample")

_EXPLANATION_LINES = 45
_INDENT = " " * 21

_UNWRITTEN = (
    "bookshop/money.py",
    '''

def in_words(cents: int) -> str:
    """Write an amount as cheques have it.

    >>> in_words(1250)
    '12 and 50/100'
    >>> in_words(-5)
    'minus 0 and 05/100'
    """
''',
)
"""What the user leaves for the model to write, and where."""


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of ``demo``."""
    parser.add_argument("--sample", type=Path, default=SAMPLE, help=argparse.SUPPRESS)


def run(options: argparse.Namespace) -> int:
    """Play the session; 0 when all tests pass in the end and the sample itself is as it was."""
    before = _digest(options.sample)
    with tempfile.TemporaryDirectory(prefix="pennyproof-demo-") as folder, Bar() as bar:
        timeline = Timeline(bar)
        # Links resolved, so that the paths in the server's answers are the ones that the editor knows.
        home = Path(folder).resolve()
        model = find_model()
        played = _session(options.sample, home, timeline, model)
    outcome = f"after {count(played.edits, 'edit')} and {timeline.seconds:.1f} s"
    if model:
        outcome += f", for {played.spent_usd:.4f} USD"
    if played.failing:
        print(styled(f"\n{count(played.failing, 'test')} still failing {outcome}", Style.RED))
        return 1
    if _digest(options.sample) != before:
        print(styled(f"\nThe sample project itself was changed {outcome}", Style.RED))
        return 1
    proved = "every edit was proved before it was made"
    if timeline.unproved:
        proved = f"{count(timeline.unproved, 'edit')} could not be proved, as no test runs what was written"
    print(styled(f"\nAll tests pass {outcome}; {proved}", Style.GREEN))
    return 0


@dataclass(frozen=True, slots=True)
class _Played:
    """How a session went."""

    edits: int
    failing: int
    """Tests that fail in the end."""
    spent_usd: float


def _session(sample: Path, home: Path, timeline: "Timeline", model: DemoModel | None) -> _Played:
    """One editor, from start to end, on a copy in ``home``."""
    root = home / "bookshop"
    shutil.copytree(sample, root, ignore=shutil.ignore_patterns("__pycache__", ".*"))
    with_what = f"{model.name} where the free tier does not do" if model else "no key, no network"
    print(styled(f"A session with the real server: {with_what}, nothing prepared", Style.BOLD))
    print(f"on a copy of the sample project in {root}\n")
    if model:
        share_ledger(home / "state")
    settings = {
        **(model.settings if model else {}),
        "proof": {"sandbox": _sandbox(timeline)},
        # The sample needs nothing but pytest, which is installed beside Pennyproof.
        "tests": {"python": sys.executable, "onSave": "off"},
    }
    command = [sys.executable, "-m", "pennyproof", "serve"]
    timeline.add("editor", "starts `pennyproof serve`")
    with Editor(
        command,
        root,
        {**_environment(home), **(model.keys if model else {})},
        home / "server.log",
        answer=timeline.answer,
        on_progress=timeline.progress,
    ) as editor:
        failing = _play(editor, timeline, settings)
        if model and (root / _UNWRITTEN[0]).exists():
            _implement(editor, timeline)
            failing = _run_tests(editor, timeline)
    timeline.add("editor", "has shut the server down")
    if model:
        timeline.add("spent", f"{timeline.spent_usd:.4f} USD; `pennyproof spend` shows your ledger")
    return _Played(len(editor.edits), len(failing), timeline.spent_usd)


class Timeline:
    """What happened, and when, in seconds since the start."""

    def __init__(self, bar: Bar) -> None:
        self._bar = bar
        self._start = time.monotonic()
        self.spent_usd = 0.0
        self.unproved = 0

    @property
    def seconds(self) -> float:
        """Seconds since the start."""
        return time.monotonic() - self._start

    def add(self, what: str, text: str, details: Iterable[str] = ()) -> None:
        """Print one event."""
        self._bar.clear()
        print(f"{styled(f'{self.seconds:6.1f} s', Style.DIM)}  {styled(f'{what:<9}', Style.CYAN)}  {text}")
        for line in details:
            print(f"{_INDENT}{line}".rstrip())
        sys.stdout.flush()

    def pay(self, result: Mapping[str, Any], origin: Mapping[str, Any] | None, cost_usd: float | None) -> None:
        """Count what an action cost, and show what of it a model wrote.

        Args:
            result: The action's.
            origin: Where its answer comes from; ``None``: from facts alone.
            cost_usd: What that answer cost; ``None`` where nobody knows.
        """
        self.spent_usd += result.get("spent_usd") or 0.0
        if origin and origin["model"]:
            cost = "at an unknown price" if cost_usd is None else f"for {cost_usd:.4f} USD"
            self.add("model", styled(f"written by {origin['model']}, the {origin['tier']} tier, {cost}", Style.YELLOW))

    def progress(self, message: str) -> None:
        """Show what the server is doing, where that can be taken away again."""
        self._bar.report(message)

    def answer(self, question: str, actions: Sequence[str]) -> str:
        """Agree, as a user would who knows the project, and show it."""
        self.add("question", question, [f"→ {actions[0]}"])
        return actions[0]


def _sandbox(timeline: Timeline) -> str:
    """The sandbox for the session. The sample is our own code, so where there is none it runs without."""
    try:
        kind = find_sandbox().kind
    except NoSandbox as error:
        timeline.add("sandbox", "none here, so the bundled project runs without one", [str(error)])
        return "off"
    timeline.add("sandbox", f"tests run in {kind}")
    return kind


def _environment(home: Path) -> Mapping[str, str]:
    """This process's environment without keys and settings, so that every session starts alike."""
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith("PENNYPROOF_") and not name.endswith("_API_KEY")
    }
    return {**kept, "PENNYPROOF_HOME": str(home / "state")}


def _play(editor: Editor, timeline: Timeline, settings: Mapping[str, Any]) -> list[str]:
    """What the user does; returns the tests that fail in the end."""
    info = editor.start(settings)["serverInfo"]
    timeline.add("server", f"{info['name']} {info['version']} is ready")
    for path in sorted(editor.root.rglob("*.py")):
        editor.open(path.relative_to(editor.root).as_posix())
    failing = _run_tests(editor, timeline)
    _show_diagnostics(editor, timeline)
    if failing:
        _explain(editor, timeline, failing[0])
    hopeless: set[str] = set()
    while todo := [test for test in failing if test not in hopeless]:
        if _debug(editor, timeline, todo[0]):
            failing = _run_tests(editor, timeline)
            hopeless.clear()  # An edit may have changed what the others fail for.
        else:
            hopeless.add(todo[0])
    return failing


def _run_tests(editor: Editor, timeline: Timeline) -> list[str]:
    """Run all tests and return those that fail."""
    result = editor.command("pennyproof.runTests", {})
    failing = [test["id"] for test in result["failed"]]
    style = Style.RED if failing else Style.GREEN
    outcome = f"{result['passed']} passed" + (f", {len(failing)} failed" if failing else "")
    timeline.add("tests", f"{styled(outcome, style)} in {result['seconds']:.2f} s")
    return failing


def _show_diagnostics(editor: Editor, timeline: Timeline) -> None:
    lines = [
        f"{path}:{diagnostic['range']['start']['line'] + 1}  {diagnostic['message'].splitlines()[0]}"
        for path, diagnostics in sorted(editor.diagnostics.items())
        for diagnostic in diagnostics
    ]
    timeline.add("squiggles", f"the editor shows {count(len(lines), 'diagnostic')}", lines)


def _explain(editor: Editor, timeline: Timeline, test: str) -> None:
    result = editor.command("pennyproof.explain", {"uri": _uri(editor, test), "testId": test, "show": False})
    lines = result["markdown"].splitlines()
    more = [f"… {len(lines) - _EXPLANATION_LINES} more lines"] if len(lines) > _EXPLANATION_LINES else []
    timeline.add("explain", test, [*lines[:_EXPLANATION_LINES], *more])
    timeline.pay(result, result["origin"], result["spent_usd"])


def _debug(editor: Editor, timeline: Timeline, test: str) -> bool:
    """Ask for a fix of one test; whether an edit was made."""
    timeline.add("debug", test)
    known = len(editor.edits)
    result = editor.command("pennyproof.debug", {"uri": _uri(editor, test), "testId": test})
    _show_edits(editor, timeline, known, result)
    if len(editor.edits) == known:
        timeline.add("debug", styled(f"no fix that holds among {result['tried']} candidates", Style.YELLOW))
    return len(editor.edits) > known


def _implement(editor: Editor, timeline: Timeline) -> None:
    """Write a function's docstring, and ask for the rest."""
    path, stub = _UNWRITTEN
    text = editor.text(path)
    editor.write(path, text + stub)
    timeline.add("types", path, stub.strip().splitlines())
    place = {"line": text.count("\n") + 2, "character": 0}
    known = len(editor.edits)
    try:
        result = editor.command("pennyproof.edit", {"uri": editor.uri(path), "range": {"start": place, "end": place}})
    except ServerError as error:
        timeline.add("edit", styled(f"nothing was written: {error}", Style.YELLOW))
        return
    _show_edits(editor, timeline, known, result)
    if len(editor.edits) == known:
        timeline.add("edit", styled(f"nothing was written: {result['reason']}", Style.YELLOW))


def _show_edits(editor: Editor, timeline: Timeline, known: int, result: Mapping[str, Any]) -> None:
    """Show the edits since the first ``known`` ones, who wrote the best offer, which is the one that is applied, and
    what it cost."""
    applied = editor.edits[known:]
    for edit in applied:
        timeline.add("edit", styled(edit.label, Style.GREEN), coloured_diff(_as_diff(edit)).splitlines())
    best: Mapping[str, Any] = result["offers"][0] if applied else {"origin": None, "cost_usd": None}
    if applied and best["verdict"]["level"] not in {"passes", "fixes"}:
        timeline.unproved += len(applied)
    timeline.pay(result, best["origin"], best["cost_usd"])


def _uri(editor: Editor, test: str) -> str:
    return editor.uri(test.partition("::")[0])


def _as_diff(edit: AppliedEdit) -> str:
    changes = [FileChange(path, Source(before), Source(after)) for path, (before, after) in edit.files.items()]
    return write_diff(changes)


def _digest(folder: Path) -> str:
    """A digest of all files, to see that a folder is as it was."""
    digest = hashlib.sha256()
    for path in sorted(folder.rglob("*")):
        if path.is_file() and "__pycache__" not in path.parts:
            digest.update(path.relative_to(folder).as_posix().encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()
