"""What a sandboxed Python may see: an allow-list of the machine's folders, and the environment."""

import glob
import os
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

from pennyproof.proof.sandbox.spec import INSIDE, WorkerSpec

_SYSTEM = ("/usr", "/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32", "/nix/store", "/gnu/store")
_CONFIGURATION = (
    "ld.so.cache", "ld.so.conf", "ld.so.conf.d", "localtime", "timezone", "alternatives", "ssl/certs",
    "ssl/openssl.cnf", "pki/tls/certs", "pki/ca-trust/extracted", "mime.types", "fonts", "protocols", "services",
    "login.defs",
)  # fmt: skip
SYNTHESISED = ("passwd", "group", "hosts", "nsswitch.conf")
"""Files of ``/etc`` that are ours, since the machine's own say too much."""
ETC = Path(__file__).with_name("etc")


def system_places() -> list[Path]:
    """What any program needs: links stay links."""
    wanted = [*_SYSTEM, *(f"/etc/{name}" for name in _CONFIGURATION)]
    return [path for path in map(Path, wanted) if os.path.lexists(path)]


def project_places(spec: WorkerSpec) -> list[Path]:
    """What this worker needs besides its root: the interpreter, extra import paths, our own scripts."""
    places = {*interpreter_places(spec.python), *spec.readable, INSIDE, spec.jobs}
    return sorted(place for place in places if os.path.exists(place))  # noqa: PTH110 - also those not to be looked at


def interpreter_places(python: Path) -> Iterator[Path]:
    """The folders (or single files) by which an interpreter is reached: each link on the way, and where it ends."""
    path = python
    for _ in range(40):
        yield _prefix(path)
        home = _home_of_environment(path)
        if home is not None:
            yield from interpreter_places(home / path.name)
        if not os.path.islink(path):  # noqa: PTH114 - as in ``_prefix``
            break
        path = Path(os.path.normpath(path.parent / path.readlink()))
    yield _prefix(python.resolve())


def _prefix(python: Path) -> Path:
    """The installation that an executable belongs to, or the executable alone where its folder is no installation's."""
    prefix = python.parent.parent
    # What may not be looked at is no installation that could be used; ``pathlib`` would raise.
    if os.path.isfile(prefix / "pyvenv.cfg") or glob.glob(f"{glob.escape(str(prefix))}/lib*/python3*/os.py"):  # noqa: PTH113, PTH207
        return prefix
    return python


def _home_of_environment(python: Path) -> Path | None:
    """The folder of the base interpreter, which a virtual environment's configuration names."""
    try:
        lines = (python.parent.parent / "pyvenv.cfg").read_text("utf-8").splitlines()
    except OSError:
        return None
    values = {key.strip().lower(): value.strip() for key, _, value in (line.partition("=") for line in lines)}
    return Path(values["home"]) if values.get("home") else None


def outermost(places: Iterable[Path]) -> list[Path]:
    """Those places that lie in no other, sorted."""
    kept: list[Path] = []
    for place in sorted(places):
        if not kept or not place.is_relative_to(kept[-1]):
            kept.append(place)
    return kept


def system_variables() -> dict[str, str]:
    """What no program starts without: nothing, but on Windows where the system is."""
    if sys.platform != "win32":
        return {}
    return {name: os.environ[name] for name in ("SYSTEMROOT", "WINDIR", "COMSPEC", "PATHEXT") if name in os.environ}


def _search_path(python: Path) -> str:
    if sys.platform == "win32":
        system = os.environ.get("SYSTEMROOT", r"C:\Windows")
        return os.pathsep.join([str(python.parent), str(python.parent / "Scripts"), rf"{system}\System32", system])
    return f"{python.parent}:/usr/local/bin:/usr/bin:/bin"


def environment(spec: WorkerSpec, home: str) -> dict[str, str]:
    """The whole environment of a sandboxed process; nothing of ours is handed on but the time zone."""
    variables = system_variables() | {
        "PATH": _search_path(spec.python),
        "LANG": "C.UTF-8",
        "LC_ALL": "C.UTF-8",
        "HOME": home,
        "USER": "sandbox",
        "LOGNAME": "sandbox",
        "TMPDIR": "/tmp",  # noqa: S108 - the sandbox's own
        "PYTHONHASHSEED": "0",
        "PYTHONDONTWRITEBYTECODE": "1",
        "PYTHONNOUSERSITE": "1",
        # Threads do not survive a fork, and workers share the cores already.
        "OMP_NUM_THREADS": "1",
        "OPENBLAS_NUM_THREADS": "1",
        "MKL_NUM_THREADS": "1",
    }
    if "TZ" in os.environ:
        variables["TZ"] = os.environ["TZ"]
    return variables
