"""``textDocument/codeLens``: "Run test" above every test, "Debug" above those that fail."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from lsprotocol import types

from pennyproof.assist.discovery import FoundTest, find_tests, ids_of
from pennyproof.errors import OutsideRoot
from pennyproof.lsp.convert import line_range
from pennyproof.lsp.features.findings import findings_of, project_at

if TYPE_CHECKING:
    from pennyproof.lsp.features.findings import Findings
    from pennyproof.lsp.server import PennyproofServer


def handle(server: PennyproofServer, params: types.CodeLensParams) -> list[types.CodeLens]:
    """The lenses of a file; what they call needs no resolving, so they come complete."""
    uri = params.text_document.uri
    index = server.documents.index(uri)
    document = server.documents.get(uri)
    project = project_at(server, uri)
    if document is None or index is None or project is None:
        return []
    findings = findings_of(server, project)
    try:
        path = project.snapshot().relative(document.path)
    except OutsideRoot:
        return []
    found = find_tests(path, document.text, {test.path for test in findings.outcomes.values()})
    return [
        types.CodeLens(line_range(index, test.line - 1, server.documents.encoding), command)
        for test in found
        for command in _commands(uri, test, findings)
    ]


def _commands(uri: str, test: FoundTest, findings: Findings) -> Iterator[types.Command]:
    ids = ids_of(test.id, findings.outcomes)
    several = test.is_class or len(ids) > 1
    yield types.Command(
        "Run tests" if several else "Run test", "pennyproof.runTests", arguments=[{"uri": uri, "testIds": [test.id]}]
    )
    failing = {failing.id for failing in findings.failing}
    count = sum(test_id in failing for test_id in ids)
    if count:
        title = f"Debug {count} of {len(ids)}" if several else "Debug"
        yield types.Command(title, "pennyproof.debug", arguments=[{"uri": uri, "testId": test.id}])
