"""Which sandbox is used where: tests never run bare unless the user says so."""

import re
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from pennyproof.errors import NoSandbox
from pennyproof.proof.inside import landlock
from pennyproof.proof.sandbox import Kind, has_none, probe, seatbelt
from pennyproof.proof.sandbox.kernel import Obstacle
from pennyproof.proof.sandbox.launch import Sandbox
from pennyproof.proof.sandbox.protections import protections
from pennyproof.proof.sandbox.spec import WorkerSpec

WINDOWS = r"no sandbox for Windows: use Pennyproof within WSL 2"


@pytest.mark.parametrize(
    ("kind", "platform", "said"),
    [
        ("auto", "win32", WINDOWS),
        ("bubblewrap", "win32", WINDOWS),
        ("auto", "freebsd14", "no sandbox for freebsd14: set proof.sandbox to off"),
        ("landlock", "darwin", "no landlock on macOS: set proof.sandbox to auto"),
        ("bubblewrap", "darwin", "no bubblewrap on macOS"),
        ("seatbelt", "linux", "no seatbelt on Linux"),
        ("auto", "darwin", "/usr/bin/sandbox-exec is missing"),
    ],
)
def test_what_cannot_be_had_is_refused(kind: str, platform: str, said: str) -> None:
    with pytest.raises(NoSandbox, match=re.escape(said) if said is not WINDOWS else said):
        probe.find(kind, platform)


@pytest.mark.parametrize(
    ("platform", "forks"), [("linux", True), ("darwin", True), ("freebsd14", True), ("win32", False)]
)
def test_bare_only_when_asked_for(platform: str, forks: bool) -> None:
    bare = probe.find("off", platform)
    assert (bare.kind, bare.forks) == ("off", forks)


@pytest.mark.parametrize(
    ("kind", "platform", "none"),
    [
        ("auto", "win32", True),
        ("auto", "freebsd14", True),
        ("auto", "linux", False),
        ("auto", "darwin", False),
        ("off", "win32", False),
        ("bubblewrap", "win32", False),
    ],
)
def test_where_it_takes_consent(kind: Kind, platform: str, none: bool) -> None:
    assert has_none(kind, platform) is none


def test_auto_says_why_there_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "which", lambda _: None)
    monkeypatch.setattr(probe, "no_landlock", lambda: Obstacle("this kernel has no Landlock", "take another"))
    with pytest.raises(NoSandbox) as refused:
        probe.find("auto", "linux")
    for part in ("bubblewrap is missing: install", "has no Landlock: take another", "or set proof.sandbox to off"):
        assert part in str(refused.value)


def _raise(message: str) -> Callable[[], Sandbox]:
    def fail() -> Sandbox:
        raise NoSandbox(message)

    return fail


def test_auto_takes_the_strongest_that_works(monkeypatch: pytest.MonkeyPatch) -> None:
    weaker = seatbelt.Seatbelt()
    monkeypatch.setattr(probe, "_FINDERS", {"bubblewrap": _raise("no"), "landlock": lambda: weaker})
    assert probe.find("auto", "linux") is weaker


def _spec(tmp_path: Path) -> WorkerSpec:
    root, python, pycache = tmp_path / 'pro"ject', tmp_path / "venv" / "bin" / "python", tmp_path / "pycache"
    for folder in (root, python.parent, pycache):
        folder.mkdir(parents=True)
    (tmp_path / "venv" / "pyvenv.cfg").touch()
    python.touch()
    return WorkerSpec(root=root, python=python, pycache=pycache)


def test_the_profile_of_macos(tmp_path: Path) -> None:
    spec, scratch = _spec(tmp_path), tmp_path / "scratch"
    text = seatbelt.profile(spec, scratch)
    assert text.startswith("(version 1)\n(deny default)\n")
    rules = dict(re.findall(r"\(allow (file-read\*|file-write\*)((?:\n    \(subpath .*\))+)\)", text))
    readable, writable = (re.findall(r'\(subpath "(.*)"\)', rules[name]) for name in ("file-read*", "file-write*"))
    escaped = str(spec.root).replace('"', '\\"')
    assert {escaped, str(scratch), str(tmp_path / "venv"), str(spec.pycache)} <= set(readable)
    assert set(writable) == {str(scratch), str(spec.pycache), "/dev/null", "/dev/zero"}
    home = str(Path.home())
    assert "/" not in readable
    assert home not in readable
    network = [line for line in text.splitlines() if "network" in line]
    assert network
    assert all('"localhost:*"' in line for line in network)


def test_the_command_of_macos(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PENNYPROOF_API_KEY", "sk-secret")
    spec = _spec(tmp_path)
    launch = seatbelt.Seatbelt().launch(spec)
    try:
        assert launch.argv[:2] == ("/usr/bin/sandbox-exec", "-p")
        assert launch.argv[3:4] == (str(spec.python),)
        assert launch.setup["kind"] == "seatbelt"
        assert launch.scratch is not None
        assert launch.environment["TMPDIR"] == launch.environment["HOME"] == str(launch.scratch)
        assert "sk-secret" not in repr(launch)
    finally:
        launch.clean()


@pytest.mark.parametrize(
    ("kind", "version", "root", "lacking"),
    [
        ("bubblewrap", 7, False, set()),
        ("bubblewrap", 7, True, {"processes"}),
        ("landlock", 7, False, {"network", "processes"}),
        ("landlock", landlock.SIGNALS - 1, False, {"network", "processes", "signals"}),
        ("seatbelt", 0, False, {"filesystem", "network", "processes", "memory"}),
        ("off", 7, False, {"filesystem", "network", "processes", "memory", "signals"}),
    ],
)
def test_what_is_protected(kind: str, version: int, root: bool, lacking: set[str]) -> None:
    assert [one.what for one in protections(kind) if one.how == "not limited"] == []
    assert [one.what for one in protections(kind, limits=False) if one.how == "not limited"] == ["memory"]
    told = protections(kind, landlock_version=version, root=root)
    assert [one.what for one in told] == ["filesystem", "network", "processes", "memory", "environment", "signals"]
    assert {one.what for one in told if not one.whole} == lacking
