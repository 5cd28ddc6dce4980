"""``textDocument/inlineCompletion``: a completion as ghost text, and what clients tell of its fate."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from lsprotocol import types

from pennyproof.lsp.convert import from_position, to_range
from pennyproof.lsp.features.completing import Asked, accepted, complete

if TYPE_CHECKING:
    from pennyproof.lsp.server import PennyproofServer

logger = logging.getLogger(__name__)


async def handle(server: PennyproofServer, params: types.InlineCompletionParams) -> types.InlineCompletionList:
    """At most one item; where the client shows a suggestion of its own, it goes on from that."""
    uri, encoding = params.text_document.uri, server.documents.encoding
    document, index = server.documents.get(uri), server.documents.index(uri)
    if document is None or index is None:
        return types.InlineCompletionList([])
    selected = params.context.selected_completion_info
    if selected is None:
        begin = end = from_position(index, params.position, encoding)
        begun = ""
    else:
        begin = from_position(index, selected.range.start, encoding)
        end = max(begin, from_position(index, selected.range.end, encoding))
        begun = selected.text
    automatic = params.context.trigger_kind is not types.InlineCompletionTriggerKind.Invoked
    meant = index.replaced(begin, end, begun) if selected else index
    completion = await complete(server, Asked(document, meant, begin + len(begun), automatic))
    if completion is None:
        return types.InlineCompletionList([])
    item = types.InlineCompletionItem(
        begun + completion.text, range=to_range(index, begin, end, encoding), command=accepted(server)
    )
    return types.InlineCompletionList([item])


def shown(server: PennyproofServer, params: object) -> None:  # noqa: ARG001 (every handler takes the server)
    """``textDocument/didShowCompletion``: written down, for whoever wonders whether suggestions are seen."""
    logger.debug("the completion %s was shown", _offer(params))


def partially_accepted(server: PennyproofServer, params: object) -> None:  # noqa: ARG001 (as above)
    """``textDocument/didPartiallyAcceptCompletion``: the user took the beginning."""
    length = params.get("acceptedLength") if isinstance(params, dict) else None
    logger.debug("%s characters of the completion %s were accepted", length, _offer(params))


def _offer(params: object) -> object:
    """The id of the item that a notification is about, as far as it has one."""
    match params:
        case {"item": {"command": {"arguments": [{"offerId": str(offer)}, *_]}}}:
            return offer
        case _:
            return "without an id"
