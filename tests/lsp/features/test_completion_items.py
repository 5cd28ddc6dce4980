"""Wherever the cursor is, an item put into the document gives what is before it, the completion, and the rest."""

import asyncio
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lsprotocol import types

from pennyproof.assist.complete import Completion
from pennyproof.core.candidates import Origin, Tier
from pennyproof.core.verdicts import Level, Verdict
from pennyproof.lsp.features import completion as menu
from pennyproof.lsp.features import inline_completion as inline
from pennyproof.lsp.features.completing import Asked
from pennyproof.lsp.server import PennyproofServer

URI = "file:///nowhere/a.py"
TEXTS = st.text(alphabet="ab_ 1\n\r\t(é😀\u2028\f", max_size=30)


def lines_of(text: str) -> list[str]:
    return re.split(r"(?<=\n)|(?<=\r)(?!\n)", text)


def position(text: str, offset: int) -> types.Position:
    """The position in UTF-16 that an editor sends."""
    lines = lines_of(text[:offset])
    return types.Position(len(lines) - 1, len(lines[-1].encode("utf-16-le")) // 2)


def applied(text: str, place: types.Range, new: str) -> str:
    """The document after an editor made the edit."""
    ends = []
    for side in (place.start, place.end):
        lines = lines_of(text)
        within = lines[side.line].encode("utf-16-le")[: 2 * side.character].decode("utf-16-le")
        ends.append(sum(map(len, lines[: side.line])) + len(within))
    return text[: ends[0]] + new + text[ends[1] :]


@given(TEXTS, st.data(), TEXTS.filter(str.strip))
def test_an_item_applied(text: str, data: st.DataObject, completed: str) -> None:
    # Nobody can put the cursor between the two characters of one line ending.
    offsets = [at for at in range(len(text) + 1) if text[at - 1 : at + 1] != "\r\n"]
    offset = data.draw(st.sampled_from(offsets))
    asked: list[Asked] = []

    async def complete(_: PennyproofServer, request: Asked) -> Completion:
        asked.append(request)
        return Completion(completed, Origin(Tier.FAST, "model"), Verdict(Level.UNCHECKED))

    async def items() -> tuple[types.InlineCompletionItem, types.CompletionItem]:
        server = PennyproofServer()
        server.documents.open(types.TextDocumentItem(URI, "python", 1, text))
        document, here = types.TextDocumentIdentifier(URI), position(text, offset)
        by_hand = types.InlineCompletionContext(types.InlineCompletionTriggerKind.Invoked)
        ghost = await inline.handle(server, types.InlineCompletionParams(by_hand, document, here))
        listed = await menu.handle(server, types.CompletionParams(document, here))
        return ghost.items[0], listed.items[0]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(inline, "complete", complete)
        patch.setattr(menu, "complete", complete)
        ghost, item = asyncio.run(items())
    whole = text[:offset] + completed + text[offset:]
    assert [request.offset for request in asked] == [offset, offset]
    assert ghost.range is not None
    assert applied(text, ghost.range, str(ghost.insert_text)) == whole
    assert isinstance(item.text_edit, types.TextEdit)
    assert applied(text, item.text_edit.range, item.text_edit.new_text) == whole
    assert item.text_edit.range.start.line == item.text_edit.range.end.line == position(text, offset).line
    assert item.filter_text == item.text_edit.new_text
