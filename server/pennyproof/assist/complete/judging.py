"""Completions before the gates: files are half-written while somebody types, and gates want them whole."""

import keyword
import re
from collections.abc import Iterator

from pennyproof.assist.complete.place import Place
from pennyproof.assist.ports import StaticGates
from pennyproof.core.verdicts import Level, Verdict

_NAME = re.compile(r"[^\W\d]\w*")
_PYTHON = (".py", ".pyi")
_UNCHECKED = Verdict(Level.UNCHECKED, reason="unchecked")


def judge(gates: StaticGates | None, place: Place, text: str) -> Verdict:
    """What the gates find about a text at the cursor.

    Args:
        gates: ``None`` where completions are not checked.
        place: Where the cursor is.
        text: What would be put in there.

    Raises:
        EnvironmentProblem: The gates cannot be asked.
    """
    if gates is None or not place.path.endswith(_PYTHON):
        return _UNCHECKED
    after = _closed(place.with_text(text), place.offset + len(text))
    return gates.check(place.path, tuple(_without_edit(place)), after)


def _without_edit(place: Place) -> Iterator[str]:
    """The file as it may be meant without the edit: as it is, or with something whole for the cursor's line.

    That mentions the names of the line, so that none of them counts as new.
    """
    yield place.text
    line = place.before + place.after
    indent = line[: len(line) - len(line.lstrip())]
    names = [name for name in dict.fromkeys(_NAME.findall(line)) if not keyword.iskeyword(name)]
    whole = f"({', '.join(names)},)" if names else "0"
    start = place.index.starts[place.line]
    for instead in (whole, f"if {whole}:"):
        yield place.text[:start] + indent + instead + place.text[start + len(line) :]


def _closed(text: str, end: int) -> str:
    """The file with a body for the line on which a completion ends, where that is the head of a block without one."""
    line_start = max(text.rfind("\n", 0, end), text.rfind("\r", 0, end)) + 1
    line_end = re.compile(r"[\r\n]|\Z").search(text, end)
    stop = line_end.start() if line_end else len(text)
    line = text[line_start:stop]
    if not line.partition("#")[0].rstrip().endswith(":"):
        return text
    indent = line[: len(line) - len(line.lstrip())]
    below = next((other for other in text[stop:].splitlines() if other.strip()), "")
    if below.startswith(indent) and below[len(indent) : len(indent) + 1].isspace():
        return text
    rest = f"\n{indent}finally: pass" if line.strip().startswith("try:") else ""
    return f"{text[:line_start]}{line.partition('#')[0].rstrip()} pass{rest}{text[stop:]}"
