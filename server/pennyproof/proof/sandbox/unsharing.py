"""Tries what bubblewrap and the runs need of the kernel, one step after another; run as a program of its own.

Prints the first step that is refused and the number of the error, as JSON; ``null`` where all of them work. It imports
nothing but the standard library, so that it can be run where nothing else can be.
"""

import ctypes
import json
import os
import tempfile
from collections.abc import Callable

_NEWNS, _NEWIPC, _NEWUSER, _NEWPID, _NEWNET = 0x00020000, 0x08000000, 0x10000000, 0x20000000, 0x40000000
_REC, _PRIVATE = 1 << 14, 1 << 18
_libc = ctypes.CDLL(None, use_errno=True)


def main() -> None:
    """Take the steps in a namespace that ends with this process."""
    try:
        steps(Steps())
    except Refused as refused:
        print(json.dumps({"step": refused.step, "error": refused.number}))
    else:
        print("null")


class Refused(Exception):
    """A step did not work."""

    def __init__(self, step: str, number: int) -> None:
        super().__init__(step)
        self.step = step
        self.number = number


class Steps:
    """Takes each by its name."""

    def take(self, step: str, action: Callable[[], object]) -> None:
        """Take one.

        Raises:
            Refused: It does not work.
        """
        try:
            action()
        except OSError as error:
            raise Refused(step, error.errno or 0) from error


def steps(way: Steps) -> None:
    """All of them, as bubblewrap takes them."""
    user, group = os.getuid(), os.getgid()
    way.take("user", lambda: _call("unshare", _NEWUSER))
    for name, text in (("setgroups", "deny"), ("uid_map", f"1000 {user} 1"), ("gid_map", f"1000 {group} 1")):
        way.take("map", lambda name=name, text=text: _write(f"/proc/self/{name}", text))  # type: ignore[misc]
    way.take("others", lambda: _call("unshare", _NEWNS | _NEWIPC | _NEWPID | _NEWNET))
    way.take("mount", lambda: _mount("none", "/", "", _REC | _PRIVATE))
    folder = tempfile.gettempdir()
    way.take("mount", lambda: _mount("tmpfs", folder, "tmpfs", 0))
    place = f"{folder}/proc"
    way.take("mount", lambda: os.mkdir(place))  # noqa: PTH102 - it lies in a file system of its own
    reading, writing = os.pipe()
    if os.fork() == 0:  # Only within the new namespace of processes is there a new /proc to be had.
        try:
            way.take("proc", lambda: _mount("proc", place, "proc", 0))
            os._exit(0)
        except Refused as refused:
            os.write(writing, str(refused.number).encode())
            os._exit(1)
    os.close(writing)
    os.wait()
    told = os.read(reading, 16)
    if told:
        raise Refused("proc", int(told))


def _mount(source: str, target: str, kind: str, flags: int) -> None:
    _call("mount", source.encode(), target.encode(), kind.encode() or None, ctypes.c_ulong(flags), None)


def _call(name: str, *arguments: object) -> None:
    if getattr(_libc, name)(*arguments) < 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))


def _write(path: str, text: str) -> None:
    descriptor = os.open(path, os.O_WRONLY)
    try:
        os.write(descriptor, text.encode())
    finally:
        os.close(descriptor)


if __name__ == "__main__":
    main()
