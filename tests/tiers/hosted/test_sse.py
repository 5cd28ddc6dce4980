"""Event streams are read alike however their bytes are split."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pennyproof.tiers.hosted.sse import Decoder

PIECES = st.sampled_from(
    ["data: ", "data:", "data", ": keep-alive", ":", "\n", "\n\n", "\r\n", "\r\n\r\n", "\r",
     '{"a": 1}', "é", "漢字", "🪙", " "]
)  # fmt: skip


def decoded(*chunks: bytes) -> list[str]:
    decoder = Decoder()
    return [event for chunk in chunks for event in decoder.feed(chunk)]


@pytest.mark.parametrize(
    ("stream", "events"),
    [
        ("data: a\n\ndata: b\n\n", ["a", "b"]),
        ("data:a\n\n", ["a"]),
        ("data:  a\n\n", [" a"]),
        ("data: a\r\n\r\ndata: b\r\n\r\n", ["a", "b"]),
        ("data: a\r\rdata: b\r\r", ["a", "b"]),
        ("data: a\ndata: b\n\n", ["a\nb"]),
        (": keep-alive\n\ndata: a\n\n: keep-alive\n\n", ["a"]),
        ("\n\n\n\ndata: a\n\n", ["a"]),
        ("event: x\nid: 1\nretry: 2\ndata: a\nunknown\n\n", ["a"]),
        ("data:\n\ndata: \n\ndata\n\ndata: a\n\n", ["a"]),
        ("\ufeffdata: a\n\n", ["a"]),
        ("data: [DONE]\n\n", ["[DONE]"]),
        ("data: a\n\ndata: never ended\n", ["a"]),
        ("data: a\n\ndata: never en", ["a"]),
        ('{"choices": []}', []),
        ("", []),
    ],
)
def test_events(stream: str, events: list[str]) -> None:
    assert decoded(stream.encode()) == events


def test_bytes_that_are_no_text_are_no_reason_to_stop() -> None:
    assert decoded(b"data: \xff\xfe\n\ndata: a\n\n") == ["\ufffd\ufffd", "a"]


@given(st.lists(PIECES).map("".join), st.data())
def test_any_split_gives_the_same_events(stream: str, data: st.DataObject) -> None:
    whole = stream.encode()
    cuts = sorted(data.draw(st.lists(st.integers(0, len(whole)))))
    chunks = [whole[begin:end] for begin, end in zip([0, *cuts], [*cuts, len(whole)], strict=True)]
    assert decoded(*chunks) == decoded(whole) == decoded(*(bytes([byte]) for byte in whole))


def test_a_line_without_an_end_is_counted() -> None:
    decoder = Decoder()
    decoder.feed(b"data: " + b"x" * 1000)
    decoder.feed(b"x" * 1000)
    assert decoder.pending == 2006
