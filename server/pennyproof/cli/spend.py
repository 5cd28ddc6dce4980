"""``pennyproof spend``: what hosted models have cost."""

import argparse
import os
from collections.abc import Sequence
from pathlib import Path

from pennyproof.assist.spending import HEADINGS, LEFT_ALIGNED, Spending, spending
from pennyproof.cli.output import Style, print_json, styled, warn
from pennyproof.settings import load


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of ``spend``."""
    parser.add_argument("--json", action="store_true", help="print one JSON document")


def run(options: argparse.Namespace) -> int:
    """Print the ledger, which is the same for all projects; the current folder need not be one."""
    loaded = load(Path(), environ=os.environ)
    for warning in loaded.warnings:
        warn(warning)
    found = spending(loaded.settings, os.environ)
    if options.json:
        print_json(found.as_json())
    else:
        _show(found)
    return 0


def _show(found: Spending) -> None:
    if found.rows:
        *rows, total = _aligned([HEADINGS, *found.table()])
        print(styled(rows[0], Style.BOLD), *rows[1:], styled(total, Style.BOLD), "", sep="\n")
        for note in found.notes():
            print(note)
    else:
        print("No model was called yet.")
    print(found.today, *filter(None, [found.taken]), sep="\n")


def _aligned(table: Sequence[Sequence[str]]) -> list[str]:
    widths = [max(map(len, column)) for column in zip(*table, strict=True)]
    return [
        "  ".join(
            cell.ljust(width) if column < LEFT_ALIGNED else cell.rjust(width)
            for column, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in table
    ]
