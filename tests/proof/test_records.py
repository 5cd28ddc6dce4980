"""Remembered baselines."""

import json
import logging
import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest

from pennyproof.core.outcomes import Baseline, CollectionError, Coverage, Failure, Frame, Outcome, TestOutcome
from pennyproof.proof.basis import Basis
from pennyproof.proof.records import Recorded, Records

FAILURE = Failure("ValueError", "é", (Frame("m.py", 3, "f", variables=(("x", "1"), ("y", "'🙂'"))),), "text")
RECORDED = Recorded(
    Baseline(
        {
            "t.py::b": TestOutcome("t.py::b", Outcome.FAILED, 0.25, FAILURE, "t.py", 4),
            "t.py::a[1]": TestOutcome("t.py::a[1]", Outcome.XPASSED),
        },
        1.5,
        (CollectionError("u.py", "no", 3),),
        frozenset({"t.py::b"}),
        Coverage({"t.py::b": {"m.py": frozenset({1, 7})}}),
    ),
    frozenset({"conftest.py"}),
    frozenset({"t.py::b"}),
    lines=Coverage({"t.py::b": {"m.py": frozenset({1, 2, 7})}}),
    basis=Basis(
        {"m.py": b"\0\xff", "data": b""},
        {"m.py": "é = 1\n"},
        frozenset({"m.py"}),
        frozenset({"m.py"}),
        frozenset({"t.py"}),
        {"m.py": frozenset({0, 7})},
        {"t.py::b": frozenset({"", "m.py"})},
        {"data": frozenset({"m.py"})},
    ),
)


def test_they_are_read_as_they_were_written(tmp_path: Path) -> None:
    Records(tmp_path, tmp_path / "state").put("k", RECORDED)
    read = Records(tmp_path, tmp_path / "state").get("k")
    assert read == RECORDED
    assert read is not None
    assert list(read.baseline.outcomes) == ["t.py::b", "t.py::a[1]"]


def test_those_in_which_tests_were_hurried_stay_in_memory(tmp_path: Path) -> None:
    records = Records(tmp_path, tmp_path / "state")
    records.put("k", replace(RECORDED, hurried=frozenset({"t.py::b"})))
    assert records.get("k") is not None
    assert Records(tmp_path, tmp_path / "state").get("k") is None


def test_other_keys_and_other_roots_have_their_own(tmp_path: Path) -> None:
    Records(tmp_path, tmp_path / "state").put("k", RECORDED)
    assert Records(tmp_path, tmp_path / "state").get("l") is None
    assert Records(tmp_path / "other", tmp_path / "state").get("k") is None


def test_what_is_not_stored_stays_in_memory(tmp_path: Path) -> None:
    records = Records(tmp_path, tmp_path / "state")
    records.put("k", RECORDED, stored=False)
    assert records.get("k", stored=False) is RECORDED
    assert list(tmp_path.iterdir()) == []


def truncate(file: Path) -> None:
    file.write_bytes(file.read_bytes()[:40])


def reshape(file: Path) -> None:
    file.write_text(json.dumps({**json.loads(file.read_text()), "outcomes": [1]}))


def empty(file: Path) -> None:
    file.write_text("[]")


def binary(file: Path) -> None:
    file.write_bytes(b"\xff\xfe")


@pytest.mark.parametrize("spoil", [truncate, reshape, empty, binary])
def test_a_spoilt_file_is_taken_for_missing_and_rewritten(tmp_path: Path, spoil: Callable[[Path], None]) -> None:
    Records(tmp_path, tmp_path / "state").put("k", RECORDED)
    (file,) = (tmp_path / "state").rglob("*.json")
    spoil(file)
    records = Records(tmp_path, tmp_path / "state")
    assert records.get("k") is None
    records.put("k", RECORDED)
    assert Records(tmp_path, tmp_path / "state").get("k") == RECORDED


@pytest.mark.parametrize("spoil", [truncate, reshape, empty, binary])
def test_a_spoilt_file_is_said_once_and_does_not_hide_older_ones(
    tmp_path: Path, spoil: Callable[[Path], None], caplog: pytest.LogCaptureFixture
) -> None:
    records = Records(tmp_path, tmp_path / "state")
    for key in ("k1", "k2"):
        records.put(key, RECORDED)
    (file,) = (tmp_path / "state").rglob("k2.json")
    spoil(file)
    os.utime(file, ns=(file.stat().st_mtime_ns + 10**9,) * 2)
    records = Records(tmp_path, tmp_path / "state")
    with caplog.at_level(logging.WARNING):
        assert records.latest("k") == RECORDED
        assert records.get("k2") is None
    assert [str(file) in record.getMessage() for record in caplog.records] == [True]


def test_what_another_server_left_half_written_goes_in_time(tmp_path: Path) -> None:
    records = Records(tmp_path, tmp_path / "state")
    records.put("k", RECORDED)
    (file,) = (tmp_path / "state").rglob("*.json")
    old, new = (file.with_name(name) for name in ("old.tmp", "new.tmp"))
    for path in (old, new):
        path.write_text("{")
    os.utime(old, (0, 0))
    records.put("l", RECORDED)
    assert (old.exists(), new.exists()) == (False, True)


def test_two_servers_keep_the_same_baselines(tmp_path: Path) -> None:
    one, other = (Records(tmp_path, tmp_path / "state") for _ in range(2))
    with ThreadPoolExecutor(2) as threads:
        for records in (one, other):
            threads.submit(lambda records=records: [records.put(f"k{number}", RECORDED) for number in range(40)])
    assert Records(tmp_path, tmp_path / "state").latest("k") == RECORDED
    assert one.get("k39") == other.get("k39") == RECORDED


def test_a_state_directory_that_cannot_be_written_is_said_once(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "state").write_text("no folder")  # Permissions would not stop a superuser; this stops everyone.
    records = Records(tmp_path, tmp_path / "state")
    with caplog.at_level(logging.WARNING):
        records.put("k", RECORDED)
        records.put("l", RECORDED)
    assert records.get("k") is RECORDED
    assert [record.levelname for record in caplog.records] == ["WARNING"]


def test_few_are_kept_and_no_temporary_file_stays(tmp_path: Path) -> None:
    records = Records(tmp_path, tmp_path / "state")
    for number in range(20):
        records.put(f"k{number}", RECORDED)
    files = [path for path in (tmp_path / "state").rglob("*") if path.is_file()]
    assert len(files) == 8
    assert all(path.suffix == ".json" for path in files)


def test_the_newest_made_in_the_same_way_is_found(tmp_path: Path) -> None:
    records = Records(tmp_path, tmp_path / "state")
    newer = replace(RECORDED, patched=frozenset({"newer"}))
    records.put("a-1", RECORDED)
    records.put("b-2", newer)
    records.put("a-3", replace(RECORDED, basis=None), stored=False)
    assert records.latest("a-") == RECORDED
    records.put("a-4", newer)
    assert records.latest("a-") == newer
    assert records.latest("c-") is None
    assert Records(tmp_path, tmp_path / "state").latest("b-") == newer
    assert Records(tmp_path, None).latest("a-") is None
