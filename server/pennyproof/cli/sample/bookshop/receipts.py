"""Receipts as plain text, for a narrow printer."""

from bookshop import money
from bookshop.orders import Order

WIDTH = 32


def shorten(text: str, width: int) -> str:
    """Cut a text to a width, with dots at the end where something is missing."""
    if len(text) <= width:
        return text
    return text[: width - 2] + "..."


def columns(left: str, right: str, width: int = WIDTH) -> str:
    """One text at the left edge, one at the right, a space or more between them."""
    left = shorten(left, width - len(right) - 1)
    return left + right.rjust(width - len(left))


def wrap(text: str, width: int = WIDTH) -> list[str]:
    """Break a text between words into lines of a width at most."""
    lines: list[str] = []
    line = ""
    for word in text.split():
        longer = f"{line} {word}" if line else word
        if len(longer) <= width:
            line = longer
        else:
            lines.append(line)
            line = word
    if line:
        lines.append(line)
    return lines


def receipt(order: Order, remark: str = "") -> str:
    """The whole receipt of an order."""
    rows = [columns(order.customer, f"{order.placed:%d.%m.%Y}"), "=" * WIDTH]
    for line in order.lines:
        rows.append(columns(f"{line.copies} x {line.title}", money.show(line.net)))
    rows += [
        "-" * WIDTH,
        columns("net", money.show(order.net)),
        columns("tax", money.show(order.tax)),
        columns("shipping", money.show(order.shipping)),
        columns("total", money.show(order.total())),
    ]
    if remark:
        rows += ["", *wrap(remark)]
    return "\n".join(rows)
