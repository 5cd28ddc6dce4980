"""Which files are never sent."""

import shutil
import subprocess
from pathlib import Path

import pytest

from pennyproof.context.ignored import Ignored


@pytest.mark.parametrize(
    ("path", "ignored"),
    [
        ("shop.py", False),
        ("pkg/environment.py", False),
        (".env", True),
        ("deploy/.env.production", True),
        (".git/config", True),
        ("certs/server.pem", True),
        (".ssh/config", True),
        ("home/.aws/credentials", True),
        ("id_rsa", True),
    ],
)
def test_what_holds_secrets_is_never_sent(tmp_path: Path, path: str, ignored: bool) -> None:
    assert Ignored(tmp_path)(path) is ignored


def test_the_users_patterns_are_added(tmp_path: Path) -> None:
    ignored = Ignored(tmp_path, ("local/", "*_private.py", "!.env"))
    assert ignored("local/a.py")
    assert ignored("pkg/a_private.py")
    assert ignored(".env")
    assert not ignored("pkg/local.py")


def test_a_repository_takes_nothing_back_that_others_ignore(tmp_path: Path) -> None:
    (tmp_path / ".gitignore").write_text("!.env\n!*\n")
    assert Ignored(tmp_path)(".env")


def test_a_changed_gitignore_counts(tmp_path: Path) -> None:
    ignored = Ignored(tmp_path)
    assert not ignored("a.py")
    (tmp_path / ".gitignore").write_text("a.py\n")
    assert ignored("a.py")


PATTERNS = """\
# a comment
*.log
!keep.log
/top.py
build/
docs/*.md
docs/**/draft.txt
**/deep/secret.py
logs/**
odd\\!name
[ab]1.py
[!ab]2.py
data?.csv
trailing.py   
sub/only.py
(paren).py
[unclosed
"""  # noqa: W291 (git passes over blanks at the end)
PATHS = [
    "a.log",
    "keep.log",
    "pkg/keep.log",
    "top.py",
    "pkg/top.py",
    "build/x.py",
    "pkg/build/x.py",
    "build",
    "build2/x.py",
    "docs/a.md",
    "docs/x/a.md",
    "docs/draft.txt",
    "docs/a/b/draft.txt",
    "deep/secret.py",
    "a/b/deep/secret.py",
    "logs/a",
    "logs/a/b",
    "odd!name",
    "a1.py",
    "c1.py",
    "a2.py",
    "c2.py",
    "data1.csv",
    "data12.csv",
    "trailing.py",
    "sub/only.py",
    "x/sub/only.py",
    "(paren).py",
    "pkg/inner.py",
    "pkg/other.py",
    "pkg/sub/inner.py",
    "pkg/a.log",
    "build/keep.log",
    "[unclosed",
    "u",
]


def test_git_agrees(tmp_path: Path) -> None:
    git = shutil.which("git")
    assert git is not None, "git is part of every machine that this is developed on"
    (tmp_path / "pkg" / "sub").mkdir(parents=True)
    (tmp_path / ".gitignore").write_text(PATTERNS)
    (tmp_path / "pkg" / ".gitignore").write_text("inner.py\n!a.log\n/sub/\n")
    subprocess.run([git, "init", "-q"], cwd=tmp_path, check=True, env={"HOME": str(tmp_path)})
    asked = subprocess.run(
        [git, "check-ignore", "--no-index", "--stdin"],
        cwd=tmp_path,
        input="\n".join(PATHS),
        env={"HOME": str(tmp_path)},
        capture_output=True,
        text=True,
        check=True,
    )
    ignored = Ignored(tmp_path)
    assert [path for path in PATHS if ignored(path)] == asked.stdout.split()
