"""Explain: facts gathered on this machine and laid out as markdown, and what a model makes of them."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from pennyproof.assist.explain.facts import Facts, gather
from pennyproof.assist.explain.page import page
from pennyproof.assist.explain.subjects import Explanation, FailingTest, Selection, Subject, Symbol
from pennyproof.core.outcomes import Baseline
from pennyproof.core.snapshots import Snapshot
from pennyproof.core.verdicts import Line

if TYPE_CHECKING:
    from pennyproof.assist.explain.writing import Writing

__all__ = ["Explanation", "FailingTest", "Selection", "Subject", "Symbol", "explain"]


def explain(
    snapshot: Snapshot,
    subject: Subject,
    baseline: Baseline | None = None,
    search_paths: Sequence[Path] = (),
    writing: "Writing | str | None" = None,
) -> Explanation:
    """Explain a subject.

    Args:
        snapshot: The workspace.
        subject: What is asked about.
        baseline: What the tests did with this snapshot, where they were run.
        search_paths: Folders of installed packages, whose sources are read and never imported.
        writing: What it takes to have a model write; a string says why none does, ``None``: none was wanted.

    Raises:
        UnknownTest: The baseline has no such test.
        OutsideRoot: A path leads out of the root.
    """
    facts = gather(snapshot, subject, baseline, search_paths)
    explanation = Explanation(page(facts), tuple(dict.fromkeys(_references(facts))))
    if writing is None:
        return explanation
    from pennyproof.assist.explain.writing import unwritten, written  # noqa: PLC0415 - facts alone do without

    if isinstance(writing, str):
        return unwritten(explanation, writing)
    return written(explanation, facts, snapshot, writing)


def _references(facts: Facts) -> Iterator[Line]:
    if facts.test and facts.test.failure and isinstance(facts.subject, FailingTest):
        frames = [frame for frame in facts.test.failure.frames if frame.in_project]
        yield from (Line(frame.path, frame.line) for frame in reversed(frames))
    if facts.excerpt:
        module, _, marked = facts.excerpt
        yield Line(module.path, marked.start)
    if facts.symbol and facts.symbol.module.in_project:
        yield Line(facts.symbol.module.path, facts.symbol.line)
    yield from (Line(definition.module.path, definition.line) for definition in facts.definitions)
