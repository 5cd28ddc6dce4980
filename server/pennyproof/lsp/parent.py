"""The editor's process: when it is gone, so is the need for this one."""

from __future__ import annotations

import asyncio
import logging
import os
import sys

logger = logging.getLogger(__name__)

_EVERY = 5.0
"""Seconds between two looks, where the system cannot tell by itself."""


async def wait_until_gone(pid: int) -> None:
    """Return when the process ``pid`` has ended.

    A process that cannot be seen to begin with (the editor may live outside of this container) is never taken for
    gone.
    """
    if not _alive(pid):
        logger.info("the editor's process %d cannot be seen from here, so it is not watched", pid)
        await asyncio.get_running_loop().create_future()
    try:
        descriptor = os.pidfd_open(pid)
    except (AttributeError, OSError):
        while _alive(pid):
            await asyncio.sleep(_EVERY)
        return
    loop = asyncio.get_running_loop()
    gone = loop.create_future()
    loop.add_reader(descriptor, gone.set_result, None)
    try:
        await gone
    finally:
        loop.remove_reader(descriptor)
        os.close(descriptor)


def _alive(pid: int) -> bool:
    if (
        sys.platform == "win32"
    ):  # Zero is no question there, but the number of Ctrl+C. An editor that ends closes our input.
        return False
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except OSError:
        return True
    return True
