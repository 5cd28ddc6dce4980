"""How errors leave the server: one code for each kind, and never a traceback, a path or a value."""

from __future__ import annotations

import asyncio
import logging

from cattrs import transform_error
from lsprotocol.types import ErrorCodes, LSPErrorCodes
from pygls.exceptions import JsonRpcException

from pennyproof.errors import Cancelled, PennyproofError, UsageError

logger = logging.getLogger(__name__)


class ServerCancelled(JsonRpcException):
    """The server gave a request up, and the client may send it again."""

    CODE = LSPErrorCodes.ServerCancelled.value
    MESSAGE = "the server cancelled the request"


def as_response_error(error: BaseException) -> dict[str, object]:
    """The error of a response; what nobody expected goes to the log."""
    match error:
        case JsonRpcException():
            return response_error(error.code, error.message)
        case Cancelled() | asyncio.CancelledError():
            return response_error(LSPErrorCodes.RequestCancelled, "the request was cancelled")
        case UsageError():
            return response_error(ErrorCodes.InvalidParams, str(error))
        case PennyproofError():
            return response_error(LSPErrorCodes.RequestFailed, str(error))
        case _:
            logger.error("a request failed", exc_info=error)
            return response_error(ErrorCodes.InternalError, "internal error, see the log")


def response_error(code: int, message: str) -> dict[str, object]:
    """An error object of JSON-RPC."""
    return {"code": int(code), "message": message}


def explain(error: Exception) -> str:
    """What cattrs found wrong with a message, and where in it."""
    return "; ".join(transform_error(error, path="params")[:3]) or type(error).__name__
