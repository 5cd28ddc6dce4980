"""Which files no candidate may touch: tests are not bent to pass."""

from collections.abc import Collection
from pathlib import PurePosixPath

_CONFIGURATION = frozenset(
    {
        "conftest.py",
        "pytest.ini",
        ".pytest.ini",
        "pytest.toml",
        ".pytest.toml",
        "pyproject.toml",
        "tox.ini",
        "setup.cfg",
        "noxfile.py",
        ".coveragerc",
        "sitecustomize.py",
        "usercustomize.py",
    }
)
_TEST_FOLDERS = frozenset({"test", "tests", "testing", "testdata", "test_data", "fixtures", ".github"})


def is_protected(path: str, test_files: Collection[str] = ()) -> bool:
    """Whether ``path`` (relative, forward slashes) belongs to the tests or to their configuration.

    Args:
        path: The file in question.
        test_files: Files that are known to hold tests, whatever they are called.
    """
    pure = PurePosixPath(path)
    return (
        path in test_files
        or pure.name in _CONFIGURATION
        or pure.name.startswith("test_")
        or pure.stem.endswith("_test")
        or pure.suffix == ".pth"
        or any(part.lower() in _TEST_FOLDERS for part in pure.parts[:-1])
    )
