"""A program in a terminal, driven by keys, read as text: tmux, with a socket of its own."""

import itertools
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

PATIENCE = 120.0
"""Seconds to wait for what is to be seen: long, because machines are slow; never a measurement."""
_LOOK = 0.1
_AGAIN = 5.0
"""Seconds after which keys are typed once more, where they may have come too early."""


class Screen:
    """What a terminal shows, and the keys it gets."""

    def __init__(self, tmux: Sequence[str]) -> None:
        self._tmux = tmux

    def text(self) -> str:
        """All lines that are shown now."""
        return subprocess.run([*self._tmux, "capture-pane", "-p"], capture_output=True, text=True, check=False).stdout

    def colours(self) -> str:
        """The same with its escape sequences, for a picture."""
        taken = [*self._tmux, "capture-pane", "-p", "-e", "-N"]
        return subprocess.run(taken, capture_output=True, text=True, check=False).stdout

    def keys(self, *keys: str) -> None:
        """Type keys by tmux's names, such as ``Enter`` and ``C-x``."""
        subprocess.run([*self._tmux, "send-keys", *keys], check=True)

    def type(self, text: str) -> None:
        """Type text as it is."""
        subprocess.run([*self._tmux, "send-keys", "-l", "--", text], check=True)

    def until(self, condition: str | Callable[[str], bool], *keys: str) -> str:
        """Wait for something to be seen, and return the screen; type keys at once, and again while it is not.

        Raises:
            AssertionError: It was not seen; the message is what was.
        """
        seen = condition if callable(condition) else lambda text: condition in text
        deadline = time.monotonic() + PATIENCE
        for turn in itertools.count():
            if seen(text := self.text()):
                return text
            assert time.monotonic() < deadline, f"{condition!r} was not seen, but\n{text}"
            if keys and turn % (_AGAIN / _LOOK) == 0:
                self.keys(*keys)
            time.sleep(_LOOK)
        raise AssertionError


@contextmanager
def screen(
    command: Sequence[str],
    folder: Path,
    environ: Mapping[str, str],
    *,
    socket: Path,
    columns: int = 120,
    lines: int = 36,
) -> Iterator[Screen]:
    """Run a program in a terminal as long as the block lasts.

    Args:
        command: The program and its arguments.
        folder: Where it is started.
        environ: All of its environment; TERM is added.
        socket: A path for tmux's socket; short, since sockets have no long names.
        columns: The terminal's width, in characters.
        lines: Its height.
    """
    tmux = ["tmux", "-S", str(socket), "-f", "/dev/null"]
    size = ["-x", str(columns), "-y", str(lines), "-c", str(folder)]
    known = {**environ, "TERM": "xterm-256color", "LANG": "C.UTF-8", "LC_ALL": "C.UTF-8"}
    settings = [
        "set-option",
        "-g",
        "default-terminal",
        "tmux-256color",
        ";",
        "set-option",
        "-g",
        "escape-time",
        "0",
        ";",
    ]
    subprocess.run([*tmux, *settings, "new-session", "-d", *size, *command], env=known, check=True)
    try:
        yield Screen(tmux)
    finally:
        subprocess.run([*tmux, "kill-server"], check=False, capture_output=True)
