"""Completions before the gates: files are half-written while somebody types, and gates want them whole."""

import keyword
import re
from collections.abc import Iterator
from concurrent.futures import Executor

from pennyproof.assist.complete.place import Place
from pennyproof.assist.ports import StaticGates
from pennyproof.core.verdicts import Level, Verdict

_NAME = re.compile(r"[^\W\d]\w*")
_PYTHON = (".py", ".pyi")
_UNCHECKED = Verdict(Level.UNCHECKED, reason="unchecked: only Python is checked")


class Judge:
    """Judges completions of one place; what can be done beforehand is done while the model writes.

    Args:
        gates: The gates; ``None`` where completions are not checked.
        place: Where the cursor is.
        ahead: Does what can be done beforehand.
    """

    def __init__(self, gates: StaticGates | None, place: Place, ahead: Executor) -> None:
        self._gates = gates if place.path.endswith(_PYTHON) else None
        self._place = place
        self._before = ahead.submit(self._prepare)

    def verdict(self, text: str) -> Verdict:
        """What the gates find about a text at the cursor.

        Raises:
            EnvironmentProblem: They cannot be asked.
        """
        before = self._before.result()
        if self._gates is None or before is None:
            return _UNCHECKED
        place = self._place
        end = place.offset + len(text)
        return self._gates.check(place.path, before, _closed(place.with_text(text), end), place.offset, end)

    def _prepare(self) -> str | None:
        if self._gates is None:
            return None
        return self._gates.prepare(self._place.path, list(_without_edit(self._place)))


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
