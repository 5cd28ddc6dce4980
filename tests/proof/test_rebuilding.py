"""What is changed between two verdicts, other than code: the next one knows."""

from collections.abc import Callable
from pathlib import Path

import pytest

from pennyproof.core.snapshots import Snapshot
from tests.proof.projects import Environment, Project, environment, write

FILES = {
    "m.py": "def f(n):\n    return n\n",
    "conftest.py": "import pytest\n\n\n@pytest.fixture\ndef value():\n    return 1\n",
    "pytest.ini": "[pytest]\n",
    "other/lib.py": "VALUE = 1\n",
    "test_m.py": """\
import sys
from importlib import import_module

import pytest

from m import f


def test_value(value):
    assert f(value) == 1


def test_lib():
    assert import_module("lib").VALUE == 1


def test_plugin(request):
    assert not request.config.pluginmanager.hasplugin("extra")


def also_value(value):
    assert value == 1
""",
}
VALUE, LIB, PLUGIN = ("test_m.py::test_value", "test_m.py::test_lib", "test_m.py::test_plugin")
Change = Callable[[Environment, Path], object]


def lib(version: str, value: int) -> Change:
    return lambda env, root: env.install("lib", version, {"lib.py": f"VALUE = {value}\n"})


def text(name: str, content: str) -> Change:
    return lambda env, root: write(root, {name: content})


def path(value: int) -> Change:
    """Another folder on the path of modules; the file that names it is there already."""

    def change(env: Environment, root: Path) -> None:
        write(root.parent, {f"libs-{value}/lib.py": f"VALUE = {value}\n"})
        (env.site / "lib.pth").write_text(f"{root.parent}/libs-{value}\n")

    return change


PLUGIN_FILES = {"extra.py": "", "extra-1.dist-info/entry_points.txt": "[pytest11]\nextra = extra\n"}


@pytest.mark.parametrize(
    ("before", "after", "failing"),
    [
        (lib("1.0", 1), lib("2.0", 2), ([], [LIB])),
        (text("m.py", "# 1\ndef f(n):\n    return n\n"), lib("1.0", 1), ([LIB], [])),
        (lib("1.0", 1), text("conftest.py", FILES["conftest.py"].replace("1", "2")), ([], [VALUE])),
        (lib("1.0", 1), text("pytest.ini", "[pytest]\npython_functions = also_*\n"), ([], [])),
        (lib("1.0", 1), text("pytest.ini", "[pytest]\naddopts = -p extra\n"), ([], [PLUGIN])),
        (path(1), path(2), ([], [LIB])),
        (lib("1.0", 1), lambda env, root: write(env.site, PLUGIN_FILES), ([], [PLUGIN])),
        (text("lib.py", "VALUE = 1\n"), lambda env, root: (root / "lib.py").unlink(), ([], [LIB])),
    ],
    ids=["upgraded", "installed", "conftest", "pytest.ini", "plugin in the tree", "pth", "plugin installed", "deleted"],
)
def test_a_change_of_what_surrounds_the_code(
    tmp_path: Path, before: Change, after: Change, failing: tuple[list[str], list[str]]
) -> None:
    env = environment(tmp_path / "venv", "plugins")
    root = write(tmp_path / "p", {**FILES, "extra.py": ""})
    before(env, root)
    with Project(root, {}, env.python) as project:
        tests = list(project.baseline().outcomes)
        assert project.failing() == failing[0]
        assert not project.prove(("m.py", "return n", "return n + 0")).failed or failing[0]
        after(env, root)
        project.snapshot = Snapshot(project.root)
        assert project.failing() == failing[1]
        verdict = project.prove(("m.py", "return n", "return n * 1"), every_test=True)
        assert [test.id for test in verdict.failed] == failing[1]
        assert (list(project.baseline().outcomes) == tests) == (failing != ([], []))
