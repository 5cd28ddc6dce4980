"""The command line of ``tests.editors.installing``."""

import argparse
import fcntl
import inspect
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from subprocess import CalledProcessError

from tests.editors import installing
from tests.editors.installing import home, programs, tools
from tests.editors.installing.parts import MACHINE, PARTS, is_there, way


def main() -> int:
    """Get the parts that the command line names, or all; 1 where one cannot be had here."""
    parser = argparse.ArgumentParser(description=inspect.getdoc(installing))
    parser.add_argument("names", nargs="*", choices=[[], *PARTS], metavar="NAME", help=f"of {', '.join(PARTS)}; all")
    names = parser.parse_args().names or list(PARTS)
    programs().mkdir(parents=True, exist_ok=True)
    with _alone():
        wanted = [name for name in names if not _there(name)]
        if not wanted:
            return 0
        failed = _tried("Debian's packages", lambda: tools.debian(MACHINE))
        if not failed:
            with ThreadPoolExecutor(len(wanted)) as threads:
                failed = any(list(threads.map(_get, wanted)))
    return int(failed)


def _there(name: str) -> bool:
    stamp = home() / f"{name}.ready"
    return stamp.exists() and stamp.read_text("utf-8") == way(name) and is_there(name)


def _get(name: str) -> bool:
    stamp = home() / f"{name}.ready"
    stamp.unlink(missing_ok=True)
    failed = _tried(name, PARTS[name])
    if not failed:
        stamp.write_text(way(name), "utf-8")
    return failed


def _tried(name: str, get: Callable[[], None]) -> bool:
    """Get something; whether that failed."""
    began = time.monotonic()
    try:
        get()
    except (OSError, CalledProcessError) as error:
        print(f"{name} cannot be had here: {error}", file=sys.stderr)
        return True
    print(f"got {name} in {time.monotonic() - began:.0f} s", file=sys.stderr)
    return False


@contextmanager
def _alone() -> Iterator[None]:
    """Two runs beside one another would undo each other's work."""
    with (home() / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


if __name__ == "__main__":
    sys.exit(main())
