"""What ``doctor --editor NAME`` finds out about one editor's set-up; it reads files, and changes none."""

import re
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from itertools import islice
from pathlib import Path

from pennyproof.cli.checks import Check, State
from pennyproof.cli.editors import EditorHint, Program
from pennyproof.errors import UsageError
from pennyproof.settings import ModelSettings
from pennyproof.tiers.hosted.keys import find_key

_COMMAND = "pennyproof"
_PATIENCE = 10.0
"""Seconds that a program may take to tell its version."""
_VERSION = re.compile(r"(?:.*\bwith Code )?\D*(\d+(?:\.\d+)*)")
"""The first number; code-server names its own version before that of the editor in it."""
_MOST_READ = 1_000_000
_MOST_FILES = 2_000
"""Beyond this, somebody keeps more than settings there."""
_SESSION = ("HOME", "USER", "XDG_RUNTIME_DIR", "DBUS_SESSION_BUS_ADDRESS", "PENNYPROOF_HOME")
"""What a process has, too, that no shell started."""


def examine_editor(hint: EditorHint, root: Path, model: ModelSettings, environ: Mapping[str, str]) -> Iterator[Check]:
    """Look whether the editor is there and set up, and whether it will find the server and the key.

    Args:
        hint: The editor.
        root: The workspace folder, which may have settings of its own.
        model: Says where the key is.
        environ: The environment, which says where settings are kept.
    """
    for program in hint.programs:
        yield _program_check(program, environ)
    yield _setup_check(hint, root, environ)
    yield _command_check(hint, environ)
    if hint.graphical:
        yield from _key_checks(model, environ)


def _program_check(program: Program, environ: Mapping[str, str]) -> Check:
    name = program.names[0]
    path = _find(program.names, environ)
    if path is None:
        looked = " or ".join(program.names)
        return Check(name, State.NOTE, f"{looked} is not in the PATH: install it, or start it as you are used to")
    if not program.oldest:
        return Check(name, State.OK, path)
    version = _version(path, environ)
    if version is None:
        return Check(
            name, State.NOTE, f"{path} does not tell its version; {_dotted(program.oldest)} or newer is needed"
        )
    if tuple(map(int, version.split("."))) < program.oldest:
        what = f"{path} is version {version}: install {_dotted(program.oldest)} or newer"
        return Check(name, State.PROBLEM, what)
    return Check(name, State.OK, f"{path}, version {version}")


def _version(path: str, environ: Mapping[str, str]) -> str | None:
    try:
        ran = subprocess.run(
            [path, "--version"],
            env=dict(environ),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=_PATIENCE,
            check=False,
        )
    except (OSError, subprocess.SubprocessError):
        return None
    found = _VERSION.match(ran.stdout)
    return found[1] if found else None


def _setup_check(hint: EditorHint, root: Path, environ: Mapping[str, str]) -> Check:
    places = [place for pattern in hint.places for place in _matching(pattern, root, environ)]
    found = next((place for place in places if _speaks_of_it(place)), None)
    if found is not None:
        return Check("set-up", State.OK, f"{found} names {_COMMAND}")
    if hint.brings_server:
        return Check("set-up", State.NOTE, f"the extension is not installed: {hint.where}")
    looked = next((str(place) for place in places), _readable(hint.places[0], root, environ))
    return Check("set-up", State.NOTE, f"{looked} does not name {_COMMAND}: put the settings below into {hint.where}")


def _matching(pattern: str, root: Path, environ: Mapping[str, str]) -> Iterator[Path]:
    anchor, _, below = pattern.partition("/")
    folder = _anchors(root, environ)[anchor.strip("{}")]
    try:
        yield from islice(folder.glob(below), _MOST_FILES)
    except OSError:
        return  # A folder that is closed to the user has no settings of theirs.


def _readable(pattern: str, root: Path, environ: Mapping[str, str]) -> str:
    return pattern.format_map({name: str(folder) for name, folder in _anchors(root, environ).items()})


def _anchors(root: Path, environ: Mapping[str, str]) -> Mapping[str, Path]:
    """The folders that patterns begin with."""
    home = Path(environ.get("HOME") or environ.get("USERPROFILE") or Path.home())
    windows = {name: environ.get(name) for name in ("APPDATA", "LOCALAPPDATA")}
    config = Path(environ.get("XDG_CONFIG_HOME") or windows["LOCALAPPDATA"] or home / ".config")
    data = Path(environ.get("XDG_DATA_HOME") or windows["LOCALAPPDATA"] or home / ".local/share")
    library = home / "Library/Application Support" if sys.platform == "darwin" else config
    application = Path(windows["APPDATA"] or library)
    return {"home": home, "config": config, "data": data, "application": application, "root": root}


def _speaks_of_it(place: Path) -> bool:
    if _COMMAND in place.name:
        return True
    try:
        if place.is_file():
            with place.open(encoding="utf-8", errors="replace") as file:
                return _COMMAND in file.read(_MOST_READ)
    except OSError:
        pass  # What the user may not read, the editor cannot read either.
    return False


def _command_check(hint: EditorHint, environ: Mapping[str, str]) -> Check:
    path = _find((_COMMAND,), environ)
    if path is None:
        if hint.brings_server:
            return Check(
                "command", State.OK, "none in the PATH, and none is needed: the extension makes one of its own"
            )
        return Check("command", State.PROBLEM, f"{_COMMAND} is not in the PATH: give the editor the whole path of it")
    if hint.graphical and not hint.brings_server and _find((_COMMAND,), _without_shell(environ)) is None:
        what = f"{path} is in your shell's PATH alone: an editor started from the desktop may need the whole path"
        return Check("command", State.NOTE, what)
    return Check("command", State.OK, path)


def _key_checks(model: ModelSettings, environ: Mapping[str, str]) -> Iterator[Check]:
    """Where the key is, for an editor that the desktop starts; that there is none, another check says."""
    try:
        key = find_key(model, model.provider, environ)
        if key is None:
            return
        if find_key(model, model.provider, _without_shell(environ)):
            yield Check("editor's key", State.OK, "an editor started from the desktop sees it")
        else:
            what = f"{key.source} is a variable of your shell: an editor started from the desktop may not have it"
            yield Check("editor's key", State.NOTE, f"{what}; start it from the shell, or use the system's keyring")
    except UsageError:
        return  # Said by the check of the key itself.


def _without_shell(environ: Mapping[str, str]) -> dict[str, str]:
    """The environment of a process that no shell with its profile started."""
    if sys.platform == "win32":
        return dict(environ)  # The desktop and the shell have the same variables.
    bare = {name: environ[name] for name in _SESSION if name in environ}
    told = subprocess.run(
        ["/bin/sh", "-c", 'printf %s "$PATH"'], env=bare, capture_output=True, text=True, timeout=_PATIENCE, check=False
    )
    return {**bare, "PATH": told.stdout}


def _find(names: tuple[str, ...], environ: Mapping[str, str]) -> str | None:
    return next((path for name in names if (path := shutil.which(name, path=environ.get("PATH", "")))), None)


def _dotted(version: tuple[int, ...]) -> str:
    return ".".join(map(str, version))
