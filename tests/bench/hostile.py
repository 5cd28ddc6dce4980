"""What hostile candidates leave behind, a thousand in a row: processes, mounts, files, descriptors, shared memory.

Each is proved by a real prover, which must take none of them for good. What there is on the machine, of our own doing,
is counted after the first few (workers are forked as they are needed) and after the last, both times when a few
harmless ones have been proved and nothing is begun in the background any more; and again when all is closed.
"""

import itertools
import os
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from pennyproof.core.candidates import Candidate, FileChange
from pennyproof.core.snapshots import Snapshot
from pennyproof.core.sources import Source
from pennyproof.core.verdicts import Level
from pennyproof.core.work import Cancel, Deadline, Silent
from pennyproof.proof.inside.processes import descendants
from pennyproof.proof.prover import ProofOptions, Prover
from pennyproof.proof.sandbox import Kind
from tests.bench import Options
from tests.bench.results import progress
from tests.bench.tables import Cell, table

NAME = "hostile"
ABOUT = "what hostile candidates leave behind"

_CANDIDATES, _FEW = 1000, 60
_WARM = 12
"""Candidates before the first count."""
_HARMLESS = 4
"""Candidates before each count."""
_REST, _LOOK = 10.0, 0.5
"""Seconds to come to rest, and between two looks at whether that is so."""
_BUGGY = "def total(prices):\n    return -sum(prices)\n"
_TESTS = "from shop import total\n\n\ndef test_total():\n    assert total([1, 2]) == 3\n"
_TARGET = "test_shop.py::test_total"
_PREAMBLE = "import os, signal, socket, subprocess, sys, tempfile, threading, time"

# In another program, since code that came with a candidate is stopped before it calls the C library.
_CALL = "subprocess.run([sys.executable, '-c', 'import ct' + \"ypes as t; c = t.CDLL(None); %s\"])"

BODIES = {
    "a daemon": """
if os.fork() == 0:
    os.setsid()
    if os.fork() == 0:
        os.closerange(0, 4096)
        time.sleep(600)
    os._exit(0)
""",
    "many processes": """
for _ in range(20):
    if os.fork() == 0:
        os.setsid()
        time.sleep(600)
""",
    "another program": "subprocess.Popen(['sleep', '600'], start_new_session=True)",
    "threads": "[threading.Thread(target=time.sleep, args=(600,)).start() for _ in range(20)]",
    "an early end": "os._exit(0)",
    "a kill": "os.kill(os.getpid(), signal.SIGKILL)",
    "a kill of its parent": "os.kill(os.getppid(), signal.SIGKILL)",
    "a crash": "os.abort()",
    "closed descriptors": "os.closerange(0, 4096)",
    "open descriptors": "kept = [os.open('/dev/null', 0) for _ in range(500)]; os.kill(os.getpid(), 9)",
    "files everywhere": """
for place in '.', tempfile.gettempdir(), os.path.expanduser('~'), '/dev/shm', '/run', '/var/tmp':
    try:
        for number in range(50):
            open(os.path.join(place, 'left-%d' % number), 'w').close()
    except OSError:
        pass
""",
    "locked folders": """
place = tempfile.mkdtemp()
os.makedirs(place + '/a/b')
os.chmod(place + '/a', 0)
os.makedirs('left/a')
os.chmod('left', 0)
""",
    "deep folders": """
os.chdir(tempfile.mkdtemp())
for _ in range(1200):
    os.mkdir('deep')
    os.chdir('deep')
""",
    "links": "os.symlink('/', 'left'); os.symlink('/etc', os.path.join(tempfile.gettempdir(), 'left'))",
    "shared memory": _CALL % "[c.shmget(0, 4096, 0o1666) for _ in range(5)]",
    "sockets": "kept = [socket.socketpair() for _ in range(50)]; os.abort()",
    "mounts": _CALL % "c.unshare(0x10020000), c.mount(b'none', b'/tmp', b'tmpfs', 0, None)",
    "a forged answer": """
for number in range(3, 64):
    try:
        os.write(number, bytes(64))
    except OSError:
        pass
""",
    "printing": "os.write(1, b'x' * 10_000_000); os.write(2, b'x' * 10_000_000)",
    "a wrong result": "pass",
}


@dataclass(frozen=True, slots=True)
class Left:
    """What there is, of our own doing."""

    processes: int
    descriptors: int
    """Of this process and all below it."""
    mounts: int
    files: int
    """In the temporary and the state folder, and in the project."""
    shared: int
    """Memory, semaphores and queues of System V, and files in memory that anybody sees."""


def run(options: Options) -> str:
    """Prove candidates in each sandbox, and return the table."""
    deadline = Deadline(options.seconds)
    headings = ("sandbox", "candidates", "taken for good", "what", "at first", "at last", "closed", "seconds")
    rows: list[list[Cell]] = []
    kinds: tuple[Kind, ...] = ("bubblewrap", "landlock")
    for kind in kinds:
        rows += _measure(kind, _FEW if options.quick else _CANDIDATES, deadline)
    return table(headings, rows)


def _measure(kind: Kind, candidates: int, deadline: Deadline) -> Iterator[list[Cell]]:
    began, good, tried, first = time.monotonic(), 0, 0, None
    with _folders() as (root, state):
        before = _left(root)
        prover = Prover(root, ProofOptions(python=sys.executable, sandbox=kind), state)
        snapshot = Snapshot(root)
        prover.baseline(snapshot, cancel=Cancel(), progress=Silent())
        for tried, body in enumerate(itertools.islice(itertools.cycle(BODIES), candidates), 1):
            verdict = prover.prove(snapshot, _candidate(body, tried), targets=[_TARGET], cancel=Cancel())
            good += verdict.level in (Level.PASSES, Level.FIXES)
            if tried == _WARM:
                first = _at_rest(prover, snapshot, root)
            if tried % 100 == 0:
                progress(f"{kind}: {tried} candidates")
            if deadline.passed:
                break
        last = _at_rest(prover, snapshot, root)
        prover.close()
        closed = _left(root)
    seconds = time.monotonic() - began
    for name in Left.__dataclass_fields__:
        told = [getattr(left, name) - getattr(before, name) if left else None for left in (first, last, closed)]
        yield [kind, tried, good, name, *told, seconds]


@contextmanager
def _folders() -> Iterator[tuple[Path, Path]]:
    """A project, and a state directory; temporary files go to a folder of our own meanwhile."""
    with tempfile.TemporaryDirectory(prefix="hostile-") as folder:
        root, state, temporary = (Path(folder).resolve() / name for name in ("project", "state", "tmp"))
        for place in (root, state, temporary):
            place.mkdir()
        (root / "shop.py").write_text(_BUGGY)
        (root / "test_shop.py").write_text(_TESTS)
        usual, tempfile.tempdir = tempfile.tempdir, str(temporary)
        try:
            yield root, state
        finally:
            tempfile.tempdir = usual


def _at_rest(prover: Prover, snapshot: Snapshot, root: Path) -> Left:
    """What there is when runs that are begun ahead have been begun."""
    for number in range(_HARMLESS):
        candidate = _candidate("a wrong result", -number)
        prover.prove(snapshot, candidate, targets=[_TARGET], afresh=True, cancel=Cancel())
    left, deadline = _left(root), Deadline(_REST)
    while not deadline.passed:
        time.sleep(_LOOK)
        now = _left(root)
        if now == left:
            break
        left = now
    return left


def _candidate(body: str, number: int) -> Candidate:
    """One that does harm, and returns what is wrong."""
    lines = [_PREAMBLE, *BODIES[body].strip("\n").split("\n"), "return -3"]
    text = f"# {number}\ndef total(prices):\n" + "".join(f"    {line}\n" for line in lines)
    return Candidate((FileChange("shop.py", Source(_BUGGY), Source(text)),))


def _left(root: Path) -> Left:
    below = list(descendants(os.getpid()))
    return Left(
        processes=len(below),
        descriptors=sum(map(_descriptors, [os.getpid(), *below])),
        mounts=len(Path("/proc/self/mountinfo").read_text().splitlines()),
        files=sum(1 for _ in root.parent.rglob("*")),
        shared=sum(len(path.read_text().splitlines()) - 1 for path in Path("/proc/sysvipc").iterdir())
        + len(os.listdir("/dev/shm")),  # noqa: PTH208 - names are all that is asked for
    )


def _descriptors(process: int) -> int:
    try:
        return len(os.listdir(f"/proc/{process}/fd"))  # noqa: PTH208 - as above
    except OSError:  # it has ended
        return 0
