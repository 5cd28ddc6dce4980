"""What is imported ahead of all runs."""

import json
import subprocess
import sys
from pathlib import Path

_PRELOADING = """
import json, sys
from pennyproof.proof.inside.preload import preload
root, name, *path = sys.argv[1:]
sys.path[:0] = path
skipped = preload([name], root, False)
print(json.dumps([sorted(skipped), name in sys.modules]))
"""


def preloaded(root: Path, name: str, *path: Path) -> tuple[list[str], bool]:
    """What an interpreter that looks for modules in these places leaves out, and whether it imported the module."""
    command = [sys.executable, "-c", _PRELOADING, str(root), name, *map(str, path)]
    skipped, imported = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
    return skipped, imported


def test_what_the_project_has_too_is_not_imported_in_its_place(tmp_path: Path) -> None:
    (tmp_path / "pkg").mkdir()
    (tmp_path / "pkg/pluggy.py").write_text("")
    assert preloaded(tmp_path, "pluggy") == ([], True)
    assert preloaded(tmp_path, "pluggy", tmp_path) == ([], True)
    assert preloaded(tmp_path, "pluggy", tmp_path / "pkg") == (["pluggy"], False)
    assert preloaded(tmp_path / "elsewhere", "json.tool") == ([], True)
