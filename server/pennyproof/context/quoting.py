"""Text of the user's project, set off in a prompt so that it cannot be taken for the prompt itself."""

import re

_TICKS = re.compile(r"`{3,}")


def quoted(text: str, language: str = "python") -> str:
    """The text in a fence that is longer than any within."""
    ticks = "`" * max([3, *(len(run) + 1 for run in _TICKS.findall(text))])
    end = "" if text.endswith("\n") or not text else "\n"
    return f"{ticks}{language}\n{text}{end}{ticks}"


def excerpt(text: str, first: int, last: int, *, head: int) -> str:
    """Some lines (from one) of a long text and those at its beginning, as fences that name them."""
    lines = text.splitlines()
    first, last = max(first, 1), min(last, len(lines))
    parts = []
    if first > head + 1:
        parts.append(f"Lines 1 to {head}:\n\n{quoted(chr(10).join(lines[:head]))}")
    else:
        first = 1
    parts.append(f"Lines {first} to {last}:\n\n{quoted(chr(10).join(lines[first - 1 : last]))}")
    return "\n\n".join(parts)
