"""Text from anywhere, made safe to stand in markdown."""

import re
from collections.abc import Iterable

_BACKTICKS = re.compile(r"`+")
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f\x85\u2028\u2029]")


def code(text: str) -> str:
    """A code span on one line, whatever backticks and line ends the text has."""
    flat = _visible(text.replace("\r\n", "\n").replace("\n", "⏎")) or " "
    ticks = "`" * (_longest_run(flat) + 1)
    padding = " " if flat[0] == "`" or flat[-1] == "`" else ""
    return f"{ticks}{padding}{flat}{padding}{ticks}"


def cell(text: str) -> str:
    """A code span within a table, where a bar would end the cell even inside code."""
    return code(text).replace("|", "\\|")


def prose(text: str) -> str:
    """A line of plain text whose characters mean nothing to markdown."""
    return re.sub(r"([\\`*_\[\]<>#|~&!])", r"\\\1", _visible(" ".join(text.split())))


def fence(text: str, language: str = "") -> str:
    """A fenced block; the fence is longer than any run of backticks within."""
    ticks = "`" * max(3, _longest_run(text) + 1)
    return f"{ticks}{language}\n{_visible(text.rstrip())}\n{ticks}"


def table(header: tuple[str, str], rows: Iterable[tuple[str, str]]) -> str:
    """A table of two columns whose cells are markdown already."""
    return "\n".join(f"| {left} | {right} |" for left, right in (header, ("---", "---"), *rows))


def _longest_run(text: str) -> int:
    return max((len(run) for run in _BACKTICKS.findall(text)), default=0)


def _visible(text: str) -> str:
    """The text with control characters shown rather than obeyed; tabs and line feeds stay."""
    return _CONTROL.sub(lambda match: f"\\x{ord(match[0]):02x}", text.replace("\r\n", "\n"))
