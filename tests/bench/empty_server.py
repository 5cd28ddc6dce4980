"""A pygls server that does nothing, on stdio: what any server on this framework costs."""

from lsprotocol import types
from pygls.lsp.server import LanguageServer

server = LanguageServer("empty", "1")


@server.feature(types.TEXT_DOCUMENT_CODE_LENS)
def code_lenses(params: types.CodeLensParams) -> list[types.CodeLens]:
    return []


@server.feature(types.TEXT_DOCUMENT_CODE_ACTION)
def code_actions(params: types.CodeActionParams) -> list[types.CodeAction]:
    return []


if __name__ == "__main__":
    server.start_io()
