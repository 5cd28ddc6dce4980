"""Get the editors that the tests drive: ``python -m tests.editors.installing [NAME...]``, or ``make editors``.

What comes of it is a folder of programs to put first in the PATH, kept between runs in the user's cache, or in the
folder that ``PENNYPROOF_EDITORS`` names. A part that failed or was broken off is begun anew. The editors are those of
Debian's next release, beside the machine's own; VS Code is code-server, with the Node.js that npm has.
"""

import argparse
import fcntl
import functools
import hashlib
import inspect
import os
import shutil
import subprocess
import sys
import textwrap
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

_RELEASE = "forky"
_LOADER = "lib64/ld-linux-x86-64.so.2"
_LIBRARIES = "usr/lib/x86_64-linux-gnu"
_MACHINE = ("bubblewrap", "debootstrap", "patchelf", "tmux")
_BESIDE = ("neovim", "emacs-nox", "hx", "elpa-lsp-mode", "elpa-package-lint", "lua-check")
_VIM = ("vim", "vim-ale")
_BROWSER = ("chromium", "fonts-dejavu-core", "g++", "libkrb5-dev", "make", "python3")
_NODE = "node@24"
_STYLUA = "@johnnymorganz/stylua@2.5.2"
_CODE_SERVER = "code-server@4.139.1"


def home() -> Path:
    """The folder that has all of it."""
    given = os.environ.get("PENNYPROOF_EDITORS")
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    return Path(given) if given else cache / "pennyproof" / "editors"


def programs() -> Path:
    """The folder for the PATH."""
    return home() / "bin"


def terminal() -> None:
    """Neovim, Emacs, Helix, and what lints their languages."""
    _debian(_MACHINE)
    release = home() / _RELEASE
    shutil.rmtree(release, ignore_errors=True)
    # An older debootstrap does not know the release by name; all of them are made like `sid`.
    where = [_RELEASE, str(release), _mirror(), "sid"]
    _run(["debootstrap", "--variant=minbase", f"--include={','.join(_BESIDE)}", *where], root=True)
    _write("nvim", _neovim(release))
    _write("hx", _loaded("../lib/hx/hx", HELIX_RUNTIME="usr/lib/hx/runtime"))
    _write("emacs", _emacs(release))
    _write("luacheck", _luacheck())


def vscode() -> None:
    """code-server, and a browser for it."""
    _debian(_BROWSER)
    node = _npm("node", _NODE) / "node"
    # Native modules are built with the headers that the same package brings, wherever npm has put them. The server has
    # a folder of its own, since npm would take them away from under it: no package names them as a dependency.
    headers = next(node.glob("**/include/node/common.gypi")).parents[2]
    environ = {"PATH": f"{node / 'bin'}:{os.environ['PATH']}", "npm_config_nodedir": str(headers)}
    entry = _npm("code-server", _CODE_SERVER, environ) / "code-server/out/node/entry.js"
    _write("code-server", f'exec "{node}/bin/node" "{entry}" "$@"')
    _write("chromium", 'exec /usr/bin/chromium "$@"')


def stylua() -> None:
    """The formatter of Neovim's client."""
    folder = home() / "stylua"
    _run(["npm", "install", "--no-audit", "--no-fund", "--loglevel=error", "--prefix", str(folder), _STYLUA])
    script = shutil.copy(Path(__file__).with_name("stylua.cjs"), folder)
    _write("stylua", f'exec node "{script}" "$@"')


def vim() -> None:
    """Vim as this machine's release has it, with ALE."""
    _debian(_VIM)
    _write("vim", 'exec /usr/bin/vim "$@"')


PARTS: dict[str, Callable[[], None]] = {"terminal": terminal, "vim": vim, "vscode": vscode, "stylua": stylua}
"""Part → how it is got."""


def install(names: Sequence[str]) -> None:
    """Get parts that are not there, or were got another way.

    Raises:
        SystemExit: One cannot be had here.
    """
    programs().mkdir(parents=True, exist_ok=True)
    with _alone():
        for name in names:
            stamp = home() / f"{name}.ready"
            way = hashlib.sha256(inspect.getsource(sys.modules[__name__]).encode()).hexdigest()
            if stamp.exists() and stamp.read_text("utf-8") == way:
                continue
            stamp.unlink(missing_ok=True)
            began = time.monotonic()
            print(f"getting {name}: {inspect.getdoc(PARTS[name])}", file=sys.stderr)
            try:
                PARTS[name]()
            except (OSError, subprocess.CalledProcessError) as error:
                raise SystemExit(f"{name} cannot be had here: {error}") from error
            stamp.write_text(way, "utf-8")
            print(f"got {name} in {time.monotonic() - began:.0f} s", file=sys.stderr)


@contextmanager
def _alone() -> Iterator[None]:
    """Two runs beside one another would undo each other's work."""
    with (home() / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _npm(name: str, package: str, environ: dict[str, str] | None = None) -> Path:
    """A package of npm in a folder of its own, and the folder of what was installed."""
    folder = home() / name
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    _run(["npm", "install", "--no-audit", "--no-fund", "--loglevel=error", "--prefix", str(folder), package], environ)
    return folder / "node_modules"


def _debian(packages: Sequence[str]) -> None:
    told = subprocess.run(["dpkg-query", "-W", "-f", "${Package} ${db:Status-Status}\n", *packages],
                          capture_output=True, text=True, check=False).stdout  # fmt: skip
    there = {line.split()[0] for line in told.splitlines() if line.endswith(" installed")}
    missing = [package for package in packages if package not in there]
    if missing:
        _update()
        _run(["apt-get", "install", "-y", "-qq", "--no-install-recommends", *missing], root=True)


def _mirror() -> str:
    """Where the machine's own packages come from."""
    listed = ["apt-get", "indextargets", "--format", "$(SITE)", "Created-By: Packages"]
    return subprocess.run(listed, capture_output=True, text=True, check=True).stdout.split()[0]


@functools.cache
def _update() -> None:
    _run(["apt-get", "update", "-qq"], root=True)


def _run(command: Sequence[str], environ: dict[str, str] | None = None, *, root: bool = False) -> None:
    as_root = ["sudo"] if root and os.geteuid() != 0 else []
    more = {"DEBIAN_FRONTEND": "noninteractive"} if root else {}
    known = {**os.environ, **more, **(environ or {})}
    log = home() / "log"
    with log.open("ab") as output:
        ran = subprocess.run(
            [*as_root, *command], env=known, stdin=subprocess.DEVNULL, stdout=output, stderr=output, check=False
        )
    if ran.returncode:
        raise OSError(f"`{' '.join(command)}` failed; {log} says why")


def _write(name: str, script: str) -> None:
    path = programs() / name
    path.write_text(f"#!/bin/sh\n{script}\n", "utf-8")
    path.chmod(0o755)


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
    _run(["patchelf", *loader, str(program)], root=True)
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


def main() -> None:
    """Install what the command line names, or everything."""
    parser = argparse.ArgumentParser(description=inspect.getdoc(sys.modules[__name__]))
    parser.add_argument("names", nargs="*", choices=[[], *PARTS], metavar="NAME", help=f"of {', '.join(PARTS)}; all")
    install(parser.parse_args().names or list(PARTS))


if __name__ == "__main__":
    main()
