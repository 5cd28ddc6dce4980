import difflib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pennyproof.core.blocks import apply_blocks, read_blocks, write_block
from pennyproof.core.sources import Source, decode
from pennyproof.errors import BlockError, UnreadableSource

FILE = "def one():\n    return 1\n\n\ndef two():\n    return 1\n"


def edit(answer: str, files: dict[str, str], path: str = "") -> dict[str, str | None]:
    """The files that an answer leaves changed."""
    changes = apply_blocks(read_blocks(answer, path), lambda name: Source(files[name]) if name in files else None)
    return {change.path: change.after.text if change.after else None for change in changes}


def block(search: str, replace: str) -> str:
    return f"<<<<<<< SEARCH\n{search}=======\n{replace}>>>>>>> REPLACE\n"


CHANGE = block("def two():\n    return 1\n", "def two():\n    return 2\n")
CHANGED = FILE.replace("two():\n    return 1", "two():\n    return 2")


@pytest.mark.parametrize(
    "answer",
    [
        f"pkg/a.py\n```python\n{CHANGE}```\n",
        f"pkg/a.py\n```\n{CHANGE}```\n",
        f"pkg/a.py\n\n```python\n{CHANGE}```\n",
        f"pkg/a.py\n{CHANGE}",
        f"`pkg/a.py`\n```python\n{CHANGE}```\n",
        f"**pkg/a.py**:\n```python\n{CHANGE}```\n",
        f"pkg/a.py:\n```python\n{CHANGE}```\n",
        f"### pkg/a.py\n```python\n{CHANGE}```\n",
        f"File: `pkg/a.py`\n```python\n{CHANGE}```\n",
        f"./pkg/a.py\n```python\n{CHANGE}```\n",
        f"a/pkg/a.py\n```python\n{CHANGE}```\n",
        f"pkg\\a.py\n```python\n{CHANGE}```\n",
        f"```python\npkg/a.py\n{CHANGE}```\n",
        f"```python\n# pkg/a.py\n{CHANGE}```\n",
        f"```pkg/a.py\n{CHANGE}```\n",
        f"```python pkg/a.py\n{CHANGE}```\n",
        f"~~~python\npkg/a.py\n{CHANGE}~~~\n",
        f"The bug is in pkg/a.py:\n\n```python\n{CHANGE}```\nThat mends it.\n",
        f"pkg/a.py\nHere `two` has to be changed:\n```python\n{CHANGE}```\n",
        f"pkg/a.py\n```python\n{CHANGE}```\n".replace("\n", "\r\n"),
        f"pkg/a.py\n```python\n{CHANGE}".removesuffix("\n"),
        f"pkg/a.py\n```python\n{CHANGE}```\nAnd again:\npkg/a.py\n```python\n{CHANGE}```\n",
        "pkg/a.py\n```python\n" + CHANGE.replace("def two():", "def two():  "),
        f"<<<<<<< SEARCH pkg/a.py\n{CHANGE.partition(chr(10))[2]}",
    ],
)
def test_what_models_write_around_a_block_is_understood(answer: str) -> None:
    assert edit(answer, {"pkg/a.py": FILE}) == {"pkg/a.py": CHANGED}


def test_a_block_without_a_path_belongs_to_the_file_asked_about() -> None:
    assert edit(CHANGE, {"pkg/a.py": FILE}, path="pkg/a.py") == {"pkg/a.py": CHANGED}


def test_one_fence_may_hold_several_blocks_and_one_answer_several_files() -> None:
    first = block("def one():\n    return 1\n", "def one():\n    return 3\n")
    answer = f"a.py\n```python\n{first}{CHANGE}```\nThen b.py\n```python\n{first}```\n"
    changed = edit(answer, {"a.py": FILE, "b.py": FILE})
    assert changed == {
        "a.py": CHANGED.replace("one():\n    return 1", "one():\n    return 3"),
        "b.py": FILE.replace("one():\n    return 1", "one():\n    return 3"),
    }


def test_all_blocks_refer_to_the_file_as_it_was() -> None:
    answer = "a.py\n" + block("x = 1\n", "x = 2\n") + block("x = 2\n", "x = 3\n")
    assert edit(answer, {"a.py": "x = 1\nx = 2\n"}) == {"a.py": "x = 2\nx = 3\n"}


def test_an_empty_search_makes_a_new_file() -> None:
    assert edit("pkg/new.py\n" + block("", "x = 1\n"), {}) == {"pkg/new.py": "x = 1\n"}


def test_a_line_of_the_code_may_look_like_a_divider() -> None:
    text = 'TITLE = """\nTitle\n=======\n"""\n'
    answer = "a.py\n" + block("Title\n=======\n", "Name\n=======\n")
    assert edit(answer, {"a.py": text}) == {"a.py": text.replace("Title", "Name")}


@pytest.mark.parametrize("data", [b"\xef\xbb\xbfx = 1\r\ny = 2\r\n", b"# coding: latin-1\r\nx = 1 # \xe4\r\ny = 2\r\n"])
def test_line_ends_mark_and_encoding_are_kept(data: bytes) -> None:
    source = decode(data)
    (change,) = apply_blocks(read_blocks("a.py\n" + block("y = 2\n", "y = 3\nz = 4\n")), {"a.py": source}.get)
    assert change.after is not None
    assert change.after.data() == data.replace(b"y = 2\r\n", b"y = 3\r\nz = 4\r\n")


@pytest.mark.parametrize(
    ("search", "replace", "after"),
    [
        ("y = 2\n", "y = 3\n", "x = 1\ny = 3"),
        ("y = 2\n", "y = 2\nz = 3\n", "x = 1\ny = 2\nz = 3"),
        ("y = 2\n", "", "x = 1\n"),
        ("x = 1\n", "", "y = 2"),
    ],
)
def test_a_last_line_without_an_end(search: str, replace: str, after: str) -> None:
    assert edit("a.py\n" + block(search, replace), {"a.py": "x = 1\ny = 2"}) == {"a.py": after}


@pytest.mark.parametrize(
    ("answer", "told"),
    [
        ("no blocks at all", "there is no block"),
        (
            "a.py\n<<<<<<< SEARCH\nx\n=======\ny\n",
            "line 2 of your answer begins a block that has no line >>>>>>> REPLACE",
        ),
        ("a.py\n<<<<<<< SEARCH\nx\n>>>>>>> REPLACE\n", "no line ======="),
        (block("x\n", "y\n"), "has no path"),
        ("a.py\n" + block("    return 1\n", "    return 2\n"), "more than once, at lines 2, 6: add lines around them"),
        ("a.py\n" + block("def two():\n  return 1\n", "x\n"), "lines 5 to 6, are:\ndef two():\n    return 1\n"),
        ("a.py\n" + block("def twos():\n", "x\n"), "at lines 5 to 5, are:\ndef two():\n"),
        ("a.py\n" + block("class Völlig(Anders):\n", "x\n"), "Nothing there is like them"),
        ("a.py\n" + block("", "x\n"), "the file exists"),
        ("missing.py\n" + block("x\n", "y\n"), "there is no such file"),
        ("new.py\n" + block("", "y\n") + block("", "z\n"), "as one block"),
        ("../a.py\n" + block("x\n", "y\n"), "relative to its root"),
        ("/etc/a.py\n" + block("x\n", "y\n"), "relative to its root"),
        ("C:\\a.py\n" + block("x\n", "y\n"), "relative to its root"),
        (".git/hooks.py\n" + block("", "y\n"), "relative to its root"),
        ("tests/test_a.py\n" + block("x\n", "y\n"), "must not be changed"),
        ("conftest.py\n" + block("", "y\n"), "must not be changed"),
        ("a/pyproject.toml\n" + block("", "y\n"), "must not be changed"),
        ("a.py\n" + block("def two():\n", "def two():\n"), "your blocks change nothing"),
        ("a.py\n" + CHANGE + CHANGE.replace("return 2", "return 3"), "two of your blocks change line 6"),
        ("unreadable.py\n" + block("x\n", "y\n"), "cannot be changed: no text"),
        ("latin.py\n" + block("x = 1\n", "x = '→'\n"), "characters that latin-1 cannot write"),
    ],
)
def test_a_block_that_does_not_apply_tells_the_model_why(answer: str, told: str) -> None:
    def read(path: str) -> Source | None:
        if path == "unreadable.py":
            raise UnreadableSource("no text")
        return {"a.py": Source(FILE), "latin.py": Source("x = 1\n", "latin-1")}.get(path)

    with pytest.raises(BlockError) as error:
        apply_blocks(read_blocks(answer), read)
    assert told in str(error.value)


def test_who_asks_may_allow_other_files() -> None:
    answer = "tests/test_a.py\n" + block("x = 1\n", "x = 2\n")
    (change,) = apply_blocks(read_blocks(answer), {"tests/test_a.py": Source("x = 1\n")}.get, protected=lambda _: False)
    assert change.after == Source("x = 2\n")


_LINES = st.lists(
    st.sampled_from(["a = 1", "b = 2", "    c", "", "=======", "    d  ", "\tä"]), min_size=1, max_size=12
)


@given(_LINES, _LINES, st.sampled_from(["\n", "\r\n"]), st.booleans())
def test_an_edit_written_as_a_block_gives_the_same_text(
    before: list[str], after: list[str], newline: str, ended: bool
) -> None:
    """The whole text as one block, which is found at one place whatever it holds."""
    old, new = (newline.join([*lines, "end = 0"]) + (newline if ended else "") for lines in (before, after))
    answer = write_block("a.py", [*before, "end = 0"], [*after, "end = 0"])
    if before == after:
        with pytest.raises(BlockError, match="change nothing"):
            edit(answer, {"a.py": old})
        return
    assert edit(answer, {"a.py": old}) == {"a.py": new}


@given(st.lists(st.integers(0, 9), min_size=1, max_size=30), st.lists(st.integers(0, 9), min_size=1, max_size=30))
def test_the_hunks_of_a_diff_written_as_blocks_give_the_same_text(before: list[int], after: list[int]) -> None:
    """Lines are numbered, so that each hunk is found at one place with the line before it."""
    old = [f"{at} = {value}" for at, value in enumerate(before)]
    new = [f"{at} = {value}" for at, value in enumerate(after)]
    old, new = ["first", *old], ["first", *new]
    matcher = difflib.SequenceMatcher(None, old, new, autojunk=False)
    answer = "".join(
        write_block("a.py", old[a - 1 : b], [old[a - 1], *new[c:d]])
        for tag, a, b, c, d in matcher.get_opcodes()
        if tag != "equal"
    )
    text = "".join(line + "\n" for line in new)
    if old == new:
        with pytest.raises(BlockError, match="no block"):
            edit(answer, {"a.py": "\n".join(old)})
    else:
        assert edit(answer, {"a.py": "".join(line + "\n" for line in old)}) == {"a.py": text}


@given(st.text(max_size=300))
def test_no_answer_brings_the_reader_down(text: str) -> None:
    try:
        changes = apply_blocks(read_blocks(text), lambda _: None)
    except BlockError:
        return
    assert changes


def test_a_megabyte_is_read_and_refused_at_once() -> None:
    answer = "a.py\n" + block("y = 1\n" * 150_000, "y = 2\n" * 20_000)
    with pytest.raises(BlockError, match="not in the file"):
        edit(answer, {"a.py": "x = 1\n" * 1000 + "y = 1\n"})
