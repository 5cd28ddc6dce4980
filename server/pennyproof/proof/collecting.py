"""Which files pytest collects tests from, where that can be told from the configuration without running it."""

import configparser
import shlex
import tomllib
from collections.abc import Callable, Collection, Mapping, Sequence
from fnmatch import fnmatch
from pathlib import PurePosixPath
from typing import Any

_FILES = "pytest.toml", ".pytest.toml", "pytest.ini", ".pytest.ini", "pyproject.toml", "tox.ini", "setup.cfg"
"""Where pytest looks for settings, first to last; the first that has some counts."""
_PATTERNS = "test_*.py", "*_test.py"
_NOT_ENTERED = "*.egg", ".*", "_darcs", "build", "CVS", "dist", "node_modules", "venv", "{arch}"
"""pytest's own ``norecursedirs``."""

_HARMLESS = frozenset(
    {
        "asyncio_default_fixture_loop_scope", "asyncio_mode", "cache_dir", "console_output_style",
        "faulthandler_timeout", "filterwarnings", "junit_family", "log_cli", "log_cli_level", "log_level", "markers",
        "minversion", "python_classes", "python_functions", "pythonpath", "required_plugins", "strict", "timeout",
        "xfail_strict",
    }
)  # fmt: skip
"""Settings that say nothing of which files hold tests."""
_HARMLESS_OPTIONS = (
    "--asyncio-mode=", "--benchmark-", "--capture=", "--color=", "--cov", "--durations=", "--import-mode=",
    "--maxfail=", "--no-cov", "--no-header", "--no-summary", "--numprocesses=", "--randomly-", "--showlocals",
    "--strict", "--tb=", "--timeout=", "--verbose", "-l", "-n", "-q", "-r", "-s", "-v", "-x", "-W",
)  # fmt: skip
_WITH_VALUE = frozenset({"-n", "-r", "-W", "--cov", "--cov-report"})


class _UnclearError(Exception):
    """Only pytest itself can tell."""


def test_files(paths: Collection[str], read: Callable[[str], str], args: Sequence[str]) -> frozenset[str] | None:
    """The files that hold the suite's tests.

    Args:
        paths: All files.
        read: Reads one of them.
        args: Arguments that pytest is called with.

    Returns:
        ``None`` where the configuration, an argument or a conftest file has something to say that is not known here.
    """
    try:
        settings = _settings(paths, read)
        _check_options([*shlex.split(" ".join(_words(settings.pop("addopts", "")))), *args])
        folders = _words(settings.pop("testpaths", ""))
        patterns = _words(settings.pop("python_files", "")) or _PATTERNS
    except (_UnclearError, ValueError, configparser.Error):
        return None
    odd = any(character in name for name in folders for character in "*?[") or any("/" in name for name in patterns)
    if odd or not settings.keys() <= _HARMLESS:
        return None
    if any("collect" in read(path) for path in paths if PurePosixPath(path).name == "conftest.py"):
        return None
    within = [PurePosixPath(folder) for folder in folders]
    found = [PurePosixPath(path) for path in paths if any(fnmatch(PurePosixPath(path).name, glob) for glob in patterns)]
    inside = [path for path in found if any(path.is_relative_to(folder) for folder in within)]
    # pytest looks everywhere where none of its folders exist.
    chosen = inside if within and any(_exists(folder, paths) for folder in within) else found
    return frozenset(path.as_posix() for path in chosen if _is_entered(path))


def _settings(paths: Collection[str], read: Callable[[str], str]) -> dict[str, object]:
    for file in _FILES:
        found = _section(file, read(file)) if file in paths else None
        if found is not None:
            return dict(found)
    return {}


def _section(file: str, text: str) -> Mapping[str, object] | None:
    """What a file sets for pytest; ``None`` where that is nothing, and pytest looks at the next."""
    if file.endswith(".toml"):
        whole = tomllib.loads(text)
        table: dict[str, Any] | None = (whole if file != "pyproject.toml" else whole.get("tool", {})).get("pytest")
        if table is None:
            return None if file == "pyproject.toml" else {}
        return table.get("ini_options", table) if file == "pyproject.toml" else table
    parser = configparser.RawConfigParser(strict=False)
    parser.read_string(text)
    name = "tool:pytest" if file == "setup.cfg" else "pytest"
    if parser.has_section(name):
        return dict(parser[name])
    return {} if file.endswith("pytest.ini") else None


def _words(value: object) -> list[str]:
    if isinstance(value, str):
        return value.split()
    if isinstance(value, list) and all(isinstance(word, str) for word in value):
        return list(value)
    raise _UnclearError


def _check_options(options: Sequence[str]) -> None:
    for before, option in zip(["", *options], options, strict=False):
        if not option.startswith(_HARMLESS_OPTIONS) and not (before in _WITH_VALUE and not option.startswith("-")):
            raise _UnclearError


def _exists(folder: PurePosixPath, paths: Collection[str]) -> bool:
    return any(PurePosixPath(path).is_relative_to(folder) for path in paths)


def _is_entered(path: PurePosixPath) -> bool:
    return not any(fnmatch(part, glob) for part in path.parts[:-1] for glob in _NOT_ENTERED)
