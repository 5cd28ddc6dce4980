"""``pennyproof serve``: the language server."""

import argparse


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of ``serve``."""
    parser.add_argument(
        "--tcp", metavar="HOST:PORT", help="listen there for one editor instead of speaking on stdin and stdout"
    )
    parser.add_argument(
        "--allow-remote", action="store_true", help="let --tcp listen beyond this machine; a token is then required"
    )


def run(options: argparse.Namespace) -> int:
    """Serve until the editor says exit; the exit code is the protocol's."""
    if options.tcp is None:
        from pennyproof.lsp import serve_stdio  # noqa: PLC0415 - nothing may stand between an editor and its server

        return serve_stdio()
    from pennyproof.lsp import serve_tcp  # noqa: PLC0415 - as above

    return serve_tcp(options.tcp, allow_remote=options.allow_remote)
