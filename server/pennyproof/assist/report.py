"""Results as the JSON that the command line prints and LSP commands return."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

from pennyproof.assist.debug import DebugResult
from pennyproof.core.candidates import Origin
from pennyproof.core.diffs import write as write_diff
from pennyproof.core.offers import Offer
from pennyproof.core.outcomes import Baseline
from pennyproof.core.verdicts import Gate, Line, Strength, Verdict

if TYPE_CHECKING:
    from pennyproof.assist.complete import Completion, Place
    from pennyproof.assist.edit import EditResult
    from pennyproof.assist.explain.subjects import Explanation

Json: TypeAlias = "Mapping[str, Json] | list[Json] | str | int | float | bool | None"
JsonObject: TypeAlias = dict[str, Json]

_MILLISECONDS = 3
"""Seconds are given to this many places; the rest is noise."""


def verdict_json(verdict: Verdict) -> JsonObject:
    """A verdict as it stands within an offer."""
    return {
        "level": verdict.level.word,
        "fixed": list(verdict.fixed),
        "remaining": list(verdict.remaining),
        "broken": list(verdict.broken),
        "passed": verdict.passed,
        "ran": list(verdict.ran),
        "uncovered": [line_json(line) for line in verdict.uncovered],
        "flaky": list(verdict.flaky),
        "selection": verdict.selection,
        "route": verdict.route.value if verdict.route else None,
        "gate": verdict.gate.value if verdict.gate else None,
        "reason": verdict.reason,
        "seconds": round(verdict.seconds, _MILLISECONDS),
        "strength": _strength_json(verdict.strength),
        "cached": verdict.cached,
        "confined": verdict.confined,
    }


def prove_json(verdict: Verdict) -> JsonObject:
    """A verdict that was asked for by itself: with the tests that failed, and how."""
    return {
        **verdict_json(verdict),
        "failed": [{"id": test.id, "message": test.message} for test in verdict.failed],
    }


def origin_json(origin: Origin) -> JsonObject:
    """What made an edit."""
    return {"tier": origin.tier.value if origin.tier else None, "model": origin.model, "attempt": origin.attempt}


def offer_json(offer: Offer) -> JsonObject:
    """An offer with its edit as a unified diff."""
    return {
        "id": offer.id,
        "title": offer.title,
        "diff": write_diff(offer.candidate.changes),
        "summary": offer.candidate.summary,
        "alternative": offer.alternative,
        "origin": origin_json(offer.candidate.origin),
        "verdict": verdict_json(offer.verdict),
        "cost_usd": offer.candidate.origin.cost_usd,
    }


def debug_json(result: DebugResult, root: Path) -> JsonObject:
    """What ``fix --json`` prints."""
    return {
        "root": str(root),
        "baseline": {
            "passed": len(result.baseline.passing),
            "failed": [test.id for test in result.baseline.failing],
            "seconds": round(result.baseline.seconds, _MILLISECONDS),
        },
        "offers": [offer_json(offer) for offer in result.offers],
        "tried": result.tried,
        "rejected": {gate.value: result.rejected.get(gate, 0) for gate in Gate},
        "rejections": [{"summary": summary, "reason": reason} for summary, reason in result.rejections],
        "notes": list(result.notes),
        "spent_usd": result.spent_usd,
        "seconds": round(result.seconds, _MILLISECONDS),
    }


def edit_json(result: "EditResult", root: Path) -> JsonObject:
    """What ``pennyproof.edit`` returns, in the words of ``fix --json``."""
    return {
        "root": str(root),
        "offers": [offer_json(offer) for offer in result.offers],
        "tried": result.tried,
        "rejected": {gate.value: result.rejected.get(gate, 0) for gate in Gate},
        "reason": result.reason,
        "spent_usd": result.spent_usd,
        "seconds": round(result.seconds, _MILLISECONDS),
    }


def tests_json(baseline: Baseline) -> JsonObject:
    """What running the tests told: how many passed, and which failed; flaky tests and broken files count as failed."""
    failed = [test for test in baseline.outcomes.values() if test.failed]
    return {
        "passed": len(baseline.passing),
        "failed": [
            *({"id": test.id, "message": test.failure.message if test.failure else ""} for test in failed),
            *({"id": error.path, "message": error.message} for error in baseline.errors),
        ],
        "seconds": round(baseline.seconds, _MILLISECONDS),
    }


def completion_json(place: "Place", completion: "Completion") -> JsonObject:
    """A completion as text for an empty range; positions are LSP's, in UTF-16."""
    position = place.index.position(place.offset)
    cursor: JsonObject = {"line": position.line, "character": position.character}
    return {
        "text": completion.text,
        "range": {"start": cursor, "end": cursor},
        "origin": origin_json(completion.origin),
        "verdict": verdict_json(completion.verdict),
    }


def explanation_json(explanation: "Explanation") -> JsonObject:
    """An explanation; ``origin`` is null where it is facts alone."""
    return {
        "markdown": explanation.markdown,
        "references": [line_json(line) for line in explanation.references],
        "claims": list(explanation.claims),
        "origin": origin_json(explanation.origin) if explanation.origin else None,
        "spent_usd": explanation.spent_usd,
    }


def _strength_json(strength: Strength | None) -> JsonObject | None:
    if strength is None:
        return None
    return {"noticed": strength.noticed, "slips": strength.slips, "missed": list(strength.missed)}


def line_json(line: Line) -> JsonObject:
    """A line of a file."""
    return {"path": line.path, "line": line.line}
