"""Runs a command for a client, and sees to it that its user hears why one failed."""

from __future__ import annotations

from types import ModuleType
from typing import TYPE_CHECKING, Any

from lsprotocol import types

from pennyproof.errors import Cancelled, PennyproofError
from pennyproof.lsp.convert import read_argument

if TYPE_CHECKING:
    from pennyproof.lsp.server import PennyproofServer

RETICENT = frozenset({"helix"})
"""Clients that write into their log why a command failed, or what an edit was for, and show neither."""


async def call(server: PennyproofServer, command: ModuleType, arguments: list[Any]) -> object:
    """The command's result.

    Args:
        server: Whose client calls it.
        command: Its module.
        arguments: What the client sent.

    Raises:
        PennyproofError: It failed; the client gets that as its answer, and shows it where it shows errors at all.
    """
    try:
        return await command.run(server, read_argument(command.Params, arguments))
    except Cancelled:
        raise
    except PennyproofError as error:
        if server.client_name in RETICENT:
            server.window_show_message(types.ShowMessageParams(types.MessageType.Error, f"Pennyproof: {error}"))
        raise
