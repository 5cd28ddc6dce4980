"""The gates ``parses`` and ``names`` alone, for what is shown while somebody types: nothing is run."""

import sys
import time
from collections.abc import Sequence

from pennyproof.core.verdicts import Gate, Level, Verdict, rejected
from pennyproof.proof.lint import Linter
from pennyproof.proof.names import new_unresolved_name
from pennyproof.proof.syntax import narrowed, parse

_ONLY_AST, _DONT_IMPLY_DEDENT, _ALLOW_INCOMPLETE = 0x400, 0x200, 0x4000
"""Flags of ``compile``, as the interactive interpreter uses them to see whether a statement goes on."""


class StaticGates:
    """Judges edits of single Python files within milliseconds. Thread-safe."""

    def __init__(self, linter: Linter | None = None) -> None:
        self._linter = linter or Linter(sys.version_info[:2])

    def prepare(self, path: str, texts: Sequence[str]) -> str:
        """Look at a file before its edit is known, so that ``check`` has less to do.

        Args:
            path: The file, relative to the root.
            texts: What it may be taken for without the edit; half-written lines differ in them.

        Returns:
            The first of the texts that parses; the first one, where none does.

        Raises:
            EnvironmentProblem: Ruff cannot be asked.
        """
        sound = next((text for text in texts if _syntax_error(text) is None), None)
        if sound is None:
            return texts[0]
        self._linter.findings(path, sound)
        return sound

    def check(self, path: str, before: str, after: str, start: int, end: int) -> Verdict:
        """Judge an edit by its text alone.

        Args:
            path: The file, relative to the root.
            before: Its text without the edit.
            after: Its text with the edit.
            start: Where in ``after`` the edit begins.
            end: Where it ends. If ``before`` does not parse, ``after`` need not either, but up to here it has to be
                the beginning of something that does, unless it was not before.

        Returns:
            A rejection; else ``parses``, or ``unchecked`` where nothing can be said.

        Raises:
            EnvironmentProblem: Ruff cannot be asked.
        """
        began = time.perf_counter()
        return self._judge(path, before, after, start, end).taking(time.perf_counter() - began)

    def close(self) -> None:
        """End what was started."""
        self._linter.close()

    def _judge(self, path: str, before: str, after: str, start: int, end: int) -> Verdict:
        error = _syntax_error(narrowed(before, after).after)
        if error is not None:
            wrong = error if _syntax_error(before) is None else _spoilt(after, start, end)
            if wrong is not None:
                return rejected(Gate.PARSES, f"{path}: {wrong}")
            return Verdict(Level.UNCHECKED, reason="unchecked: the file does not parse as it stands")
        finding = new_unresolved_name(self._linter, path, before, after)
        if finding is not None:
            return rejected(Gate.NAMES, f"{path}:{finding.line}: {finding.message} ({finding.code})")
        return Verdict(Level.PARSES, reason="parses; no test was run")


def _spoilt(after: str, start: int, end: int) -> str | None:
    """What is wrong about a file up to an edit's end that is not wrong about the lines before the edit."""
    lines_before = after[: after.rfind("\n", 0, start) + 1]
    return _wrong_beginning(after[:end]) if _wrong_beginning(lines_before) is None else None


def _wrong_beginning(text: str) -> str | None:
    """Why no program can begin like this."""
    try:
        compile(text, "<candidate>", "exec", _ONLY_AST | _DONT_IMPLY_DEDENT | _ALLOW_INCOMPLETE, dont_inherit=True)
    except SyntaxError as error:
        return None if "incomplete input" in str(error.msg) else f"line {error.lineno}: {error.msg}"
    except (ValueError, RecursionError) as error:
        return str(error)
    return None


def _syntax_error(text: str) -> str | None:
    try:
        parse(text)
    except SyntaxError as error:
        return f"line {error.lineno}: {error.msg}"
    except (ValueError, RecursionError) as error:
        return str(error)
    return None
