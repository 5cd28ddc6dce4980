"""A call: one request or notification, from its arrival to its end."""

from __future__ import annotations

import asyncio
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from pennyproof.core.work import Cancel

if TYPE_CHECKING:
    from pennyproof.lsp.documents import OpenDocuments

MessageId = int | str
ProgressToken = int | str


@dataclass(eq=False, slots=True)
class Call:
    """What belongs to one request or notification while it is being handled."""

    method: str
    documents: OpenDocuments
    """The open documents as they were when the message arrived, whatever arrives after it."""
    id: MessageId | None = None
    """``None`` for a notification."""
    token: ProgressToken | None = None
    """The client's token for progress on this request."""
    cancel: Cancel = field(default_factory=Cancel)
    """Asked by ``$/cancelRequest``, by the progress bar's cancel button and at shutdown."""
    task: asyncio.Task[object] | None = None


CURRENT: ContextVar[Call | None] = ContextVar("call", default=None)
"""The call on whose behalf code runs; tasks and threads that it starts inherit it."""
