"""Snapshots: the workspace as it was when a request arrived."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from pennyproof.core.sources import Source, decode
from pennyproof.errors import OutsideRoot, UnreadableSource


@dataclass(frozen=True, slots=True)
class Document:
    """One open document."""

    uri: str
    path: Path
    text: str
    version: int | None
    language: str = "python"


@dataclass(frozen=True, slots=True)
class Snapshot:
    """One workspace folder: what is on disk, with the text of open buffers in front of it."""

    root: Path
    """Absolute, symbolic links resolved."""
    buffers: Mapping[str, Source] = field(default_factory=dict)
    """Relative path → text of the open documents that differ from disk."""
    versions: Mapping[str, int | None] = field(default_factory=dict)
    """Relative path → version, of every open document."""

    def relative(self, path: Path | str) -> str:
        """The path relative to the root, with forward slashes.

        Raises:
            OutsideRoot: The file does not lie in the root, links resolved.
        """
        whole = (self.root / path).resolve()
        if not whole.is_relative_to(self.root):
            raise OutsideRoot(f"{path} is outside the root {self.root}")
        return whole.relative_to(self.root).as_posix()

    def read(self, path: str) -> Source | None:
        """The text of a file as the user sees it, or ``None`` where there is none.

        Args:
            path: Relative to the root.

        Raises:
            OutsideRoot: The path leads out of the root.
            UnreadableSource: The file is there and cannot be read as text.
        """
        relative = self.relative(path)
        if relative in self.buffers:
            return self.buffers[relative]
        try:
            return decode((self.root / relative).read_bytes(), python=relative.endswith((".py", ".pyi")))
        except (FileNotFoundError, NotADirectoryError):
            return None
        except UnreadableSource as error:
            raise UnreadableSource(f"{relative}: {error}") from error
        except OSError as error:
            raise UnreadableSource(f"{relative}: {error.strerror}") from error
