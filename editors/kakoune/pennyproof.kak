# Kakoune with kakoune-lsp 17 or newer: in kakrc, behind the line that loads kakoune-lsp.
# Settings: `settings_section = "_"`, and a table `[pennyproof.settings._]` with, say, `budget = { dailyUsd = 0.2 }`.
remove-hooks global lsp-filetype-python
hook -group lsp-filetype-python global BufSetOption filetype=python %{
    set-option buffer lsp_servers %{
        [pennyproof]
        command = "pennyproof"
        args = ["serve"]
        root_globs = ["pyproject.toml", "setup.py", "setup.cfg", ".git"]
    }
}
hook global WinSetOption filetype=python lsp-enable-window
map global user l ': enter-user-mode lsp<ret>' -docstring 'language server'
