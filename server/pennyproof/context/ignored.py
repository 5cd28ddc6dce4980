"""Which files are never sent: those that are likely to hold secrets, those the user names, and those git ignores.

Each source can only add to what is ignored: a repository that takes a pattern back (``!``) does so for its own.
"""

import re
from collections.abc import Iterator, Sequence
from functools import lru_cache
from pathlib import Path, PurePosixPath

ALWAYS = (
    ".git/", ".env", ".env.*", ".envrc", "*.pem", "*.key", "*.p12", "*.pfx", "*.jks", "*.keystore", "*.kdbx", "*.gpg",
    "id_rsa*", "id_dsa*", "id_ecdsa*", "id_ed25519*", ".netrc", ".pgpass", ".pypirc", ".npmrc", ".htpasswd",
    "secrets.toml", "secrets.json", "secrets.y*ml", "credentials", "credentials.json", ".ssh/", ".aws/", ".gnupg/",
    ".kube/",
)  # fmt: skip
"""Patterns of files that hold keys and passwords."""


class Ignored:
    """Tells of the files of one workspace whether they are never sent.

    Args:
        root: The workspace folder.
        patterns: Further patterns, written as in a ``.gitignore``.
    """

    def __init__(self, root: Path, patterns: Sequence[str] = ()) -> None:
        self._root = root
        self._always = (_Rules(ALWAYS), _Rules(tuple(patterns)))

    def __call__(self, path: str) -> bool:
        """Whether a file is never sent.

        Args:
            path: Relative to the root, with forward slashes.
        """
        if any(rules.verdict(path) for rules in self._always):
            return True
        # What lies in an ignored folder is ignored, whatever else is said of it.
        return any(map(self._ignored_by_git, (*(f"{folder}/" for folder in _parents(path)), path)))

    def _ignored_by_git(self, path: str) -> bool:
        """Whether the nearest ``.gitignore`` that has a word about a path, or a folder, ignores that."""
        for folder in (*_parents(path), PurePosixPath()):
            rules = _read(self._root / folder / ".gitignore")
            verdict = rules.verdict(path.removeprefix(f"{folder}/")) if rules else None
            if verdict is not None:
                return verdict
        return False


class _Rules:
    """The patterns of one source; the last one that fits decides."""

    def __init__(self, lines: Sequence[str]) -> None:
        self._rules = [rule for line in lines if (rule := _rule(line))]

    def verdict(self, path: str) -> bool | None:
        """Whether a path is ignored, itself or with a folder that holds it; ``None``: nothing is said of it.

        Args:
            path: Relative to where the patterns stand; folders end in a slash.
        """
        for negated, pattern in reversed(self._rules):
            if pattern.fullmatch(path):
                return not negated
        return None


def _parents(path: str) -> Iterator[PurePosixPath]:
    """The folders that a path lies in, the deepest first, without the root."""
    yield from (folder for folder in PurePosixPath(path).parents if folder.name)


def _read(file: Path) -> _Rules | None:
    try:
        changed = file.stat().st_mtime_ns
    except OSError:
        return None  # There is none in most folders.
    return _compiled(file, changed)


@lru_cache(maxsize=256)
def _compiled(file: Path, _changed: int) -> _Rules | None:
    try:
        return _Rules(file.read_text("utf-8", "replace").splitlines())
    except OSError:
        return None


def _rule(line: str) -> tuple[bool, re.Pattern[str]] | None:
    """A line of a ``.gitignore``: whether it takes back, and what it fits; ``None`` for comments."""
    text = re.sub(r"(?<!\\)\s+$", "", line)
    if not text or text.startswith("#"):
        return None
    negated = text.startswith("!")
    text = text.removeprefix("!")
    folder_only = text.endswith("/")
    text = text.rstrip("/")
    anchored = "/" in text
    body = _translated(text.removeprefix("/"))
    below = "/.*" if folder_only else "(?:/.*)?"
    try:
        return negated, re.compile(("" if anchored else "(?:.*/)?") + body + below, re.DOTALL)
    except re.error:
        return None  # A set that is not closed, say, which git takes to fit nothing.


_WORDS = {"**/": "(?:.*/)?", "/**": "/.*", "?": "[^/]"}
_PIECES = re.compile(r"\*\*/|/\*\*$|\*+|\?|\[!?\]?[^\]]*\]|\\.|.", re.DOTALL)


def _translated(pattern: str) -> str:
    """The regular expression of a pattern."""
    return "".join(map(_translated_piece, _PIECES.findall(pattern)))


def _translated_piece(piece: str) -> str:
    if piece in _WORDS:
        return _WORDS[piece]
    if piece.startswith("*"):
        return "[^/]*"
    if piece.startswith("[") and len(piece) > 1:
        negated, characters = piece[1] == "!", piece[1:-1].removeprefix("!").replace("\\", r"\\")
        return f"(?!/)[{'^' if negated else ''}{characters}]"
    return re.escape(piece.removeprefix("\\") if len(piece) > 1 else piece)
