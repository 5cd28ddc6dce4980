"""Completions, from what a model says to what is put in at the cursor, ``$0``."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from pennyproof.assist.complete import Completer, Completion, Place
from pennyproof.assist.complete.shape import Multiline
from pennyproof.context.ignored import Ignored
from pennyproof.core.positions import LineIndex
from pennyproof.core.verdicts import Level
from pennyproof.core.work import Cancel, Deadline
from pennyproof.errors import Cancelled
from pennyproof.proof.static import StaticGates
from pennyproof.tiers.hosted.errors import ProviderError
from tests.assist.complete.says import Says

Complete = Completion | None


@pytest.fixture(scope="module")
def gates() -> Iterator[StaticGates]:
    made = StaticGates()
    yield made
    made.close()


def place_of(marked: str, path: str = "shop.py") -> Place:
    before, cursor, after = marked.partition("$0")
    assert cursor
    return Place(path, LineIndex(before + after), len(before))


def complete(
    marked: str, model: Says, gates: StaticGates | None, *, path: str = "shop.py", multiline: Multiline = "auto"
) -> Complete:
    completer = Completer(Ignored(Path("/nowhere")), gates, multiline)
    return completer.complete(place_of(marked, path), model, deadline=Deadline(10), cancel=Cancel())  # type: ignore[arg-type]  # A double.


def check(
    gates: StaticGates | None, marked: str, *, model_says: str, expected: str | None, multiline: Multiline = "auto"
) -> Complete:
    found = complete(marked, Says(model_says), gates, multiline=multiline)
    assert (found.text if found else None) == expected
    return found


@pytest.mark.parametrize(
    ("marked", "says", "expected"),
    [
        ("def f($0):\n    return a + b\n", "a, b", "a, b"),
        ("def f($0):\n    return a + b\n", "a, b):", "a, b"),
        ("def f($0):\n    return a + b\n", "a, b):\n    return a + b", "a, b"),
        ("def f($0)\n", "x, y):\n    pass", None),  # The user's colon is missing, whatever the model says.
        ("x = [1]\nprint(len($0))\n", "x", "x"),
        ("x = [1]\nprint($0)\n", "len(x)", "len(x)"),
        ("x = [1]\nprint($0)\n", "len(x))", "len(x)"),
        ('print("$0")\n', 'hello")', "hello"),
        ('print("$0")\n', "hello", "hello"),
        ("x = {'a': [$0]}\n", "1, (2)]}", "1, (2)"),
        ("x = 1 + $0\n", "2  ", "2"),
    ],
)
def test_the_rest_of_the_line_is_not_written_twice(
    gates: StaticGates, marked: str, says: str, expected: str | None
) -> None:
    check(gates, marked, model_says=says, expected=expected)


@pytest.mark.parametrize(
    ("marked", "says", "expected"),
    [
        ("def f(a):\n    return $0\n", "return a", "a"),
        ("def f(a):\n    return$0\n", "return a", " a"),
        ("total = sum($0)\n", "total = sum([1, 2])", "[1, 2]"),
        ("def f(a):\n    $0\n", "    return a", "return a"),
        ("def f(a):\n    if a:\n    $0\n", "    return a", "    return a"),
        ("x = 1\ny = $0\n", "x", "x"),  # One letter may well stand there twice.
    ],
)
def test_what_stands_before_the_cursor_is_not_written_twice(
    gates: StaticGates, marked: str, says: str, expected: str | None
) -> None:
    check(gates, marked, model_says=says, expected=expected)


@pytest.mark.parametrize(
    ("marked", "says", "expected"),
    [
        ("def f(a):\n    $0\n    return b\n", "b = a + 1\n    return b", "b = a + 1"),
        ("def f(a):$0\n    return a\n", "\n    return a", None),
        ("def f(a):\n$0\n    return a\n", "    return a\n", None),
        ("x = [\n    $0\n]\n", "1,\n    2,\n]", "1,\n    2,"),
        ("def f(a):\n    $0\n\n\ndef g():\n    pass\n", "return a\n\n\ndef g():\n    pass", "return a"),
    ],
)
def test_what_follows_the_cursor_is_not_written_twice(
    gates: StaticGates, marked: str, says: str, expected: str | None
) -> None:
    check(gates, marked, model_says=says, expected=expected)


BODY = "\n    total = 0\n    for x in xs:\n        total += x\n\n    return total\n"


@pytest.mark.parametrize(
    ("marked", "says", "multiline", "expected"),
    [
        ("def f(xs):$0\n", BODY, "auto", BODY.rstrip()),
        ("def f(xs):$0\n", BODY, "never", None),
        ("def f(xs):\n    $0", BODY.lstrip(), "auto", BODY.strip()),
        ("def f(xs):\n    $0", BODY.lstrip(), "never", "total = 0"),
        ("x = 1$0\n", " + 1\ny = 2\n", "auto", " + 1"),
        ("x = 1$0\n", " + 1\ny = 2\n", "always", " + 1\ny = 2"),
        ("f = ($0)\n", "1,\n2", "always", "1,"),  # Within a line there is room for its rest only.
        ("def f(xs):  # all of them: $0\n", "really", "never", "really"),
        ("class A:\n    def f(self):$0\n\n    def g(self):\n        pass\n",
         "\n        return 1\n\n    def g(self):\n        pass", "auto", "\n        return 1"),
    ],
)  # fmt: skip
def test_one_line_or_several(
    gates: StaticGates, marked: str, says: str, multiline: Multiline, expected: str | None
) -> None:
    check(gates, marked, model_says=says, expected=expected, multiline=multiline)


@pytest.mark.parametrize(
    ("marked", "says", "expected"),
    [
        ("def f(a):\n    $0", "return a\n\nprint(f(1))\nprint(f(2))\n", "return a"),
        ("def f(a):\n    if a:\n        $0", "a = 1\n    return a\n", "a = 1"),
        ("import os\n$0\n", "import sys\n\nprint(sys)\n", "import sys"),
        ("$0", "def f():\n    return 1\n\n\nprint(f())", "def f():\n    return 1"),
        ("def f(a):\n    $0", "a += 1\n    a += 1\n    a += 1\n    a += 1\n    a += 1", "a += 1\n    a += 1"),
        ("x = $0\n", "1<|endoftext|>2", "1"),
        ("x = $0\n", "1<｜fim▁hole｜>", "1"),
        ("x = $0\n", "   ", None),
        ("x = $0\n", "", None),
    ],
)
def test_a_model_that_goes_on_is_cut_short(gates: StaticGates, marked: str, says: str, expected: str | None) -> None:
    check(gates, marked, model_says=says, expected=expected)


@pytest.mark.parametrize(
    ("marked", "says", "expected", "level"),
    [
        ("x = $0\n", "1 +", None, None),
        ("x = $0\n", "foo(", None, None),
        ("x = $0\n", "unknown + 1", None, None),
        ("import os\nx = $0\n", "os.sep", "os.sep", Level.PARSES),
        ("x = gone($0)\n", "1", "1", Level.PARSES),  # What the user has written counts as known.
        ("def f(xs):\n    for x in $0\n", "xs:", "xs:", Level.PARSES),
        ("def f(xs):\n    if $0\n        return 1\n", "xs:", "xs:", Level.PARSES),
        ("def f(x):\n    tr$0\n", "y:", "y:", Level.PARSES),
        ("def f(x) -> int\n    return 0\n\nx = $0\n", "f(1)", "f(1)", Level.UNCHECKED),  # Broken elsewhere already.
        ("x = 1\ny = $0\n\ndef f(x) -> int\n    return 0\n", "x + 1", "x + 1", Level.UNCHECKED),
        ("x = 1\ny = $0\n\ndef f(x) -> int\n    return 0\n", "x + )", None, None),
        ("def f():\n    x = 1\n$0", "  return x", None, None),
    ],
)
def test_what_does_not_parse_or_invents_names_is_not_shown(
    gates: StaticGates, marked: str, says: str, expected: str | None, level: Level | None
) -> None:
    found = check(gates, marked, model_says=says, expected=expected)
    assert (found.verdict.level if found else None) == level


def test_without_gates_everything_is_shown_and_called_unchecked() -> None:
    found = check(None, "x = $0\n", model_says="unknown(", expected="unknown(")
    assert found is not None
    assert found.verdict.level is Level.UNCHECKED


def test_only_python_is_checked(gates: StaticGates) -> None:
    found = complete("[tool]\nx = $0\n", Says("{ y = 1 }"), gates, path="a.toml")
    assert found is not None
    assert (found.text, found.verdict.level) == ("{ y = 1 }", Level.UNCHECKED)


def test_lines_end_as_in_the_file(gates: StaticGates) -> None:
    model = Says("a = 1\n    return a\n")
    found = complete("def f():\r\n    $0\r\n", model, gates)
    assert found is not None
    assert found.text == "a = 1\r\n    return a"
    assert "\r" not in model.asked[0].prompt + model.asked[0].suffix


def test_an_ignored_file_is_not_sent(gates: StaticGates) -> None:
    model = Says("1")
    assert complete("x = $0\n", model, gates, path=".env") is None
    assert model.asked == []


def test_nobody_listens_on_when_the_block_is_at_its_end(gates: StaticGates) -> None:
    model = Says("return a\n\nx = 1\n" + "y = 2\n" * 50)
    found = complete("def f(a):\n    $0", model, gates)
    assert found is not None
    assert found.text == "return a"
    assert model.told == "return a\n\nx"


def test_of_what_breaks_off_whole_lines_are_used(gates: StaticGates) -> None:
    marked, says = "def f(a):\n    $0", "b = a\n    return a + b"
    found = complete(marked, Says(says, fails_after=11), gates)
    assert found is not None
    assert (found.text, found.problem) == ("b = a", "the stream broke off")
    with pytest.raises(ProviderError, match="broke off"):
        complete(marked, Says(says, fails_after=3), gates)
    with pytest.raises(ProviderError, match="broke off"):
        complete("a = 1\nb = $0\n", Says("a + 12", fails_after=4), gates)


def test_the_last_line_of_what_ran_out_of_tokens_is_left_out(gates: StaticGates) -> None:
    found = complete("def f(a):\n    $0", Says("b = a\n    return a +", finish_reason="length"), gates)
    assert found is not None
    assert found.text == "b = a"
    assert complete("a = $0", Says("1 + 2", finish_reason="length"), gates) is None


def test_whoever_cancels_gets_no_completion(gates: StaticGates) -> None:
    completer, cancel = Completer(Ignored(Path("/nowhere")), gates), Cancel()
    cancel.ask()
    with pytest.raises(Cancelled):
        completer.complete(place_of("x = $0"), Says("1"), deadline=Deadline(10), cancel=cancel)  # type: ignore[arg-type]  # A double.
