"""``pennyproof doctor --editor NAME``: is the editor there and set up, and does it find the server and the key?"""

import sys
import tomllib
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import pytest

from pennyproof.cli.editors import EDITORS
from tests.cli.conftest import Run

ROOT = Path(__file__).parents[2]

Told = dict[str, tuple[str, str]]
Examine = Callable[[str], Told]


@pytest.fixture
def user(home: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """A user who has nothing yet: a home, and a PATH that is an empty folder."""
    (tmp_path / "bin").mkdir()
    for name in ("XDG_CONFIG_HOME", "XDG_DATA_HOME", "APPDATA", "LOCALAPPDATA"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    monkeypatch.setenv("PENNYPROOF_TRUST", "never")
    monkeypatch.setenv("PENNYPROOF_TESTS_PYTHON", sys.executable)
    monkeypatch.setenv("PENNYPROOF_PROOF_SANDBOX", "off")
    return tmp_path


@pytest.fixture
def examine(run: Run, user: Path) -> Examine:
    """The checks that ``--editor`` adds, by name: state and detail."""

    def examine(name: str) -> Told:
        without = [check["name"] for check in run("doctor", "--offline", "--json").json["checks"]]
        document = run("doctor", "--offline", "--editor", name, "--json").json
        assert document["editor"]["settings"] == EDITORS[name].settings
        assert [check["name"] for check in document["checks"]][: len(without)] == without
        return {check["name"]: (check["state"], check["detail"]) for check in document["checks"][len(without) :]}

    return examine


def program(folder: Path, name: str, version: str) -> None:
    path = folder / name
    path.write_text(f"#!/bin/sh\n[ \"$1\" = --version ] && printf '%s\\n' '{version}'\n")
    path.chmod(0o755)


@pytest.mark.parametrize("name", EDITORS)
def test_where_nothing_is_there_each_line_says_what_to_do(examine: Examine, user: Path, name: str) -> None:
    hint = EDITORS[name]
    told = examine(name)
    for wanted in hint.programs:
        state, detail = told[wanted.names[0]]
        assert (state, "is not in the PATH" in detail) == ("note", True), wanted
    state, detail = told["set-up"]
    assert (state, hint.where in detail) == ("note", True)
    if hint.brings_server:
        assert told["command"][0] == "ok"
    else:
        assert str(user) in detail or hint.places[0].startswith("{root}")
        assert (told["command"][0], "the whole path" in told["command"][1]) == ("problem", True)
    assert "editor's key" not in told


@pytest.mark.parametrize(
    ("name", "command", "version", "state", "read"),
    [
        ("helix", "hx", "helix 25.07.1 (a05c151b)", "ok", "25.07.1"),
        ("helix", "helix", "helix 23.10 (f6021dd0)", "problem", "23.10"),
        ("neovim", "nvim", "NVIM v0.12.4", "ok", "0.12.4"),
        ("neovim", "nvim", "NVIM v0.7.2", "problem", "0.7.2"),
        ("emacs", "emacs", "GNU Emacs 30.2", "ok", "30.2"),
        ("vscode", "code-server", "4.139.1 e9ab1d4 with Code 1.139.0", "ok", "1.139.0"),
        ("vscode", "code", "1.80.0", "problem", "1.80.0"),
        ("vim", "vim", "VIM - Vi IMproved 9.1 (2024 Jan 02, compiled)", "ok", "9.1"),
        ("kakoune", "kak", "Kakoune v2024.05.18", "ok", "2024.05.18"),
        ("sublime", "subl", "Sublime Text Build 4200", "ok", "4200"),
        ("helix", "hx", "whatever", "note", "25.1 or newer is needed"),
    ],
)
def test_the_version_has_to_be_new_enough(
    examine: Examine, user: Path, name: str, command: str, version: str, state: str, read: str
) -> None:
    program(user / "bin", command, version)
    told = examine(name)[EDITORS[name].programs[0].names[0]]
    assert (told[0], str(user / "bin" / command) in told[1]) == (state, True)
    assert read in told[1]


def test_a_program_that_fails_or_hangs_is_no_trouble(examine: Examine, user: Path) -> None:
    (user / "bin/hx").write_bytes(b"\x7fELF nothing")
    (user / "bin/hx").chmod(0o755)
    assert examine("helix")["hx"][0] == "note"


@pytest.mark.parametrize(
    ("name", "place"),
    [
        ("neovim", ".config/nvim/lua/plugins/ai.lua"),
        ("neovim", ".local/share/nvim/site/pack/a/start/pennyproof/README.md"),
        ("helix", ".config/helix/languages.toml"),
        ("emacs", ".emacs.d/init.el"),
        ("emacs", ".config/doom/config.el"),
        ("vscode", ".vscode/extensions/pennyproof.pennyproof-0.1.0/package.json"),
        ("vscode", ".local/share/code-server/extensions/pennyproof.pennyproof-0.1.0/package.json"),
        ("vim", ".vim/coc-settings.json"),
        ("vim", ".vim/ale.vim"),
        ("kakoune", ".config/kak/kakrc"),
        ("kate", ".config/kate/lspclient/settings.json"),
        ("sublime", ".config/sublime-text/Packages/User/LSP.sublime-settings"),
        ("zed", ".config/zed/settings.json"),
        ("jetbrains", ".config/JetBrains/PyCharm2025.2/options/UserDefinedLanguageServerSettings.xml"),
    ],
)
def test_settings_are_found_where_they_are_kept(examine: Examine, user: Path, name: str, place: str) -> None:
    file = user / place
    file.parent.mkdir(parents=True)
    file.write_text("something else")
    if "pennyproof" not in place:
        assert examine(name)["set-up"][0] == "note"
    file.write_text(EDITORS[name].settings)
    state, detail = examine(name)["set-up"]
    assert (state, str(user) in detail) == ("ok", True)
    assert file.read_text() == EDITORS[name].settings


def test_settings_may_be_kept_elsewhere(examine: Examine, user: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(user / "my [settings]"))
    place = user / "my [settings]/helix/languages.toml"
    place.parent.mkdir(parents=True)
    place.write_text(EDITORS["helix"].settings)
    assert examine("helix")["set-up"] == ("ok", f"{place} names pennyproof")


def test_settings_of_the_project_count(examine: Examine) -> None:
    Path(".helix").mkdir()
    Path(".helix/languages.toml").write_text(EDITORS["helix"].settings)
    assert examine("helix")["set-up"][0] == "ok"


def test_the_command_is_found_by_an_editor_that_a_shell_starts(examine: Examine, user: Path) -> None:
    program(user / "bin", "pennyproof", "pennyproof 0.1")
    path = str(user / "bin/pennyproof")
    assert examine("helix")["command"] == ("ok", path)
    state, detail = examine("zed")["command"]
    assert (state, path in detail, "started from the desktop" in detail) == ("note", True, True)


def test_a_key_in_a_variable_is_not_seen_from_the_desktop(
    examine: Examine, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DEEPSEEK_API_KEY", "sk-very-secret")
    state, detail = examine("kate")["editor's key"]
    assert (state, "DEEPSEEK_API_KEY" in detail, "sk-very" in detail) == ("note", True, False)
    assert "editor's key" not in examine("helix")
    ran = run("doctor", "--offline", "--editor", "kate")
    assert "editor's key" in ran.stdout
    assert "sk-very-secret" not in ran.stdout + ran.stderr


def test_a_key_in_the_keyring_is_seen_by_all(examine: Examine, monkeypatch: pytest.MonkeyPatch) -> None:
    keyring = SimpleNamespace(get_password=lambda service, name: "sk-very-secret")
    monkeypatch.setitem(sys.modules, "keyring", keyring)
    assert examine("kate")["editor's key"] == ("ok", "an editor started from the desktop sees it")


def test_a_problem_ends_in_an_exit_code(run: Run, user: Path) -> None:
    program(user / "bin", "pennyproof", "pennyproof 0.1")
    program(user / "bin", "hx", "helix 25.07.1")
    assert run("doctor", "--offline", "--editor", "helix").code == 0
    program(user / "bin", "hx", "helix 23.10")
    ran = run("doctor", "--offline", "--editor", "helix")
    assert (ran.code, "✗ hx" in ran.stdout) == (2, True)


def test_an_installed_package_brings_all_settings_along() -> None:
    build = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["hatch"]["build"]["targets"]["wheel"]
    brought = {
        Path(source).relative_to("editors").as_posix(): target for source, target in build["force-include"].items()
    }
    for hint in EDITORS.values():
        assert brought[hint.file] == f"pennyproof/cli/editor_settings/{hint.file}"
        assert (ROOT / "editors" / hint.file).is_file()
