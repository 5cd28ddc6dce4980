"""From a model's answer to candidates: SEARCH/REPLACE blocks, or the region written anew."""

import ast
import re
import textwrap
from collections.abc import Iterator

from pennyproof.assist.edit.region import Region, is_unwritten
from pennyproof.assist.explain.scopes import FUNCTIONS, Function, parse
from pennyproof.core.blocks import apply_blocks, read_blocks
from pennyproof.core.candidates import FileChange
from pennyproof.core.snapshots import Snapshot
from pennyproof.core.sources import Source
from pennyproof.errors import BlockError, UnreadableSource

_FENCED = re.compile(r"^(?P<fence>`{3,}|~{3,})[^\n`]*\n(?P<code>.*?)^(?P=fence)[ \t]*$", re.MULTILINE | re.DOTALL)

_MOST_CHARACTERS = 400_000
"""Of an answer; nobody reads an edit longer than that."""


def read_edits(answer: str, region: Region, snapshot: Snapshot, *, implementing: bool) -> list[FileChange]:
    """The edits that an answer proposes, each of the region's file; several rewritings of the region are several edits.

    Args:
        answer: What the model wrote.
        region: What may be changed.
        snapshot: The workspace.
        implementing: Whether the region's function is to get its body, and else to stay what it is.

    Raises:
        BlockError: There is none that may be tried; the message tells the model why.
    """
    if len(answer) > _MOST_CHARACTERS:
        raise BlockError("your answer is far too long: give the edit and nothing else")
    blocks = read_blocks(answer, region.path)
    if blocks:
        elsewhere = {block.path for block in blocks if block.path.removeprefix("a/") != region.path}
        if elsewhere:
            raise BlockError(f"your edit changes {min(elsewhere)}: change {region.path} only")
        found = list(apply_blocks(blocks, snapshot.read))
    else:
        found = [FileChange(region.path, region.source, after) for after in _rewritten(answer, region)]
    changes, objections = [], []
    for change in found:
        objection = _objection(change, region, implementing=implementing)
        if objection is None:
            changes.append(change)
        objections += [objection] if objection else []
    if not changes:
        raise BlockError(objections[0] if objections else "there is neither a block nor fenced code in your answer")
    return changes


def _rewritten(answer: str, region: Region) -> Iterator[Source]:
    """The file with the region as each fenced piece of code has it."""
    pieces = [match["code"] for match in _FENCED.finditer(answer.replace("\r\n", "\n"))]
    name = region.function.rpartition(".")[2]
    if name:
        pieces = [piece for piece in pieces if _defines(piece, name)] or pieces[:1]
    for piece in dict.fromkeys(pieces):
        whole = Source(_with_line_ends(piece, region.source.text), region.source.encoding)
        # Some models give the whole file where they are asked for a part of it.
        if region.has_surroundings and region.objection(whole) is None:
            yield whole
        else:
            code = textwrap.indent(textwrap.dedent(piece).strip("\n") + "\n", region.indentation)
            yield region.replaced(_with_line_ends(code, region.source.text))


def _objection(change: FileChange, region: Region, *, implementing: bool) -> str | None:
    after = change.after
    if after is None:
        return f"your edit deletes {region.path}"
    try:
        after.data()
    except UnreadableSource as error:
        return str(error)
    if change.before == after:
        return "your edit changes nothing"
    if parse(after.text) is None and parse(region.source.text) is not None:
        return None  # The gate says what is wrong with it, and better.
    return region.objection(after) or (_no_body(after, region) if implementing else None)


def _no_body(after: Source, region: Region) -> str | None:
    """Why a text of the file is none in which the region's function has got its body."""
    before, written = _function(region.source, region), _function(after, region)
    if before is not None and (written is None or ast.dump(before.args) != ast.dump(written.args)):
        return f"your edit changes the signature of {region.function}: keep its name and parameters"
    return f"the body of {region.function} is still missing" if written and is_unwritten(written) else None


def _function(source: Source, region: Region) -> Function | None:
    """The last definition of the region's function in a text; ``None`` where it cannot be found."""
    scope: ast.AST | None = parse(source.text)
    for name in region.function.split("."):
        nodes = ast.iter_child_nodes(scope) if scope else ()
        found = [node for node in nodes if isinstance(node, (*FUNCTIONS, ast.ClassDef)) and node.name == name]
        scope = found[-1] if found else None
    return scope if isinstance(scope, FUNCTIONS) else None


def _defines(code: str, name: str) -> bool:
    return re.search(rf"^\s*(?:async\s+)?def\s+{re.escape(name)}\b", code, re.MULTILINE) is not None


def _with_line_ends(code: str, like: str) -> str:
    return code.replace("\n", "\r\n") if "\r\n" in like else code
