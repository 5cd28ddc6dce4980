"""Lays facts out as markdown; a section with nothing to say is left out."""

import ast
import re
from collections.abc import Iterable

from pennyproof.assist.explain.facts import Facts
from pennyproof.assist.explain.markdown import cell, code, fence, prose, table
from pennyproof.assist.explain.modules import Module
from pennyproof.assist.explain.subjects import FailingTest, Symbol
from pennyproof.core.outcomes import Frame, TestOutcome

_MOST_FRAMES = 12
_MOST_TESTS = 8
_MOST_DEFINITION_LINES = 24
_INTROSPECTION = re.compile(r"\s*\+ +(where|and) ")
"""How pytest tells where a value came from, which the table of the two sides tells as well."""

_NOISE = ("<module ", "<function ", "<class ", "<built-in ", "<bound method ")
"""Values that say no more than their names do."""


def page(facts: Facts) -> str:
    """The facts as a page: a headline, a sentence, then sections."""
    sections = (
        ("Where", _where(facts)),
        ("Values there", _values(facts)),
        ("What was expected", _expected(facts)),
        ("Definitions", _definitions(facts)),
        ("From the library", _library(facts)),
        ("Recent changes", _changes(facts)),
        ("Tests that run this", _tests(facts)),
    )
    parts = [f"# {_title(facts)}", _sentence(facts), *(f"## {name}\n\n{text}" for name, text in sections if text)]
    return "\n\n".join(part for part in parts if part) + "\n"


def _title(facts: Facts) -> str:
    subject = facts.subject
    if isinstance(subject, FailingTest):
        state = "fails" if facts.test and facts.test.failed else facts.test.outcome if facts.test else "is unknown"
        return f"{code(_short(subject.id))} {state}"
    if facts.symbol is not None:
        return code(facts.symbol.full_name)
    if isinstance(subject, Symbol):
        line = facts.excerpt[2].start if facts.excerpt else 1
        return code(f"{subject.path}:{line}")
    span = f"{subject.first}" if subject.first == subject.last else f"{subject.first}–{subject.last}"
    return code(f"{subject.path}:{span}")


def _sentence(facts: Facts) -> str:
    test, frame = facts.test, facts.frame
    if test is None or test.failure is None:
        known = "No test runs this." if facts.ran else "The tests were not run, so this is what can be read."
        return " ".join(part for part in (_kind(facts), "" if facts.runners or facts.test else known) if part)
    who = "It" if isinstance(facts.subject, FailingTest) else f"{code(_short(test.id))} fails here: it"
    place = f" in {code(frame.function)}" if frame and frame.function and frame.path != test.path else ""
    compared = facts.comparison
    if compared and compared.left_value is not None and compared.right_value is not None:
        sides = f"{code(compared.left_value)} on the left, {code(compared.right_value)} on the right"
        return f"{who} asserts {code(compared.source)}{place}, which does not hold: {sides}."
    if compared:
        return f"{who} asserts {code(compared.source)}{place}, which does not hold."
    message = test.failure.message.partition("\n")[0]
    return f"{who} ends with {code(test.failure.kind + (f': {message}' if message else ''))}{place}."


def _kind(facts: Facts) -> str:
    symbol = facts.symbol
    if symbol is None:
        return ""
    kinds = {ast.FunctionDef: "A function", ast.AsyncFunctionDef: "An async function", ast.ClassDef: "A class"}
    kind = kinds.get(type(symbol.node), "A name") if symbol.node is not None else "A module"
    if len(symbol.scopes) > 1 and isinstance(symbol.scopes[0], ast.ClassDef):
        kind = "A method" if kind.endswith("function") else "An attribute"
    place = f"{symbol.module.path}:{symbol.line}"
    return f"{kind}, defined at {code(place)}."


def _where(facts: Facts) -> str:
    parts = []
    if isinstance(facts.subject, FailingTest) and facts.test and facts.test.failure:
        parts.append(_chain(facts.test.failure.frames, facts.frame))
    if facts.excerpt:
        parts.append(_source(*facts.excerpt))
    elif facts.symbol and facts.symbol.module.in_project:
        shown = range(facts.symbol.line, min(facts.symbol.end, facts.symbol.line + _MOST_DEFINITION_LINES) + 1)
        parts.append(_source(facts.symbol.module, shown, range(0)))
    return "\n\n".join(part for part in parts if part)


def _chain(frames: Iterable[Frame], here: Frame | None) -> str:
    """The calls that led there; frames of libraries are named only where they are the deepest."""
    shown = list(frames)
    steps = [frame for at, frame in enumerate(shown) if frame.in_project or at == len(shown) - 1][-_MOST_FRAMES:]
    if len(steps) < 2:
        return f"At {code(f'{steps[0].path}:{steps[0].line}')}:" if steps else ""
    rows = []
    for number, frame in enumerate(steps, 1):
        shown_below = " — shown below" if frame is here else ""
        rows.append(f"{number}. {code(f'{frame.path}:{frame.line}')} in {code(frame.function)}{shown_below}")
    return "\n".join(rows)


def _source(module: Module, lines: range, marked: range) -> str:
    width = len(str(lines.stop))
    shown = [
        f"{'>' if number in marked else ' '} {number:>{width}}  {module.lines[number - 1]}"
        for number in lines
        if 0 < number <= len(module.lines)
    ]
    return fence("\n".join(line.rstrip() for line in shown), "python")


def _values(facts: Facts) -> str:
    variables = facts.frame.variables if facts.frame else ()
    rows = [(cell(name), cell(value)) for name, value in variables if not value.startswith(_NOISE)]
    return table(("name", "value"), rows) if rows else ""


def _expected(facts: Facts) -> str:
    """The sides of a comparison where they are known, and the report where it says more than the sentence does."""
    compared, parts = facts.comparison, []
    if compared:
        sides = ((compared.left, compared.left_value), (compared.right, compared.right_value))
        rows = [(cell(side), cell(value)) for side, value in sides if value is not None and value != side]
        parts += [table(("expression", "value"), rows)] if rows else []
    message = facts.test.failure.message if facts.test and facts.test.failure else ""
    more = [line for line in message.splitlines()[1:] if not _INTROSPECTION.match(line)]
    if more or ("\n" in message and not parts):
        parts.append(fence(message))
    return "\n\n".join(parts)


def _definitions(facts: Facts) -> str:
    parts = []
    for definition in facts.definitions:
        shown = range(definition.line, min(definition.end, definition.line + _MOST_DEFINITION_LINES - 1) + 1)
        more = f", {definition.end - shown.stop + 1} more lines" if definition.end >= shown.stop else ""
        place = code(f"{definition.module.path}:{definition.line}")
        parts.append(f"{code(definition.name)} at {place}{more}\n\n{_source(definition.module, shown, range(0))}")
    return "\n\n".join(parts)


def _library(facts: Facts) -> str:
    parts = []
    for doc in facts.library:
        release = f" ({prose(doc.release)})" if doc.release else ""
        text = f"\n\n{fence(doc.text, 'text')}" if doc.text else ""
        parts.append(f"{code(doc.name)}{release}\n\n{fence(doc.signature, 'python')}{text}")
    return "\n\n".join(parts)


def _changes(facts: Facts) -> str:
    if not facts.commits:
        return ""
    rows = [
        f"- {commit.date} {code(commit.id)} {prose(commit.subject)} — {prose(commit.author)}"
        for commit in facts.commits
    ]
    return f"To {code(facts.changed)}:\n\n" + "\n".join(rows)


def _tests(facts: Facts) -> str:
    others = [test for test in facts.runners if facts.test is None or test.id != facts.test.id]
    if not others:
        return ""
    failing = sum(test.failed for test in others)
    besides = "other " if facts.test in facts.runners else ""
    counted = f"{len(others)} {besides}{'test' if len(others) == 1 else 'tests'}, {failing or 'none'} of them failing:"
    rows = [f"- {code(test.id)} {_mark(test)}" for test in others[:_MOST_TESTS]]
    more = [f"- and {len(others) - _MOST_TESTS} more"] if len(others) > _MOST_TESTS else []
    return f"{counted}\n\n" + "\n".join([*rows, *more])


def _mark(test: TestOutcome) -> str:
    return "**fails**" if test.failed else test.outcome.value


def _short(test_id: str) -> str:
    return test_id.partition("::")[2] or test_id
