"""Trust: asked once for each workspace, and remembered."""

import contextlib
import json
import logging
import os
import tempfile
from pathlib import Path
from typing import Literal

logger = logging.getLogger(__name__)


class TrustStore:
    """Which workspaces the user trusts, in one file that several servers may share.

    A state directory that cannot be used costs the user a question per session, and nothing else.

    Args:
        directory: The state directory; made at the first answer.
    """

    def __init__(self, directory: Path) -> None:
        self._path = directory / "trust.json"
        self._session: dict[str, bool | None] = {}
        """Answers of this session, which hold even where they could not be written; ``None``: forgotten."""
        self._warned = False

    def answer(self, root: Path) -> bool | None:
        """What the user decided for this root, or ``None`` where there is no decision yet."""
        key = _key(root)
        if key in self._session:
            return self._session[key]
        return self._read().get(key)

    def remember(self, root: Path, trusted: bool) -> None:
        """Keep the user's decision."""
        self._change(root, trusted)

    def forget(self, root: Path) -> None:
        """Drop the decision, so that the user is asked again."""
        self._change(root, None)

    def _change(self, root: Path, trusted: bool | None) -> None:
        key = _key(root)
        self._session[key] = trusted
        # Read again just before writing: another server may have learned something since.
        answers = self._read()
        answers.pop(key, None)
        if trusted is not None:
            answers[key] = trusted
        try:
            _write_whole(self._path, json.dumps(answers, indent=1))
        except OSError as error:
            self._warn(f"cannot be written ({error.strerror}), so trust holds for this session only")

    def _read(self) -> dict[str, bool]:
        try:
            answers = json.loads(self._path.read_text("utf-8"))
        except (FileNotFoundError, NotADirectoryError):
            return {}
        except OSError as error:
            self._warn(f"cannot be read ({error.strerror})")
            return {}
        except ValueError:
            answers = None
        if not isinstance(answers, dict):
            self._warn("is damaged, so workspaces count as undecided")
            return {}
        return {key: value for key, value in answers.items() if isinstance(value, bool)}

    def _warn(self, problem: str) -> None:
        if not self._warned:
            logger.warning("%s %s", self._path, problem)
        self._warned = True


def decide(trust_setting: Literal["ask", "always", "never"], store: TrustStore, root: Path) -> bool | None:
    """Whether code of ``root`` may run: by the setting, else by what the user decided; ``None``: ask."""
    if trust_setting == "ask":
        return store.answer(root)
    return trust_setting == "always"


def _key(root: Path) -> str:
    return str(root.resolve())


def _write_whole(path: Path, text: str) -> None:
    """Write a file so that every reader sees all of the old text or all of the new."""
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor, temporary = tempfile.mkstemp(dir=path.parent, prefix=path.name)
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        Path(temporary).replace(path)
    except OSError:
        with contextlib.suppress(OSError):
            Path(temporary).unlink()
        raise
