"""Pictures of terminals: what is on them, and that they need nothing from elsewhere."""

from pathlib import Path

import pytest

from tests.editors import picture

SEEN = (
    "\x1b[38;2;255;0;0mred\x1b[0m plain \x1b[38;5;244mghost & <text>\x1b[m\n\n"
    "中文\x1b[4:3m\x1b[58:2::1:2:3mwavy\x1b[0m\n\n"
)


def test_a_picture_has_the_text_and_its_colours_and_no_address() -> None:
    pytest.importorskip("rich")
    drawn = picture.draw(SEEN, "A title")
    assert all(
        seen in drawn for seen in ("red", "#ff0000", "ghost&#160;&amp;&#160;&lt;text&gt;", "中文", "A&#160;title")
    )
    assert drawn.replace('xmlns="http://www.w3.org/2000/svg"', "").count("http") == 0
    assert drawn == picture.draw(SEEN, "A title")


def test_a_picture_that_is_too_large_is_refused() -> None:
    pytest.importorskip("rich")
    with pytest.raises(ValueError, match=r"Large: .* bytes are too many"):
        picture.draw("\n".join(["\x1b[31ma\x1b[32mb" * 60] * 60), "Large")


def test_only_a_run_that_is_asked_to_writes_pictures(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("rich")
    monkeypatch.delenv("PENNYPROOF_PICTURES", raising=False)
    path = tmp_path / "images/screen.svg"
    picture.save(SEEN, path, "A title")
    assert not path.exists()
    monkeypatch.setenv("PENNYPROOF_PICTURES", "1")
    picture.save(SEEN, path, "A title")
    assert path.read_text("utf-8") == picture.draw(SEEN, "A title")
