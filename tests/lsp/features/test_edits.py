"""Offers as edits that a client can take."""

import asyncio
from pathlib import Path
from typing import Any

import pytest

from pennyproof.core.candidates import Candidate, FileChange, Origin
from pennyproof.core.offers import Offer
from pennyproof.core.sources import Source
from pennyproof.core.verdicts import Level, Verdict
from pennyproof.errors import EnvironmentProblem
from pennyproof.lsp.features.edits import workspace_edit
from pennyproof.lsp.server import PennyproofServer
from tests.lsp.session import Session

TEXT = Source("x = 1\n")
MAKES = FileChange("new.py", None, TEXT)
DELETES = FileChange("old.py", TEXT, None)


def edit(root: Path, change: FileChange, able: dict[str, Any]) -> Any:
    """The edit of one change, for a client that can do this much."""
    found = []

    async def main() -> None:
        async with Session(PennyproofServer()) as session:
            await session.initialize(folders=[root], workspace={"workspaceEdit": able})
            offer = Offer("o1", Candidate((change,), Origin(), "change"), Verdict(Level.PASSES))
            found.append(workspace_edit(session.server, root, offer))

    asyncio.run(main())
    return found[0]


@pytest.mark.parametrize(("change", "kind"), [(MAKES, "create"), (DELETES, "delete")])
def test_files_are_made_and_deleted_by_clients_that_can(tmp_path: Path, change: FileChange, kind: str) -> None:
    able = {"documentChanges": True, "resourceOperations": ["create", "delete"]}
    first = edit(tmp_path, change, able).document_changes[0]
    assert (first.kind, first.uri) == (kind, (tmp_path / change.path).as_uri())


@pytest.mark.parametrize("change", [MAKES, DELETES], ids=["makes", "deletes"])
@pytest.mark.parametrize("able", [{}, {"documentChanges": True}, {"documentChanges": True, "resourceOperations": []}])
def test_others_are_told_what_they_cannot(tmp_path: Path, change: FileChange, able: dict[str, Any]) -> None:
    with pytest.raises(EnvironmentProblem, match=f"cannot make or delete files, as the edit of {change.path} does"):
        edit(tmp_path, change, able)
