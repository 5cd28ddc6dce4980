"""Files that candidates may not touch."""

import pytest

from pennyproof.core.protected import is_protected


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("pkg/a.py", False),
        ("src/pkg/latest.py", False),
        ("pkg/contest.py", False),
        ("tests/data/rows.json", True),
        ("pkg/tests/helpers.py", True),
        ("test_a.py", True),
        ("pkg/a_test.py", True),
        ("conftest.py", True),
        ("pkg/conftest.py", True),
        ("pyproject.toml", True),
        ("setup.cfg", True),
        ("evil.pth", True),
        ("sitecustomize.py", True),
        (".github/workflows/ci.yml", True),
    ],
)
def test_tests_and_their_configuration_are_protected(path: str, expected: bool) -> None:
    assert is_protected(path) is expected


def test_a_file_known_to_hold_tests_is_protected_whatever_its_name() -> None:
    assert is_protected("checks/a.py", {"checks/a.py"})
