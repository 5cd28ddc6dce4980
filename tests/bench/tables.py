"""Tables as markdown, their columns aligned for a terminal."""

import statistics
from collections.abc import Sequence

Cell = str | int | float | bool | None


def table(headings: Sequence[str], rows: Sequence[Sequence[Cell]]) -> str:
    """A markdown table: words to the left, numbers to the right."""
    texts = [[_text(cell) for cell in row] for row in rows]
    widths = [max(len(cell) for cell in column) for column in zip(headings, *texts, strict=True)]
    numeric = [all(not isinstance(row[index], str) for row in rows) for index in range(len(headings))]

    def line(cells: Sequence[str]) -> str:
        padded = (
            cell.rjust(width) if right else cell.ljust(width)
            for cell, width, right in zip(cells, widths, numeric, strict=True)
        )
        return f"| {' | '.join(padded)} |"

    rule = [("-" * (width - 1) + ":") if right else "-" * width for width, right in zip(widths, numeric, strict=True)]
    return "\n".join([line(headings), line(rule), *map(line, texts)])


def percent(part: int, whole: int) -> str:
    """A share as ``7/12 58 %``."""
    return f"{part}/{whole} {100 * part / whole:.0f} %" if whole else "0/0"


def quantile(values: Sequence[float], share: float) -> float | None:
    """The value below which ``share`` of the values lie, or ``None`` of nothing."""
    ordered = sorted(values)
    return ordered[min(int(share * len(ordered)), len(ordered) - 1)] if ordered else None


def median(values: Sequence[float]) -> float | None:
    """The median, or ``None`` of nothing."""
    return statistics.median(values) if values else None


def _text(cell: Cell) -> str:
    match cell:
        case None:
            return "–"
        case bool():
            return "yes" if cell else "no"
        case float():
            return f"{cell:.3g}" if abs(cell) < 10 else f"{cell:.0f}"
        case _:
            return str(cell)
