"""The text around a gap: where it begins and ends, and that typing leaves its beginning alone."""

import itertools

from hypothesis import given
from hypothesis import strategies as st

from pennyproof.context.fim import fim_prompt
from pennyproof.core.positions import LineIndex

LINES = [f"value_{number} = {number}  # the value of {number}\n" for number in range(2000)]
TEXT = "".join(LINES)
HEAD = "# pkg/a.py\n"


def test_a_small_file_is_there_whole() -> None:
    prompt = fim_prompt("pkg/a.py", LineIndex("def f():\n    \n\nf()\n"), 13)
    assert (prompt.prefix, prompt.suffix) == (f"{HEAD}def f():\n    ", "\n\nf()\n")


def test_of_a_large_file_whole_lines_are_there() -> None:
    cursor = TEXT.index("value_1500 =")
    prompt = fim_prompt("pkg/a.py", LineIndex(TEXT), cursor)
    assert prompt.prefix.removeprefix(HEAD) in TEXT
    assert prompt.prefix.removeprefix(HEAD).startswith("value_")
    assert prompt.suffix.endswith("\n")
    assert 8 * 1024 - 100 < len(prompt.prefix) <= 12 * 1024 + len(HEAD)
    assert 3 * 1024 - 100 < len(prompt.suffix) <= 3 * 1024


def test_typing_seldom_moves_the_beginning() -> None:
    cursor = TEXT.index("value_1500 =")
    typed = "".join(f"    typed = {number}\n" for number in range(1000))
    prefixes = []
    for length in range(0, len(typed), 7):
        index = LineIndex(TEXT[:cursor] + typed[:length] + TEXT[cursor:])
        prefixes.append(fim_prompt("pkg/a.py", index, cursor + length).prefix)
    moved = sum(not after.startswith(before) for before, after in itertools.pairwise(prefixes))
    assert moved == len(typed) // 4096 + 1


@given(st.text(alphabet="ab \n\r", max_size=400).map(lambda text: text * 100), st.data())
def test_the_gap_is_always_between_what_is_sent(text: str, data: st.DataObject) -> None:
    cursor = data.draw(st.integers(0, len(text)))
    prompt = fim_prompt("a.py", LineIndex(text), cursor)
    before, after = (part.replace("\r\n", "\n").replace("\r", "\n") for part in (text[:cursor], text[cursor:]))
    sent = prompt.prefix.removeprefix("# a.py\n")
    assert before.endswith(sent)
    assert after.startswith(prompt.suffix)
    assert len(sent) <= 12 * 1024
    assert len(prompt.suffix) <= 3 * 1024
    assert sent or not before
    assert prompt.suffix or not after
