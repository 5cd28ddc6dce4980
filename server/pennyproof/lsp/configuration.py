"""Settings of every workspace folder, from all sources: the client's are pulled, and pulled again when they change."""

from __future__ import annotations

import asyncio
import logging
import os
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lsprotocol import types
from pygls.exceptions import JsonRpcException

if TYPE_CHECKING:
    from pennyproof.lsp.server import PennyproofServer
    from pennyproof.settings import Settings

logger = logging.getLogger(__name__)

SECTION = "pennyproof"
_PATIENCE = 3.0
"""Seconds; a client that does not answer must not keep the user's requests waiting."""


class Configuration:
    """What the client configured, and the settings that follow for each folder."""

    def __init__(self, server: PennyproofServer, environ: Mapping[str, str] = os.environ) -> None:
        self._server = server
        self._environ = environ
        self._options: Mapping[str, Any] | None = None
        self._pulled: dict[Path, Mapping[str, Any]] = {}
        self._pushed: Mapping[str, Any] | None = None
        self._loaded: dict[Path, Settings] = {}
        self._warned: set[str] = set()

    def begin(self, options: object) -> None:
        """Take in ``initializationOptions``; the access token is none of the settings."""
        if isinstance(options, Mapping):
            self._options = {key: value for key, value in options.items() if key != "token"}

    def settings(self, root: Path) -> Settings:
        """The settings of a folder; what is wrong with them is told to the user once."""
        # pydantic takes longer to import than everything else up to the reply to initialize.
        from pennyproof.settings import load  # noqa: PLC0415

        if root not in self._loaded:
            loaded = load(
                root,
                environ=self._environ,
                initialization_options=self._options,
                workspace_configuration=self._pulled.get(root, self._pushed),
            )
            self._loaded[root] = loaded.settings
            self._warn(loaded.warnings)
            logging.getLogger("pennyproof").setLevel(loaded.settings.log_level.upper())
        return self._loaded[root]

    def changed(self, params: types.DidChangeConfigurationParams) -> None:
        """The client's settings changed: ask for them again."""
        pushed = params.settings.get(SECTION) if isinstance(params.settings, Mapping) else None
        self._pushed = pushed if isinstance(pushed, Mapping) else None
        self._server.spawn(self.pull(), "fetching the configuration")

    async def pull(self) -> None:
        """Ask the client for the settings of all folders; projects whose settings changed begin anew."""
        await self._ask(self._server.projects.roots)
        self._loaded.clear()
        self._server.projects.refresh()

    async def _ask(self, roots: tuple[Path, ...]) -> None:
        workspace = self._server.client_capabilities.workspace
        if workspace is None or not workspace.configuration or not roots:
            return
        items = [types.ConfigurationItem(scope_uri=root.as_uri(), section=SECTION) for root in roots]
        try:
            async with asyncio.timeout(_PATIENCE):
                answers = await self._server.workspace_configuration_async(types.ConfigurationParams(items))
        except (TimeoutError, JsonRpcException) as error:
            logger.warning("the client did not tell its configuration: %s", str(error) or "no answer")
            return
        for root, answer in zip(roots, answers, strict=False):
            if isinstance(answer, Mapping):
                self._pulled[root] = answer

    async def subscribe(self) -> None:
        """Ask to be told of changes, where the client wants to be asked."""
        workspace = self._server.client_capabilities.workspace
        changes = workspace.did_change_configuration if workspace else None
        if changes is None or not changes.dynamic_registration:
            return
        method = types.WORKSPACE_DID_CHANGE_CONFIGURATION
        registration = types.Registration(SECTION, method, {"section": SECTION})
        try:
            await self._server.client_register_capability_async(types.RegistrationParams([registration]))
        except JsonRpcException as error:
            logger.warning("the client does not tell of changes of its configuration: %s", error)

    def _warn(self, warnings: tuple[str, ...]) -> None:
        new = [warning for warning in warnings if warning not in self._warned]
        self._warned.update(new)
        for warning in new:
            logger.warning("%s", warning)
        if new:
            message = "pennyproof: " + "; ".join(new)
            self._server.window_show_message(types.ShowMessageParams(types.MessageType.Warning, message))
