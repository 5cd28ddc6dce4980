"""Which statements come first when tests and tracebacks disagree."""

import ast

import pytest

from pennyproof.core.outcomes import Frame
from pennyproof.tiers.free.localise import Localiser
from tests.tiers.free.problems import problem

SHOP = """\
import math

RATE = 0.2

def total(prices):
    result = 0
    for price in prices:
        result += price
    return result

def label(name):
    if not name:
        return "?"
    return name.title()
"""


def suspects(made: object) -> list[tuple[str, float]]:
    """First lines of the suspects with their suspicion."""
    found = Localiser(made).suspects()  # type: ignore[arg-type]
    return [
        (suspect.file.source.text.splitlines()[suspect.statement.lineno - 1].strip(), suspect.suspicion)
        for suspect in found
    ]


def test_lines_that_only_the_failing_test_runs_come_first() -> None:
    made = problem({"shop.py": SHOP}, {"shop.py": [6, 7, 8, 9]}, [{"shop.py": [6, 9]}, {"shop.py": [6, 9]}])
    found = suspects(made)
    assert [line for line, _ in found][:2] == ["for price in prices:", "result += price"]
    assert dict(found)["result = 0"] == pytest.approx(1 / 3**0.5)
    assert "return name.title()" not in dict(found)


def test_the_traceback_breaks_ties() -> None:
    frames = [Frame("tests/test_shop.py", 3, "test_total"), Frame("shop.py", 8, "total")]
    made = problem({"shop.py": SHOP}, {"shop.py": [6, 7, 8, 9]}, frames=frames)
    assert suspects(made)[0][0] == "result += price"


def test_frames_stand_in_for_missing_coverage() -> None:
    made = problem({"shop.py": SHOP}, {}, frames=[Frame("shop.py", 7, "total")])
    assert suspects(made)[0][0] == "for price in prices:"


def test_what_runs_at_import_is_suspect_but_less() -> None:
    found = dict(suspects(problem({"shop.py": SHOP}, {"shop.py": [6, 7, 8, 9]})))
    assert 0 < found["RATE = 0.2"] < found["result = 0"]
    assert "import math" not in found


TABLES = """\
RATES = {"book": 7, "wine": 19}
OTHER = 1

class Order:
    def tax(self):
        return self.price * RATES["book"]

    def price(self):
        return 3

    def label(self):
        return "order"
"""


def test_a_table_that_suspicious_code_reads_is_more_suspect_than_others() -> None:
    found = dict(suspects(problem({"shop.py": TABLES}, {"shop.py": [6]})))
    assert found["OTHER = 1"] < found['RATES = {"book": 7, "wine": 19}'] < found['return self.price * RATES["book"]']


def test_a_method_that_is_read_and_was_not_run_is_suspect() -> None:
    found = dict(suspects(problem({"shop.py": TABLES}, {"shop.py": [6]})))
    assert 0 < found["def price(self):"] < found["def tax(self):"]
    assert "def label(self):" not in found


def test_a_handler_speaks_for_its_try() -> None:
    source = "def read(text):\n    try:\n        return int(text)\n    except Odd:\n        return 0\n"
    made = problem({"shop.py": source}, {"shop.py": [2, 3, 4]}, [{"shop.py": [2, 3]}])
    assert suspects(made)[0] == ("try:", 1.0)


def test_lines_not_reached_in_a_function_that_was_are_suspect_but_less() -> None:
    found = dict(suspects(problem({"shop.py": SHOP}, {"shop.py": [12, 14]})))
    assert 0 < found['return "?"'] < found["if not name:"]


@pytest.mark.parametrize("path", ["tests/shop.py", "conftest.py", "test_shop.py", "notes.txt"])
def test_protected_files_and_other_kinds_are_never_suspect(path: str) -> None:
    assert suspects(problem({path: SHOP}, {path: [6, 7, 8, 9]})) == []


def test_a_file_that_does_not_parse_leaves_the_others() -> None:
    made = problem({"shop.py": SHOP, "odd.py": "def ("}, {"odd.py": [1], "shop.py": [6, 9]})
    assert {suspect.file.path for suspect in Localiser(made).suspects()} == {"shop.py"}


def test_functions_are_as_suspect_as_what_is_in_them_or_less() -> None:
    made = problem({"shop.py": SHOP}, {"shop.py": [6, 7, 8, 9]})
    functions = [s for s in Localiser(made).suspects() if isinstance(s.statement, ast.FunctionDef)]
    assert [function.statement.lineno for function in functions] == [5]
    assert 0 < functions[0].suspicion < 1
