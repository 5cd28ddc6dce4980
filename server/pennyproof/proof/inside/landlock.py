"""Landlock: take access to files, TCP and other processes away from this process and all that it starts."""

from __future__ import annotations

import ctypes
import os
import stat
import sys
from typing import Iterable

from . import libc

_CREATE_RULESET, _ADD_RULE, _RESTRICT_SELF = 444, 445, 446
_VERSION, _PATH_BENEATH = 1, 1

_EXECUTE, _WRITE_FILE, _READ_FILE, _READ_DIR, _TRUNCATE, _IOCTL_DEVICE = 1, 1 << 1, 1 << 2, 1 << 3, 1 << 14, 1 << 15
_READ = _EXECUTE | _READ_FILE | _READ_DIR
_ON_FILES = _EXECUTE | _WRITE_FILE | _READ_FILE | _TRUNCATE | _IOCTL_DEVICE
_FIRST_RIGHTS = (1 << 13) - 1
"""What the first version knows; later ones added one right each."""
_TCP = 0b11
_SCOPES = 0b11
"""Abstract Unix sockets and signals."""

TRUNCATES, NETWORK, SIGNALS = 3, 4, 6
"""The versions that brought them."""


class _Ruleset(ctypes.Structure):
    _fields_ = [("files", ctypes.c_uint64), ("network", ctypes.c_uint64), ("scoped", ctypes.c_uint64)]


class _PathBeneath(ctypes.Structure):
    _pack_ = 1
    _layout_ = "ms"
    _fields_ = [("allowed", ctypes.c_uint64), ("parent", ctypes.c_int32)]


def version() -> int:
    """The version of Landlock's interface here; zero where the kernel has none, or has it switched off."""
    if not sys.platform.startswith("linux"):
        return 0
    try:
        return libc.syscall(_CREATE_RULESET, None, 0, _VERSION)
    except OSError:
        return 0


def restrict(readable: Iterable[str], writable: Iterable[str]) -> None:
    """Leave only what is named; may be called again, to leave less.

    ``no_new_privs`` must be set. Paths that do not exist are passed over.

    Args:
        readable: Files and folders to read and execute.
        writable: Files and folders to read, write and make things in.

    Raises:
        OSError: The kernel refused.
    """
    known = version()
    rights = _FIRST_RIGHTS
    for later in range(2, min(known, 5) + 1):
        if later != NETWORK:
            rights |= {2: 1 << 13, 3: _TRUNCATE, 5: _IOCTL_DEVICE}[later]
    attributes = _Ruleset(rights, _TCP if known >= NETWORK else 0, _SCOPES if known >= SIGNALS else 0)
    size = 24 if known >= SIGNALS else 16 if known >= NETWORK else 8
    ruleset = libc.syscall(_CREATE_RULESET, ctypes.byref(attributes), size, 0)
    try:
        for path in readable:
            _allow(ruleset, path, _READ & rights)
        for path in writable:
            _allow(ruleset, path, rights)
        libc.syscall(_RESTRICT_SELF, ruleset, 0)
    finally:
        os.close(ruleset)


def _allow(ruleset: int, path: str, rights: int) -> None:
    try:
        descriptor = os.open(path, os.O_PATH | os.O_CLOEXEC)
    except (FileNotFoundError, NotADirectoryError, PermissionError):
        return
    try:
        if not stat.S_ISDIR(os.fstat(descriptor).st_mode):
            rights &= _ON_FILES
        rule = _PathBeneath(rights, descriptor)
        libc.syscall(_ADD_RULE, ruleset, _PATH_BENEATH, ctypes.byref(rule), 0)
    finally:
        os.close(descriptor)
