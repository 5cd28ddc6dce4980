"""``pennyproof explain``: some lines or a failing test explained as markdown, by facts and by a model."""

import argparse
import os
import re
from pathlib import Path

from pennyproof.assist.explain import FailingTest, Selection, Subject
from pennyproof.assist.explain.language import locale_of
from pennyproof.assist.report import explanation_json
from pennyproof.cli.output import Bar, print_json
from pennyproof.cli.root import add_root, session
from pennyproof.core.positions import LineIndex
from pennyproof.core.snapshots import Snapshot
from pennyproof.errors import UsageError

_PLACE = re.compile(r"(?P<file>.+?):(?P<first>[0-9]+)(?:-(?P<last>[0-9]+))?")


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of ``explain``."""
    parser.add_argument(
        "subject", metavar="FILE:LINE[-LINE]|TEST_ID", help="lines of a file, from one, or a test as pytest names it"
    )
    add_root(parser)
    parser.add_argument("--offline", action="store_true", help="use facts only, whatever else is configured")
    parser.add_argument("--json", action="store_true", help="print one JSON document")


def run(options: argparse.Namespace) -> int:
    """Print the explanation. Only that of a test runs anything."""
    place = _PLACE.fullmatch(options.subject)
    if place is None and "::" not in options.subject:
        raise UsageError(
            f"{options.subject!r} is neither FILE:LINE, FILE:LINE-LINE nor a test id such as tests/test_a.py::test_x"
        )
    with session(options.root, runs_code=place is None) as opened, Bar() as bar:
        snapshot = opened.project.snapshot()
        subject = _selection(snapshot, place) if place else FailingTest(options.subject)
        explanation = opened.project.explain(
            snapshot,
            subject,
            cancel=opened.cancel,
            progress=bar,
            offline=options.offline,
            locale=locale_of(os.environ),
        )
    if options.json:
        print_json(explanation_json(explanation))
    else:
        print(explanation.markdown.rstrip("\n"))
    return 0


def _selection(snapshot: Snapshot, place: re.Match[str]) -> Subject:
    file = Path(place["file"])
    # What a shell completes is relative to the current folder; what tools print is relative to the root.
    path = snapshot.relative(file.resolve() if file.exists() else file)
    source = snapshot.read(path)
    if source is None:
        raise UsageError(f"{path}: no such file in {snapshot.root}")
    first, last = int(place["first"]), int(place["last"] or place["first"])
    lines = len(LineIndex(source.text))
    if not 1 <= first <= last <= lines:
        raise UsageError(f"{path} has lines 1 to {lines}; {place['first']}-{last} are not among them")
    return Selection(path, first, last)
