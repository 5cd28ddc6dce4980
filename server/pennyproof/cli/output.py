"""What a person reads on a terminal, and what a program reads instead."""

import json
import os
import shutil
import sys
import threading
from collections.abc import Mapping
from enum import StrEnum
from types import TracebackType
from typing import Self, TextIO

from pennyproof.core.candidates import Tier
from pennyproof.core.verdicts import Level, Verdict

_BAR_WIDTH = 20
_ERASE_LINE = "\r\x1b[2K"


class Style(StrEnum):
    """How a piece of text is set off, as the parameter of the terminal's SGR sequence."""

    BOLD = "1"
    DIM = "2"
    RED = "31"
    GREEN = "32"
    YELLOW = "33"
    CYAN = "36"


def is_colourful(stream: TextIO) -> bool:
    """Whether a stream shows colours: a terminal that can, whose user has not said no (https://no-color.org)."""
    return stream.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"


def styled(text: str, style: Style, stream: TextIO | None = None) -> str:
    """The text set off, where the stream (default: stdout) shows it."""
    return f"\x1b[{style}m{text}\x1b[0m" if is_colourful(stream or sys.stdout) else text


def coloured_diff(diff: str) -> str:
    """A unified diff with its lines coloured as git does."""
    return "\n".join(_coloured_line(line) for line in diff.splitlines())


def _coloured_line(line: str) -> str:
    if line.startswith(("--- ", "+++ ")):
        return styled(line, Style.BOLD)
    styles = {"-": Style.RED, "+": Style.GREEN, "@": Style.CYAN}
    return styled(line, styles[line[0]]) if line[:1] in styles else line


def print_json(document: Mapping[str, object]) -> None:
    """Print the one JSON document that ``--json`` promises."""
    print(json.dumps(document, indent=2, ensure_ascii=False))


def warn(message: str) -> None:
    """Tell the user something that does not stop the work."""
    print(f"pennyproof: {message}", file=sys.stderr)


def count(number: int, noun: str) -> str:
    """``1 test``, ``2 tests``."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def show_gaps(verdict: Verdict) -> None:
    """Print where a verdict's evidence ends: the changed lines that no test runs, and the slips that none notices."""
    if verdict.level == Level.REJECTED:
        return
    for line in verdict.uncovered:
        print(f"  {'not run':<10} {line.path}:{line.line}")
    for slip in verdict.strength.missed if verdict.strength else ():
        print(f"  {'unnoticed':<10} {slip}")


class Bar:
    """Progress as one line on stderr, on a terminal only; gone when the work is done."""

    def __init__(self, stream: TextIO | None = None) -> None:
        self._stream = stream or sys.stderr
        self._shown = self._stream.isatty()
        self._lock = threading.Lock()

    def report(self, message: str, fraction: float | None = None, *, tier: Tier | None = None) -> None:  # noqa: ARG002
        """Show what is being done; ``fraction`` is from 0 to 1 where the end is in sight."""
        if not self._shown:
            return
        bar = ""
        if fraction is not None:
            full = round(min(max(fraction, 0.0), 1.0) * _BAR_WIDTH)
            bar = "█" * full + "░" * (_BAR_WIDTH - full) + " "
        width = shutil.get_terminal_size().columns - 1
        self._write(_ERASE_LINE + f"{bar}{message}"[:width])

    def clear(self) -> None:
        """Take the line away."""
        if self._shown:
            self._write(_ERASE_LINE)

    def _write(self, text: str) -> None:
        with self._lock:
            self._stream.write(text)
            self._stream.flush()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.clear()
