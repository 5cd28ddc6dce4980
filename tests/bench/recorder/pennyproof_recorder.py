"""A pytest plugin, loaded by ``-p`` into plain runs: what each test did, one JSON object per line."""

import json
import os
from pathlib import Path

import pytest

_FILE = Path(os.environ["PENNYPROOF_RECORD"])


def _write(**entry: str) -> None:
    with _FILE.open("a", encoding="utf-8") as stream:
        stream.write(json.dumps(entry) + "\n")


def pytest_collectreport(report: pytest.CollectReport) -> None:
    if report.failed:
        _write(error=report.nodeid, message=str(report.longrepr)[-2000:])


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    if hasattr(report, "wasxfail"):
        outcome = "xfailed" if report.skipped else "xpassed"
    elif report.when != "call" and report.failed:
        outcome = "error"
    elif report.when == "call" or report.skipped:
        outcome = report.outcome
    else:
        return
    crash = getattr(report.longrepr, "reprcrash", None)
    _write(id=report.nodeid, outcome=outcome, message=crash.message if crash else "", when=report.when)
