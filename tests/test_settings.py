"""Settings from every source, in their order, and what happens with what is wrong."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from pennyproof.settings import Loaded, Settings, load, state_directory, variable


def settings_from(
    tmp_path: Path,
    *,
    project: str = "",
    user: str = "",
    environ: Mapping[str, str] | None = None,
    **sources: Mapping[str, Any] | None,
) -> Loaded:
    root, home = tmp_path / "project", tmp_path / "home"
    for folder, name, text in ((root, "pyproject.toml", project), (home, "config.toml", user)):
        folder.mkdir(exist_ok=True)
        if text:
            (folder / name).write_text(text)
    return load(root, environ={"PENNYPROOF_HOME": str(home), **(environ or {})}, **sources)


def test_without_any_source_the_defaults_hold(tmp_path: Path) -> None:
    loaded = settings_from(tmp_path)
    assert loaded == Loaded(Settings())
    settings = loaded.settings
    assert (settings.model.provider, settings.model.fast, settings.model.advisor) == (
        "deepseek",
        "deepseek-flash",
        None,
    )
    assert (settings.budget.daily_usd, settings.budget.per_action_usd) == (0.50, 0.05)
    assert (settings.trust, settings.proof.sandbox, settings.proof.executor) == ("ask", "auto", "local")
    assert (settings.tests.on_save, settings.tests.args, settings.tests.timeout_seconds) == ("affected", (), 60)
    assert settings.proof.workers >= 1


_PROJECT = '[tool.pennyproof.tests]\nargs = ["project"]'
_USER = '[tests]\nargs = ["user"]'
_ENVIRON = {"PENNYPROOF_TESTS_ARGS": "environment"}


@pytest.mark.parametrize(
    ("names", "winner"),
    [
        (["project"], "project"),
        (["project", "user"], "user"),
        (["project", "user", "workspace_configuration"], "workspace_configuration"),
        (["user", "workspace_configuration", "initialization_options"], "initialization_options"),
        (["initialization_options", "environ", "user"], "environment"),
        (["cli", "environ", "initialization_options", "workspace_configuration", "user", "project"], "cli"),
    ],
)
def test_the_first_source_wins(tmp_path: Path, names: list[str], winner: str) -> None:
    sources: dict[str, Any] = {"project": _PROJECT, "user": _USER, "environ": _ENVIRON}
    sources |= {
        name: {"tests": {"args": [name]}} for name in ("cli", "initialization_options", "workspace_configuration")
    }
    loaded = settings_from(tmp_path, **{name: sources[name] for name in names})
    assert loaded.settings.tests.args == (winner,)
    assert loaded.warnings == ()


def test_sources_are_joined_key_by_key(tmp_path: Path) -> None:
    loaded = settings_from(
        tmp_path,
        user='logLevel = "debug"\n[completion]\nenabled = false',
        cli={"completion": {"recall": False}},
        initialization_options={"completion": {"enabled": None}},
    )
    completion = loaded.settings.completion
    assert (completion.enabled, completion.recall, loaded.settings.log_level) == (False, False, "debug")


def test_a_project_adds_to_what_is_ignored(tmp_path: Path) -> None:
    loaded = settings_from(
        tmp_path, user='[context]\nignore = ["*.key"]', project='[tool.pennyproof.context]\nignore = ["data/*"]'
    )
    assert loaded.settings.context.ignore == ("*.key", "data/*")


RESTRICTED: list[tuple[str, object]] = [
    ("model.baseUrl", "https://evil.example"),
    ("model.providers", [{"name": "x", "baseUrl": "https://evil.example"}]),
    ("budget.dailyUsd", 1000),
    ("trust", "always"),
    ("proof.sandbox", "off"),
    ("proof.executor", "dask://evil.example:1"),
    ("tests.python", "/bin/evil"),
]


def _nest(key: str, value: object) -> dict[str, Any]:
    for part in reversed(key.split(".")):
        value = {part: value}
    assert isinstance(value, dict)
    return value


@pytest.mark.parametrize(("key", "value"), RESTRICTED)
def test_a_workspace_cannot_redirect_pay_trust_or_run(tmp_path: Path, key: str, value: object) -> None:
    loaded = settings_from(tmp_path, workspace_configuration=_nest(key, value))
    assert loaded.settings == Settings()
    assert [warning for warning in loaded.warnings if key in warning] == list(loaded.warnings) != []
    assert "evil" not in str(loaded.warnings)


@pytest.mark.parametrize(
    "key", [*(key for key, _ in RESTRICTED if key != "model.providers"), "tests.onSave", "logLevel"]
)
def test_a_projects_file_sets_only_what_is_named(tmp_path: Path, key: str) -> None:
    section, _, name = key.rpartition(".")
    header = ".".join(["tool.pennyproof", *filter(None, [section])])
    value = {"budget.dailyUsd": "9.0", "tests.onSave": '"off"', "logLevel": '"debug"'}.get(
        key, '"https://evil.example"'
    )
    loaded = settings_from(tmp_path, project=f"[{header}]\n{name} = {value}")
    assert loaded.settings == Settings()
    assert len(loaded.warnings) == 1
    assert key in loaded.warnings[0]


def test_a_client_that_sends_all_its_defaults_is_not_scolded(tmp_path: Path) -> None:
    defaults = Settings().model_dump(mode="json", by_alias=True)
    assert settings_from(tmp_path, workspace_configuration=defaults) == Loaded(Settings())


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"modle": {"fast": "x"}}, ["modle", "model"]),
        ({"model": {"fasst": "x"}}, ["model.fasst", "did you mean model.fast?"]),
        ({"base_url": "x"}, ["base_url", "there are", "model.baseUrl"]),
        ({"trust": "yes"}, ["trust", "'ask', 'always' or 'never'"]),
        ({"completion": {"enabled": "yes"}}, ["completion.enabled", "boolean"]),
        ({"completion": {"enabled": 1}}, ["completion.enabled", "boolean"]),
        ({"completion": {"proofBudgetMs": 0.5}}, ["completion.proofBudgetMs", "integer"]),
        ({"completion": True}, ["completion", "table"]),
        ({"budget": {"dailyUsd": -1}}, ["budget.dailyUsd", "greater than or equal to 0"]),
        ({"tests": {"args": "-q"}}, ["tests.args"]),
        ({"tests": {"args": ["-q", 3]}}, ["tests.args", "[1]", "string"]),
        ({"tests": {"timeoutSeconds": 0}}, ["tests.timeoutSeconds", "greater than 0"]),
        ({"tests": {"timeoutSeconds": float("nan")}}, ["tests.timeoutSeconds"]),
        ({"proof": {"workers": 0}}, ["proof.workers", "greater than or equal to 1"]),
        ({"proof": {"executor": "ssh://x"}}, ["proof.executor", "dask://HOST:PORT"]),
        ({"model": {"baseUrl": "ftp://x"}}, ["model.baseUrl", "https://"]),
        ({"model": {"providers": [{"name": "x"}]}}, ["model.providers", "[0]", "required"]),
    ],
)
def test_what_is_wrong_is_told_and_left_aside(tmp_path: Path, options: dict[str, Any], words: list[str]) -> None:
    loaded = settings_from(tmp_path, initialization_options=options)
    assert loaded.settings == Settings()
    assert len(loaded.warnings) == 1
    assert loaded.warnings[0].startswith("initializationOptions: ")
    assert [word for word in words if word not in loaded.warnings[0]] == []


def test_a_wrong_value_gives_way_to_the_next_source(tmp_path: Path) -> None:
    loaded = settings_from(tmp_path, user='trust = "always"', environ={"PENNYPROOF_TRUST": "perhaps"})
    assert loaded.settings.trust == "always"
    assert loaded.warnings == ("the environment: PENNYPROOF_TRUST should be 'ask', 'always' or 'never'",)


@pytest.mark.parametrize(
    ("name", "text", "value"),
    [
        ("PENNYPROOF_MODEL_BASE_URL", "https://host/v1/", "https://host"),
        ("PENNYPROOF_MODEL_BASE_URL", "https://host/beta", "https://host"),
        ("PENNYPROOF_BUDGET_DAILY_USD", "1.5", 1.5),
        ("PENNYPROOF_COMPLETION_ENABLED", "false", False),
        ("PENNYPROOF_COMPLETION_PROOF_BUDGET_MS", "20", 20),
        ("PENNYPROOF_MODEL_ADVISOR", "none", None),
        ("PENNYPROOF_TESTS_ARGS", "-q, -x", ("-q", "-x")),
        ("PENNYPROOF_TESTS_ARGS", '["-k", "a, b"]', ("-k", "a, b")),
        ("PENNYPROOF_PROOF_WORKERS", "3", 3),
        ("PENNYPROOF_LOG_LEVEL", "error", "error"),
    ],
)
def test_the_environment_is_text(tmp_path: Path, name: str, text: str, value: object) -> None:
    loaded = settings_from(tmp_path, environ={name: text})
    assert loaded.warnings == ()
    found: Any = loaded.settings
    for part in (
        name.removeprefix("PENNYPROOF_").lower().split("_", 1) if name != "PENNYPROOF_LOG_LEVEL" else ["log_level"]
    ):
        found = getattr(found, part)
    assert found == value


def test_names_of_variables_follow_from_the_keys() -> None:
    assert [variable(key) for key in ("model.baseUrl", "trust", "tests.timeoutSeconds")] == [
        "PENNYPROOF_MODEL_BASE_URL", "PENNYPROOF_TRUST", "PENNYPROOF_TESTS_TIMEOUT_SECONDS",
    ]  # fmt: skip


@pytest.mark.parametrize("text", ["[tests", "tests = 3", "\x00"])
def test_broken_files_cost_a_warning(tmp_path: Path, text: str) -> None:
    loaded = settings_from(tmp_path, user=text, project=text)
    assert loaded.settings == Settings()
    assert loaded.warnings
    assert all(".toml" in warning for warning in loaded.warnings)


def test_a_tool_table_of_another_shape_is_none_of_ours(tmp_path: Path) -> None:
    assert settings_from(tmp_path, project='tool = "x"') == Loaded(Settings())
    assert settings_from(tmp_path, project="[tool]\npennyproof = 3") == Loaded(Settings())


def test_what_may_hold_a_secret_is_not_shown(tmp_path: Path) -> None:
    providers = [{"name": "mine", "baseUrl": "https://me:hush@host/v1"}]
    loaded = settings_from(tmp_path, cli={"model": {"baseUrl": "https://me:hush@host", "providers": providers}})
    assert loaded.settings.model.base_url == "https://me:hush@host"
    assert "hush" not in repr(loaded)


def test_home_holds_the_state(tmp_path: Path) -> None:
    assert state_directory({"PENNYPROOF_HOME": str(tmp_path)}) == tmp_path
    assert state_directory({}).name == "pennyproof"
