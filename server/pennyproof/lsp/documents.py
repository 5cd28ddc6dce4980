"""The open documents, kept as the client sends them.

The store is changed synchronously when a notification arrives. A handler sees the documents as they were when its own
message arrived, however many changes came after it; ``latest`` tells whether that is still what the user sees.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from types import MappingProxyType
from urllib.parse import unquote

from lsprotocol import types
from pygls.uris import to_fs_path

from pennyproof.core.positions import Encoding, LineIndex, Position
from pennyproof.core.snapshots import Document
from pennyproof.lsp.calls import CURRENT

logger = logging.getLogger(__name__)

_SPLIT_PAIR = re.compile("[\ud800-\udbff][\udc00-\udfff]")


@dataclass(frozen=True, slots=True)
class OpenDocument:
    """A document with the index of its lines."""

    document: Document
    index: LineIndex


OpenDocuments = Mapping[str, OpenDocument]
"""Normalised URI → document; never changed, only replaced."""


class DocumentStore:
    """The open documents: as the current call found them, or, outside of any call, as they are."""

    def __init__(self) -> None:
        self.encoding = Encoding.UTF16
        """How the client counts characters; chosen at initialize."""
        self.current: OpenDocuments = MappingProxyType({})
        """The documents as they are now."""
        self._watchers: dict[str, list[Callable[[], None]]] = {}

    @property
    def _seen(self) -> OpenDocuments:
        call = CURRENT.get()
        return self.current if call is None else call.documents

    def get(self, uri: str) -> Document | None:
        """The open document, or ``None`` where it is not open."""
        opened = self._seen.get(_key(uri))
        return opened.document if opened else None

    def all(self) -> tuple[Document, ...]:
        """Every open document."""
        return tuple(opened.document for opened in self._seen.values())

    def index(self, uri: str) -> LineIndex | None:
        """Where the lines of an open document begin."""
        opened = self._seen.get(_key(uri))
        return opened.index if opened else None

    def latest(self, uri: str) -> Document | None:
        """The document as it is now, even if the current call arrived before."""
        opened = self.current.get(_key(uri))
        return opened.document if opened else None

    def unchanged(self, document: Document) -> bool:
        """Whether a document is still what the user sees."""
        latest = self.latest(document.uri)
        return latest is not None and latest.text == document.text

    def on_change(self, document: Document, callback: Callable[[], None]) -> Callable[[], None]:
        """Call back when a document changes or is closed (at once if it has been); returns how to take it back."""
        if not self.unchanged(document):
            callback()
        key = _key(document.uri)
        self._watchers.setdefault(key, []).append(callback)

        def forget() -> None:
            self._watchers[key].remove(callback)
            if not self._watchers[key]:
                del self._watchers[key]

        return forget

    def open(self, item: types.TextDocumentItem) -> None:
        """Take in a document that the client opened."""
        path = document_path(item.uri)
        document = Document(item.uri, path, item.text, item.version, item.language_id)
        self._put(OpenDocument(document, LineIndex(item.text)))

    def change(
        self, identifier: types.VersionedTextDocumentIdentifier, changes: Iterable[types.TextDocumentContentChangeEvent]
    ) -> None:
        """Apply the client's changes, each to the text that the one before it left."""
        opened = self.current.get(_key(identifier.uri))
        if opened is None:
            logger.warning("a change to a document that is not open was left aside")
            return
        index = opened.index
        for change in changes:
            index = self._changed(index, change)
        self._put(OpenDocument(replace(opened.document, text=index.text, version=identifier.version), index))

    def close(self, uri: str) -> None:
        """Forget a document; what is on disk counts again."""
        self.current = MappingProxyType({key: value for key, value in self.current.items() if key != _key(uri)})
        self._tell(uri)

    def _put(self, opened: OpenDocument) -> None:
        self.current = MappingProxyType({**self.current, _key(opened.document.uri): opened})
        self._tell(opened.document.uri)

    def _tell(self, uri: str) -> None:
        for callback in tuple(self._watchers.get(_key(uri), ())):
            callback()

    def _changed(self, index: LineIndex, change: types.TextDocumentContentChangeEvent) -> LineIndex:
        if isinstance(change, types.TextDocumentContentChangeWholeDocument):
            return LineIndex(change.text)
        start = index.offset(position(change.range.start), self.encoding)
        end = max(start, index.offset(position(change.range.end), self.encoding))
        edited = index.replaced(start, end, change.text)
        # A client that counts in UTF-16 may send the halves of a character in two edits.
        seam = edited.text[max(start - 1, 0) : start + len(change.text) + 1]
        if _SPLIT_PAIR.search(seam):
            return LineIndex(edited.text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "surrogatepass"))
        return edited


def position(value: types.Position) -> Position:
    """LSP's position as the core's."""
    return Position(value.line, value.character)


def document_path(uri: str) -> Path:
    """The file that a URI names; for what is no file (``untitled:Untitled-1``), a path that lies in no workspace."""
    path = to_fs_path(uri)
    return Path(path) if path else Path("/", uri)


def _key(uri: str) -> str:
    """Clients escape one URI in different ways."""
    return unquote(uri)
