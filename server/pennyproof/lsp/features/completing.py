"""What ``inlineCompletion`` and ``completion`` have in common: one completion for a place in an open document.

Whoever types makes most requests moot before they are answered: a newer one of the same document, or any change of
that, closes the connection of the one before, whose answer is then empty. A failure of the model is an empty answer
too, with a line in the log and in the status; it is no error, which editors show for each key stroke.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import logging
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from weakref import WeakKeyDictionary

from lsprotocol import types

from pennyproof.assist.complete import Place, why_not_ask
from pennyproof.core.snapshots import Snapshot
from pennyproof.core.work import Cancel, Deadline
from pennyproof.errors import Cancelled, NoModel, OutsideRoot, PennyproofError
from pennyproof.lsp.calls import CURRENT
from pennyproof.lsp.features.findings import project_at
from pennyproof.tiers.hosted.errors import NotAgreed

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pennyproof.assist.complete import Completion
    from pennyproof.assist.project import Project
    from pennyproof.core.positions import LineIndex
    from pennyproof.core.snapshots import Document
    from pennyproof.lsp.server import PennyproofServer

logger = logging.getLogger(__name__)

DEBOUNCE = 0.1
"""Seconds for which an automatic request waits: of a word that is typed, only the last key stroke asks."""
PATIENCE = 7.0
"""Seconds in which the answer has to be there."""
COMPLETION_ID = "c"
"""What ids of completions begin with; those of offers begin otherwise."""
_REST = 10.0
"""Seconds in which nothing is asked automatically after a failure: the next key stroke would meet the same one."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What a client asks to be completed."""

    document: Document
    index: LineIndex
    """The text: the document's, or what it would be with the client's own suggestion in it."""
    offset: int
    automatic: bool
    """Nobody asked for it by hand."""


@dataclass(eq=False, slots=True)
class _State:
    running: dict[str, Cancel] = field(default_factory=dict)
    """The request that is under way for a document, by URI."""
    resting: Deadline = field(default_factory=lambda: Deadline(0.0))
    warned: bool = False
    """Whether the status tells of a failure."""
    ids: Iterator[int] = field(default_factory=lambda: itertools.count(1))


_BY_SERVER: WeakKeyDictionary[PennyproofServer, _State] = WeakKeyDictionary()


async def complete(server: PennyproofServer, asked: Asked) -> Completion | None:
    """A completion that may be shown now; ``None`` where there is none."""
    project = project_at(server, asked.document.uri)
    if project is None or not _wanted(server, project, asked):
        return None
    state = _BY_SERVER.setdefault(server, _State())
    call = CURRENT.get()
    cancel = Cancel() if call is None else call.cancel
    with _newest(server, state, asked.document, cancel):
        if asked.automatic:
            await asyncio.sleep(DEBOUNCE)
            if cancel.asked or not state.resting.passed:
                return None
        completion = await _answer(server, state, project, asked, cancel)
        return None if cancel.asked else completion


async def _answer(
    server: PennyproofServer, state: _State, project: Project, asked: Asked, cancel: Cancel
) -> Completion | None:
    completion = None
    try:
        completion = await server.completing.run(_ask, server, project, asked, cancel)
        _tell(server, state, completion.problem if completion else None)
    except (Cancelled, OutsideRoot):
        logger.debug("the completion is not wanted any more, or of no file of the workspace")
    except NotAgreed as refused:
        server.consent.ask_soon(project, refused.host)
    except NoModel as error:
        if asked.automatic:
            logger.debug("%s", error)  # Who has no key wants none, and not to be told so for each key stroke.
        else:
            _tell(server, state, str(error))
    except PennyproofError as error:
        state.resting = Deadline(_REST)
        _tell(server, state, str(error))
    return completion


def accepted(server: PennyproofServer) -> types.Command:
    """The command that a client runs when the user takes a completion, with an id of its own."""
    offer = f"{COMPLETION_ID}{next(_BY_SERVER.setdefault(server, _State()).ids)}"
    return types.Command("Accepted", "pennyproof.accepted", arguments=[{"offerId": offer}])


def _wanted(server: PennyproofServer, project: Project, asked: Asked) -> bool:
    settings = server.projects.settings(project.root).completion
    if not settings.enabled:
        return False
    if not asked.automatic:
        return True
    reason = why_not_ask(Place("", asked.index, asked.offset))
    if reason is not None:
        logger.debug("no completion is asked for: %s", reason)
    return settings.trigger == "automatic" and reason is None


@contextlib.contextmanager
def _newest(server: PennyproofServer, state: _State, document: Document, cancel: Cancel) -> Iterator[None]:
    """While this request is the newest of its document: the one before ends, and a change of the text ends this."""
    before = state.running.get(document.uri)
    if before is not None:
        before.ask()
    state.running[document.uri] = cancel
    forget = server.documents.on_change(document, cancel.ask)
    try:
        yield
    finally:
        forget()
        if state.running.get(document.uri) is cancel:
            del state.running[document.uri]


def _ask(server: PennyproofServer, project: Project, asked: Asked, cancel: Cancel) -> Completion | None:
    """Runs on a thread."""
    spending = project.begin_completion()
    if server.consent.known(project.root, spending.fast.host) is not True:
        raise NotAgreed(project.root, spending.fast.host)
    path = Snapshot(project.root).relative(asked.document.path)
    place = Place(path, asked.index, asked.offset)
    return project.complete(place, spending, deadline=Deadline(PATIENCE), cancel=cancel)


def _tell(server: PennyproofServer, state: _State, problem: str | None) -> None:
    """Say what went wrong; or, where that was said before, that all is well again."""
    if problem is not None:
        logger.warning("no completion: %s", problem)
        server.status.set("warning", problem)
    elif state.warned:
        server.show_busy()
    state.warned = problem is not None
