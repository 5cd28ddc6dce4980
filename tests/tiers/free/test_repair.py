"""The stream of candidates as a whole."""

import ast
import itertools

import pytest

from pennyproof.core.candidates import Candidate, Tier
from pennyproof.core.outcomes import Frame
from pennyproof.core.problems import Problem
from pennyproof.core.work import Cancel
from pennyproof.errors import Cancelled
from pennyproof.tiers.free.evidence import Evidence, kind_of_repr
from pennyproof.tiers.free.repair import FreeTier
from tests.tiers.free.problems import problem

SHOP = '''\
def total(prices, discount):  # é
\t"""Sum of the prices, less the discount."""
\tresult = 1
\tfor price in prices:
\t\tif price > 0 and price < 100:
\t\t\tresult += price
\treturn result
'''.replace("\n", "\r\n")
LINES = [3, 4, 5, 6, 7]


def candidates(made: Problem, most: int = 400) -> list[Candidate]:
    return list(itertools.islice(FreeTier().propose(made, cancel=Cancel()), most))


def texts(made: Problem, most: int = 400) -> list[str]:
    return [candidate.files()["shop.py"].text for candidate in candidates(made, most)]  # type: ignore[union-attr]


def test_candidates_parse_differ_and_keep_the_layout() -> None:
    found = texts(problem({"shop.py": SHOP}, {"shop.py": LINES}))
    assert len(found) == 400
    assert len({ast.dump(ast.parse(text)) for text in found}) == 400
    assert ast.dump(ast.parse(SHOP)) not in {ast.dump(ast.parse(text)) for text in found}
    assert all("# é\r\n" in text and text.count("\n") == text.count("\r\n") for text in found)


@pytest.mark.parametrize(
    ("old", "new", "within"),
    [
        ("price > 0", "price >= 0", 40),
        ("result = 1", "result = 0", 60),
        ("return result", "return result - discount", 400),
        ("\t\t\tresult += price", "\t\t\tresult -= price", 100),
    ],
)
def test_usual_fixes_come_early(old: str, new: str, within: int) -> None:
    assert SHOP.replace(old, new) in texts(problem({"shop.py": SHOP}, {"shop.py": LINES}), within)


def test_the_same_change_in_several_places() -> None:
    source = "def edge(word):\n    if not word:\n        return ' '\n    return ' '\n"
    assert source.replace("' '", "''") in texts(problem({"shop.py": source}, {"shop.py": [2, 3, 4]}), 100)


def test_two_different_changes_in_one_condition() -> None:
    source = "def pick(n, k):\n    if n % 3 != 0:\n        return k\n    return n * k\n"
    mended = source.replace("n % 3 != 0", "n % 4 == 0")
    assert mended in texts(problem({"shop.py": source}, {"shop.py": [2, 3, 4]}), 2000)


def test_origin_and_prior() -> None:
    found = candidates(problem({"shop.py": SHOP}, {"shop.py": LINES}), 50)
    assert [candidate.origin.attempt for candidate in found] == list(range(1, 51))
    assert {candidate.origin.tier for candidate in found} == {Tier.FREE}
    assert all(candidate.prior > 0 and candidate.summary for candidate in found)
    assert max(candidate.prior for candidate in found[:5]) > max(candidate.prior for candidate in found[40:])


def test_the_blamed_statement_leads_without_starving_the_rest() -> None:
    frames = [Frame("shop.py", 7, "total")]
    found = texts(problem({"shop.py": SHOP}, {"shop.py": LINES}, frames=frames), 100)
    lines = [itertools.zip_longest(SHOP.splitlines(), text.splitlines()) for text in found]
    changed = [next(n for n, (before, after) in enumerate(pairs) if before != after) for pairs in lines]
    assert changed.count(6) > 5
    assert len(set(changed)) >= 4


def test_tests_are_never_touched() -> None:
    files = {"shop.py": SHOP, "tests/test_shop.py": "def test_total():\n    assert 1 < 2\n"}
    made = problem(files, {"shop.py": LINES, "tests/test_shop.py": [2]})
    assert {change.path for candidate in candidates(made) for change in candidate.changes} == {"shop.py"}


def test_it_stops_when_asked() -> None:
    cancel = Cancel()
    stream = FreeTier().propose(problem({"shop.py": SHOP}, {"shop.py": LINES}), cancel=cancel)
    next(stream)
    cancel.ask()
    with pytest.raises(Cancelled):
        next(stream)


def test_nothing_to_go_by_gives_nothing() -> None:
    assert candidates(problem({"shop.py": SHOP}, {})) == []


def test_evidence() -> None:
    test = (
        "def test_total():\n    with pytest.raises(KeyError):\n        assert total(['Jupiter'], 3.5) == 17\n\n"
        "def test_other():\n    assert 99\n"
    )
    frames = [Frame("shop.py", 6, "total", variables=(("prices", "[1, 2]"), ("rate", "0.5"), ("who", "'ann'")))]
    made = problem({"tests/test_shop.py": test}, {}, frames=frames, message="assert 4 == 'x y'", kind="ValueError")
    clues = Evidence(made).clues("shop.py", "total")
    assert clues.kinds == {"prices": "list", "rate": "float", "who": "str"}
    assert Evidence(made).clues("shop.py", "label").kinds == {}
    assert {"4", "3.5", "17"} <= set(clues.numbers)
    assert "99" not in clues.numbers
    assert {"x y", "Jupiter", "ann"} <= set(clues.strings)
    assert clues.exceptions == ("KeyError", "ValueError")
    assert "total" in clues.words


def test_numbers_are_those_that_python_can_read() -> None:
    made = problem({}, {}, message="assert '2009-03-07' == '12:05' and 0.5 < 10")
    assert Evidence(made).numbers == ("2009", "12", "0.5", "10")


@pytest.mark.parametrize(
    ("shown", "kind"),
    [("'a'", "str"), ("b'a'", "bytes"), ("-3", "int"), ("1.5", "float"), ("1e-05", "float"), ("True", "bool"),
     ("[1, ...]", "list"), ("(1,)", "tuple"), ("{}", "dict"), ("{'a': 1}", "dict"), ("{1, 2}", "set"), ("None", None),
     ("<object at 0x1>", None)],
)  # fmt: skip
def test_kind_of_repr(shown: str, kind: str | None) -> None:
    assert kind_of_repr(shown) == kind
