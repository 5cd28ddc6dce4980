"""What is printed: colours and progress on terminals only."""

import io
from dataclasses import replace

import pytest

from pennyproof.cli.output import Bar, Style, coloured_diff, count, show_gaps, styled
from pennyproof.core.verdicts import Level, Line, Strength, Verdict


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize(
    ("stream", "environment", "coloured"),
    [
        (Terminal(), {}, True),
        (Terminal(), {"NO_COLOR": "1"}, False),
        (Terminal(), {"TERM": "dumb"}, False),
        (io.StringIO(), {}, False),
    ],
    ids=["terminal", "NO_COLOR", "dumb terminal", "file"],
)
def test_styled(
    stream: io.StringIO, environment: dict[str, str], coloured: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setenv("TERM", "xterm")
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    assert styled("x", Style.RED, stream) == ("\x1b[31mx\x1b[0m" if coloured else "x")


def test_a_diff_has_its_lines_coloured(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setattr("sys.stdout", Terminal())
    assert coloured_diff("--- a/x\n-old\n+new\n same\n").splitlines() == [
        "\x1b[1m--- a/x\x1b[0m",
        "\x1b[31m-old\x1b[0m",
        "\x1b[32m+new\x1b[0m",
        " same",
    ]


def test_the_bar_says_nothing_to_a_file() -> None:
    stream = io.StringIO()
    with Bar(stream) as bar:
        bar.report("running the tests", 0.5)
    assert stream.getvalue() == ""


def test_the_bar_is_gone_at_the_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "40")
    stream = Terminal()
    with Bar(stream) as bar:
        bar.report("running the tests, of which there are very many", 0.5)
    shown, last = stream.getvalue().split("\r\x1b[2K")[1:]
    assert shown == "██████████░░░░░░░░░░ running the tests, "[:39]
    assert last == ""


def test_where_evidence_ends(capsys: pytest.CaptureFixture[str]) -> None:
    gaps = Verdict(Level.PASSES, uncovered=(Line("a.py", 2), Line("a.py", 3)), strength=Strength(1, 2, ("a.py:1: x",)))
    show_gaps(gaps)
    assert capsys.readouterr().out == "  not run    a.py:2\n  not run    a.py:3\n  unnoticed  a.py:1: x\n"
    show_gaps(replace(gaps, level=Level.REJECTED))
    show_gaps(Verdict(Level.PASSES))
    assert capsys.readouterr().out == ""


def test_count() -> None:
    assert [count(number, "test") for number in (0, 1, 2)] == ["0 tests", "1 test", "2 tests"]
