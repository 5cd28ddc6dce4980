"""An empty pygls server on stdio: what any server on this framework costs."""

from pygls.lsp.server import LanguageServer

if __name__ == "__main__":
    LanguageServer("empty", "1").start_io()
