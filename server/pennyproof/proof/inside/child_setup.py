"""What is done to a child before its run, whichever way it is isolated: files, home, limits, descriptors."""

from __future__ import annotations

import base64
import hashlib
import os
import stat
import sys
from typing import Any, Dict, List, Mapping, Optional

if sys.platform != "win32":
    import resource

Files = Mapping[str, Optional[str]]
"""Relative path → base64 of the bytes, or None for a file that is to be missing."""


def write_files(root: str, files: Files) -> None:
    """Put the changed files in place, where a file becomes a new one of the same mode.

    Their modification time is made from their bytes and lies in the seventies, so that bytecode of another text is
    never taken for theirs: Python matches it by time (whole seconds) and size.

    Raises:
        ValueError: A path leads out of the root.
    """
    top = os.path.realpath(root)
    for relative, data in files.items():
        path = os.path.realpath(os.path.join(top, relative))
        if os.path.commonpath([path, top]) != top or path == top:
            raise ValueError(relative + " leads out of the root")
        mode = stat.S_IMODE(os.stat(path).st_mode) if os.path.exists(path) else 0o644
        if os.path.exists(path):
            os.unlink(path)
        if data is not None:
            content = base64.b64decode(data)
            os.makedirs(os.path.dirname(path), exist_ok=True)
            with open(path, "wb") as file:
                file.write(content)
            os.chmod(path, mode)
            seconds = 1 + int.from_bytes(hashlib.blake2b(content, digest_size=4).digest(), "big") % (1 << 28)
            os.utime(path, (seconds, seconds))


def use_home(home: str, temporary: str) -> None:
    """Make the folders that programs expect to write to, and name them in the environment."""
    os.makedirs(home, exist_ok=True)
    os.makedirs(temporary, exist_ok=True)
    os.environ.update(HOME=home, TMPDIR=temporary)
    if sys.platform == "win32":
        os.environ.update(USERPROFILE=home, TEMP=temporary, TMP=temporary)


if sys.platform != "win32":  # which bounds processes by other means

    def set_limits(limits: Dict[str, Any], processes_now: int) -> None:
        """Bound what this process and those it starts may use.

        Args:
            limits: ``cpu``, ``memory``, ``processes``, ``file_size``.
            processes_now: How many processes count against the same user already.
        """
        bounds = [
            (resource.RLIMIT_CPU, int(limits["cpu"]) + 1),
            (resource.RLIMIT_FSIZE, limits["file_size"]),
            (resource.RLIMIT_CORE, 0),
            (resource.RLIMIT_NOFILE, 4096),
        ]
        if sys.platform != "darwin":  # which refuses any bound on the address space
            bounds.append((resource.RLIMIT_AS, limits["memory"]))
        if hasattr(resource, "RLIMIT_NPROC"):
            bounds.append((resource.RLIMIT_NPROC, limits["processes"] + processes_now))
        for kind, wanted in bounds:
            hard = resource.getrlimit(kind)[1]
            bound = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
            resource.setrlimit(kind, (bound, bound))


def close_all_but(keep: List[int]) -> None:
    """Close every descriptor except those in ``keep``."""
    for name in os.listdir("/dev/fd" if os.path.isdir("/dev/fd") else "/proc/self/fd"):
        descriptor = int(name)
        if descriptor not in keep:
            try:
                os.close(descriptor)
            except OSError:  # the one that listed the folder
                continue
