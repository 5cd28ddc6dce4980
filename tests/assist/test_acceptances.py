"""What the user took is counted by day, by several servers at once, and never fails."""

from concurrent.futures import ThreadPoolExecutor
from datetime import date, timedelta
from pathlib import Path

from pennyproof.assist.acceptances import Kind, accept, accepted, today


def test_counts_are_by_day_and_kind(tmp_path: Path) -> None:
    yesterday = today() - timedelta(days=1)
    (tmp_path / "accepted").write_text(f"{yesterday.isoformat()} completion\n{yesterday.isoformat()} offer\n")
    accept(tmp_path, Kind.COMPLETION)
    assert accepted(tmp_path) == {Kind.COMPLETION: 2, Kind.OFFER: 1}
    assert accepted(tmp_path, today()) == {Kind.COMPLETION: 1}


def test_nothing_is_lost_where_many_count_at_once(tmp_path: Path) -> None:
    with ThreadPoolExecutor(8) as threads:
        list(threads.map(lambda _: accept(tmp_path, Kind.OFFER), range(200)))
    assert accepted(tmp_path) == {Kind.OFFER: 200}


def test_lines_that_are_not_ours_do_not_count(tmp_path: Path) -> None:
    lines = f"{date.min} offer\nyesterday offer\n{date.min} theft\n\n\xff"
    (tmp_path / "accepted").write_bytes(lines.encode("latin-1"))
    assert accepted(tmp_path) == {Kind.OFFER: 1}


def test_a_folder_that_cannot_be_written_stops_nothing(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    accept(tmp_path / "file", Kind.OFFER)
    assert accepted(tmp_path / "file") == {}
