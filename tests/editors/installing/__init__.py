"""Get the editors that the tests drive: ``python -m tests.editors.installing [NAME...]``, or ``make editors``.

What comes of it is a folder of programs to put first in the PATH, kept between runs in the user's cache, or in the
folder that ``PENNYPROOF_EDITORS`` names. A part that failed or was broken off is begun anew. The editors are those of
Debian's next release, beside the machine's own; VS Code is code-server, with the Node.js that npm has.
"""

import os
from pathlib import Path

__all__ = ["home", "programs"]


def home() -> Path:
    """The folder that has all of it."""
    given = os.environ.get("PENNYPROOF_EDITORS")
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    return Path(given) if given else cache / "pennyproof" / "editors"


def programs() -> Path:
    """The folder for the PATH."""
    return home() / "bin"
