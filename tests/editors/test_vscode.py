"""The manifest of the extension for VS Code says what the server knows, and whom it takes that from."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from pennyproof import __version__
from pennyproof.lsp.server import COMMANDS
from pennyproof.settings import Settings, _leaves, _may_come_from_workspace, load
from tests.editors.vscode.schema import MANIFEST, restricted, written

FOLDER = MANIFEST.parent


@pytest.fixture(scope="module")
def manifest() -> Any:
    return json.loads((FOLDER / "package.json").read_text("utf-8"))


def properties(manifest: Any) -> dict[str, Any]:
    declared = manifest["contributes"]["configuration"]["properties"]
    return {key.removeprefix("pennyproof."): value for key, value in declared.items() if key.startswith("pennyproof.")}


def test_the_settings_are_those_of_the_server(manifest: Any) -> None:
    assert written(manifest) == MANIFEST.read_text("utf-8"), "run python -m tests.editors.vscode.schema --write"


def test_an_untrusted_workspace_sets_nothing_that_starts_a_program_or_names_an_endpoint(manifest: Any) -> None:
    trust = manifest["capabilities"]["untrustedWorkspaces"]
    assert (trust["supported"], trust["restrictedConfigurations"]) == ("limited", restricted())
    named = {"pennyproof.model.baseUrl", "pennyproof.tests.python", "pennyproof.proof.executor", "pennyproof.trust"}
    assert named | {"pennyproofServer.command", "pennyproofServer.python"} <= set(restricted())


def test_every_setting_is_declared(manifest: Any) -> None:
    assert sorted(properties(manifest)) == sorted(key for key, _ in _leaves(Settings))


def test_what_a_repository_may_not_set_is_a_setting_of_the_machine(manifest: Any) -> None:
    scopes = {key: value["scope"] for key, value in properties(manifest).items()}
    assert scopes == {key: "resource" if _may_come_from_workspace(key) else "machine" for key in scopes}
    assert manifest["contributes"]["configuration"]["properties"]["pennyproofServer.command"]["scope"] == "machine"


def test_what_the_user_did_not_set_is_not_sent_as_set(manifest: Any, tmp_path: Path) -> None:
    """Else the defaults of the editor would go before the user's own config.toml."""
    assert {key: value["default"] for key, value in properties(manifest).items() if value["default"] is not None} == {}
    unset: dict[str, Any] = {}
    for key in properties(manifest):
        section, _, name = key.rpartition(".")
        (unset.setdefault(section, {}) if section else unset)[name] = None
    loaded = load(tmp_path, environ={"PENNYPROOF_HOME": str(tmp_path)}, workspace_configuration=unset)
    assert (loaded.settings, loaded.warnings) == (Settings(), ())


@pytest.mark.parametrize("key", [key for key, _ in _leaves(Settings)])
def test_choices_are_those_of_the_server(manifest: Any, key: str, tmp_path: Path) -> None:
    for choice in properties(manifest)[key].get("enum", [None])[1:]:
        section, _, name = key.rpartition(".")
        options = {section: {name: choice}} if section else {name: choice}
        loaded = load(tmp_path, environ={"PENNYPROOF_HOME": str(tmp_path)}, initialization_options=options)
        assert loaded.warnings == ()


def handled() -> set[str]:
    """The commands that the extension registers."""
    source = (FOLDER / "src/extension.ts").read_text("utf-8")
    handlers = source[source.index("const handlers") : source.index("context.subscriptions.push")]
    return {f"pennyproof.{name}" for name in re.findall(r"^    (\w+): ", handlers, re.MULTILINE)}


def test_its_commands_exist(manifest: Any) -> None:
    contributes = manifest["contributes"]
    in_palette = {command["command"] for command in contributes["commands"]}
    assert in_palette <= handled()
    # These are for other programs, or come with an argument that only the server knows.
    assert handled() - in_palette == {"pennyproof.accepted", "pennyproof.prove"}
    assert COMMANDS.keys() <= handled()
    assert {command["category"] for command in contributes["commands"]} == {"Pennyproof"}


def test_menus_keys_and_steps_name_commands_that_there_are(manifest: Any) -> None:
    contributes = manifest["contributes"]
    entries = [entry for menu in contributes["menus"].values() for entry in menu] + contributes["keybindings"]
    named = {entry["command"] for entry in entries if "command" in entry}
    named |= set(re.findall(r"command:(pennyproof\.\w+)", json.dumps(contributes)))
    assert named <= {command["command"] for command in contributes["commands"]}
    steps = contributes["walkthroughs"][0]["steps"]
    assert [step["id"] for step in steps if not (FOLDER / step["media"]["markdown"]).is_file()] == []


def test_its_version_is_that_of_the_server(manifest: Any) -> None:
    assert manifest["version"] == __version__


def test_it_asks_for_no_newer_server_than_it_brings(manifest: Any) -> None:
    numbers = [int(part) for part in manifest["oldestServer"].split(".")]
    assert numbers <= [int(part) for part in __version__.split(".")[:3]]
