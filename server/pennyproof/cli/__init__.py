"""The command line, thin over ``assist``: one module for each command.

A command module has ``configure(parser)``, which adds its arguments, and ``run(options) -> int``, which returns the
exit code: 0 found or passed, 1 nothing that holds was found, 2 wrong use or an environment that cannot do it.
Only the module of the command that was named is imported, since editors wait for ``serve`` to start.
"""

import argparse
import importlib
import os
import sys
from collections.abc import Sequence
from typing import NoReturn

from pennyproof import __version__
from pennyproof.errors import Cancelled, PennyproofError, UsageError

COMMANDS = {
    "serve": "the language server, for an editor to start",
    "fix": "find edits that mend failing tests, proved by running the tests",
    "prove": "check a unified diff against the tests",
    "complete": "what belongs at a place in a file, as a model sees it",
    "explain": "the facts about a place in the code or a failing test",
    "spend": "what hosted models have cost, by day, model and action",
    "doctor": "what works here, and what to do about the rest",
    "demo": "play a short real session on a sample project",
}

_INTERRUPTED = 130
_BROKEN_PIPE = 141
"""What shells report for a process that ended by SIGINT or SIGPIPE."""


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command.

    Args:
        argv: The arguments after the program's name; ``None`` takes those of the process.

    Returns:
        The exit code.
    """
    arguments = list(sys.argv[1:] if argv is None else argv)
    try:
        try:
            code = _dispatch(arguments)
        except SystemExit as leaving:  # How argparse ends after --help.
            code = int(leaving.code or 0)
        sys.stdout.flush()
    except (KeyboardInterrupt, Cancelled):
        return _INTERRUPTED
    except BrokenPipeError:
        # The reader has seen enough; the interpreter must not fail once more when it flushes at its end.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return _BROKEN_PIPE
    except PennyproofError as error:
        return _failed(arguments, str(error), error)
    except Exception as error:  # noqa: BLE001 - the last resort: a person gets one line, whatever went wrong
        hint = "PENNYPROOF_LOG_LEVEL=debug shows where"
        return _failed(arguments, f"unexpected {type(error).__name__}: {error} ({hint})", error)
    return code


def _dispatch(arguments: Sequence[str]) -> int:
    named = next((argument for argument in arguments if not argument.startswith("-")), None)
    parser = _Parser(
        prog="pennyproof", description="Suggestions that were proved against your tests before you see them."
    )
    parser.add_argument("--version", action=_Version, nargs=0, help="show the version and exit")
    commands = parser.add_subparsers(metavar="COMMAND", required=True)
    for name, purpose in COMMANDS.items():
        command = commands.add_parser(name, help=purpose, description=purpose.capitalize() + ".")
        if name == named:
            module = importlib.import_module(f"pennyproof.cli.{name}")
            module.configure(command)
            command.set_defaults(run=module.run)
    options = parser.parse_args(arguments)
    code: int = options.run(options)
    return code


class _Parser(argparse.ArgumentParser):
    """Says what is wrong in one line, like every other error here."""

    def error(self, message: str) -> NoReturn:
        raise UsageError(f"{message} (see `{self.prog} --help`)")


class _Version(argparse.Action):
    def __call__(self, parser: argparse.ArgumentParser, *_: object) -> NoReturn:
        print(f"pennyproof {__version__}")
        parser.exit()


def _failed(arguments: Sequence[str], message: str, error: Exception) -> int:
    line = " ".join(message.split())
    if "--json" in arguments:
        from pennyproof.cli.output import print_json  # noqa: PLC0415 - serve does without it

        print_json({"error": line})
    print(f"pennyproof: {line}", file=sys.stderr)
    if os.environ.get("PENNYPROOF_LOG_LEVEL") == "debug":
        import traceback  # noqa: PLC0415 - only when asked for

        traceback.print_exception(error)
    return 2
