"""``pennyproof complete``: what belongs at a place in a file."""

import argparse
import re
from pathlib import Path

from pennyproof.assist.complete import Completion, Place
from pennyproof.assist.report import JsonObject, completion_json
from pennyproof.cli.output import print_json, warn
from pennyproof.cli.root import Session, add_root, session
from pennyproof.core.positions import LineIndex
from pennyproof.core.snapshots import Snapshot
from pennyproof.core.work import Deadline
from pennyproof.errors import UsageError

_PLACE = re.compile(r"(?P<file>.+):(?P<line>[0-9]+):(?P<column>[0-9]+)")
_PATIENCE = 30.0
"""Seconds; whoever asks on a terminal waits longer than whoever types."""


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of ``complete``."""
    parser.add_argument(
        "place", metavar="FILE:LINE:COLUMN", help="the cursor: a line and a column in characters, both from one"
    )
    add_root(parser)
    parser.add_argument("--offline", action="store_true", help="ask no model")
    parser.add_argument("--json", action="store_true", help="print one JSON document")


def run(options: argparse.Namespace) -> int:
    """Print the completion. No code of the project runs."""
    with session(options.root, runs_code=False) as opened:
        place = _place(opened.project.snapshot(), options.place)
        completion, spent_usd = (None, 0.0) if options.offline else _ask(opened, place)
    if options.json:
        print_json(_document(place, completion, spent_usd))
    elif completion is not None:
        print(completion.text)
    if options.offline:
        warn("without a model nothing can be completed; leave --offline out to ask one")
    elif completion is None:
        warn("no completion was found")
    elif completion.problem:
        warn(completion.problem)
    return 0 if completion else 1


def _ask(opened: Session, place: Place) -> tuple[Completion | None, float]:
    spending = opened.project.begin_completion()
    completion = opened.project.complete(place, spending, deadline=Deadline(_PATIENCE), cancel=opened.cancel)
    return completion, spending.spent_usd


def _document(place: Place, completion: Completion | None, spent_usd: float) -> JsonObject:
    return {"items": [completion_json(place, completion)] if completion else [], "spent_usd": spent_usd}


def _place(snapshot: Snapshot, text: str) -> Place:
    found = _PLACE.fullmatch(text)
    if found is None:
        raise UsageError(f"{text!r} is not FILE:LINE:COLUMN")
    file = Path(found["file"])
    # What a shell completes is relative to the current folder; what tools print is relative to the root.
    path = snapshot.relative(file.resolve() if file.exists() else file)
    source = snapshot.read(path)
    if source is None:
        raise UsageError(f"{path}: no such file in {snapshot.root}")
    index, line, column = LineIndex(source.text), int(found["line"]), int(found["column"])
    if not 1 <= line <= len(index):
        raise UsageError(f"{path} has lines 1 to {len(index)}; {line} is not among them")
    columns = len(index.line(line - 1)) + 1
    if not 1 <= column <= columns:
        raise UsageError(f"line {line} of {path} has columns 1 to {columns}; {column} is not among them")
    return Place(path, index, index.starts[line - 1] + column - 1)
