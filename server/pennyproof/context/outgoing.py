"""The one way out: every text that is sent to a model passes through here."""

from pathlib import Path


def outgoing(text: str, root: Path) -> str:
    """The text as it may leave the machine: without the paths that tell whose machine it is.

    Args:
        text: What is to be sent.
        root: The workspace folder; paths in it become relative to it.
    """
    text = text.replace(f"{root}/", "")
    home = str(Path.home())
    return text.replace(f"{home}/", "~/") if len(home) > 1 else text
