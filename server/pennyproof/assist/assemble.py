"""Joins the parts into a Project: the one place that knows the prover as well as the tiers."""

import os
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from pennyproof.assist.ports import CandidateSource, Prover
from pennyproof.assist.project import Project
from pennyproof.assist.trust import Consent, ConsentStore, nobody_to_ask
from pennyproof.errors import NoInterpreter
from pennyproof.settings import Settings, state_directory

if TYPE_CHECKING:
    from pennyproof.assist.complete import Completer
    from pennyproof.context.ignored import Ignored
    from pennyproof.tiers.hosted.models import Models


def build_project(
    root: Path,
    settings: Settings,
    trusted: bool,
    *,
    environ: Mapping[str, str] = os.environ,
    ask_consent: Callable[[str], bool | None] = nobody_to_ask,
    on_spent: Callable[[], None] = lambda: None,
) -> Project:
    """A workspace folder, ready to be asked; nothing is started before the first need.

    Args:
        root: The workspace folder.
        settings: What holds for it.
        trusted: Whether project code may run; ``Project.trusted`` may be changed later.
        environ: Tells where the state directory is, which environment is active, and the keys of hosted models.
        ask_consent: Asks the user whether code may be sent to a host; ``None``: no answer.
        on_spent: Called after every call of a hosted model, on the thread that made it.
    """

    def libraries() -> Sequence[Path]:
        from pennyproof.assist.explain.libraries import search_paths  # noqa: PLC0415
        from pennyproof.proof.interpreter import find_interpreter  # noqa: PLC0415

        try:
            return search_paths(find_interpreter(root, settings.tests.python, environ).prefixes)
        except NoInterpreter:
            return ()  # An explanation does without the libraries' own documentation then.

    def tiers() -> Sequence[CandidateSource]:
        from pennyproof.tiers.free.repair import FreeTier  # noqa: PLC0415

        return (FreeTier(),)

    def models() -> "Models":
        from pennyproof.tiers.hosted.models import Models  # noqa: PLC0415

        state = state_directory(environ)
        consent = Consent(settings.trust, ConsentStore(state), root, ask_consent)
        return Models(settings, root, state, environ, consent, on_spent)

    @cache
    def ignored() -> "Ignored":
        from pennyproof.context.ignored import Ignored  # noqa: PLC0415

        return Ignored(root, settings.context.ignore)

    def completer() -> "Completer":
        from pennyproof.assist.complete import Completer  # noqa: PLC0415
        from pennyproof.proof.static import StaticGates  # noqa: PLC0415

        gates = None if settings.completion.proof == "off" else StaticGates()
        if gates is not None:
            gates.warm()
        return Completer(ignored(), gates, settings.completion.multiline)

    def hidden(path: str) -> bool:
        return ignored()(path)

    return Project(
        root,
        lambda root: _make_prover(root, settings, state_directory(environ)),
        tiers,
        trusted=trusted,
        libraries=libraries,
        models=models,
        completer=completer,
        hidden=hidden,
    )


def _make_prover(root: Path, settings: Settings, state: Path) -> Prover:
    # Imported at the first need: a server that only starts, or explains itself, does not wait for them.
    from pennyproof.proof.options import ProofOptions  # noqa: PLC0415
    from pennyproof.proof.prover import Prover as TestProver  # noqa: PLC0415
    from pennyproof.proof.sandbox import has_none  # noqa: PLC0415

    sandbox = settings.proof.sandbox
    options = ProofOptions(
        # Only who agreed to run tests without one has a prover where there is none.
        sandbox="off" if has_none(sandbox) else sandbox,
        workers=settings.proof.workers,
        python=settings.tests.python,
        args=settings.tests.args,
        timeout_seconds=settings.tests.timeout_seconds,
    )
    here, executor = TestProver(root, options, state), settings.proof.executor
    if executor == "local":
        return here
    from pennyproof.proof.crew import connect  # noqa: PLC0415
    from pennyproof.proof.fanout import FanOut  # noqa: PLC0415

    return FanOut(here, options, f"proof.executor {executor}", lambda: connect(executor))
