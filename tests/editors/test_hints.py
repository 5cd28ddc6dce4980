"""``pennyproof doctor --editor NAME`` prints the very files that the scenarios try."""

import pytest

from pennyproof.cli.editors import EDITORS
from tests.editors.conftest import EDITORS as FOLDER


@pytest.mark.parametrize("name", EDITORS)
def test_doctor_prints_the_files_that_were_tried(name: str) -> None:
    assert EDITORS[name].settings == (FOLDER / EDITORS[name].file).read_text("utf-8")
