"""``pennyproof serve``: the language server."""

import argparse
import os

from pennyproof.errors import EnvironmentProblem, UsageError


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of ``serve``."""
    parser.add_argument(
        "--tcp", metavar="HOST:PORT", help="listen there for one editor instead of speaking on stdin and stdout"
    )
    parser.add_argument(
        "--allow-remote",
        action="store_true",
        help="let --tcp listen beyond this machine; PENNYPROOF_TOKEN is then what the client must present",
    )


def run(options: argparse.Namespace) -> int:
    """Serve until the editor says exit; the exit code is the protocol's."""
    if options.tcp is None:
        from pennyproof.lsp import serve_stdio  # noqa: PLC0415 - nothing may stand between an editor and its server

        return serve_stdio()
    from pennyproof.lsp import serve_tcp  # noqa: PLC0415 - as above

    host, port = _address(options.tcp)
    token = os.environ.get("PENNYPROOF_TOKEN")
    try:
        return serve_tcp(host, port, allow_remote=options.allow_remote, token=token)
    except OSError as error:
        raise EnvironmentProblem(f"cannot listen on {options.tcp}: {error.strerror}") from error


def _address(text: str) -> tuple[str, int]:
    host, colon, port = text.rpartition(":")
    if not (colon and host and port.isdecimal() and int(port) < 1 << 16):
        raise UsageError(f"--tcp takes HOST:PORT, such as 127.0.0.1:4173, not {text!r}")
    return host.removeprefix("[").removesuffix("]"), int(port)
