"""The sandbox of macOS: ``sandbox-exec`` with a profile that denies what it does not name.

Runs happen in a private copy of the project. Apple calls the command deprecated, and ships it. There are no
namespaces: the loopback is the machine's own, so that a test can reach what listens there, and processes can be seen.
"""

import tempfile
from collections.abc import Iterable, Sequence
from pathlib import Path

from pennyproof.proof.sandbox.landlock import setup_in_copy
from pennyproof.proof.sandbox.launch import Finished, Launch, run_to_end
from pennyproof.proof.sandbox.places import environment, outermost, project_places
from pennyproof.proof.sandbox.spec import INSIDE, WorkerSpec

COMMAND = Path("/usr/bin/sandbox-exec")
_SYSTEM = ("/usr/lib", "/usr/share", "/usr/bin", "/bin", "/System/Library", "/Library/Frameworks", "/Library/Apple",
           "/Library/Developer", "/opt/homebrew", "/usr/local", "/private/var/db/timezone", "/private/var/db/dyld",
           "/dev/null", "/dev/zero", "/dev/random", "/dev/urandom", "/dev/fd")  # fmt: skip
_WRITABLE_DEVICES = ("/dev/null", "/dev/zero")
_HEAD = """\
(version 1)
(deny default)
(allow process-fork)
(allow process-exec)
(allow signal (target same-sandbox))
(allow process-info* (target same-sandbox))
(allow sysctl-read)
(allow ipc-posix-sem)
(allow file-read-metadata)
(allow file-read* (literal "/"))
(allow network-bind (local ip "localhost:*"))
(allow network-inbound (local ip "localhost:*"))
(allow network-outbound (remote ip "localhost:*"))
"""


class Seatbelt:
    """Workers under a profile."""

    kind = "seatbelt"
    forks = True

    def launch(self, spec: WorkerSpec) -> Launch:
        return self._launch(spec, (str(spec.python), str(INSIDE)))

    def run_once(self, argv: Sequence[str], spec: WorkerSpec, timeout: float) -> Finished:
        return run_to_end(self._launch(spec, argv), timeout)

    def _launch(self, spec: WorkerSpec, argv: Sequence[str]) -> Launch:
        scratch = Path(tempfile.mkdtemp(prefix="pennyproof-")).resolve()
        variables = environment(spec, str(scratch)) | {"TMPDIR": str(scratch)}
        command = (str(COMMAND), "-p", profile(spec, scratch), *argv)
        return Launch(command, variables, setup_in_copy(self.kind, spec, scratch), scratch)


def profile(spec: WorkerSpec, scratch: Path) -> str:
    """What a worker may do: read the project, its interpreter and the system; write to its own folder alone.

    Args:
        spec: The worker's.
        scratch: Its folder, links resolved.
    """
    shared = [spec.pycache] if spec.pycache else []
    readable = [*map(Path, _SYSTEM), spec.root, scratch, *project_places(spec), *shared]
    # The kernel compares paths with their links resolved.
    resolved = {*readable, *(path.resolve() for path in readable)}
    writable = [scratch, *map(Path, _WRITABLE_DEVICES), *(path.resolve() for path in shared)]
    return f"{_HEAD}{_rule('file-read*', outermost(resolved))}{_rule('file-write*', writable)}"


def _rule(operation: str, places: Iterable[Path]) -> str:
    listed = "".join(f"\n    (subpath {_quoted(place)})" for place in places)
    return f"(allow {operation}{listed})\n"


def _quoted(path: Path) -> str:
    text = str(path).replace("\\", "\\\\").replace('"', '\\"')
    return f'"{text}"'
