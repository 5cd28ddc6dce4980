"""Trust and consent: asked once for each workspace, and remembered.

Trust is about running a workspace's code here; consent is about sending it to a host.
"""

import contextlib
import json
import logging
import os
import tempfile
from pathlib import Path
from typing import Literal

logger = logging.getLogger(__name__)


class _Answers:
    """Answers of the user, in one file that several servers may share.

    A state directory that cannot be used costs the user a question per session, and nothing else.

    Args:
        path: The file; made, with its folder, at the first answer.
        word: What the answers are about, for warnings.
    """

    def __init__(self, path: Path, word: str) -> None:
        self._path = path
        self._word = word
        self._session: dict[str, bool | None] = {}
        """Answers of this session, which hold even where they could not be written; ``None``: forgotten."""
        self._warned = False

    def _answer(self, key: str) -> bool | None:
        if key in self._session:
            return self._session[key]
        return self._read().get(key)

    def _change(self, key: str, answer: bool | None) -> None:
        self._session[key] = answer
        # Read again just before writing: another server may have learned something since.
        answers = self._read()
        answers.pop(key, None)
        if answer is not None:
            answers[key] = answer
        try:
            _write_whole(self._path, json.dumps(answers, indent=1))
        except OSError as error:
            self._warn(f"cannot be written ({error.strerror}), so {self._word} holds for this session only")

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


class TrustStore(_Answers):
    """Which workspaces the user trusts.

    Args:
        directory: The state directory.
    """

    def __init__(self, directory: Path) -> None:
        super().__init__(directory / "trust.json", "trust")

    def answer(self, root: Path) -> bool | None:
        """What the user decided for this root, or ``None`` where there is no decision yet."""
        return self._answer(_key(root))

    def remember(self, root: Path, trusted: bool) -> None:
        """Keep the user's decision."""
        self._change(_key(root), trusted)

    def forget(self, root: Path) -> None:
        """Drop the decision, so that the user is asked again."""
        self._change(_key(root), None)


class ConsentStore(_Answers):
    """From which workspaces the user agreed to send code, and to which hosts.

    Args:
        directory: The state directory.
    """

    def __init__(self, directory: Path) -> None:
        super().__init__(directory / "consent.json", "consent")

    def answer(self, root: Path, host: str) -> bool | None:
        """Whether the user agreed to send code from ``root`` to ``host``; ``None`` where there is no decision yet."""
        return self._answer(_pair(root, host))

    def remember(self, root: Path, host: str, agreed: bool) -> None:
        """Keep the user's decision."""
        self._change(_pair(root, host), agreed)

    def forget(self, root: Path, host: str) -> None:
        """Drop the decision, so that the user is asked again."""
        self._change(_pair(root, host), None)


def decide(trust_setting: Literal["ask", "always", "never"], store: TrustStore, root: Path) -> bool | None:
    """Whether code of ``root`` may run: by the setting, else by what the user decided; ``None``: ask."""
    if trust_setting == "ask":
        return store.answer(root)
    return trust_setting == "always"


def decide_consent(
    trust_setting: Literal["ask", "always", "never"], store: ConsentStore, root: Path, host: str
) -> bool | None:
    """Whether code of ``root`` may be sent to ``host``; ``None``: ask.

    ``trust: always`` agrees to that too. ``never`` says nothing about it: what is sent is not run.
    """
    return True if trust_setting == "always" else store.answer(root, host)


def _pair(root: Path, host: str) -> str:
    # No host has a blank, so no two pairs are written alike.
    return f"{host.lower()} {_key(root)}"


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
