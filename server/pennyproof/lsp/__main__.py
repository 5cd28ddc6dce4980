"""``python -m pennyproof.lsp``: the language server on stdio, without the rest of the command line."""

import sys

from pennyproof.lsp import serve_stdio

sys.exit(serve_stdio())
