"""The sandbox by bubblewrap, in which the fork server sees an allow-list of folders, read-only.

There is no network but a loopback of its own, and no process but its own.
"""

import os
import shutil
from collections.abc import Iterator, Sequence
from pathlib import Path

from pennyproof.proof.sandbox.launch import Finished, Launch, run_to_end
from pennyproof.proof.sandbox.places import (
    ETC,
    SYNTHESISED,
    environment,
    outermost,
    project_places,
    system_places,
)
from pennyproof.proof.sandbox.spec import INSIDE, WorkerSpec

SCRATCH = "/run/pennyproof"
"""An empty folder in the sandbox, for each run to mount its own files on."""
_RENEWED = (Path("/tmp"), Path("/dev/shm"))  # noqa: S108 - every run mounts fresh ones there
_KERNEL_CONTROLS = ("/proc/sys", "/proc/fs", "/proc/acpi", "/proc/scsi")


class Bubblewrap:
    """Workers in namespaces, under a root of their own."""

    kind = "bubblewrap"
    forks = True

    def __init__(self, executable: str | None = None) -> None:
        self._executable = executable or shutil.which("bwrap") or "bwrap"

    def launch(self, spec: WorkerSpec) -> Launch:
        command = (str(spec.python), str(INSIDE))
        setup = {
            "kind": self.kind,
            "root": str(spec.root),
            "scratch": SCRATCH,
            "keep": [
                str(place)
                for place in _bound(spec)
                if place != spec.root and any(place.is_relative_to(renewed) for renewed in _RENEWED)
            ],
            "preload": list(spec.preload),
            "plugins": spec.plugins,
            "pycache": str(spec.pycache) if spec.pycache else None,
            "jobs": str(spec.jobs),
        }
        return Launch((*self._arguments(spec, "--bind"), *command), {}, setup)

    def run_once(self, argv: Sequence[str], spec: WorkerSpec, timeout: float) -> Finished:
        return run_to_end(Launch((*self._arguments(spec, "--ro-bind"), *argv), {}, {}), timeout)

    def _arguments(self, spec: WorkerSpec, bind_pycache: str) -> Iterator[str]:
        yield self._executable
        yield from ("--unshare-all", "--die-with-parent", "--new-session", "--cap-drop", "ALL")
        # Run by root, it would map root, which the runs' own namespaces then could not map again.
        yield from ("--uid", "1000", "--gid", "1000", "--hostname", "sandbox")
        for path in system_places():
            if path.is_symlink() and path.parent == Path("/"):
                yield from ("--symlink", str(path.readlink()), str(path))
            else:
                yield from ("--ro-bind", str(path), str(path))
        for name in SYNTHESISED:
            yield from ("--ro-bind", str(ETC / name), f"/etc/{name}")
        yield from ("--proc", "/proc", "--dev", "/dev", "--tmpfs", "/tmp", "--dir", SCRATCH)  # noqa: S108
        if os.geteuid() == 0:
            # The kernel lets root's processes set these, whatever namespace they are in.
            for control in filter(os.path.exists, _KERNEL_CONTROLS):
                yield from ("--ro-bind", control, control)
        for path in _bound(spec):
            yield from ("--ro-bind", str(path), str(path))
        if spec.pycache:
            # Each fork server makes it read-only again, unless it warms.
            yield from (bind_pycache, str(spec.pycache), str(spec.pycache))
        yield from ("--remount-ro", "/", "--remount-ro", "/dev", "--chdir", "/")
        for name, value in environment(spec, home=SCRATCH).items():
            yield from ("--setenv", name, value)
        yield "--"


def _bound(spec: WorkerSpec) -> list[Path]:
    """Every folder or file of ours that is bound into the sandbox, outer ones first."""
    return outermost(
        place
        for place in [spec.root, *project_places(spec), *([spec.pycache] if spec.pycache else [])]
        if place == spec.root or not any(place.is_relative_to(system) for system in system_places())
    )
