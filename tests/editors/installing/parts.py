"""The parts, each got beside the others, once Debian's packages of the machine's own release are there."""

import hashlib
import inspect
import shutil
import textwrap
from collections.abc import Callable
from pathlib import Path

from tests.editors.installing import home, tools
from tests.editors.installing.tools import npm, run, write

MACHINE = (
    *("bubblewrap", "debootstrap", "patchelf", "tmux"),
    *("chromium", "fonts-dejavu-core", "g++", "libkrb5-dev", "make", "python3"),
    *("vim", "vim-ale"),
)
"""Packages of the machine's own release."""
_RELEASE = "forky"
_LOADER = "lib64/ld-linux-x86-64.so.2"
_LIBRARIES = "usr/lib/x86_64-linux-gnu"
_BESIDE = ("neovim", "emacs-nox", "hx", "elpa-lsp-mode", "elpa-package-lint", "lua-check")
_HERE = Path(__file__).parent


def terminal() -> None:
    """Neovim, Emacs, Helix, and what lints their languages."""
    release = home() / _RELEASE
    shutil.rmtree(release, ignore_errors=True)
    # An older debootstrap does not know the release by name; all of them are made like `sid`.
    where = [_RELEASE, str(release), tools.mirror(), "sid"]
    run(["debootstrap", "--variant=minbase", f"--include={','.join(_BESIDE)}", *where], root=True)
    write("nvim", _neovim(release))
    write("hx", _loaded("../lib/hx/hx", HELIX_RUNTIME="usr/lib/hx/runtime"))
    write("emacs", _emacs(release))
    write("luacheck", _luacheck())


def vscode() -> None:
    """code-server, and a browser for it."""
    node = npm("node", "node@24") / "node"
    # Native modules are built with the headers that the same package brings, wherever npm has put them. The server has
    # a folder of its own, since npm would take them away from under it: no package names them as a dependency.
    headers = next(node.glob("**/include/node/common.gypi")).parents[2]
    environ = {"PATH": f"{node / 'bin'}:{tools.path()}", "npm_config_nodedir": str(headers)}
    entry = npm("code-server", "code-server@4.139.1", environ=environ) / "code-server/out/node/entry.js"
    write("code-server", f'exec "{node}/bin/node" "{entry}" "$@"')
    write("chromium", 'exec /usr/bin/chromium "$@"')


def extension() -> None:
    """What the extension for VS Code is built, typed and linted with."""
    run(["npm", "install", "--no-audit", "--no-fund", "--loglevel=error", "--prefix", str(EXTENSION)])


def stylua() -> None:
    """The formatter of Neovim's client."""
    folder = npm("stylua", "@johnnymorganz/stylua@2.5.2").parent
    script = shutil.copy(_HERE / "stylua.cjs", folder)
    write("stylua", f'exec node "{script}" "$@"')


def vim() -> None:
    """Vim as this machine's release has it, with ALE."""
    write("vim", 'exec /usr/bin/vim "$@"')


EXTENSION = _HERE.parents[2] / "editors" / "vscode"
PARTS: dict[str, Callable[[], None]] = {
    "terminal": terminal,
    "vscode": vscode,
    "extension": extension,
    "stylua": stylua,
    "vim": vim,
}
"""Part → how it is got."""


def is_there(name: str) -> bool:
    """Whether a part that was got is still there, as far as others may have taken it away."""
    return name != "extension" or (EXTENSION / "node_modules").is_dir()


def way(name: str) -> str:
    """What a part depends on; where that is another than when it was got, it has to be got anew."""
    texts = [inspect.getsource(inspect.getmodule(PARTS[name]) or PARTS[name])]
    if name == "extension":
        texts += [str(EXTENSION), (EXTENSION / "package.json").read_text("utf-8")]
    return hashlib.sha256("\n".join(texts).encode()).hexdigest()


def _loaded(program: str, options: str = "", **environ: str) -> str:
    """Start a program of the other release with that release's own libraries; what it starts is this machine's."""
    release = home() / _RELEASE
    exports = "".join(f'export {name}="{release / value}"\n' for name, value in environ.items())
    loader = f'"{release / _LOADER}" --library-path "{release / _LIBRARIES}"'
    return f'{exports}exec {loader} "{release}/usr/bin/{program}" {options} "$@"'


def _neovim(release: Path) -> str:
    """In a terminal it starts itself once more, by the path of its executable, which must therefore be no loader."""
    program, libraries = release / "usr/bin/nvim", release / _LIBRARIES
    loader = ["--set-interpreter", str(release / _LOADER), "--force-rpath", "--set-rpath", str(libraries)]
    run(["patchelf", *loader, str(program)], root=True)
    runtime = f'export VIMRUNTIME="{release}/usr/share/nvim/runtime"'
    return f'{runtime}\nexec "{program}" --cmd "set runtimepath+={release}/usr/lib/nvim" "$@"'


def _emacs(release: Path) -> str:
    (share,) = (release / "usr/share/emacs").glob("[0-9]*")
    (dump,) = (release / "usr/libexec/emacs" / share.name).glob("*/*.pdmp")
    below = share.relative_to(release)
    return _loaded(
        "emacs-nox",
        f'"--dump-file={dump}"',
        EMACSLOADPATH=f"{below}/lisp",
        EMACSDATA=f"{below}/etc",
        EMACSDOC=f"{below}/etc",
        EMACSPATH=str(dump.parent.relative_to(release)),
    )


def _luacheck() -> str:
    release = home() / _RELEASE
    return textwrap.dedent(
        f"""\
        export LUA_PATH="{release}/usr/share/lua/5.1/?.lua;{release}/usr/share/lua/5.1/?/init.lua"
        export LUA_CPATH="{release}/{_LIBRARIES}/lua/5.1/?.so"
        exec "{release / _LOADER}" --library-path "{release / _LIBRARIES}" "{release}/usr/bin/lua5.1" \\
            "{release}/usr/bin/luacheck" "$@" """
    ).rstrip()
