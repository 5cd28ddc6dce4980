"""Settings: what can be set, from where, and what happens with what is wrong.

The first source that names a key wins: command line, environment, ``initializationOptions``,
``workspace/configuration``, the user's ``config.toml``, ``[tool.pennyproof]`` of the project. What a repository can
fill (``workspace/configuration`` and the project's file) reaches nothing that spends money, starts programs or grants
trust.
"""

import difflib
import json
import os
import re
import tomllib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

import platformdirs
from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, TypeAdapter, ValidationError
from pydantic.alias_generators import to_camel
from pydantic.fields import FieldInfo

_NAME = "pennyproof"


class _Section(BaseModel):
    model_config = ConfigDict(
        frozen=True, extra="forbid", alias_generator=to_camel, populate_by_name=True, hide_input_in_errors=True
    )


def _endpoint(url: str) -> str:
    """A provider's URL without the suffixes that its clients add themselves."""
    if not url.startswith(("http://", "https://")):
        raise ValueError("should begin with http:// or https://")
    return url.rstrip("/").removesuffix("/beta").removesuffix("/v1").rstrip("/")


def _executor(value: str) -> str:
    if value != "local" and not value.startswith("dask://"):
        raise ValueError("should be local or dask://HOST:PORT")
    return value


def _none(value: object) -> object:
    return None if value == "none" else value


Endpoint = Annotated[str, AfterValidator(_endpoint), Field(repr=False)]
"""Not shown: people write passwords into URLs."""
Usd = Annotated[float, Field(ge=0, allow_inf_nan=False)]


class Provider(_Section):
    """A model provider beside the default one."""

    name: str
    base_url: Endpoint
    key_env: str | None = None
    """The environment variable that holds the key."""
    kind: str = "openai"


class ModelSettings(_Section):
    """Which hosted models are used."""

    provider: str = "deepseek"
    """The provider of models."""
    base_url: Endpoint = "https://api.deepseek.com"
    """Where the provider is. The key is never a setting."""
    fast: str = "deepseek-flash"
    """The model that is asked first."""
    strong: str = "deepseek-v4-pro"
    """The model that is asked when the fast one did not help."""
    advisor: Annotated[str | None, BeforeValidator(_none)] = None
    """A model that plans, while a cheaper one writes."""
    providers: tuple[Provider, ...] = ()
    """Further providers, by objects with `name`, `baseUrl`, `keyEnv` and `kind`."""
    prices: Mapping[str, Any] | None = None
    """Prices in USD for a million tokens, by model: objects with `input`, `output`, `inputCacheHit` and `peak`; by
    default, a built-in table."""


class BudgetSettings(_Section):
    """How much money may be spent."""

    daily_usd: Usd = 0.50
    """The most that models may cost in a day, in USD."""
    per_action_usd: Usd = 0.05
    """The most that one action may cost, in USD."""


class CompletionSettings(_Section):
    """When and how completions are made."""

    enabled: bool = True
    """Whether completions are made."""
    trigger: Literal["automatic", "manual"] = "automatic"
    """When completions are made: while you type, or when you ask."""
    multiline: Literal["auto", "always", "never"] = "auto"
    """Whether completions may have several lines."""
    proof: Literal["static", "off", "rank", "require"] = "static"
    """How completions are checked before they are shown."""
    proof_budget_ms: Annotated[int, Field(ge=0)] = 300
    """How long the check of a completion may take, in milliseconds."""
    recall: bool = True
    """Whether completions are also taken from what was written before."""


class TestsSettings(_Section):
    """How the project's tests are run."""

    __test__ = False

    on_save: Literal["affected", "off", "all"] = "affected"
    """Which tests run when a file is saved."""
    python: str | None = None
    """The interpreter that has the project's pytest; by default, it is looked for."""
    args: tuple[str, ...] = ()
    """Further arguments for pytest."""
    timeout_seconds: Annotated[float, Field(gt=0, allow_inf_nan=False)] = 60.0
    """The time for one test, in seconds."""


class ProofSettings(_Section):
    """Where and how candidates are checked."""

    sandbox: Literal["auto", "bubblewrap", "landlock", "seatbelt", "off"] = "auto"
    """How tests are confined."""
    workers: Annotated[int, Field(ge=1)] = Field(default_factory=lambda: os.cpu_count() or 1)
    """How many tests run side by side; by default, as many as there are cores."""
    executor: Annotated[str, AfterValidator(_executor)] = "local"
    """Where proofs are made: `local`, or `dask://HOST:PORT`, which needs `pennyproof[cluster]`."""


class ContextSettings(_Section):
    """What a model may get to see."""

    ignore: tuple[str, ...] = ()
    """Patterns of files that are never sent, added to the built-in ones."""


class Settings(_Section):
    """All settings, frozen."""

    model: ModelSettings = ModelSettings()
    budget: BudgetSettings = BudgetSettings()
    completion: CompletionSettings = CompletionSettings()
    tests: TestsSettings = TestsSettings()
    proof: ProofSettings = Field(default_factory=ProofSettings)
    trust: Literal["ask", "always", "never"] = "ask"
    """Whether code of workspaces may run, and may be sent to the model's host."""
    context: ContextSettings = ContextSettings()
    log_level: Literal["debug", "info", "warning", "error"] = "info"
    """How much the log says."""


@dataclass(frozen=True, slots=True)
class Loaded:
    """Settings, and what was wrong with their sources."""

    settings: Settings
    warnings: tuple[str, ...] = ()


def load(
    root: Path,
    *,
    cli: Mapping[str, Any] | None = None,
    environ: Mapping[str, str] = os.environ,
    initialization_options: Mapping[str, Any] | None = None,
    workspace_configuration: Mapping[str, Any] | None = None,
    user_config_dir: Path | None = None,
) -> Loaded:
    """The settings that hold for a workspace folder.

    Args:
        root: The folder; its pyproject.toml is read.
        cli: What the command line set, nested like the settings.
        environ: The environment.
        initialization_options: What the client sent at initialize.
        workspace_configuration: What the client answered to ``workspace/configuration``.
        user_config_dir: Where ``config.toml`` lies; by default ``PENNYPROOF_HOME`` or the user's config directory.

    Returns:
        The settings, and a warning for each value that was left aside.
    """
    warnings: list[str] = []
    user = _config_directory(environ) if user_config_dir is None else user_config_dir
    sources = (
        _Source("the command line", _nested(cli or {})),
        _Source("the environment", _environment(environ), is_text=True),
        _Source("initializationOptions", _nested(initialization_options or {})),
        _Source("workspace/configuration", _nested(workspace_configuration or {}), _may_come_from_workspace),
        _Source("config.toml", _nested(_read_toml(user / "config.toml", warnings))),
        _Source("pyproject.toml", _nested(_project_section(root, warnings)), _may_come_from_project),
    )
    return _merge(sources, warnings)


def state_directory(environ: Mapping[str, str] = os.environ) -> Path:
    """Where the ledger, the coverage maps and trust are kept."""
    home = environ.get("PENNYPROOF_HOME")
    return Path(home) if home else Path(platformdirs.user_state_dir(_NAME))


def _config_directory(environ: Mapping[str, str]) -> Path:
    home = environ.get("PENNYPROOF_HOME")
    return Path(home) if home else Path(platformdirs.user_config_dir(_NAME))


@dataclass(frozen=True, slots=True)
class _Source:
    name: str
    values: Mapping[str, Any]
    """Dotted key → value."""
    may_set: Callable[[str], bool] = lambda _: True
    is_text: bool = False
    """Whether values are the text of environment variables."""


def _may_come_from_workspace(key: str) -> bool:
    return not key.startswith(("model.", "budget.", "proof.")) and key not in ("trust", "tests.python")


def _may_come_from_project(key: str) -> bool:
    return key.startswith("completion.") or key in ("tests.args", "tests.timeoutSeconds", "context.ignore")


def _merge(sources: tuple[_Source, ...], warnings: list[str]) -> Loaded:
    keys = dict(_leaves(Settings))
    found: dict[str, Any] = {}
    forbidden: list[tuple[str, Any, str]] = []
    for source in sources:
        for key, value in source.values.items():
            if any(known.startswith(key + ".") for known in keys):
                warnings.append(f"{source.name}: {key} should be a table of settings")
            elif key not in keys:
                warnings.append(f"{source.name}: there is no setting {key}{_did_you_mean(key, keys)}")
            elif value is None:
                continue
            elif not source.may_set(key):
                forbidden.append((key, value, source.name))
            else:
                _take(found, key, keys[key], value, source, warnings)
    settings = Settings.model_validate(_tree(found))
    dumped = settings.model_dump(mode="json", by_alias=True)
    # Editors send the defaults of all their settings; only a value that would have changed something is worth a word.
    warnings += [
        f"{name}: {key} cannot be set there, since a repository can write it; set it in your own config.toml"
        for key, value, name in forbidden
        if value != _at(dumped, key)
    ]
    return Loaded(settings, tuple(dict.fromkeys(warnings)))


def _take(
    found: dict[str, Any], key: str, field: FieldInfo, value: object, source: _Source, warnings: list[str]
) -> None:
    adapter = _adapter(field)
    try:
        if source.is_text:
            valid = adapter.validate_python(_from_text(str(value), field))
        else:
            # As JSON, a list may be a tuple, and still no text is a number.
            valid = adapter.validate_json(json.dumps(value, default=str), strict=True)
    except (ValidationError, ValueError) as error:
        warnings.append(f"{source.name}: {variable(key) if source.is_text else key} {_allowed(error)}")
        return
    if key == "context.ignore" and source.may_set is _may_come_from_project:
        found[key] = (*found.get(key, ()), *valid)
    else:
        found.setdefault(key, valid)


def _adapter(field: FieldInfo) -> TypeAdapter[Any]:
    kind: Any = field.annotation
    for constraint in field.metadata:
        kind = Annotated[kind, constraint]
    return TypeAdapter(kind)


def _allowed(error: ValueError) -> str:
    """What pydantic says is allowed; never the value itself."""
    if not isinstance(error, ValidationError):
        return "should be JSON"
    detail = error.errors(include_input=False, include_url=False)[0]
    place = "".join(f"[{part}]" for part in detail["loc"] if isinstance(part, int))
    message = detail["msg"].removeprefix("Value error, ").removeprefix("Input ")
    return f"{place} {message}".strip()


def _did_you_mean(key: str, keys: Mapping[str, FieldInfo]) -> str:
    close = difflib.get_close_matches(key, keys, n=1) or [
        known for known in keys if known.rpartition(".")[2] == key.rpartition(".")[2]
    ]
    return f"; did you mean {close[0]}?" if close else f"; there are {', '.join(keys)}"


def _leaves(section: type[_Section], prefix: str = "") -> Iterator[tuple[str, FieldInfo]]:
    """Dotted key → field of every setting."""
    for name, field in section.model_fields.items():
        key = prefix + (field.alias or name)
        if isinstance(field.annotation, type) and issubclass(field.annotation, _Section):
            yield from _leaves(field.annotation, key + ".")
        else:
            yield key, field


def _nested(values: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """Dotted keys from a nested source; what is a setting's own value stays whole."""
    flat: dict[str, Any] = {}
    for name, value in values.items():
        key = f"{prefix}{name}"
        if isinstance(value, Mapping) and any(known.startswith(key + ".") for known, _ in _leaves(Settings)):
            flat |= _nested(value, key + ".")
        else:
            flat[key] = value
    return flat


def _tree(flat: Mapping[str, Any]) -> dict[str, Any]:
    tree: dict[str, Any] = {}
    for key, value in flat.items():
        *sections, name = key.split(".")
        branch = tree
        for section in sections:
            branch = branch.setdefault(section, {})
        branch[name] = value
    return tree


def _at(tree: Mapping[str, Any], key: str) -> object:
    value: Any = tree
    for part in key.split("."):
        value = value[part]
    return value


def variable(key: str) -> str:
    """The environment variable of a setting: ``model.baseUrl`` → ``PENNYPROOF_MODEL_BASE_URL``."""
    return "PENNYPROOF_" + re.sub(r"\.|(?=[A-Z])", "_", key).upper()


def _environment(environ: Mapping[str, str]) -> dict[str, Any]:
    return {key: environ[variable(key)] for key, _ in _leaves(Settings) if environ.get(variable(key))}


def _from_text(text: str, field: FieldInfo) -> object:
    if text.lstrip().startswith(("[", "{")):
        return json.loads(text)
    if str(field.annotation).startswith("tuple"):
        return tuple(part.strip() for part in text.split(",") if part.strip())
    return text


def _project_section(root: Path, warnings: list[str]) -> Mapping[str, Any]:
    tool = _read_toml(root / "pyproject.toml", warnings).get("tool", {})
    section = tool.get(_NAME, {}) if isinstance(tool, dict) else {}
    return section if isinstance(section, dict) else {}


def _read_toml(path: Path, warnings: list[str]) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text("utf-8"))
    except (FileNotFoundError, NotADirectoryError):
        return {}
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        warnings.append(f"{path.name} cannot be read, so its settings do not count: {error}")
    except OSError as error:
        warnings.append(f"{path.name} cannot be read, so its settings do not count: {error.strerror}")
    return {}
