"""A candidate as the client's ``WorkspaceEdit``: versioned, so that a stale one is refused, and with its evidence."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, TypeAlias

from lsprotocol import types

from pennyproof.core.edits import between
from pennyproof.core.positions import LineIndex
from pennyproof.core.snapshots import Snapshot
from pennyproof.errors import EnvironmentProblem
from pennyproof.lsp.convert import to_text_edits
from pennyproof.lsp.features.diagnostics import open_paths

if TYPE_CHECKING:
    from pathlib import Path

    from pennyproof.core.candidates import FileChange
    from pennyproof.core.offers import Offer
    from pennyproof.lsp.server import PennyproofServer

_ANNOTATION = "pennyproof"

_START = types.Range(types.Position(0, 0), types.Position(0, 0))

Operation: TypeAlias = types.TextDocumentEdit | types.CreateFile | types.RenameFile | types.DeleteFile


def workspace_edit(server: PennyproofServer, root: Path, offer: Offer) -> types.WorkspaceEdit:
    """What an offer changes, in the texts it was proved on.

    Raises:
        EnvironmentProblem: The offer makes or deletes files, which this client cannot.
    """
    workspace = server.client_capabilities.workspace
    known = workspace.workspace_edit if workspace else None
    kinds = frozenset(known.resource_operations or ()) if known else frozenset()
    converter = _Converter(server, root, kinds, annotated=bool(known and known.change_annotation_support))
    changes = offer.candidate.changes
    if not (known and known.document_changes):
        return types.WorkspaceEdit(changes={converter.uri(change.path): converter.edits(change) for change in changes})
    operations = [operation for change in changes for operation in converter.operations(change)]
    if not converter.annotated:
        return types.WorkspaceEdit(document_changes=operations)
    annotation = types.ChangeAnnotation("Pennyproof", needs_confirmation=False, description=offer.verdict.evidence())
    return types.WorkspaceEdit(document_changes=operations, change_annotations={_ANNOTATION: annotation})


def still_holds(server: PennyproofServer, root: Path, offer: Offer) -> bool:
    """Whether the files that an offer changes are still those it was proved on."""
    on_disk = Snapshot(root)
    opened = open_paths(server, on_disk)

    def now(path: str) -> str | None:
        source = None if path in opened else on_disk.read(path)
        return opened[path].text if path in opened else source.text if source else None

    return all(
        now(change.path) == (change.before.text if change.before else None) for change in offer.candidate.changes
    )


class _Converter:
    def __init__(self, server: PennyproofServer, root: Path, kinds: frozenset[str], *, annotated: bool) -> None:
        self.annotated = annotated
        self._kinds = kinds
        self._root = root
        self._encoding = server.documents.encoding
        self._open = open_paths(server, Snapshot(root))

    def uri(self, path: str) -> str:
        return self._open[path].uri if path in self._open else (self._root / path).as_uri()

    def edits(self, change: FileChange) -> list[types.TextEdit]:
        if change.before is None or change.after is None:
            raise _cannot(change)
        before = change.before.text
        return to_text_edits(LineIndex(before), between(before, change.after.text), self._encoding)

    def operations(self, change: FileChange) -> Iterator[Operation]:
        uri, annotation = self.uri(change.path), _ANNOTATION if self.annotated else None
        if change.before is None and types.ResourceOperationKind.Create not in self._kinds:
            raise _cannot(change)
        if change.after is None:
            if types.ResourceOperationKind.Delete not in self._kinds:
                raise _cannot(change)
            yield types.DeleteFile(uri, annotation_id=annotation)
            return
        if change.before is None:
            yield types.CreateFile(uri, annotation_id=annotation)
            edits = [types.TextEdit(_START, change.after.text)]
        else:
            edits = self.edits(change)
        version = self._open[change.path].version if change.path in self._open else None
        identifier = types.OptionalVersionedTextDocumentIdentifier(uri, version)
        if annotation is None:
            yield types.TextDocumentEdit(identifier, list(edits))
        else:
            annotated = [types.AnnotatedTextEdit(annotation, edit.range, edit.new_text) for edit in edits]
            yield types.TextDocumentEdit(identifier, list(annotated))


def _cannot(change: FileChange) -> EnvironmentProblem:
    return EnvironmentProblem(f"this editor cannot make or delete files, as the edit of {change.path} does")
