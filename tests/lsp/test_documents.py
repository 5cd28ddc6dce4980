"""Incremental changes, against a model that keeps the text as the units of the negotiated encoding."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lsprotocol import types

from pennyproof.core.positions import Encoding, LineIndex
from pennyproof.lsp.convert import to_position
from pennyproof.lsp.documents import DocumentStore, document_path
from tests.core.test_positions import TEXTS

URI = "file:///project/a.py"
CLEAN = TEXTS.map(lambda text: text.replace("\ud800", ""))


def store_with(text: str, encoding: Encoding = Encoding.UTF16) -> DocumentStore:
    store = DocumentStore()
    store.encoding = encoding
    store.open(types.TextDocumentItem(URI, "python", 1, text))
    return store


def change(store: DocumentStore, version: int, *changes: types.TextDocumentContentChangeEvent) -> None:
    store.change(types.VersionedTextDocumentIdentifier(version, URI), changes)


def text_of(store: DocumentStore) -> str:
    document = store.get(URI)
    assert document is not None
    index = store.index(URI)
    assert index is not None
    assert index.text == document.text
    assert index.starts == LineIndex(document.text).starts
    return document.text


@pytest.mark.parametrize("encoding", list(Encoding))
@given(text=CLEAN, edits=st.lists(st.tuples(st.integers(0, 40), st.integers(0, 40), CLEAN), max_size=5))
def test_a_sequence_of_changes_gives_the_clients_text(
    text: str, edits: list[tuple[int, int, str]], encoding: Encoding
) -> None:
    store = store_with(text, encoding)
    for version, (first, second, replacement) in enumerate(edits, start=2):
        start, end = sorted((min(first, len(text)), min(second, len(text))))
        # No position lies between the two halves of "\r\n".
        start, end = (offset - (text[max(offset - 1, 0) : offset + 1] == "\r\n") for offset in (start, end))
        index = LineIndex(text)
        at = types.Range(*(to_position(index.position(offset, encoding)) for offset in (start, end)))
        text = text[:start] + replacement + text[end:]
        change(store, version, types.TextDocumentContentChangePartial(at, replacement))
        assert text_of(store) == text


def _at(line: int, start: int, end: int) -> types.Range:
    return types.Range(types.Position(line, start), types.Position(line, end))


@pytest.mark.parametrize(
    ("text", "changes", "expected"),
    [
        # An emoji whose halves come in two edits, as clients that count in UTF-16 may send it.
        ("ab", [("\ud83d", 0, 1, 1), ("\ude00", 0, 2, 2)], "a😀b"),
        ("a\ud83dx\ude00b", [("", 0, 2, 3)], "a😀b"),
        # The two halves of a line ending.
        ("a\rb", [("\n", 1, 0, 0)], "a\r\nb"),
        ("ab", [("\r", 0, 1, 1), ("\n", 1, 0, 0)], "a\r\nb"),
        # Past the ends of lines and of the text; start and end swapped.
        ("a\nb", [("!", 0, 99, 99)], "a!\nb"),
        ("a\nb", [("!", 9, 9, 9)], "a\nb!"),
        ("abc", [("!", 0, 2, 1)], "ab!c"),
        # Inside of a character: its beginning is meant.
        ("😀b", [("!", 0, 1, 1)], "!😀b"),
    ],
)
def test_odd_changes(text: str, changes: list[tuple[str, int, int, int]], expected: str) -> None:
    store = store_with(text)
    change(store, 2, *(types.TextDocumentContentChangePartial(_at(*place), new) for new, *place in changes))
    assert text_of(store) == expected


def test_a_whole_text_replaces_what_was_there() -> None:
    store = store_with("old")
    change(store, 2, types.TextDocumentContentChangeWholeDocument("a\fb\n"))
    assert text_of(store) == "a\fb\n"
    document = store.get(URI)
    assert document is not None
    assert document.version == 2


def test_documents_once_taken_never_change() -> None:
    store = store_with("old")
    before, current = store.get(URI), store.current
    change(store, 2, types.TextDocumentContentChangeWholeDocument("new"))
    assert before is not None
    assert (before.text, before.version) == ("old", 1)
    assert [opened.document for opened in current.values()] == [before]
    assert not store.unchanged(before)


def test_a_uri_may_be_written_in_several_ways() -> None:
    store = DocumentStore()
    store.open(types.TextDocumentItem("file:///a%20b/c%40d.py", "python", 1, "x"))
    assert store.get("file:///a b/c@d.py") is not None
    store.close("file:///a%20b/c@d.py")
    assert store.all() == ()


def test_changes_and_closings_of_what_is_not_open_are_left_aside() -> None:
    store = DocumentStore()
    change(store, 2, types.TextDocumentContentChangeWholeDocument("x"))
    store.close(URI)
    assert store.all() == ()
    assert store.index(URI) is None


def test_what_is_no_file_lies_in_no_workspace() -> None:
    assert str(document_path("file:///a%20b.py")) == "/a b.py"
    assert document_path("untitled:Untitled-1").is_absolute()
