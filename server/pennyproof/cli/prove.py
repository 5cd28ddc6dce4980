"""``pennyproof prove``: check a unified diff."""

import argparse
import sys
from pathlib import Path

from pennyproof.assist.report import prove_json
from pennyproof.assist.strength import MEASURING_SECONDS
from pennyproof.cli.output import Bar, Style, print_json, show_gaps, styled
from pennyproof.cli.root import add_root, session
from pennyproof.core.verdicts import Level, Verdict
from pennyproof.errors import UsageError


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of ``prove``."""
    parser.add_argument("--diff", required=True, metavar="FILE|-", help="the unified diff; - reads it from stdin")
    parser.add_argument("--tests", nargs="+", metavar="ID", help="run these tests only, as pytest names them")
    add_root(parser)
    parser.add_argument("--json", action="store_true", help="print one JSON document")


def run(options: argparse.Namespace) -> int:
    """Take the diff through the gates; 0 when tests that run the changed lines pass and none newly fails."""
    diff = _read(options.diff)
    with session(options.root) as opened, Bar() as bar:
        project = opened.project
        verdict = project.prove(
            project.snapshot(),
            diff,
            options.tests,
            cancel=opened.cancel,
            progress=bar,
            measuring=MEASURING_SECONDS,
        )
    if options.json:
        print_json(prove_json(verdict))
    else:
        _show(verdict)
    return 0 if verdict.level >= Level.PASSES else 1


def _read(name: str) -> str:
    """The diff's text; it holds lines of sources, which may be in an older encoding than UTF-8."""
    try:
        data = sys.stdin.buffer.read() if name == "-" else Path(name).read_bytes()
    except OSError as error:
        raise UsageError(f"cannot read the diff {name}: {error.strerror}") from error
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        return data.decode("latin-1")


def _show(verdict: Verdict) -> None:
    style = Style.GREEN if verdict.level >= Level.PASSES else Style.RED
    word, evidence = verdict.level.word, verdict.evidence()
    print(styled(evidence if evidence.startswith(word) else f"{word}: {evidence}", style))
    messages = {test.id: test.message.strip().partition("\n")[0] for test in verdict.failed}
    told = {"fixed": verdict.fixed, "remaining": verdict.remaining, "broken": verdict.broken, "flaky": verdict.flaky}
    for what, tests in told.items():
        for test in tests:
            print(f"  {what:<10} {test}  {messages.get(test, '')}".rstrip())
    show_gaps(verdict)
