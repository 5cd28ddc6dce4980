"""The edge: one module for each LSP method or command; the only place that knows pygls and lsprotocol."""

from pennyproof.lsp.stdio import serve_stdio
from pennyproof.lsp.tcp import serve_tcp

__all__ = ["serve_stdio", "serve_tcp"]
