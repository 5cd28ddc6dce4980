"""What a run tells of what outcomes rest on, beside the functions that tests ran."""

from pathlib import Path
from typing import Any

from tests.proof.inside.harness import run, write

FILES = {
    "conftest.py": "import early",
    "early.py": "def made(): return [1, 2]\nLIST = made()\n",
    "code_.py": "def plain(): return 1\ndef cases(): return [1]\n",
    "late.py": "def built(): return 1\nVALUE = built()\n",
    "unused.py": "",
    "plug.py": "import pytest\n",
    "data.txt": "x",
    "test_it.py": """\
import code_, inspect, os, subprocess, sys, pytest

@pytest.mark.parametrize("n", code_.cases())
def test_plain(n): code_.plain()
def test_reads(): inspect.getsource(code_.plain)
def test_opens():
    for name in ("unused.py", "data.txt"):
        with open(name): pass
def test_process(): subprocess.run([sys.executable, "-c", ""])
def test_plain_process(): subprocess.run(["true"]); subprocess.run(["cat", "nowhere.txt"])
def test_process_reads(): subprocess.run(["cat", "data.txt"])
def test_shell(): subprocess.run("true", shell=True)
def test_other_program(tmp_path, monkeypatch):
    (tmp_path / "true").write_text("#!/bin/sh\\n")
    (tmp_path / "true").chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
    subprocess.run(["true"])
def test_forks():
    child = os.fork()
    if not child:
        os._exit(0)
    os.waitpid(child, 0)
def test_late(): import late
def test_late_again(): import late
""",
}


def traced(tmp_path: Path, files: dict[str, str] = FILES, **params: Any) -> dict[str, Any]:
    root = write(tmp_path / "p", files)
    plugins = ["-p", "plug"] if "plug.py" in files else []
    result = run(root, **{"trace": "functions", "args": plugins, **params})
    assert result is not None
    return result


def test_what_tests_touch(tmp_path: Path) -> None:
    result = traced(tmp_path)
    assert {test["outcome"] for test in result["outcomes"]} == {"passed"}
    assert result["touched"] == {
        "test_it.py::test_reads": ["code_.py"],
        "test_it.py::test_opens": ["unused.py"],
        "test_it.py::test_process": [""],
        "test_it.py::test_process_reads": [""],
        "test_it.py::test_shell": [""],
        "test_it.py::test_other_program": [""],
        "test_it.py::test_forks": [""],
    }


def test_who_reads_other_files(tmp_path: Path) -> None:
    reading = {
        "conftest.py": "",
        "pkg.py": "DATA = open('import.txt').read()\ndef load(name):\n    with open(name) as it: return it.read()\n",
        **{f"{name}.txt": "" for name in ("import", "used", "own", "kept", "unused")},
        "pytest.ini": "[pytest]\n",
        "test_it.py": """\
import os, pkg
def test_used(tmp_path):
    pkg.load("used.txt")
    (tmp_path / "other.txt").write_text("")
def test_own():
    os.close(os.open("own.txt", os.O_RDONLY))
""",
    }
    assert traced(tmp_path, reading)["opened"] == {
        "import.txt": ["pkg.py"],
        "used.txt": ["pkg.py"],
        "own.txt": ["test_it.py"],
        "pytest.ini": [""],
    }


def test_what_runs_on_behalf_of_many_tests(tmp_path: Path) -> None:
    result = traced(tmp_path)
    functions = {path: [line for line in lines if line] for path, lines in result["at_import"].items()}
    assert {path: lines for path, lines in functions.items() if lines} == {
        "early.py": [1],
        "code_.py": [2],
        "late.py": [1],
    }
    assert "" not in functions


def test_what_is_imported(tmp_path: Path) -> None:
    result = traced(tmp_path)
    assert result["loaded"] == ["code_.py", "early.py", "late.py"]
    assert result["early"] == ["early.py", "late.py"]
    assert set(result["unwatched"]) == {"conftest.py", "plug.py", "test_it.py"}


def test_processes_started_at_import_are_told(tmp_path: Path) -> None:
    result = traced(tmp_path, {"test_it.py": "import os\nos.system('true')\ndef test(): pass\n"})
    assert result["at_import"][""] == [0]


def test_processes_that_nothing_tells_of_are_taken_for_granted(tmp_path: Path) -> None:
    spawning = """\
import multiprocessing
def test():
    process = multiprocessing.get_context("spawn").Process(target=print)
    process.start()
    process.join()
"""
    result = traced(tmp_path, {"test_it.py": spawning})
    assert result["at_import"][""] == [0]


def test_sources_read_at_import_are_told(tmp_path: Path) -> None:
    files = {"m.py": "", "test_it.py": "import m\nTEXT = open('m.py').read()\ndef test(): pass\n"}
    assert 0 in traced(tmp_path, files)["at_import"]["m.py"]


def test_lines_alone_tell_nothing_of_it(tmp_path: Path) -> None:
    result = traced(tmp_path, trace="lines")
    assert (result["touched"], result["at_import"], result["loaded"]) == ({}, {}, [])
    assert all(0 not in lines for files in result["coverage"].values() for lines in files.values())


def test_asked_tests_can_be_left_to_the_configuration(tmp_path: Path) -> None:
    files = {"test_it.py": "def test_a(): pass\ndef test_b(): pass\n", "pytest.ini": "[pytest]\naddopts = -k test_a\n"}
    chosen = traced(tmp_path, files, ids=["test_it.py"], as_configured=True)
    assert chosen["collected"] == ["test_it.py::test_a"]
    assert traced(tmp_path, files, ids=["test_it.py"])["collected"] == ["test_it.py::test_a", "test_it.py::test_b"]
