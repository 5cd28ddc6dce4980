"""Sources turn back into the bytes they were read from."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pennyproof.core.sources import Source, decode
from pennyproof.errors import UnreadableSource


@pytest.mark.parametrize(
    ("data", "text"),
    [
        (b"", ""),
        (b"x = 1\r\ny = 2\r\n", "x = 1\r\ny = 2\r\n"),
        (b"\tx\rlone", "\tx\rlone"),
        (b"\xef\xbb\xbfx = 1\n", "x = 1\n"),
        ("x = '😀'\n".encode(), "x = '😀'\n"),
        ("# -*- coding: latin-1 -*-\nx = 'é'\n".encode("latin-1"), "# -*- coding: latin-1 -*-\nx = 'é'\n"),
        (b"#!python\n# vim: set fileencoding=cp1252 :\n\x80", "#!python\n# vim: set fileencoding=cp1252 :\n€"),
        (b"x = '\xc2\x85\x0c'", "x = '\x85\f'"),
    ],
)
def test_a_file_is_read_and_written_back(data: bytes, text: str) -> None:
    source = decode(data)
    assert source.text == text
    assert source.data() == data


@given(st.binary(max_size=60), st.booleans())
def test_whatever_can_be_read_is_written_back_exactly(data: bytes, python: bool) -> None:
    try:
        source = decode(data, python=python)
    except UnreadableSource:
        return
    assert source.data() == data


@pytest.mark.parametrize(
    "data",
    [b"\xff", b"# coding: nonsense\n", b"\xef\xbb\xbf# coding: latin-1\n", b"# coding: ascii\n\xe9", b"x\x00\xff"],
)
def test_what_is_no_text_is_refused(data: bytes) -> None:
    with pytest.raises(UnreadableSource):
        decode(data)


def test_only_python_heeds_a_coding_comment() -> None:
    assert decode("# coding: latin-1 é".encode(), python=False).text == "# coding: latin-1 é"


def test_an_edit_that_the_encoding_cannot_write_is_refused() -> None:
    with pytest.raises(UnreadableSource, match="latin-1 cannot write"):
        Source("€", "latin-1").data()
