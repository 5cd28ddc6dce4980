"""Calls into the C library that Python's own modules lack."""

from __future__ import annotations

import ctypes
import functools
import os
from typing import Any

MS_RDONLY, MS_NOSUID, MS_NODEV, MS_NOEXEC, MS_REMOUNT, MS_BIND, MS_REC = 1, 2, 4, 8, 32, 4096, 16384
_MNT_DETACH = 2
CLONE_NEWNS, CLONE_NEWIPC, CLONE_NEWUSER, CLONE_NEWPID = 0x00020000, 0x08000000, 0x10000000, 0x20000000
PR_SET_PDEATHSIG, PR_SET_DUMPABLE, PR_CAPBSET_DROP, PR_SET_CHILD_SUBREAPER, PR_SET_NO_NEW_PRIVS, PR_CAP_AMBIENT = (
    1, 4, 24, 36, 38, 47,
)  # fmt: skip
PR_CAP_AMBIENT_CLEAR_ALL = 4
_CAPABILITY_VERSION_3 = 0x20080522


@functools.lru_cache(maxsize=None)
def _library() -> ctypes.CDLL:
    # Not as this module is imported: Windows has no library without a name.
    return ctypes.CDLL(None, use_errno=True)


def call(name: str, *arguments: Any) -> int:
    """Call a function of the C library; a negative result is an OSError."""
    result: int = getattr(_library(), name)(*arguments)
    if result < 0:
        number = ctypes.get_errno()
        raise OSError(number, "%s: %s" % (name, os.strerror(number)))
    return result


def syscall(number: int, *arguments: Any) -> int:
    """Call the kernel by number; whole numbers are passed as 64 bits wide."""
    wide = [ctypes.c_long(argument) if isinstance(argument, int) else argument for argument in arguments]
    return call("syscall", ctypes.c_long(number), *wide)


def prctl(option: int, argument: int = 0) -> None:
    """``prctl`` with one argument; the kernel wants the rest to be zero, 64 bits wide."""
    zero = ctypes.c_ulong(0)
    call("prctl", option, ctypes.c_ulong(argument), zero, zero, zero)


def mount(source: str, target: str, kind: str = "", flags: int = 0, options: str = "") -> None:
    """``mount(2)``."""
    call(
        "mount",
        os.fsencode(source),
        os.fsencode(target),
        os.fsencode(kind) or None,
        ctypes.c_ulong(flags),
        os.fsencode(options) or None,
    )


def unmount(target: str) -> None:
    """Take a mount out of this namespace; where it is in use, or in other namespaces, it lasts."""
    call("umount2", os.fsencode(target), _MNT_DETACH)


def setns(descriptor: int, kind: int) -> None:
    """Enter the namespace that a descriptor stands for."""
    call("setns", descriptor, kind)


def unshare(flags: int) -> None:
    """Leave namespaces for new ones."""
    call("unshare", flags)


def drop_capabilities() -> None:
    """Give up every capability, for good: also of what this process executes later."""
    prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL)
    for capability in range(64):
        try:
            prctl(PR_CAPBSET_DROP, capability)
        except OSError:  # past the last one that this kernel knows
            break
    header = (ctypes.c_uint32 * 2)(_CAPABILITY_VERSION_3, 0)
    call("capset", header, (ctypes.c_uint32 * 6)())
