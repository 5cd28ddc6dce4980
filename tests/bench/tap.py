"""A server with a clock beside it: ``python -m tests.bench.tap LOG COMMAND...`` starts it and passes all on.

For each inline completion it writes a line to LOG: when the request came from the editor, when the answer came from
the server, both in nanoseconds of the machine's monotonic clock, which editors can read as well, and how many items.
"""

import json
import re
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import IO, Any

_METHOD = "textDocument/inlineCompletion"


def main() -> int:
    """Pass on until the server ends."""
    log, *command = sys.argv[1:]
    came: dict[Any, int] = {}
    with (
        Path(log).open("a", encoding="utf-8", buffering=1) as file,
        subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as server,
    ):
        assert server.stdin is not None
        assert server.stdout is not None

        def asked(message: Any) -> None:
            if message.get("method") == _METHOD:
                came[message["id"]] = time.monotonic_ns()

        def answered(message: Any) -> None:
            moment = came.pop(message.get("id"), None) if "method" not in message else None
            if moment is not None:
                items = (message.get("result") or {}).get("items", ())
                file.write(f"{moment} {time.monotonic_ns()} {len(items)}\n")

        def inward() -> None:
            _pass_on(sys.stdin.buffer, server.stdin, asked)
            server.stdin.close()

        threading.Thread(target=inward, daemon=True).start()
        _pass_on(server.stdout, sys.stdout.buffer, answered)
    return server.returncode


def _pass_on(source: IO[bytes], sink: Any, note: Callable[[Any], None]) -> None:
    """Whole messages, each noted before it is passed on: what the passing takes counts as the editor's."""
    while header := source.readline():
        length = int(re.findall(rb"\d+", header)[0])
        while (line := source.readline()).strip():
            header += line
        body = source.read(length)
        note(json.loads(body))
        try:
            sink.write(header + b"\r\n" + body)
            sink.flush()
        except OSError:
            return


if __name__ == "__main__":
    sys.exit(main())
