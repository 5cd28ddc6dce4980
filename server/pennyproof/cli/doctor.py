"""``pennyproof doctor``: what works here, and what to do about the rest."""

import argparse
import os
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import asdict
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from pennyproof.cli.checks import Check, State
from pennyproof.cli.editor_checks import examine_editor
from pennyproof.cli.editors import EDITORS
from pennyproof.cli.model_checks import examine_models
from pennyproof.cli.output import Style, print_json, styled
from pennyproof.cli.prompts import prompt_at
from pennyproof.cli.root import add_root, existing_folder, is_trusted
from pennyproof.errors import EnvironmentProblem
from pennyproof.proof.environment import probe
from pennyproof.proof.interpreter import Interpreter, find_interpreter
from pennyproof.proof.sandbox import Sandbox, find_sandbox, has_none, named
from pennyproof.proof.sandbox.protections import protections
from pennyproof.settings import Settings, load, state_directory

_UNFORKED = (
    "each run starts Python anew, since no process can be forked; this way is tested on Linux alone, and was never "
    "tried on Windows itself"
)
_MARKS = {State.OK: ("✓", Style.GREEN), State.NOTE: ("-", Style.YELLOW), State.PROBLEM: ("✗", Style.RED)}


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of ``doctor``."""
    parser.add_argument(
        "--editor",
        choices=sorted(EDITORS),
        metavar="NAME",
        help=f"check its set-up, and print settings to paste: {', '.join(EDITORS)}",
    )
    parser.add_argument(
        "--offline", action="store_true", help="do not ask the model's host for its list of models, which sends no code"
    )
    parser.add_argument("--show-prompt", metavar="FILE:LINE", help="print what a completion there would send")
    add_root(parser)
    parser.add_argument("--json", action="store_true", help="print one JSON document")


def run(options: argparse.Namespace) -> int:
    """Print what was found; 2 when tests cannot be run here, or a model that has a key cannot be used."""
    root = existing_folder(options.root)
    loaded = load(root, environ=os.environ)
    checks = list(examine(root, loaded.settings, os.environ))
    checks += examine_models(root, loaded.settings, os.environ, online=not options.offline)
    checks += [Check("settings", State.NOTE, warning) for warning in loaded.warnings]
    prompt = prompt_at(root, loaded.settings, options.show_prompt) if options.show_prompt else None
    hint = EDITORS[options.editor] if options.editor else None
    if hint:
        checks += examine_editor(hint, root, loaded.settings.model, os.environ)
    if options.json:
        editor = {"name": options.editor, "where": hint.where, "settings": hint.settings} if hint else None
        told = prompt.as_json() if prompt else None
        print_json({"root": str(root), "checks": [asdict(check) for check in checks], "editor": editor, "prompt": told})
    else:
        _show(root, checks)
        if prompt:
            print(f"\n{prompt}")
        elif hint:
            print(f"\n{styled(hint.where, Style.BOLD)}\n\n{hint.settings}", end="")
        else:
            print(f"\nSettings for your editor: pennyproof doctor --editor {'|'.join(EDITORS)}")
    return 2 if any(check.state is State.PROBLEM for check in checks) else 0


def examine(root: Path, settings: Settings, environ: Mapping[str, str]) -> Iterator[Check]:
    """Look at everything that running tests needs, without running any code of an untrusted project."""
    trusted, kind = is_trusted(root, settings), settings.proof.sandbox
    unconfined = has_none(kind)
    interpreter = sandbox = None
    try:
        interpreter = find_interpreter(root, settings.tests.python, environ)
        yield Check("interpreter", State.OK, f"{interpreter.executable}, from {interpreter.origin}")
    except EnvironmentProblem as error:
        yield Check("interpreter", State.PROBLEM, str(error))
    try:
        sandbox = find_sandbox("off" if unconfined else kind)
        yield _sandbox_check(sandbox, unconfined)
        yield from _protection_checks(sandbox, kind)
        if not sandbox.forks:
            yield Check("speed", State.NOTE, _UNFORKED)
    except EnvironmentProblem as error:
        yield Check("sandbox", State.PROBLEM, str(error))
    yield _trust_check(root, trusted, unconfined)
    if interpreter and sandbox:
        yield _pytest_check(sandbox, interpreter, root, trusted)
    yield _state_check(state_directory(environ))
    yield _ruff_check()
    git = shutil.which("git", path=environ.get("PATH"))
    yield Check("git", State.OK if git else State.NOTE, git or "not found: explanations go without recent changes")
    yield Check("workers", State.OK, str(settings.proof.workers))
    if settings.proof.executor != "local":
        yield _cluster_check(settings.proof.executor)


def _cluster_check(executor: str) -> Check:
    from pennyproof.proof.crew import connect  # noqa: PLC0415 - few have a cluster

    try:
        crew = connect(executor)
    except EnvironmentProblem as problem:
        return Check("cluster", State.NOTE, f"{executor}: {problem}; proofs are made here")
    try:
        what = f"{executor} has workers for {crew.threads} proofs at a time"
        return Check("cluster", State.OK if crew.threads else State.NOTE, what)
    finally:
        crew.shutdown()


def _sandbox_check(sandbox: Sandbox, unconfined: bool) -> Check:
    if unconfined:
        what = f"there is none for {named()}, and nothing protects: tests run with all your rights, if you agree"
        return Check("sandbox", State.NOTE, what)
    if sandbox.kind == "off":
        return Check("sandbox", State.NOTE, "off, as proof.sandbox says: tests run with all your rights")
    return Check("sandbox", State.OK, sandbox.kind)


def _protection_checks(sandbox: Sandbox, wanted: str) -> Iterator[Check]:
    """What the sandbox protects, and why there is no stronger one."""
    for protection in protections(sandbox.kind, limits=sandbox.forks):
        state = State.OK if protection.whole else State.NOTE
        yield Check(protection.what, state, protection.how)
    if wanted == "auto" and sandbox.kind == "landlock":
        try:
            find_sandbox("bubblewrap")
        except EnvironmentProblem as error:
            yield Check("bubblewrap", State.NOTE, str(error))


def _trust_check(root: Path, trusted: bool | None, unconfined: bool) -> Check:
    if trusted and unconfined:
        return Check("trust", State.NOTE, f"you agreed that code of {root} runs unprotected")
    if trusted:
        return Check("trust", State.OK, f"code of {root} may run")
    if trusted is None:
        return Check("trust", State.NOTE, "you will be asked before code of this folder runs")
    return Check("trust", State.NOTE, "you said no: nothing of this folder runs; PENNYPROOF_TRUST=always says yes")


def _pytest_check(sandbox: Sandbox, interpreter: Interpreter, root: Path, trusted: bool | None) -> Check:
    if not trusted:
        return Check("pytest", State.NOTE, "not looked at, since that runs the project's interpreter")
    try:
        environment = probe(sandbox, interpreter, root)
    except EnvironmentProblem as error:
        return Check("pytest", State.PROBLEM, str(error))
    python = ".".join(map(str, environment.version))
    return Check("pytest", State.OK, f"{environment.pytest} on Python {python}")


def _state_check(folder: Path) -> Check:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            return Check("state", State.OK, str(folder))
    except OSError as error:
        why = (
            f"{folder} is not writable ({error.strerror}): nothing is remembered; set PENNYPROOF_HOME to another folder"
        )
        return Check("state", State.NOTE, why)


def _ruff_check() -> Check:
    try:
        return Check("ruff", State.OK, version("ruff"))
    except PackageNotFoundError:
        return Check("ruff", State.PROBLEM, "not installed beside pennyproof: install pennyproof again")


def _show(root: Path, checks: list[Check]) -> None:
    print(styled(str(root), Style.BOLD))
    for check in checks:
        mark, style = _MARKS[check.state]
        print(f"  {styled(mark, style)} {check.name:<12} {check.detail}")
