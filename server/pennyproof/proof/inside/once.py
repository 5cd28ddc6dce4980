"""One run in an interpreter of its own, where no process can be forked (Windows): no part of it confines anything.

Standard input brings one document of JSON: the first message to a zygote, with ``copy`` (of its ``root``, in which the
run happens) and the ``request``. Standard output takes the answer, a frame (``wire``).
"""

from __future__ import annotations

import json
import os
import sys
import traceback
from typing import Any, Dict

from . import wire
from .child_setup import use_home, write_files
from .overlay import CopyFinder
from .preload import load_jobs, preload
from .seal import seal


def main() -> None:
    """Answer the one request, and end."""
    code = 1
    try:
        answers = _take_output()
        setup: Dict[str, Any] = json.loads(_take_input())
        request, root, scratch = setup["request"], setup["copy"], setup["scratch"]
        jobs = load_jobs(setup["jobs"])
        seal()
        preload(setup["preload"], setup["root"], setup["plugins"])
        context = wire.Context(root, scratch, -1, answers, request["nonce"])
        with wire.telling(context):
            os.chdir(root)
            CopyFinder(setup["root"], root).install()
            use_home(os.path.join(scratch, "home"), os.path.join(scratch, "tmp"))
            write_files(root, request["files"])
            result = jobs[request["job"]](request["params"], context)
        if result is not None:
            context.reply(result)
        code = 0
    except BaseException:  # noqa: BLE001 - the process ends here whatever happens, and its output is kept
        traceback.print_exc()
    finally:
        sys.stderr.flush()
        os._exit(code)


def _take_input() -> bytes:
    """All of standard input, which is empty from then on."""
    with os.fdopen(os.dup(0), "rb") as file:
        data = file.read()
    null = os.open(os.devnull, os.O_RDONLY)
    os.dup2(null, 0)
    os.close(null)
    return data


def _take_output() -> int:
    """Standard output, of which nobody else gets to know; what is printed from now on goes where errors do."""
    answers = os.dup(1)
    os.dup2(2, 1)
    return answers
