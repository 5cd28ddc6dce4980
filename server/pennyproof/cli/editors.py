"""The editors that Pennyproof has settings for: the files of ``editors/``, which an installed package brings along."""

from dataclasses import dataclass
from pathlib import Path

_INSTALLED = Path(__file__).with_name("editor_settings")
_CHECKOUT = Path(__file__).parents[3] / "editors"


@dataclass(frozen=True, slots=True)
class Program:
    """What has to be installed."""

    names: tuple[str, ...]
    """Under one of these it is in the PATH."""
    oldest: tuple[int, ...] = ()
    """The first version that will do; empty where it is not asked for its version."""


@dataclass(frozen=True, slots=True)
class EditorHint:
    """How one editor comes to start the server."""

    where: str
    """Where the settings go."""
    file: str
    """The file that has them, below ``editors/``."""
    programs: tuple[Program, ...]
    """The editor, and what it needs beside it."""
    places: tuple[str, ...]
    """Patterns of files that speak of Pennyproof once it is set up, or that are named after it. They begin with
    ``{home}``, ``{config}``, ``{data}``, ``{application}`` or ``{root}``; see ``editor_checks``."""
    graphical: bool = True
    """Often started from the desktop, so that it does not know the variables of a shell."""
    brings_server: bool = False
    """Needs no ``pennyproof`` in the PATH."""

    @property
    def settings(self) -> str:
        """The text to paste."""
        folder = _INSTALLED if _INSTALLED.is_dir() else _CHECKOUT
        return (folder / self.file).read_text("utf-8")


EDITORS = {
    "neovim": EditorHint(
        "init.lua, Neovim 0.11 or newer",
        "neovim/init.lua",
        (Program(("nvim",), (0, 11)),),
        (
            "{config}/nvim/*.vim",
            "{config}/nvim/**/*.lua",
            "{data}/nvim/lazy/*pennyproof*",
            "{data}/nvim/site/pack/*/*/*pennyproof*",
        ),
    ),
    "helix": EditorHint(
        "languages.toml in Helix's configuration folder; name the servers you use already as well",
        "helix/languages.toml",
        (Program(("hx", "helix"), (25, 1)),),
        ("{config}/helix/languages.toml", "{application}/helix/languages.toml", "{root}/.helix/languages.toml"),
        graphical=False,
    ),
    "emacs": EditorHint(
        "init.el, Emacs 29 or newer; then M-x eglot in a Python buffer",
        "emacs/init.el",
        (Program(("emacs",), (29,)),),
        (
            "{home}/.emacs",
            "{home}/.emacs.el",
            "{home}/.emacs.d/*.el",
            "{config}/emacs/*.el",
            "{config}/doom/*.el",
            "{home}/.doom.d/*.el",
            "{home}/.spacemacs",
        ),
    ),
    "vscode": EditorHint(
        "settings.json, with the extension that `make vscode` packages from editors/vscode",
        "vscode/settings.json",
        (Program(("code", "code-server", "codium", "code-insiders"), (1, 91)),),
        (
            "{home}/.vscode/extensions/*pennyproof*",
            "{home}/.vscode-oss/extensions/*pennyproof*",
            "{home}/.vscode-insiders/extensions/*pennyproof*",
            "{home}/.vscode-server/extensions/*pennyproof*",
            "{data}/code-server/extensions/*pennyproof*",
        ),
        brings_server=True,
    ),
    "vim": EditorHint(
        "coc-settings.json, which :CocConfig opens, with coc.nvim (for ALE: editors/vim/ale.vim)",
        "vim/coc-settings.json",
        (Program(("vim",), (8,)), Program(("node",), (16, 18))),
        (
            "{home}/.vim/coc-settings.json",
            "{config}/vim/coc-settings.json",
            "{config}/nvim/coc-settings.json",
            "{home}/.vimrc",
            "{home}/.vim/*.vim",
            "{home}/.vim/vimrc",
            "{home}/.vim/plugin/**/*.vim",
            "{config}/vim/vimrc",
        ),
        graphical=False,
    ),
    "kakoune": EditorHint(
        "kakrc, behind the line that loads kakoune-lsp 17 or newer",
        "kakoune/pennyproof.kak",
        (Program(("kak",), (2022,)), Program(("kak-lsp",), (17,))),
        ("{config}/kak/kakrc", "{config}/kak/autoload/**/*.kak", "{config}/kak-lsp/kak-lsp.toml"),
        graphical=False,
    ),
    "kate": EditorHint(
        "Settings > Configure Kate > LSP Client > User Server Settings",
        "kate/servers.json",
        (Program(("kate",)),),
        ("{config}/kate/lspclient/settings.json", "{application}/kate/lspclient/settings.json"),
    ),
    "sublime": EditorHint(
        "Preferences > Package Settings > LSP > Settings, with the package LSP",
        "sublime/LSP.sublime-settings",
        (Program(("subl", "sublime_text"), (4107,)),),
        (
            "{config}/sublime-text/Packages/User/LSP.sublime-settings",
            "{application}/Sublime Text/Packages/User/LSP.sublime-settings",
        ),
    ),
    "zed": EditorHint(
        "settings.json, which the command `zed: open settings` opens",
        "zed/settings.json",
        (Program(("zed", "zeditor", "zedit")),),
        ("{config}/zed/settings.json", "{application}/Zed/settings.json"),
    ),
    "jetbrains": EditorHint(
        "template.json in a folder of its own, to be imported as a new language server, with the plugin LSP4IJ",
        "jetbrains/template.json",
        (Program(("pycharm", "charm", "pycharm-professional", "pycharm-community", "idea")),),
        ("{application}/JetBrains/*/options/UserDefinedLanguageServerSettings.xml",),
    ),
}
"""Editor → how to set it up."""
