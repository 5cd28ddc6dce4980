"""``python -m tests.standin --script FILE [--port N]``: a stand-in as a process of its own.

Prints one line, its URL, once it listens. Ends when its standard input ends, or on SIGTERM.
"""

import argparse
import asyncio
import os
import signal
import threading
from pathlib import Path

from tests.standin.script import Script
from tests.standin.server import serve
from tests.standin.service import Service


def main() -> None:
    """Runs until nobody needs it any more."""
    parser = argparse.ArgumentParser(prog="python -m tests.standin", description="A stand-in for the hosted API.")
    parser.add_argument("--script", type=Path, required=True, help="JSON that Script.save wrote")
    parser.add_argument("--port", type=int, default=0, help="0 for any that is free")
    options = parser.parse_args()
    asyncio.run(_run(Script.load(options.script), options.port))


async def _run(script: Script, port: int) -> None:
    loop, stop = asyncio.get_running_loop(), asyncio.Event()
    loop.add_signal_handler(signal.SIGTERM, stop.set)

    def watch_input() -> None:
        # Python's own standard input has a lock, which an ending interpreter cannot wait for.
        while os.read(0, 4096):
            pass
        loop.call_soon_threadsafe(stop.set)

    threading.Thread(target=watch_input, daemon=True).start()
    await serve(Service(script), stop, lambda url: print(url, flush=True), port)


if __name__ == "__main__":
    main()
