"""No sandbox, which is what ``proof.sandbox: off`` asks for.

The project is copied all the same, and our environment is not handed on. It is all there is on Windows, where
no process can be forked.
"""

import os
import tempfile
from collections.abc import Sequence
from pathlib import Path

from pennyproof.proof.sandbox.landlock import setup_in_copy
from pennyproof.proof.sandbox.launch import Finished, Launch, run_to_end
from pennyproof.proof.sandbox.places import environment
from pennyproof.proof.sandbox.spec import INSIDE, WorkerSpec


class Off:
    """Workers that can do whatever the user can."""

    kind = "off"

    def __init__(self, *, forks: bool = hasattr(os, "fork")) -> None:
        self.forks = forks

    def launch(self, spec: WorkerSpec) -> Launch:
        return self._launch(spec, (str(spec.python), str(INSIDE), *(() if self.forks else ("once",))))

    def run_once(self, argv: Sequence[str], spec: WorkerSpec, timeout: float) -> Finished:
        return run_to_end(self._launch(spec, argv), timeout)

    def _launch(self, spec: WorkerSpec, argv: Sequence[str]) -> Launch:
        scratch = Path(tempfile.mkdtemp(prefix="pennyproof-"))
        variables = environment(spec, str(scratch)) | {"TMPDIR": str(scratch)}
        return Launch(tuple(argv), variables, setup_in_copy(self.kind, spec, scratch), scratch)
