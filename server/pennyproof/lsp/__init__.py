"""The edge: one module for each LSP method or command; the only place that knows pygls and lsprotocol."""
