"""``textDocument/codeAction``: find a verified fix, apply one that was found, explain."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from lsprotocol import types

from pennyproof.assist.edit.region import unwritten_function
from pennyproof.lsp.features.diagnostics import SOURCE
from pennyproof.lsp.features.edits import still_holds, workspace_edit
from pennyproof.lsp.features.findings import findings_of, project_at
from pennyproof.lsp.features.places import failing_at

if TYPE_CHECKING:
    from pennyproof.assist.project import Project
    from pennyproof.core.offers import Offer
    from pennyproof.core.outcomes import TestOutcome
    from pennyproof.lsp.server import PennyproofServer

_MOST_TESTS = 3
"""Failing tests that a light bulb speaks of; more would bury what the user looks for."""


def handle(server: PennyproofServer, params: types.CodeActionParams) -> list[types.CodeAction]:
    """What can be done about the failing tests, or the code, at a range."""
    uri = params.text_document.uri
    project = project_at(server, uri)
    if project is None:
        return []
    diagnostics, only = params.context.diagnostics, params.context.only
    actions: list[types.CodeAction] = []
    if _wanted(types.CodeActionKind.QuickFix, only):
        failing = failing_at(server, project, uri, params.range, _named(diagnostics))[:_MOST_TESTS]
        actions += _fixes(server, project, uri, failing, diagnostics)
    if _wanted(types.CodeActionKind.RefactorRewrite, only):
        actions += _implementing(server, project, uri, params.range)
    if not only and params.range.start != params.range.end:
        explain = types.Command(
            "Explain", "pennyproof.explain", arguments=[{"uri": uri, "range": _plain(params.range)}]
        )
        actions.append(types.CodeAction("Explain the selection", command=explain))
    return actions


def _wanted(kind: types.CodeActionKind, only: Sequence[types.CodeActionKind | str] | None) -> bool:
    """Whether a client that asks for some kinds, or for kinds above them (``refactor``), asks for this one."""
    return not only or any(asked in ("", kind) or kind.startswith(f"{asked}.") for asked in only)


def _implementing(
    server: PennyproofServer, project: Project, uri: str, place: types.Range
) -> Iterator[types.CodeAction]:
    """To write the body of the function at a place, where it has a docstring and no body, and a model can be asked."""
    document = server.documents.get(uri)
    if document is None or document.language != "python":
        return
    function = unwritten_function(document.text, place.start.line + 1)
    models = project.models if function else None
    if function is None or models is None or models.obstacle() is not None:
        return
    argument = {"uri": uri, "range": _plain(types.Range(place.start, place.start)), "instruction": ""}
    command = types.Command("Implement from docstring", "pennyproof.edit", arguments=[argument])
    title = f"Implement {function} from its docstring (checked)"
    yield types.CodeAction(title, types.CodeActionKind.RefactorRewrite, command=command)


def _fixes(
    server: PennyproofServer,
    project: Project,
    uri: str,
    failing: Sequence[TestOutcome],
    diagnostics: Sequence[types.Diagnostic],
) -> Iterator[types.CodeAction]:
    """For each failing test: the offers that mend it, or else how to look for some; and its explanation."""
    offers = [offer for offer in findings_of(server, project).offers if still_holds(server, project.root, offer)]
    for test in failing:
        its_own = [diagnostic for diagnostic in diagnostics if test.id in _named([diagnostic])] or None
        mending = [offer for offer in offers if test.id in offer.verdict.fixed]
        for offer in mending:
            yield _apply(server, project, offer, its_own, preferred=offer is mending[0] and test is failing[0])
        name = test.id.rpartition("::")[2]
        if not mending:
            yield _call(f"Find a verified fix for {name}", "pennyproof.debug", uri, test, its_own)
        yield _call(f"Explain the failure of {name}", "pennyproof.explain", uri, test, its_own)


def _apply(
    server: PennyproofServer,
    project: Project,
    offer: Offer,
    diagnostics: list[types.Diagnostic] | None,
    *,
    preferred: bool,
) -> types.CodeAction:
    return types.CodeAction(
        offer.title,
        types.CodeActionKind.QuickFix,
        diagnostics,
        is_preferred=preferred or None,
        edit=workspace_edit(server, project.root, offer),
        command=_accepted(offer) if _does_both(server) else None,
        tags=[types.CodeActionTag.LlmGenerated] if offer.candidate.origin.model and _knows_tags(server) else None,
    )


def _call(
    title: str, command: str, uri: str, test: TestOutcome, diagnostics: list[types.Diagnostic] | None
) -> types.CodeAction:
    called = types.Command(title, command, arguments=[{"uri": uri, "testId": test.id}])
    return types.CodeAction(title, types.CodeActionKind.QuickFix, diagnostics, command=called)


def _named(diagnostics: Sequence[types.Diagnostic]) -> list[str]:
    """The tests that the client's diagnostics are about, by the data that were sent with them."""
    return [
        diagnostic.data["testId"]
        for diagnostic in diagnostics
        if diagnostic.source == SOURCE and isinstance(diagnostic.data, dict) and "testId" in diagnostic.data
    ]


def _accepted(offer: Offer) -> types.Command:
    return types.Command("Accepted", "pennyproof.accepted", arguments=[{"offerId": offer.id}])


def _does_both(server: PennyproofServer) -> bool:
    """Whether the client makes an action's edit and then runs its command; those that know nothing of what came after
    the first code actions, such as ALE, run the command in its place."""
    document = server.client_capabilities.text_document
    known = document.code_action if document else None
    return known is None or bool(
        known.tag_support or known.is_preferred_support or known.disabled_support or known.data_support
    )


def _knows_tags(server: PennyproofServer) -> bool:
    document = server.client_capabilities.text_document
    return bool(document and document.code_action and document.code_action.tag_support)


def _plain(place: types.Range) -> dict[str, dict[str, int]]:
    return {
        "start": {"line": place.start.line, "character": place.start.character},
        "end": {"line": place.end.line, "character": place.end.character},
    }
