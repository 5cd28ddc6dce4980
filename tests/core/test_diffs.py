"""Unified diffs, both ways."""

import subprocess
from collections.abc import Mapping
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pennyproof.core.candidates import FileChange
from pennyproof.core.diffs import apply, read, write
from pennyproof.core.sources import Source
from pennyproof.errors import BadDiff, OutsideRoot

THREE = "one\ntwo\nthree\n"


def check(diff: str, before: Mapping[str, str], after: Mapping[str, str | None]) -> None:
    """Applying ``diff`` to the files ``before`` leaves ``after``."""
    changes = apply(read(diff), lambda path: Source(before[path]) if path in before else None)
    assert {change.path: change.after.text if change.after else None for change in changes} == after


def fails(diff: str, before: Mapping[str, str], *words: str, error: type[Exception] = BadDiff) -> None:
    """Applying ``diff`` fails in one line that has all of ``words``."""
    with pytest.raises(error) as caught:
        apply(read(diff), lambda path: Source(before[path]) if path in before else None)
    message = str(caught.value)
    assert "\n" not in message
    assert [word for word in words if word not in message] == []


PIECES = st.sampled_from(
    [
        "a",
        "b",
        "",
        "x = 1",
        "    y",
        "é",
        "🙂",
        "\ufeff",
        "-- ",
        "--- a",
        "+++ b",
        "@@ -1 +1 @@",
        "\\ No",
        "\r",
        "\x0c",
        " ",
    ]
)
TEXTS = st.one_of(
    st.builds(
        lambda lines, end, last: end.join(lines) + (end if last else ""),
        st.lists(PIECES, max_size=30),
        st.sampled_from(["\n", "\r\n"]),
        st.booleans(),
    ),
    st.text(st.characters(exclude_categories=["Cs"]), max_size=60),
)
SOURCES = st.none() | st.builds(
    lambda text, encoding: Source(text.removeprefix("\ufeff"), encoding), TEXTS, st.sampled_from(["utf-8", "utf-8-sig"])
)
PATHS = st.sampled_from(["a.py", "a/b.py", "b/a b.py", "é/ü.py", 'q"uo\\te.py', "tab\there.py", "-x", "new\nline.py"])


@settings(max_examples=300)
@given(st.dictionaries(PATHS, st.tuples(SOURCES, SOURCES), max_size=3))
def test_applying_what_was_written_gives_the_change(files: dict[str, tuple[Source | None, Source | None]]) -> None:
    changes = tuple(FileChange(path, before, after) for path, (before, after) in files.items() if before != after)
    if changes:
        assert apply(read(write(changes)), lambda path: files[path][0]) == changes


def test_git_applies_what_was_written(tmp_path: Path) -> None:
    before, after = "\ufeffone\r\ntwo\r\nthree", "\ufeffone\r\n2\r\nthree\r\nfour"
    (tmp_path / "a b.py").write_bytes(before.encode())
    diff = write(
        [
            FileChange("a b.py", Source(before[1:], "utf-8-sig"), Source(after[1:], "utf-8-sig")),
            FileChange("é.py", None, Source("x\n")),
            FileChange("empty.py", None, Source("")),
        ]
    )
    subprocess.run(["git", "init", "-q"], cwd=tmp_path, check=True)
    subprocess.run(["git", "apply", "-"], cwd=tmp_path, check=True, input=diff.encode())
    assert (tmp_path / "a b.py").read_bytes().decode() == after
    assert (tmp_path / "é.py").read_bytes() == b"x\n"
    assert (tmp_path / "empty.py").read_bytes() == b""


@pytest.mark.parametrize(
    "diff",
    [
        "--- a/m.py\n+++ b/m.py\n@@ -1,3 +1,3 @@\n one\n-two\n+2\n three\n",
        "--- m.py\t2026-01-01 00:00:00\n+++ m.py\t2026-01-02 00:00:00\n@@ -1,3 +1,3 @@\n one\n-two\n+2\n three",
        (
            "From: me\n\nmend it\n---\n m.py | 2 +-\n\ndiff --git a/m.py b/m.py\nindex 11..22 100644\n"
            "--- a/m.py\n+++ b/m.py\n@@ -2 +2 @@ def f():\n-two\n+2\n-- \n2.39\n"
        ),
        "--- i/m.py\r\n+++ w/m.py\r\n@@ -2 +2 @@\r\n-two\n+2\n",
        '--- "a/m.py"\n+++ "b/m.py"\n@@ -2 +2 @@\n-two\n+2\n',
        "--- a/m.py\n+++ b/m.py\n@@ -40,2 +40,2 @@\n one\n-two\n+2\n",
    ],
    ids=["plain", "diff -u", "git format-patch", "mnemonic", "quoted", "moved"],
)
def test_dialects(diff: str) -> None:
    check(diff, {"m.py": THREE}, {"m.py": "one\n2\nthree\n"})


def test_shapes() -> None:
    check("--- /dev/null\n+++ b/n.py\n@@ -0,0 +1 @@\n+x\n\\ No newline at end of file\n", {}, {"n.py": "x"})
    check("--- a/m.py\n+++ /dev/null\n@@ -1,3 +0,0 @@\n-one\n-two\n-three\n", {"m.py": THREE}, {"m.py": None})
    check("diff --git a/e.py b/e.py\ndeleted file mode 100644\nindex e69de29..0\n", {"e.py": ""}, {"e.py": None})
    check("--- a/m.py\n+++ b/m.py\n@@ -1,0 +2 @@\n+new\n", {"m.py": THREE}, {"m.py": "one\nnew\ntwo\nthree\n"})
    check("--- a/a/m.py\n+++ b/a/m.py\n@@ -1 +1 @@\n-x\n+y\n", {"a/m.py": "x\n"}, {"a/m.py": "y\n"})
    check("--- a/m.py\n+++ a/m.py\n@@ -1 +1 @@\n-x\n+y\n", {"a/m.py": "x\n"}, {"a/m.py": "y\n"})
    check("--- a/m.py\n+++ b/m.py\n@@ -1,3 +1,2 @@\n a\n\n-b\n", {"m.py": "a\n\nb\n"}, {"m.py": "a\n\n"})


@pytest.mark.parametrize(
    ("diff", "words"),
    [
        ("", ["no unified diff"]),
        ("hello\n", ["no unified diff"]),
        ("@@ -1 +1 @@\n-one\n+1\n", ["line 1", "without"]),
        ("--- a/m.py\n+++ b/m.py\n", ["m.py", "no hunk"]),
        ("--- a/m.py\n+++ b/m.py\n@@ -1 +1 @@\n-uno\n+1\n", ["m.py", "hunk 1", "line 3", "'one\\n'", "'uno\\n'"]),
        ("--- a/m.py\n+++ b/m.py\n@@ -1 +1 @@\n-one\r\n+1\r\n", ["'one\\r\\n'"]),
        ("--- a/m.py\n+++ b/m.py\n@@ -9 +9 @@\n-four\n+4\n", ["hunk 1", "ends before line 9"]),
        ("--- a/m.py\n+++ b/m.py\n@@ -1,3 +1,3 @@\n one\n-two\n+2\n", ["ends before the hunk"]),
        ("--- a/m.py\n+++ b/m.py\n@@ -1 +1 @@\n-one\n+1\n+2\n", ["m.py", "line 6", "more lines"]),
        ("--- a/m.py\n+++ b/m.py\n@@ -1,2 +1,1 @@\n-one\n?two\n", ["line 5", "begin with"]),
        ("--- a/x.py\n+++ b/x.py\n@@ -1 +1 @@\n-one\n+1\n", ["x.py", "no such file"]),
        ("--- /dev/null\n+++ b/m.py\n@@ -0,0 +1 @@\n+x\n", ["m.py", "exists"]),
        ("--- a/m.py\n+++ /dev/null\n@@ -1 +0,0 @@\n-one\n", ["m.py", "deletes"]),
        ("--- a/m.py\n+++ b/n.py\n@@ -1 +1 @@\n-one\n+1\n", ["renames"]),
        ("diff --git a/m.py b/n.py\nsimilarity index 90%\nrename from m.py\nrename to n.py\n", ["line 3", "renames"]),
        ("diff --git a/m.py b/m.py\nBinary files a/m.py and b/m.py differ\n", ["binary"]),
        ("--- a/m.py\n+++ b/m.py\n@@ -1 +1 @@\n-one\n+1\n" * 2, ["m.py", "twice"]),
    ],
)
def test_bad_diffs(diff: str, words: list[str]) -> None:
    fails(diff, {"m.py": THREE}, *words)


def test_a_moved_hunk_has_to_be_unique() -> None:
    fails("--- a/m.py\n+++ b/m.py\n@@ -9 +9 @@\n-x\n+y\n", {"m.py": "x\nx\nz\n"}, "lines 1, 2", "context")


@pytest.mark.parametrize("path", ["/etc/passwd", "../x.py", "a/../../x.py", ".git/hooks/pre-commit", ""])
def test_paths_stay_inside(path: str) -> None:
    fails(f"--- {path}\n+++ {path}\n@@ -1 +1 @@\n-x\n+y\n", {}, error=OutsideRoot)
