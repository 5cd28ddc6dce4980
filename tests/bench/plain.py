"""The project's own suite by plain pytest, outside of everything that is being measured: the oracle."""

import contextlib
import json
import os
import resource
import signal
import subprocess
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

_RECORDER = Path(__file__).parent / "recorder"


@dataclass(frozen=True, slots=True)
class Run:
    """What the tests did."""

    outcomes: Mapping[str, str] = field(default_factory=dict)
    """Test id → pytest's word for its outcome; a failing teardown overrules a passing call."""
    messages: Mapping[str, str] = field(default_factory=dict)
    """Test id → the message it failed with."""
    errors: Mapping[str, str] = field(default_factory=dict)
    """Test file → why it could not be collected."""
    seconds: float = 0.0
    cpu_seconds: float = 0.0
    finished: bool = True
    """False when a limit ended it."""

    @property
    def passing(self) -> frozenset[str]:
        return frozenset(test for test, outcome in self.outcomes.items() if outcome == "passed")

    @property
    def failing(self) -> frozenset[str]:
        return frozenset(test for test, outcome in self.outcomes.items() if outcome in ("failed", "error"))


def run(python: Path, root: Path, *, arguments: Sequence[str] = (), cpu_limit: int = 300) -> Run:
    """Run pytest in ``root`` with a clean environment.

    Args:
        python: The interpreter of the project's environment.
        root: Where pytest is started.
        arguments: Further arguments, such as test ids.
        cpu_limit: Seconds of processor time, which a busy machine does not stretch. Ten times that by the clock
            is the end too, since what sleeps uses none.
    """
    with tempfile.TemporaryDirectory(prefix="plain-run-") as scratch:
        record = Path(scratch, "record.jsonl")
        command = [str(python), "-m", "pytest", "-q", "-p", "pennyproof_recorder", "-p", "no:cacheprovider", *arguments]
        started, used = time.perf_counter(), _children_cpu()
        process = subprocess.Popen(
            command,
            cwd=root,
            env=environment(python, Path(scratch)) | {"PYTHONPATH": str(_RECORDER), "PENNYPROOF_RECORD": str(record)},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        resource.prlimit(process.pid, resource.RLIMIT_CPU, (cpu_limit, cpu_limit))
        finished = _wait(process, 10.0 * cpu_limit)
        seconds, cpu_seconds = time.perf_counter() - started, _children_cpu() - used
        entries = [json.loads(line) for line in record.read_text().splitlines()] if record.exists() else []
    return Run(
        outcomes=_outcomes(entries),
        messages={entry["id"]: entry["message"] for entry in entries if entry.get("message") and "id" in entry},
        errors={entry["error"]: entry["message"] for entry in entries if "error" in entry},
        seconds=seconds,
        cpu_seconds=cpu_seconds,
        finished=finished,
    )


def environment(python: Path, home: Path) -> dict[str, str]:
    """The variables that a project's tests may see: nothing of the caller's."""
    return {
        "PATH": f"{python.parent}:{os.defpath}",
        "HOME": str(home),
        "TMPDIR": str(home),
        "LANG": "C.UTF-8",
        "PYTHONDONTWRITEBYTECODE": "1",
    }


def _wait(process: subprocess.Popen[bytes], timeout: float) -> bool:
    """Whether the process ended by itself; whatever is left of its group is killed either way."""
    try:
        return process.wait(timeout) not in (-signal.SIGXCPU, -signal.SIGKILL)
    except subprocess.TimeoutExpired:
        return False
    finally:
        with contextlib.suppress(ProcessLookupError):  # Nothing may be left of the group, which is what is wanted.
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def _children_cpu() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def _outcomes(entries: Sequence[Mapping[str, str]]) -> dict[str, str]:
    outcomes: dict[str, str] = {}
    for entry in entries:
        if "id" in entry and (entry["id"] not in outcomes or entry["outcome"] == "error"):
            outcomes[entry["id"]] = entry["outcome"]
    return outcomes
