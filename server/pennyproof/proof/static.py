"""The gates that need no run, for what is shown while somebody types.

Ruff looks at the whole edited file within about two milliseconds, in a process of its own; Python's parser would take
ten, and would keep everything else here waiting meanwhile. Only where it objects is the file looked at as it was.
"""

import sys
import time
from collections import Counter
from collections.abc import Sequence

from pennyproof.core.verdicts import Gate, Level, Verdict, rejected
from pennyproof.proof.lint import UNRESOLVED, Finding, Linter

_SYNTAX = "invalid-syntax"


class StaticGates:
    """Judges edits of single Python files by their text alone. Thread-safe."""

    def __init__(self) -> None:
        # The project's own interpreter cannot be asked without trust; the newest grammar objects least.
        self._linter = Linter((sys.version_info[0], sys.maxsize))

    def warm(self) -> None:
        """Begin to start what judging takes, in the background."""
        self._linter.start()

    def check(self, path: str, before: Sequence[str], after: str) -> Verdict:
        """Judge an edit.

        Args:
            path: The file, relative to the root.
            before: What the file may be taken for without the edit; half-written lines differ in them.
            after: The file with the edit.

        Returns:
            A rejection for what is wrong with the edit and was not wrong before; else ``parses``, or ``unchecked``
            where the file does not parse for another reason.

        Raises:
            EnvironmentProblem: Ruff cannot be asked.
        """
        began = time.perf_counter()
        return self._judge(path, before, after).taking(time.perf_counter() - began)

    def close(self) -> None:
        """End what was started."""
        self._linter.close()

    def _judge(self, path: str, before: Sequence[str], after: str) -> Verdict:
        if "\0" in after and "\0" not in before[0]:
            return rejected(Gate.PARSES, f"{path}: a null character, which ruff passes over and Python does not")
        found = self._linter.findings(path, after)
        if found:
            known = min((self._linter.findings(path, text) for text in before), key=_errors)
            new = _new(found, known)
            if new is not None:
                return rejected(_gate(new), f"{path}:{new.line}: {new.message} ({new.code})")
        if _errors(found):
            return Verdict(Level.UNCHECKED, reason="unchecked: the file does not parse as it stands")
        return Verdict(Level.PARSES, reason="parses; no test was run")


def _errors(findings: Sequence[Finding]) -> int:
    return sum(finding.code == _SYNTAX for finding in findings)


def _new(found: Sequence[Finding], known: Sequence[Finding]) -> Finding | None:
    """The first finding that was not there before. A name that is not resolved is known however often it is used."""
    counts = Counter(map(_key, known))
    for finding in found:
        if counts[_key(finding)] == 0:
            return finding
        counts[_key(finding)] -= finding.code != UNRESOLVED
    return None


def _key(finding: Finding) -> tuple[str, str]:
    return finding.code, finding.message


def _gate(finding: Finding) -> Gate:
    return {_SYNTAX: Gate.PARSES, UNRESOLVED: Gate.NAMES}.get(finding.code, Gate.LINT)
