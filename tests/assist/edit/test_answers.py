"""What models answer, and the edits that are read from it."""

from pathlib import Path

import pytest

from pennyproof.assist.edit.answers import read_edits
from pennyproof.assist.edit.region import function_region
from pennyproof.core.snapshots import Snapshot
from pennyproof.core.sources import Source
from pennyproof.errors import BlockError

SHOP = '''\
import math

LIMIT = 3


class Cart:
    def tax(self, price):
        """What the state wants."""

    def total(self):
        return sum(self.items)
'''
BODY = "        return price * 0.2\n"
METHOD = f'    def tax(self, price):\n        """What the state wants."""\n{BODY}'
WRITTEN = SHOP.replace('"""What the state wants."""\n', f'"""What the state wants."""\n{BODY}')


def read(answer: str, text: str = SHOP, *, implementing: bool = True) -> list[str]:
    source = Source(text)
    region = function_region("shop.py", source, 8, 8)
    snapshot = Snapshot(Path("/nowhere"), {"shop.py": source, "test_shop.py": Source("x = 1\n")})
    changes = read_edits(answer, region, snapshot, implementing=implementing)
    assert {change.path for change in changes} == {"shop.py"}
    return [change.after.text for change in changes if change.after]


def block(old: str, new: str, path: str = "shop.py") -> str:
    return f"{path}\n```python\n<<<<<<< SEARCH\n{old}=======\n{new}>>>>>>> REPLACE\n```\n"


DOCSTRING = '        """What the state wants."""\n'


@pytest.mark.parametrize(
    "answer",
    [
        pytest.param(block(DOCSTRING, DOCSTRING + BODY), id="a block"),
        pytest.param(f"I add a body.\n\n```python\n{METHOD}```\nThat is all.", id="the part in a fence"),
        pytest.param("```\n" + METHOD.replace("\n    ", "\n")[4:] + "```", id="indented less"),
        pytest.param(f"~~~~py\n{METHOD}~~~~", id="another fence"),
        pytest.param(f"```python\n{WRITTEN}```", id="the whole file"),
        pytest.param(f"```python\nCart().tax(1)\n```\n```python\n{METHOD}```", id="a usage first"),
    ],
)
def test_an_edit_is_read_in_whatever_form_it_comes(answer: str) -> None:
    assert read(answer) == [WRITTEN]


def test_imports_may_come_with_the_part() -> None:
    answer = block("import math\n", "import math\nimport decimal\n") + block(DOCSTRING, DOCSTRING + BODY)
    assert read(answer) == [WRITTEN.replace("import math\n", "import math\nimport decimal\n")]


def test_several_rewritings_are_several_edits() -> None:
    other = METHOD.replace("0.2", "0.19")
    assert read(f"```python\n{METHOD}```\nor\n```python\n{other}```") == [WRITTEN, WRITTEN.replace("0.2", "0.19")]


def test_line_ends_are_kept() -> None:
    assert read(f"```python\n{METHOD}```", SHOP.replace("\n", "\r\n")) == [WRITTEN.replace("\n", "\r\n")]


@pytest.mark.parametrize(
    ("answer", "told"),
    [
        pytest.param("I cannot do that.", "neither a block nor fenced code", id="nothing"),
        pytest.param(f"```python\n{METHOD}", "neither a block nor fenced code", id="cut off"),
        pytest.param(block("    no such line\n", "x\n"), "are not in the file", id="matches nowhere"),
        pytest.param(block("", "x\n"), "SEARCH has to hold the lines", id="makes the file anew"),
        pytest.param(block("x = 1\n", "x = 2\n", "test_shop.py"), "change shop.py only", id="a test"),
        pytest.param(block("x = 1\n", "x = 2\n", "../secret.py"), "change shop.py only", id="outside the root"),
        pytest.param(block("LIMIT = 3\n", "LIMIT = 4\n"), "above line 7", id="outside the part"),
        pytest.param(
            block("        return sum(self.items)\n", "        return 0\n"), "below line 8", id="another method"
        ),
        pytest.param(block(DOCSTRING, DOCSTRING), "change nothing", id="the same"),
        pytest.param(
            f"```python\n{METHOD.replace('price)', 'price, rate)')}```", "signature of Cart.tax", id="parameters"
        ),
        pytest.param(
            f"```python\n{METHOD.replace(BODY, '        pass  # done' + chr(10))}```", "still missing", id="no body"
        ),
        pytest.param("```python\n" + "x = 1\n" * 100_000 + "```", "far too long", id="a megabyte"),
        pytest.param("<<<<<<< SEARCH\nno end\n", "has no line", id="half a block"),
    ],
)
def test_an_answer_that_cannot_be_tried_is_told_why(answer: str, told: str) -> None:
    with pytest.raises(BlockError) as raised:
        read(answer)
    assert told in str(raised.value)


def test_an_instruction_may_change_the_signature() -> None:
    edited = METHOD.replace("price)", "price, rate)")
    assert "price, rate)" in read(f"```python\n{edited}```", implementing=False)[0]


def test_what_does_not_parse_is_for_the_gate_to_judge() -> None:
    assert "return (" in read(f"```python\n{METHOD.replace('price * 0.2', '(')}```")[0]
