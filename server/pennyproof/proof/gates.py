"""The gates that need no run: the edit itself, ``parses``, ``names`` and ``lint``."""

import itertools
from collections import Counter
from collections.abc import Collection, Iterator

from pennyproof.core.candidates import Candidate, FileChange
from pennyproof.core.protected import is_protected
from pennyproof.core.snapshots import Snapshot
from pennyproof.core.sources import Source
from pennyproof.core.verdicts import Gate, Verdict, rejected
from pennyproof.errors import UnreadableSource
from pennyproof.proof.lint import UNRESOLVED, Finding, Linter
from pennyproof.proof.names import new_unresolved_name
from pennyproof.proof.reaching import new_reach
from pennyproof.proof.syntax import narrowed, parse


def edit(snapshot: Snapshot, candidate: Candidate, test_files: Collection[str]) -> Verdict | None:
    """What turns a candidate away at first sight: the edit itself, and whether it parses.

    Args:
        snapshot: What the candidate is to be based on.
        candidate: What to check.
        test_files: Files that are known to hold tests.

    Raises:
        OutsideRoot: A changed file does not lie in the root.
    """
    return next(_objections(snapshot, candidate, test_files), None)


def lint(candidate: Candidate, linter: Linter) -> Verdict | None:
    """What unresolved names and fatal errors turn a candidate away: the gates ``names`` and ``lint``.

    Raises:
        EnvironmentProblem: Ruff cannot be asked.
    """
    gates = (gate(change, after, linter) for gate in (_names, _lint) for change, after in _python(candidate))
    return next(itertools.chain.from_iterable(gates), None)


def touches_tests(candidate: Candidate, test_files: Collection[str]) -> Verdict | None:
    """The rejection of a candidate that changes tests or their configuration."""
    for change in candidate.changes:
        if is_protected(change.path, test_files):
            return rejected(Gate.TESTS, f"touches {change.path}: tests are not bent to pass")
    return None


def _objections(snapshot: Snapshot, candidate: Candidate, test_files: Collection[str]) -> Iterator[Verdict]:
    if all(change.before == change.after for change in candidate.changes):
        yield rejected(Gate.PARSES, "changes nothing")
    for change in candidate.changes:
        path = snapshot.relative(change.path)
        if path != change.path or _current(snapshot, path) != change.before:
            yield rejected(Gate.PARSES, f"{change.path} is not as the edit expects it: it has changed since")
    touched = touches_tests(candidate, test_files)
    if touched:
        yield touched
    for change, after in _python(candidate):
        yield from _parses(change, after)
        reach = new_reach(change)
        if reach:
            yield rejected(Gate.TESTS, f"{change.path} looks into the interpreter ({reach}), where results are made")


def _python(candidate: Candidate) -> Iterator[tuple[FileChange, Source]]:
    for change in candidate.changes:
        if change.after is not None and change.path.endswith((".py", ".pyi")):
            yield change, change.after


def _current(snapshot: Snapshot, path: str) -> Source | None:
    try:
        return snapshot.read(path)
    except UnreadableSource:
        return Source("", encoding="unreadable")  # Equal to no text that an edit could start from.


def _parses(change: FileChange, after: Source) -> Iterator[Verdict]:
    try:
        after.data()
    except UnreadableSource as unreadable:
        yield rejected(Gate.PARSES, f"{change.path}: {unreadable}")
    narrow = narrowed(change.before.text if change.before else "", after.text)
    error = _syntax_error(narrow.after)
    # What Pennyproof's own Python cannot parse as it stands is written for a newer one: the run will tell.
    if error and not _syntax_error(narrow.before):
        yield rejected(Gate.PARSES, f"{change.path}: {error}")


def _names(change: FileChange, after: Source, linter: Linter) -> Iterator[Verdict]:
    finding = new_unresolved_name(linter, change.path, _text(change), after.text)
    if finding:
        yield _objection(Gate.NAMES, change, finding)


def _lint(change: FileChange, after: Source, linter: Linter) -> Iterator[Verdict]:
    found = _fatal(linter.findings(change.path, after.text))
    known = Counter(_key(finding) for finding in _fatal(linter.findings(change.path, _text(change)))) if found else {}
    for finding in found:
        if known.get(_key(finding), 0) == 0:
            yield _objection(Gate.LINT, change, finding)
        known[_key(finding)] -= 1


def _objection(gate: Gate, change: FileChange, finding: Finding) -> Verdict:
    return rejected(gate, f"{change.path}:{finding.line}: {finding.message} ({finding.code})")


def _fatal(findings: tuple[Finding, ...]) -> list[Finding]:
    return [finding for finding in findings if finding.code != UNRESOLVED]


def _key(finding: Finding) -> tuple[str, str]:
    return finding.code, finding.message


def _text(change: FileChange) -> str:
    return change.before.text if change.before else ""


def _syntax_error(text: str) -> str | None:
    try:
        parse(text)
    except SyntaxError as error:
        return f"line {error.lineno}: {error.msg}"
    except (ValueError, RecursionError) as error:
        return str(error)
    return None
