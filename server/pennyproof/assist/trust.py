"""Trust and consent: asked once for each workspace, and remembered.

Trust is about running a workspace's code here; consent is about sending it to a host.
"""

import contextlib
import json
import logging
import os
import tempfile
import threading
from collections.abc import Callable
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

    def answer(self, root: Path, *, unconfined: bool = False) -> bool | None:
        """What the user decided for this root, or ``None`` where there is no decision yet.

        Args:
            root: The workspace.
            unconfined: Ask about code that nothing confines, which is a question of its own; who trusts no code of
                this root does not trust it there either.
        """
        trusted = self._answer(_key(root))
        return self._answer(_unconfined(root)) if unconfined and trusted is not False else trusted

    def remember(self, root: Path, trusted: bool, *, unconfined: bool = False) -> None:
        """Keep the user's decision; one that nothing is to confine takes back that nothing may run."""
        if not unconfined:
            self._change(_key(root), trusted)
            return
        if trusted and self._answer(_key(root)) is False:
            self._change(_key(root), None)
        self._change(_unconfined(root), trusted)

    def forget(self, root: Path) -> None:
        """Drop the decisions, so that the user is asked again."""
        self._change(_key(root), None)
        self._change(_unconfined(root), None)


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


def decide(
    trust_setting: Literal["ask", "always", "never"], store: TrustStore, root: Path, *, unconfined: bool = False
) -> bool | None:
    """Whether code of ``root`` may run: by the setting, else by what the user decided; ``None``: ask.

    Args:
        trust_setting: The setting ``trust``. That code is trusted always says nothing of code that nothing confines:
            the setting may come from another machine, where there is a sandbox.
        store: Where answers are kept.
        root: The workspace.
        unconfined: There is no sandbox, and no setting says that there need be none (``proof.sandbox.has_none``).
    """
    if trust_setting == "ask" or (unconfined and trust_setting == "always"):
        return store.answer(root, unconfined=unconfined)
    return trust_setting == "always"


def decide_consent(
    trust_setting: Literal["ask", "always", "never"], store: ConsentStore, root: Path, host: str
) -> bool | None:
    """Whether code of ``root`` may be sent to ``host``; ``None``: ask.

    ``trust: always`` agrees to that too. ``never`` says nothing about it: what is sent is not run.
    """
    return True if trust_setting == "always" else store.answer(root, host)


class Consent:
    """Whether code of one workspace may be sent to a host: decided by the user once, and asked for then.

    Args:
        trust_setting: The setting ``trust``.
        store: Where answers are kept.
        root: The workspace.
        ask: Asks the user about a host; ``None`` where they gave no answer, which counts as no for now.
    """

    def __init__(
        self,
        trust_setting: Literal["ask", "always", "never"],
        store: ConsentStore,
        root: Path,
        ask: Callable[[str], bool | None],
    ) -> None:
        self._trust_setting = trust_setting
        self._store = store
        self._root = root
        self._ask = ask
        self._asking = threading.Lock()

    def __call__(self, host: str) -> bool:
        """The user's decision about a host."""
        with self._asking:
            decided = decide_consent(self._trust_setting, self._store, self._root, host)
            if decided is None:
                decided = self._ask(host)
                if decided is not None:
                    self._store.remember(self._root, host, decided)
            return bool(decided)


def nobody_to_ask(host: str) -> bool | None:  # noqa: ARG001 - the answer is the same for all
    """For ``Consent`` where there is no user: what was not decided before is not agreed to."""
    return None


def _pair(root: Path, host: str) -> str:
    # No host has a blank, so no two pairs are written alike.
    return f"{host.lower()} {_key(root)}"


def _unconfined(root: Path) -> str:
    # No root, being absolute, begins like this.
    return f"unconfined {_key(root)}"


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
