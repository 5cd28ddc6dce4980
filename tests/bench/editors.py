"""Keystroke to ghost text in the editors themselves, with a stand-in of no delay for the model.

Of the time that passes, the editor waits some on purpose before it asks, and the server takes some, which a clock
beside it sees; what is left is the client's.
"""

import importlib
import shutil
import sys
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import cast

import pennyproof.settings
from tests.bench import Options, product
from tests.bench.tables import Cell, median, quantile, table
from tests.editors.installing import programs
from tests.editors.latency import Sample
from tests.standin import Reply, Script
from tests.standin.process import standin_process

NAME = "editors"
ABOUT = "keystroke to ghost text in the editors: what the client adds to the server's time"

Measure = Callable[[Sequence[str], Path, Path, dict[str, str], int], list[Sample]]


@dataclass(frozen=True, slots=True)
class _Editor:
    """One that shows ghost text."""

    name: str
    program: str
    module: str
    """Has ``measure`` and ``DEBOUNCE``, as ``tests/editors/neovim/latency.py``."""


EDITORS = (
    _Editor("Neovim", "nvim", "tests.editors.neovim.latency"),
    _Editor("VS Code", "code-server", "tests.editors.vscode.latency"),
)


def run(options: Options) -> str:
    """Measure each editor that is installed."""
    rounds = 10 if options.quick else 100
    headings = ("ms", "rounds", "", "in all", "debounce", "the server", "the client adds")
    rows: list[Sequence[Cell]] = []
    for editor in EDITORS:
        if shutil.which(editor.program, path=str(programs())) is None:
            rows.append((f"{editor.name}: not installed; `make editors`", 0, "", None, None, None, None))
            continue
        rows += _measured(editor, rounds)
    return table(headings, rows)


def _measured(editor: _Editor, rounds: int) -> list[Sequence[Cell]]:
    module = importlib.import_module(editor.module)
    debounce, measure = 1000 * module.DEBOUNCE, cast("Measure", module.measure)
    with (
        tempfile.TemporaryDirectory(prefix="bench-editors-") as made,
        product.environment(Path(sys.executable)) as environment,
    ):
        folder = Path(made).resolve()
        file, log = folder / "project" / "typed.py", folder / "clock"
        file.parent.mkdir()
        file.write_text(Path(pennyproof.settings.__file__).read_text("utf-8") + "\n", "utf-8")
        with standin_process(Script((Reply("len(str(1)) + 1", times=None),)), folder) as model:
            environ = environment | {
                "PATH": f"{programs()}:{environment['PATH']}",
                "PYTHONPATH": str(Path(__file__).parents[2]),
                "PENNYPROOF_MODEL_BASE_URL": model.url,
                "DEEPSEEK_API_KEY": model.key,
                "PENNYPROOF_BUDGET_DAILY_USD": "1000",
            }
            server = (sys.executable, "-m", "tests.bench.tap", str(log), product.COMMAND, "serve")
            samples = measure(server, log, file, environ, rounds)
    totals, servers = [1000 * sample.whole for sample in samples], [1000 * sample.server for sample in samples]
    added = [total - debounce - own for total, own in zip(totals, servers, strict=True)]
    name = editor.name
    return [
        (name, len(totals), "median", median(totals), debounce, median(servers), median(added)),
        (name, len(totals), "p95", quantile(totals, 0.95), debounce, quantile(servers, 0.95), quantile(added, 0.95)),
    ]
