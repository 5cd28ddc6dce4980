"""Positions against an oracle that counts by encoding prefixes, in all three encodings."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pennyproof.core.positions import Encoding, LineIndex, Position, units

ENCODINGS = list(Encoding)
_CODEC = {Encoding.UTF8: ("utf-8", 1), Encoding.UTF16: ("utf-16-le", 2), Encoding.UTF32: ("utf-32-le", 4)}
# What trips line indices: endings LSP does not know, endings in two halves, characters of every width, lone surrogates.
ALPHABET = st.sampled_from(["a", "\n", "\r", "\r\n", "\f", "\x85", "\u2028", "\x1c", "é", "€", "😀", "\ud800", "\t"])
TEXTS = st.lists(ALPHABET, max_size=30).map("".join)


def oracle_units(text: str, encoding: Encoding) -> int:
    codec, width = _CODEC[encoding]
    return sum(len(character.encode(codec, "surrogatepass")) for character in text) // width


def oracle_lines(text: str) -> list[str]:
    """The lines with their endings."""
    return re.split(r"(?<=\n)|(?<=\r)(?!\n)", text)


def oracle_position(text: str, offset: int, encoding: Encoding) -> Position:
    start = 0
    lines = oracle_lines(text)
    for number, line in enumerate(lines):
        if offset < start + len(line) or number == len(lines) - 1:
            return Position(number, oracle_units(text[start:offset], encoding))
        start += len(line)
    raise AssertionError


@pytest.mark.parametrize("encoding", ENCODINGS)
@given(text=TEXTS)
def test_every_offset_has_the_oracles_position(text: str, encoding: Encoding) -> None:
    index = LineIndex(text)
    assert units(text, encoding) == oracle_units(text, encoding)
    assert len(index) == len(oracle_lines(text))
    for offset in range(len(text) + 1):
        assert index.position(offset, encoding) == oracle_position(text, offset, encoding)


@pytest.mark.parametrize("encoding", ENCODINGS)
@given(text=TEXTS)
def test_an_offset_survives_the_way_there_and_back(text: str, encoding: Encoding) -> None:
    index = LineIndex(text)
    for offset in range(len(text) + 1):
        inside_crlf = text[max(offset - 1, 0) : offset + 1] == "\r\n"
        expected = offset - 1 if inside_crlf else offset
        assert index.offset(index.position(offset, encoding), encoding) == expected


@pytest.mark.parametrize("encoding", ENCODINGS)
@given(text=TEXTS, line=st.integers(-1, 12), character=st.integers(-1, 40))
def test_any_position_means_an_offset_within_its_line(text: str, line: int, character: int, encoding: Encoding) -> None:
    offset = LineIndex(text).offset(Position(line, character), encoding)
    lines = oracle_lines(text)
    if line < 0:
        assert offset == 0
    elif line >= len(lines):
        assert offset == len(text)
    else:
        start, content = sum(map(len, lines[:line])), lines[line].rstrip("\r\n")
        fitting = [n for n in range(len(content) + 1) if oracle_units(content[:n], encoding) <= max(character, 0)]
        assert offset == start + fitting[-1]


@given(text=TEXTS, edits=st.lists(st.tuples(st.integers(0, 40), st.integers(0, 40), TEXTS), max_size=6))
def test_an_edited_index_is_the_index_of_the_edited_text(text: str, edits: list[tuple[int, int, str]]) -> None:
    index = LineIndex(text)
    for first, second, replacement in edits:
        start, end = sorted((min(first, len(index.text)), min(second, len(index.text))))
        text = text[:start] + replacement + text[end:]
        index = index.replaced(start, end, replacement)
        assert index.text == text
        assert index.starts == LineIndex(text).starts


@pytest.mark.parametrize(
    ("text", "number", "line"),
    [
        ("", 0, ""),
        ("a", 1, ""),
        ("a\n", 1, ""),
        ("a\r\nb", 0, "a"),
        ("a\rb", 1, "b"),
        ("a\fb\n", 0, "a\fb"),
        ("a", -1, ""),
    ],
)
def test_a_line_has_no_ending(text: str, number: int, line: str) -> None:
    assert LineIndex(text).line(number) == line
