"""Settings for editors, ready to paste: the files of ``editors/``, which an installed package brings along."""

from dataclasses import dataclass
from pathlib import Path

_INSTALLED = Path(__file__).with_name("editor_settings")
_CHECKOUT = Path(__file__).parents[3] / "editors"


@dataclass(frozen=True, slots=True)
class EditorHint:
    """How one editor comes to start the server."""

    where: str
    """Where the settings go."""
    file: str
    """The file that has them, below ``editors/``."""

    @property
    def settings(self) -> str:
        """The text to paste."""
        folder = _INSTALLED if _INSTALLED.is_dir() else _CHECKOUT
        return (folder / self.file).read_text("utf-8")


EDITORS = {
    "neovim": EditorHint("init.lua, Neovim 0.11 or newer", "neovim/init.lua"),
    "helix": EditorHint(
        "languages.toml in Helix's configuration folder; name the servers you use already as well",
        "helix/languages.toml",
    ),
    "emacs": EditorHint("init.el, Emacs 29 or newer; then M-x eglot in a Python buffer", "emacs/init.el"),
    "vscode": EditorHint(
        "settings.json, with the extension that `make vscode` packages from editors/vscode", "vscode/settings.json"
    ),
    "kate": EditorHint("Settings > Configure Kate > LSP Client > User Server Settings", "kate/servers.json"),
    "sublime": EditorHint(
        "Preferences > Package Settings > LSP > Settings, with the package LSP", "sublime/LSP.sublime-settings"
    ),
}
"""Editor → how to set it up."""
