"""Who changed these lines: asked of a real repository, and of hostile ones."""

import subprocess
from pathlib import Path

import pytest

from pennyproof.assist.explain.history import Commit, recent_changes


def git(root: Path, *arguments: str) -> str:
    identity = ["-c", "user.name=Ann *Other*", "-c", "user.email=ann@example.org", "-c", "commit.gpgsign=false"]
    done = subprocess.run(
        ["git", "-C", root, *identity, *arguments], check=True, capture_output=True, text=True, stdin=subprocess.DEVNULL
    )
    return done.stdout.strip()


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """Two commits; the second changed the second line."""
    git(tmp_path, "init", "--quiet")
    for subject, text in (("Begin", "one\ntwo\nthree\n"), ("Change two", "one\n2\nthree\n")):
        (tmp_path / "a.py").write_text(text)
        git(tmp_path, "add", "a.py")
        git(tmp_path, "commit", "--quiet", "--date=2024-05-31T12:00:00", "-m", subject)
    return tmp_path


def subjects(commits: tuple[Commit, ...]) -> list[str]:
    return [commit.subject for commit in commits]


def test_the_commits_of_a_line_newest_first(repository: Path) -> None:
    commits = recent_changes(repository, "a.py", "one\n2\nthree\n", range(2, 3))
    assert subjects(commits) == ["Change two", "Begin"]
    assert (commits[0].author, commits[0].date) == ("Ann *Other*", "2024-05-31")
    assert commits[0].id == git(repository, "rev-parse", "--short", "HEAD")


def test_lines_are_counted_in_the_text_as_the_user_sees_it(repository: Path) -> None:
    edited = "zero\none\n2\nthree\n"
    assert subjects(recent_changes(repository, "a.py", edited, range(2, 3))) == ["Begin"]
    assert recent_changes(repository, "a.py", edited, range(1, 2)) == ()


def test_a_file_that_is_not_committed_has_no_history(repository: Path) -> None:
    assert recent_changes(repository, "new.py", "x\n", range(1, 2)) == ()


def test_no_repository_and_no_git_are_no_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert recent_changes(tmp_path, "a.py", "x\n", range(1, 2)) == ()
    monkeypatch.setenv("PATH", str(tmp_path))
    assert recent_changes(tmp_path, "a.py", "x\n", range(1, 2)) == ()


@pytest.mark.parametrize(
    "settings",
    [
        ["core.fsmonitor=touch {mark}"],
        ["diff.external=touch {mark}"],
        ["diff.hostile.textconv=touch {mark}; cat"],
        ["diff.hostile.command=touch {mark}"],
        ["filter.hostile.clean=touch {mark}; cat", "filter.hostile.smudge=touch {mark}; cat"],
        ["core.pager=touch {mark}", "pager.log=true"],
        ["log.showSignature=true", "gpg.program={program}"],
        ["core.hooksPath={hooks}"],
    ],
)
def test_nothing_that_a_repository_names_is_run(repository: Path, tmp_path: Path, settings: list[str]) -> None:
    mark, program, hooks = tmp_path / "mark", tmp_path / "program", tmp_path / "hooks"
    hooks.mkdir()
    for script in (program, hooks / "post-index-change", hooks / "reference-transaction"):
        script.write_text(f"#!/bin/sh\ntouch {mark}\n")
        script.chmod(0o755)
    (repository / ".gitattributes").write_text("*.py diff=hostile filter=hostile\n")
    for setting in settings:
        key, _, value = setting.format(mark=mark, program=program, hooks=hooks).partition("=")
        git(repository, "config", key, value)
    assert subjects(recent_changes(repository, "a.py", "one\n2\nthree\n", range(2, 3))) == ["Change two", "Begin"]
    assert not mark.exists()
