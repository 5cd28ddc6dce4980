"""Which files hold tests, by the configuration alone."""

import pytest

from pennyproof.proof.collecting import test_files as files_of

FILES = ("m.py", "test_top.py", "tests/test_a.py", "tests/b_test.py", "tests/helpers.py", "build/lib/test_a.py")
TOP, A, B = "test_top.py", "tests/test_a.py", "tests/b_test.py"


def check(expected: set[str] | None, *args: str, **files: str) -> None:
    texts = dict.fromkeys(FILES, "") | {name.replace("__", "/").replace("_DOT_", "."): t for name, t in files.items()}
    assert files_of(texts, texts.__getitem__, args) == expected


@pytest.mark.parametrize(
    ("name", "text", "expected"),
    [
        ("pytest_DOT_ini", "[pytest]\ntestpaths = tests\n", {A, B}),
        ("pytest_DOT_ini", "[pytest]\ntestpaths = missing\n", {TOP, A, B}),
        ("pytest_DOT_ini", "[pytest]\npython_files = b_*.py m.py\n", {"m.py", B}),
        ("tox_DOT_ini", "[tox]\nenvlist = py\n", {TOP, A, B}),
        ("setup_DOT_cfg", "[tool:pytest]\naddopts = -ra -n auto --tb=short --cov pkg\n", {TOP, A, B}),
        ("pyproject_DOT_toml", "[tool.pytest.ini_options]\ntestpaths = ['tests']\nmarkers = ['slow']\n", {A, B}),
        ("pyproject_DOT_toml", "[tool.pytest]\ntestpaths = ['tests']\n", {A, B}),
        ("pyproject_DOT_toml", "[project]\nname = 'x'\n", {TOP, A, B}),
        ("conftest_DOT_py", "import pytest\n", {TOP, A, B}),
    ],
)
def test_files_that_hold_tests(name: str, text: str, expected: set[str]) -> None:
    check(expected, **{name: text})


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("pytest_DOT_ini", "[pytest]\naddopts = --doctest-modules\n"),
        ("pytest_DOT_ini", "[pytest]\naddopts = -k fast\n"),
        ("pytest_DOT_ini", "[pytest]\naddopts = tests\n"),
        ("pytest_DOT_ini", "[pytest]\naddopts = -p plugin\n"),
        ("pytest_DOT_ini", "[pytest]\nnorecursedirs = x\n"),
        ("pytest_DOT_ini", "[pytest]\ntestpaths = t*\n"),
        ("pytest_DOT_ini", "no section"),
        ("pyproject_DOT_toml", "[tool.pytest.ini_options]\ntestpaths = 3\n"),
        ("pyproject_DOT_toml", "not = toml = at all"),
        ("tests__conftest_DOT_py", "collect_ignore = ['test_a.py']\n"),
    ],
)
def test_what_pytest_alone_can_tell(name: str, text: str) -> None:
    check(None, **{name: text})


def test_arguments_are_looked_at_too() -> None:
    check({TOP, A, B}, "-q")
    check(None, "-m", "slow")


def test_of_several_configurations_the_one_that_pytest_reads_counts() -> None:
    ini, toml = "[pytest]\ntestpaths = tests\n", "[tool.pytest.ini_options]\naddopts = '-k x'\n"
    check({A, B}, tox_DOT_ini=ini, setup_DOT_cfg="[tool:pytest]\naddopts = -k x\n")
    check({A, B}, pytest_DOT_ini=ini, pyproject_DOT_toml=toml)
    check(None, tox_DOT_ini=ini, pyproject_DOT_toml=toml)
    check({TOP, A, B}, pytest_DOT_ini="[other]\n", pyproject_DOT_toml=toml)
