"""The language server: which handler answers what, and what every handler may use.

ROUTES and COMMANDS name all there is. A handler is imported at its first use, so that the reply to ``initialize``
waits for none of them.
"""

from __future__ import annotations

import asyncio
import importlib
import logging
from collections.abc import Callable, Coroutine, Mapping
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, ParamSpec, TypeVar

from lsprotocol import types
from pygls.lsp.server import LanguageServer

from pennyproof import __version__
from pennyproof.core.work import Cancel
from pennyproof.lsp.background import Background
from pennyproof.lsp.calls import ProgressToken
from pennyproof.lsp.configuration import Configuration
from pennyproof.lsp.consent import ConsentQuestions
from pennyproof.lsp.documents import DocumentStore
from pennyproof.lsp.mapping import MapKeeper
from pennyproof.lsp.parent import wait_until_gone
from pennyproof.lsp.progress import Work
from pennyproof.lsp.projects import Projects
from pennyproof.lsp.protocol import PennyproofProtocol
from pennyproof.lsp.status import Status
from pennyproof.lsp.trust import TrustQuestions

if TYPE_CHECKING:
    from pennyproof.assist.project import Project

logger = logging.getLogger(__name__)

_CLOSING = 10.0
"""Seconds within which processes are to end, and temporary folders to go; what is ended sooner leaves these behind."""

P = ParamSpec("P")
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Route:
    """The handler of one LSP method: ``handler(server, params)``, sync for what is instant, else async."""

    handler: str
    """``module:function``."""
    options: object | None = None
    """What is advertised with it."""
    advertised: Callable[[types.ClientCapabilities], bool] = lambda _: True
    """Whether a client is told of it."""


def _shows_ghost_text(client: types.ClientCapabilities) -> bool:
    return bool(client.text_document and client.text_document.inline_completion)


def _shows_menus(client: types.ClientCapabilities) -> bool:
    return bool(client.text_document and client.text_document.completion)


ROUTES: Mapping[str, Route] = {
    types.TEXT_DOCUMENT_CODE_ACTION: Route(
        "pennyproof.lsp.features.code_actions:handle",
        types.CodeActionOptions(
            code_action_kinds=[types.CodeActionKind.QuickFix, types.CodeActionKind.RefactorRewrite]
        ),
    ),
    types.TEXT_DOCUMENT_CODE_LENS: Route("pennyproof.lsp.features.code_lenses:handle"),
    types.TEXT_DOCUMENT_COMPLETION: Route(
        "pennyproof.lsp.features.completion:handle",
        types.CompletionOptions(),
        advertised=lambda client: _shows_menus(client) and not _shows_ghost_text(client),
    ),
    types.TEXT_DOCUMENT_INLINE_COMPLETION: Route(
        "pennyproof.lsp.features.inline_completion:handle",
        types.InlineCompletionOptions(),
        advertised=_shows_ghost_text,
    ),
    "textDocument/didShowCompletion": Route("pennyproof.lsp.features.inline_completion:shown"),
    "textDocument/didPartiallyAcceptCompletion": Route("pennyproof.lsp.features.inline_completion:partially_accepted"),
    types.TEXT_DOCUMENT_DID_OPEN: Route("pennyproof.lsp.features.diagnostics:opened"),
    types.TEXT_DOCUMENT_DID_CHANGE: Route("pennyproof.lsp.features.diagnostics:changed"),
    types.TEXT_DOCUMENT_DID_SAVE: Route("pennyproof.lsp.features.tests_on_save:handle"),
    types.TEXT_DOCUMENT_DID_CLOSE: Route("pennyproof.lsp.features.diagnostics:closed"),
}
"""LSP method → handler. Opening, changing and closing documents has happened before their handlers run."""

COMMANDS: Mapping[str, str] = {
    "pennyproof.accepted": "pennyproof.lsp.commands.accepted",
    "pennyproof.debug": "pennyproof.lsp.commands.debug",
    "pennyproof.edit": "pennyproof.lsp.commands.edit",
    "pennyproof.explain": "pennyproof.lsp.commands.explain",
    "pennyproof.prove": "pennyproof.lsp.commands.prove",
    "pennyproof.restartWorkers": "pennyproof.lsp.commands.restart_workers",
    "pennyproof.runTests": "pennyproof.lsp.commands.run_tests",
    "pennyproof.showLastRejections": "pennyproof.lsp.commands.show_last_rejections",
    "pennyproof.showSpend": "pennyproof.lsp.commands.show_spend",
    "pennyproof.trustWorkspace": "pennyproof.lsp.commands.trust_workspace",
}
"""Command → module with ``Params``, a pydantic model of its one argument, and ``async run(server, params)``."""


class PennyproofServer(LanguageServer):
    """One session with one client.

    Args:
        routes: LSP method → handler.
        commands: Command → module.
        access_token: What the client must present in ``initializationOptions.token``; ``None`` where it need not.
        watch_parent: End the session when the process that the client names at initialize is gone.
        on_initialize: Called with the server before it answers ``initialize``; may refuse by raising.
    """

    protocol: PennyproofProtocol

    def __init__(
        self,
        routes: Mapping[str, Route] = ROUTES,
        commands: Mapping[str, str] = COMMANDS,
        *,
        access_token: str | None = None,
        watch_parent: bool = False,
        on_initialize: Callable[[PennyproofServer], None] | None = None,
    ) -> None:
        self.access_token = access_token
        self._watch_parent = watch_parent
        self._on_initialize = on_initialize
        self.documents = DocumentStore()
        self.locale: str | None = None
        """Of the client's user, where it says so."""
        self.client_name = ""
        super().__init__("pennyproof", __version__, protocol_cls=PennyproofProtocol, max_workers=1)
        self.background = Background()
        self.completing = Background(threads=4, name="pennyproof-complete")
        """Threads of their own, so that completions never wait behind runs of tests."""
        self.configuration = Configuration(self)
        self.projects = Projects(self)
        self.status = Status(self)
        self.trust = TrustQuestions(self)
        self.consent = ConsentQuestions(self)
        self.mapping = MapKeeper(self)
        self.tokens: dict[ProgressToken, Cancel] = {}
        """The progress bars that are shown, and what their cancel buttons ask."""
        self.working: dict[Work, str] = {}
        """Long work that is under way, and its titles."""
        self._ready: asyncio.Task[None] | None = None
        self._routes = routes
        self._modules = {*(route.handler.partition(":")[0] for route in routes.values()), *commands.values()}
        for method, route in routes.items():
            self.feature(method, route.options)(partial(self._handle, route.handler))
        for command, module in commands.items():
            self.command(command)(partial(self._run_command, module))

    # What handlers use

    async def run(self, function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Run a blocking function on a thread; cancelling the call that awaits it asks the call's Cancel."""
        return await self.background.run(function, *args, **kwargs)

    def spawn(self, work: Coroutine[object, object, object], name: str) -> None:
        """Run a coroutine that nobody awaits; what it raises is logged under ``name``."""
        self.background.spawn(work, name)

    def work(
        self, title: str, token: ProgressToken | None = None, *, cancellable: bool = True, background: bool = False
    ) -> Work:
        """Long work, shown to the user when it lasts: ``async with server.work("running tests") as work``."""
        return Work(self, title, token, cancellable=cancellable, background=background)

    async def ensure_trusted(self, project: Project) -> bool:
        """Whether code of this workspace may run; the user is asked once."""
        return await self.trust.ensure(project)

    def show_busy(self) -> None:
        """Tell the client what is under way, or that nothing is."""
        if self.working:
            work, title = list(self.working.items())[-1]
            self.status.set("busy", title, work.tier)
        else:
            self.status.set("normal")

    def report_server_error(self, error: Exception, source: object) -> None:
        """Into the log; pygls would show it to the user in a popup."""
        logger.error("%s: %s", getattr(source, "__name__", source), type(error).__name__)

    # The session

    def advertises(self, method: str, client: types.ClientCapabilities) -> bool:
        """Whether a client is told that the server knows a method."""
        route = self._routes.get(method)
        return route is None or route.advertised(client)

    def begin(self, params: types.InitializeParams) -> None:
        """Take in what the client said at initialize."""
        if self._on_initialize is not None:
            self._on_initialize(self)
        self.documents.encoding = self.protocol.choose_encoding(params)
        self.locale = params.locale
        self.client_name = params.client_info.name if params.client_info else ""
        self.configuration.begin(params.initialization_options)
        self.projects.begin(params)
        if self._watch_parent and params.process_id is not None:
            self.spawn(self._end_after(params.process_id), "watching the editor's process")

    def prepare(self) -> asyncio.Task[None]:
        """Fetch, once, what every handler needs: its imports and the client's configuration."""
        if self._ready is None:
            self._ready = asyncio.get_running_loop().create_task(self._prepare(), name="prepare")
        return self._ready

    async def close(self) -> None:
        """End everything that was started on behalf of the session, within a bounded time."""
        self.mapping.close()
        if self._ready is not None:
            self._ready.cancel()
        closing = asyncio.create_task(self.run(self.projects.close))
        await asyncio.wait({closing}, timeout=_CLOSING)
        await self.completing.close(seconds=0)
        await self.background.close(seconds=1)

    async def _prepare(self) -> None:
        await self.run(_import_what_handlers_need, tuple(self._modules))
        await self.configuration.subscribe()
        await self.configuration.pull()
        self.status.refresh()
        for project in self.projects.all():
            self.mapping.wake(project)

    async def _end_after(self, process_id: int) -> None:
        await wait_until_gone(process_id)
        logger.info("the editor's process is gone")
        self.protocol.end()

    async def _handle(self, handler: str, params: object) -> object:
        await asyncio.shield(self.prepare())
        module, _, function = handler.partition(":")
        result = getattr(importlib.import_module(module), function)(self, params)
        return await result if asyncio.iscoroutine(result) else result

    async def _run_command(self, name: str, arguments: list[Any]) -> object:
        await asyncio.shield(self.prepare())
        from pennyproof.lsp.commands.calling import call  # noqa: PLC0415 (pydantic comes after initialize)

        return await call(self, importlib.import_module(name), arguments)


def _import_what_handlers_need(modules: tuple[str, ...]) -> None:
    """On a thread, so that messages are read meanwhile."""
    for module in ("pennyproof.settings", "pennyproof.assist.assemble", *modules):
        importlib.import_module(module)
