"""``textDocument/completion``: the same completion as one item of a menu, for clients without inline completion."""

from __future__ import annotations

import re
from textwrap import dedent
from typing import TYPE_CHECKING

from lsprotocol import types

from pennyproof.assist.explain.markdown import fence
from pennyproof.lsp.convert import from_position, to_range
from pennyproof.lsp.features.completing import Asked, accepted, complete

if TYPE_CHECKING:
    from pennyproof.assist.complete import Completion
    from pennyproof.lsp.server import PennyproofServer

_WORD = re.compile(r"\w*\Z")
_LONGEST_LABEL = 60
_LAST = "~"
"""Sorts behind the items of other servers, which are about single names."""


async def handle(server: PennyproofServer, params: types.CompletionParams) -> types.CompletionList:
    """At most one item.

    Clients ask for their menu in the same way whether somebody types or asks by hand, so every request counts as
    automatic, unless completions are to come by hand only.
    """
    nothing = types.CompletionList(is_incomplete=True, items=[])
    uri, encoding = params.text_document.uri, server.documents.encoding
    document, index = server.documents.get(uri), server.documents.index(uri)
    if document is None or index is None:
        return nothing
    offset = from_position(index, params.position, encoding)
    by_hand = params.context is None or params.context.trigger_kind is types.CompletionTriggerKind.Invoked
    automatic = not (by_hand and _only_by_hand(server, uri))
    completion = await complete(server, Asked(document, index, offset, automatic))
    if completion is None:
        return nothing
    line = index.text[index.starts[index.position(offset).line] : offset]
    word = _WORD.findall(line)[0]
    edit = types.TextEdit(to_range(index, offset - len(word), offset, encoding), word + completion.text)
    return types.CompletionList(is_incomplete=True, items=[_item(server, completion, edit)])


def _only_by_hand(server: PennyproofServer, uri: str) -> bool:
    project = server.projects.for_uri(uri)
    return server.projects.settings(project.root).completion.trigger == "manual"


def _item(server: PennyproofServer, completion: Completion, edit: types.TextEdit) -> types.CompletionItem:
    """The item; clients filter it by what is typed, so that its text begins with the word at the cursor."""
    first, *more = edit.new_text.strip().splitlines()
    label = first[:_LONGEST_LABEL]
    return types.CompletionItem(
        label if label == first and not more else f"{label}…",
        kind=types.CompletionItemKind.Text,
        detail=f"Pennyproof, {completion.origin.model}: {completion.verdict.evidence()}",
        documentation=_documentation(server, edit.new_text),
        sort_text=_LAST,
        filter_text=edit.new_text,
        insert_text_mode=types.InsertTextMode.AsIs,
        text_edit=edit,
        command=accepted(server),
    )


def _documentation(server: PennyproofServer, text: str) -> str | types.MarkupContent:
    """The whole text, which menus show beside the item; as code where the client can, since prose is wrapped."""
    whole = dedent(text.strip("\r\n"))
    document = server.client_capabilities.text_document
    item = document.completion.completion_item if document and document.completion else None
    if item is None or types.MarkupKind.Markdown not in (item.documentation_format or ()):
        return whole
    # Without a language: Helix drops the indentation of code in one that it has no grammar for.
    return types.MarkupContent(types.MarkupKind.Markdown, fence(whole))
