"""Settings for editors, ready to paste."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class EditorHint:
    """How one editor comes to start the server."""

    where: str
    """Where the settings go."""
    settings: str


EDITORS = {
    "neovim": EditorHint(
        "init.lua, Neovim 0.11 or newer",
        """\
vim.lsp.config("pennyproof", {
  cmd = { "pennyproof", "serve" },
  filetypes = { "python" },
  root_markers = { "pyproject.toml", "setup.py", "setup.cfg", ".git" },
})
vim.lsp.enable("pennyproof")
""",
    ),
    "helix": EditorHint(
        "languages.toml in Helix's configuration folder; name the servers you use already as well",
        """\
[language-server.pennyproof]
command = "pennyproof"
args = ["serve"]

[[language]]
name = "python"
language-servers = ["pennyproof", "ruff", "pylsp"]
""",
    ),
    "emacs": EditorHint(
        "init.el, Emacs 29 or newer; then M-x eglot in a Python buffer",
        """\
(with-eval-after-load 'eglot
  (add-to-list 'eglot-server-programs
               '((python-mode python-ts-mode) . ("pennyproof" "serve"))))
""",
    ),
    "vscode": EditorHint(
        'settings.json, with the extension "Generic LSP Client (v2)" (zsol.vscode-glspc)',
        """\
{
  "glspc.server.command": "pennyproof",
  "glspc.server.commandArguments": ["serve"],
  "glspc.server.languageId": ["python"]
}
""",
    ),
    "kate": EditorHint(
        "Settings > Configure Kate > LSP Client > User Server Settings",
        """\
{
  "servers": {
    "python": {
      "command": ["pennyproof", "serve"],
      "rootIndicationFileNames": ["pyproject.toml", "setup.py", ".git"],
      "highlightingModeRegex": "^Python$"
    }
  }
}
""",
    ),
    "sublime": EditorHint(
        "Preferences > Package Settings > LSP > Settings, with the package LSP",
        """\
{
  "clients": {
    "pennyproof": {
      "enabled": true,
      "command": ["pennyproof", "serve"],
      "selector": "source.python"
    }
  }
}
""",
    ),
}
"""Editor → how to set it up."""
