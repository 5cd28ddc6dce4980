"""LSP over JSON-RPC: what pygls gets wrong, mended.

pygls brings the types, the converter and the capabilities; receiving, dispatching, cancelling and answering happen
here. Two invariants:

- **One request, one response.** A request is entered in ``_owed`` when it arrives and leaves it in ``_answer``, which
  writes its response; nothing else writes one. This holds for what fails, is cancelled (also by itself), is malformed,
  comes before ``initialize`` or after ``shutdown``, or is overtaken by ``exit`` or by the end of the input.
- **Order.** Whatever a message changes has changed before ``receive`` returns, and a call keeps the documents as they
  were at its arrival. So a request never sees a change that came after it, in whatever bursts bytes arrive.
"""

from __future__ import annotations

import asyncio
import hmac
import itertools
import json
import logging
from collections.abc import Callable, Iterable, Mapping
from contextvars import copy_context
from functools import partial
from typing import TYPE_CHECKING, Any

from cattrs import Converter
from lsprotocol import types
from lsprotocol.types import ErrorCodes
from pygls.capabilities import ServerCapabilitiesBuilder
from pygls.exceptions import JsonRpcException
from pygls.protocol import LanguageServerProtocol

from pennyproof.core.positions import Encoding
from pennyproof.errors import Cancelled, UsageError
from pennyproof.lsp.calls import CURRENT, Call, MessageId
from pennyproof.lsp.failures import as_response_error, explain, response_error
from pennyproof.lsp.framing import BadFrame

if TYPE_CHECKING:
    from pennyproof.lsp.server import PennyproofServer

logger = logging.getLogger(__name__)

Handler = Callable[[Any], object]


class PennyproofProtocol(LanguageServerProtocol):
    """One session's protocol.

    Attributes:
        ended: Done when the session is over; its result is the exit code.
    """

    _server: PennyproofServer

    def __init__(self, server: PennyproofServer, converter: Converter) -> None:
        self._builtins: Mapping[str, Handler] = {
            types.INITIALIZE: self._initialize,
            types.INITIALIZED: self._initialized,
            types.SHUTDOWN: self._shut_down,
            types.EXIT: self._exit,
            types.CANCEL_REQUEST: self._cancel_request,
            types.SET_TRACE: self._set_trace,
            types.TEXT_DOCUMENT_DID_OPEN: lambda params: server.documents.open(params.text_document),
            types.TEXT_DOCUMENT_DID_CHANGE: lambda params: server.documents.change(
                params.text_document, params.content_changes
            ),
            types.TEXT_DOCUMENT_DID_CLOSE: lambda params: server.documents.close(params.text_document.uri),
            types.WINDOW_WORK_DONE_PROGRESS_CANCEL: self._cancel_progress,
            types.WORKSPACE_DID_CHANGE_CONFIGURATION: self._configuration_changed,
            types.WORKSPACE_DID_CHANGE_WORKSPACE_FOLDERS: lambda params: server.projects.change_folders(params.event),
        }
        self._owed: dict[MessageId, Call] = {}
        """The requests that still owe their response."""
        self._running: set[asyncio.Task[object]] = set()
        self._initialized_once = False
        self._out_of_step = False
        self._ids = itertools.count(1)
        self.client_capabilities = types.ClientCapabilities()
        self.ended: asyncio.Future[int] | None = None
        super().__init__(server, converter)

    def _register_builtin_features(self) -> None:
        for method, handler in self._builtins.items():
            self.fm.add_builtin_feature(method, handler)

    # Receiving

    def receive(self, frame: bytes | BadFrame) -> None:
        """Handle one message; whatever it changes has changed when this returns."""
        if isinstance(frame, BadFrame):
            # A body cut short is followed by a header that cannot be read: one mistake, told once.
            if not self._out_of_step:
                self._refuse(None, ErrorCodes.ParseError, frame.reason)
            self._out_of_step = True
            return
        try:
            message = json.loads(frame.decode("utf-8"))
        except (ValueError, RecursionError):
            self._out_of_step = True
            self._refuse(None, ErrorCodes.ParseError, "the message is not JSON in UTF-8")
            return
        self._out_of_step = False
        self._dispatch(message)

    def _dispatch(self, message: Any) -> None:
        match message:
            case {"jsonrpc": other} if other != self.VERSION:
                self._refuse(_message_id(message), ErrorCodes.InvalidRequest, "the protocol is JSON-RPC 2.0")
            case {"method": str(method), "id": int() | str() as message_id}:
                self._receive_request(message_id, method, message.get("params"))
            case {"method": str(method)} if "id" not in message:
                self._receive_notification(method, message.get("params"))
            case {"method": _}:
                self._refuse(
                    _message_id(message), ErrorCodes.InvalidRequest, "an id is a number or a string, a method a string"
                )
            case {"id": message_id}:
                self._receive_answer(message_id, message)
            case list():
                self._refuse(None, ErrorCodes.InvalidRequest, "LSP has no batches; send one message at a time")
            case _:
                self._refuse(None, ErrorCodes.InvalidRequest, "a message is an object with a method or an id")

    def _receive_request(self, message_id: MessageId, method: str, raw: object) -> None:
        refusal = self._why_not(message_id, method)
        if refusal is not None:
            self._refuse(message_id, *refusal)
            return
        handler = self._handler(method)
        if handler is None:
            self._refuse(message_id, ErrorCodes.MethodNotFound, f"the server has no method {method}")
            return
        try:
            params = self._params(method, raw)
        except UsageError as error:
            self._refuse(message_id, ErrorCodes.InvalidParams, str(error))
            return
        token = getattr(params, "work_done_token", None)
        call = Call(method, self._server.documents.current, message_id, token)
        self._owed[message_id] = call
        self._start(call, handler, params)

    def _receive_notification(self, method: str, raw: object) -> None:
        if method != types.EXIT and (self._shutdown or not self._initialized_once):
            logger.debug("%s came outside of the session and was left aside", method)
            return
        handlers = [handler for handler in (self._builtins.get(method), self.fm.features.get(method)) if handler]
        if not handlers:
            if not method.startswith("$/"):
                logger.debug("no handler for the notification %s", method)
            return
        try:
            params = self._params(method, raw)
        except UsageError as error:
            logger.warning("%s was left aside: %s", method, error)
            return
        for handler in handlers:
            self._start(Call(method, self._server.documents.current), handler, params)

    def _receive_answer(self, message_id: object, message: Mapping[str, Any]) -> None:
        known = message_id if isinstance(message_id, int | str) else ""
        future, result_type = self._request_futures.pop(known, None), self._result_types.pop(known, None)
        if future is None or not future.set_running_or_notify_cancel():
            logger.debug("an answer to a request that nobody waits for was left aside")
            return
        error = message.get("error")
        if error is not None:
            code, text = (error.get("code"), error.get("message")) if isinstance(error, dict) else (None, None)
            future.set_exception(JsonRpcException(str(text), code if isinstance(code, int) else None))
            return
        try:
            answer = {"jsonrpc": self.VERSION, "id": message_id, "result": message.get("result")}
            result = self._converter.structure(answer, result_type).result if result_type else answer["result"]
        except Exception as problem:  # noqa: BLE001 (cattrs raises whatever its hooks raise)
            future.set_exception(JsonRpcException(f"the client's answer cannot be read: {explain(problem)}"))
        else:
            future.set_result(result)

    def _why_not(self, message_id: MessageId, method: str) -> tuple[ErrorCodes, str] | None:
        if message_id in self._owed:
            return ErrorCodes.InvalidRequest, "this id belongs to a request that is not answered yet"
        if self._shutdown:
            return ErrorCodes.InvalidRequest, "the server has been shut down"
        if method == types.INITIALIZE:
            return (ErrorCodes.InvalidRequest, "the server is initialized already") if self._initialized_once else None
        return (
            None if self._initialized_once else (ErrorCodes.ServerNotInitialized, "the server is not initialized yet")
        )

    def _handler(self, method: str) -> Handler | None:
        if method == types.WORKSPACE_EXECUTE_COMMAND:
            return self._execute_command
        handler: Handler | None = self.fm.features.get(method) or self._builtins.get(method)
        return handler

    def _params(self, method: str, raw: object) -> Any:
        """The params as lsprotocol's type for them.

        Raises:
            UsageError: They are malformed.
        """
        kinds: Any = types.METHOD_TO_TYPES.get(method)
        if kinds is None or kinds[2] is None:
            return raw
        try:
            return self._converter.structure(raw, kinds[2])
        except Exception as error:
            raise UsageError(f"malformed params: {explain(error)}") from error

    # Running

    def _start(self, call: Call, handler: Handler, params: object) -> None:
        context = copy_context()
        context.run(CURRENT.set, call)
        try:
            work = context.run(handler, params)
        except Exception as error:  # noqa: BLE001 (every failure of a request becomes its response)
            self._finish(call, error=error)
            return
        if not asyncio.iscoroutine(work):
            self._finish(call, result=work)
            return
        call.task = asyncio.get_running_loop().create_task(work, name=call.method, context=context)
        self._running.add(call.task)
        call.task.add_done_callback(partial(self._finish_task, call))

    def _finish_task(self, call: Call, task: asyncio.Task[object]) -> None:
        self._running.discard(task)
        if task.cancelled():
            self._finish(call, error=Cancelled("cancelled"))
        elif (error := task.exception()) is not None:
            self._finish(call, error=error)
        else:
            self._finish(call, result=task.result())

    def _finish(self, call: Call, *, result: object = None, error: BaseException | None = None) -> None:
        if call.id is not None:
            self._answer(call, result, error)
        elif error is not None and not isinstance(error, Cancelled):
            logger.error("%s failed", call.method, exc_info=error)

    # Answering

    def _answer(self, call: Call, result: object, error: BaseException | None) -> None:
        """Write the response to a request: the one place that does."""
        if call.id is None or self._owed.pop(call.id, None) is not call:
            if not call.cancel.asked:
                logger.error("the request %s (%s) was answered twice", call.id, call.method)
            return
        try:
            body = (
                {"result": self._converter.unstructure(result)}
                if error is None
                else {"error": as_response_error(error)}
            )
            self._write({"jsonrpc": self.VERSION, "id": call.id, **body})
        except (TypeError, ValueError) as problem:
            logger.exception("the result of %s cannot be written as JSON", call.method)
            self._write({"jsonrpc": self.VERSION, "id": call.id, "error": as_response_error(problem)})

    def _refuse(self, message_id: MessageId | None, code: ErrorCodes, message: str) -> None:
        """The response to what never becomes a call."""
        self._write({"jsonrpc": self.VERSION, "id": message_id, "error": response_error(code, message)})

    def _write(self, message: object) -> None:
        body = json.dumps(message).encode()
        if self.writer is not None:
            self.writer.write(b"Content-Length: %d\r\n\r\n%b" % (len(body), body))

    def _send_data(self, data: Any) -> None:
        self._write(self._converter.unstructure(data))

    # Asking the client

    def send_request_async(self, method: str, params: Any | None = None, msg_id: MessageId | None = None) -> Any:
        """Ask the client; one who stops waiting withdraws the question, and a late answer hurts nobody."""
        return self._ask(method, params, msg_id)

    async def _ask(self, method: str, params: object, message_id: MessageId | None) -> object:
        message_id = message_id or f"pennyproof-{next(self._ids)}"
        try:
            return await asyncio.wrap_future(self.send_request(method, params, msg_id=message_id))
        except asyncio.CancelledError:
            if self._request_futures.pop(message_id, None) is not None:
                self._result_types.pop(message_id, None)
                self.notify(types.CANCEL_REQUEST, types.CancelParams(message_id))
            raise

    # What the protocol itself handles

    def _initialize(self, params: types.InitializeParams) -> types.InitializeResult:
        self._check_access(params)
        self._server.process_id = params.process_id
        self.client_capabilities = params.capabilities
        self._server.begin(params)
        self._initialized_once = True
        client = self.client_capabilities
        advertised = {method for method in self.fm.features if self._server.advertises(method, client)}
        builder: Any = ServerCapabilitiesBuilder(
            self.client_capabilities,
            {*advertised, *self._builtins},
            self.fm.feature_options,
            list(self.fm.commands),
            types.TextDocumentSyncKind.Incremental,
            None,
            self.choose_encoding(params).value,
        )
        self.server_capabilities = builder.build()
        return types.InitializeResult(self.server_capabilities, self.server_info)

    @staticmethod
    def choose_encoding(params: types.InitializeParams) -> Encoding:
        """The first encoding of the client's list that we know."""
        return Encoding(ServerCapabilitiesBuilder.choose_position_encoding(params.capabilities))

    def _check_access(self, params: types.InitializeParams) -> None:
        expected, options = self._server.access_token, params.initialization_options
        given = options.get("token") if isinstance(options, dict) else None
        if expected is None or (isinstance(given, str) and hmac.compare_digest(given.encode(), expected.encode())):
            return
        asyncio.get_running_loop().call_soon(self.end)
        raise UsageError("initializationOptions.token is missing or wrong")

    def _initialized(self, _: object) -> None:
        self._server.prepare()

    def _shut_down(self, _: object) -> None:
        self._shutdown = True
        self._cancel(call for call in list(self._owed.values()) if call.method != types.SHUTDOWN)

    def _exit(self, _: object) -> None:
        self.end()

    def _cancel_request(self, params: types.CancelParams) -> None:
        call = self._owed.get(params.id)
        if call is not None:
            self._cancel([call])

    def _cancel_progress(self, params: types.WorkDoneProgressCancelParams) -> None:
        cancel = self._server.tokens.get(params.token)
        if cancel is not None:
            cancel.ask()

    def _configuration_changed(self, params: types.DidChangeConfigurationParams) -> None:
        self._server.configuration.changed(params)

    def _set_trace(self, params: types.SetTraceParams) -> None:
        self.trace = params.value

    async def _execute_command(self, params: types.ExecuteCommandParams) -> object:
        command = self.fm.commands.get(params.command)
        if command is None:
            raise UsageError(f"there is no command {params.command}")
        return await command(params.arguments or [])

    # Ending

    @property
    def over(self) -> bool:
        """Whether the session has ended; nothing is read any more."""
        return self.ended is not None and self.ended.done()

    def end(self) -> None:
        """The session is over: by ``exit``, or because the client is gone."""
        if self.ended is not None and not self.ended.done():
            self.ended.set_result(0 if self._shutdown else 1)

    async def settle(self, seconds: float) -> None:
        """Cancel all that runs and answer every request, those that do not heed it after ``seconds``."""
        self._shutdown = True
        self._cancel(list(self._owed.values()))
        for task in list(self._running):
            task.cancel()
        if self._running:
            await asyncio.wait(set(self._running), timeout=seconds)
        for call in list(self._owed.values()):
            self._answer(call, None, Cancelled("cancelled"))

    @staticmethod
    def _cancel(calls: Iterable[Call]) -> None:
        for call in calls:
            call.cancel.ask()
            if call.task is not None:
                call.task.cancel()


def _message_id(message: Any) -> MessageId | None:
    message_id = message.get("id") if isinstance(message, dict) else None
    return message_id if isinstance(message_id, int | str) else None
