"""References in a model's text: those to files, lines and tests that do not exist are taken out."""

import re
from collections.abc import Iterator
from pathlib import PurePosixPath

from pennyproof.core.snapshots import Snapshot
from pennyproof.core.verdicts import Line
from pennyproof.errors import PennyproofError

_PATH = r"(?:[\w.@+-]*/)*[\w.@+-]+\.(?:pyi?|toml|cfg|ini|txt|md|rst|json|ya?ml)"
_REFERENCE = re.compile(
    rf"(?P<ticks>`*)(?<![\w/.:-])(?P<path>{_PATH})"
    r"(?:::(?P<test>[\w:]+(?:\[[^\]`\n]*\])?)|:(?P<first>\d+)(?:[-–](?P<last>\d+))?)?(?![\w/]|\.\w)(?P=ticks)"
)
_LINK = re.compile(r"(?<!!)\[(?P<text>[^\]\n]*)\]\((?P<target>[^)\s]*)[^)\n]*\)")
_IMAGE = re.compile(r"!\[[^\]\n]*\]\([^)\n]*\)")
_FENCE = re.compile(r"^(?P<fence>`{3,}|~{3,}).*?(?:^(?P=fence)[ \t]*$|\Z)", re.MULTILINE | re.DOTALL)
_EMPTY = re.compile(r" ?\([ ,;]*\)|(?<=\()[ ,;]+|[ ,;]+(?=\))| +(?=[.,;:!?)](?:\s|$))")
_BLANKS = re.compile(r"(?<=\S) {2,}(?=\S)")


class References:
    """Tells which references hold.

    Args:
        snapshot: The workspace.
        facts: What the model was given: what it quotes from there exists.
    """

    def __init__(self, snapshot: Snapshot, facts: str) -> None:
        self._snapshot = snapshot
        self._facts = facts
        self._texts: dict[str, str | None] = {}

    def cleaned(self, text: str) -> str:
        """The text without references that do not hold; code in fences is left as it is."""
        pieces, done = [], 0
        for match in _FENCE.finditer(text):
            pieces += [self._cleaned_prose(text[done : match.start()]), match[0]]
            done = match.end()
        return "".join([*pieces, self._cleaned_prose(text[done:])])

    def found(self, text: str) -> Iterator[Line]:
        """The lines of the project that a cleaned text refers to, in their order."""
        for match in _REFERENCE.finditer(text):
            if match["first"] and self._text(match["path"]) is not None:
                yield Line(match["path"], int(match["first"]))

    def _cleaned_prose(self, text: str) -> str:
        cleaned = _IMAGE.sub("", text)  # An image is fetched when it is shown.
        cleaned = _LINK.sub(lambda link: link[0] if link["target"] in self._facts else link["text"], cleaned)
        cleaned = _REFERENCE.sub(self._kept, cleaned)
        return cleaned if cleaned == text else _BLANKS.sub(" ", _EMPTY.sub("", cleaned))

    def _kept(self, match: re.Match[str]) -> str:
        """What stays of a reference: all of it, the file where its line does not exist, or nothing."""
        whole, path, ticks = match[0], match["path"], match["ticks"]
        if whole.strip("`") in self._facts:
            return whole
        text = self._text(path)
        if text is None:
            is_quoted = match["first"] is None and match["test"] is None and self._is_named(path)
            return whole if is_quoted else ""
        if match["test"]:
            names = re.split("::", match["test"].partition("[")[0])
            return whole if all(re.search(rf"\b{re.escape(name)}\b", text) for name in names if name) else ""
        last = int(match["last"] or match["first"] or 1)
        return whole if 1 <= int(match["first"] or 1) <= last <= text.count("\n") + 1 else f"{ticks}{path}{ticks}"

    def _is_named(self, path: str) -> bool:
        """Whether the facts speak of a file of this name, in whatever folder."""
        name = PurePosixPath(path).name
        return re.search(rf"(?:^|[\s/`'\"]){re.escape(name)}\b", self._facts) is not None

    def _text(self, path: str) -> str | None:
        if path not in self._texts:
            try:
                source = self._snapshot.read(path)
            except PennyproofError:
                source = None  # Outside the root, or no text: nothing that could be opened from here.
            self._texts[path] = source.text if source else None
        return self._texts[path]
