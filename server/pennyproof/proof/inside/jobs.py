"""The jobs that a child can be asked to do, and the one place that says what goes in and what comes out.

A job is called as ``JOBS[name](params, context)`` in an isolated child whose working directory is ``context.root`` and
whose descriptors 0, 1 and 2 are no part of the wire. This folder must have been imported as a package (of any name):
its modules import one another relatively, and a bare ``trace`` or ``run`` on ``sys.path`` would shadow the project's.
``prepare()``, called once before forking, imports pytest and remembers what it is made of; jobs call it when nobody did.
The caller ends the process by ``os._exit``: atexit handlers and threads of the project have no say in a result.

Types: ``Path`` is relative to the root, with forward slashes (absolute for files outside); ``Id`` is a test id as pytest
prints it; lines count from one.

``run``: run tests under the project's own configuration; returns its result.
    params (all optional)
        ids: [Id] | null            null: all. A file, directory or class selects what is in it. Asked ids run even where
                                    ``-k``, ``-m``, ``--lf`` or the like in the configuration would leave them out.
        args: [str]                 further arguments for pytest (``tests.args``).
        trace: null | "functions" | "lines"
        watch: {Path: [line]}       lines of which to tell whether they ran; not together with ``trace``.
        locals: bool                record the locals of project frames of failures.
        maxfail: int                stop after so many failures; 0: never.
    result
        collected: [Id]             what was selected to run, in order; also what then did not run.
        unknown: [Id]               asked for and not collected.
        outcomes: [{id, outcome, seconds, path, line, failure}]
                                    tests that finished, in order. ``outcome``: passed | failed | error | skipped | xfailed
                                    | xpassed; passed only if setup, call and teardown all were seen to pass.
        failure: null | {kind, message, text, frames: [{path, line, function, in_project, variables: [[name, repr]]}]}
        errors: [{path, message, line}]
                                    files that could not be collected, and usage errors (path "").
        coverage: {Id: {Path: [line]}}
                                    with ``trace``: the first lines of functions ("functions", decorators included), or all
                                    lines ("lines"), of project code that ran in setup, call and teardown, fixtures of wider
                                    scope included for every test that uses them. Code that runs at import belongs to none.
        watched: {Path: [line]}     with ``watch``: those that ran in at least one test that passed.
        watched_by: [Id]            the tests, of any outcome, that ran at least one of them.
        watched_at_import: {Path: [line]}
                                    those that ran outside of any test.
        patched: [str]              sorted names of what is not (or no longer) pytest's, pluggy's or unittest's own: hook
                                    implementations of the project and of third parties, replaced functions, methods and
                                    modules. Compare with those of the baseline: a new name is a rejection.
        exit: str                   ok | failures | interrupted | internal | usage | none (pytest's exit codes 0 to 5)
        pytest: str                 its version.

``prime``: import the unchanged project, collect the targets once, and stay.
    params
        ids: [Id]                   the targets, which fail with the unchanged code.
        also: [Id]                  further tests that ``behave`` may run (optional).
        args: [str]                 as for ``run``.
        timeout: float              seconds that the targets may take with the unchanged code (default 10).
    answer to ``prime`` itself
        usable: bool                false: the screen would mislead here; use ``run``. The child has gone.
        reason: str | null          why it is not usable.
        failing: [[Id, kind]]       the targets as they fail now.
    then any number of requests, each answered once; the child ends when there are no more:
    {"op": "screen", "files": {Path: text}, "ids": [Id] | null, "timeout": s, "all": bool}
        → {passed: [Id], failed: [[Id, kind]], fallback: bool, reason: str | null, seconds: float}
        Runs the targets (or ``ids`` of them) with the functions of ``files`` exchanged, up to the first that does not pass
        unless ``all``. ``fallback``: this change cannot be had by exchanging functions; nothing ran. ``reason`` says why, or is
        "timeout" or "crashed".
    {"op": "screen_many", "candidates": [files…], "ids": [Id] | null, "timeout": s, "deadline": s, "all": bool}
        → {results: [as for screen…]}, in the order given; fewer when ``deadline`` seconds have passed.
    {"op": "behave", "candidates": [files…], "ids": [Id], "function": [Path, line] | null, "inputs": n, "timeout": s}
        → {behaviours: [[str…] | null…] | null, inputs: n}
        What the changed function (``function``: the path and a line of it; null: the one the candidates change) returns for
        the arguments it gets in ``ids`` (targets or ``also``) and for inputs varied from them: the same inputs for all, one string
        each. null: could not be watched, as a whole or for that candidate.
"""

from __future__ import annotations

from typing import Any, Callable, Dict, Optional

from . import integrity, run, screen
from .wire import Context

Job = Callable[[Dict[str, Any], Context], Optional[Dict[str, Any]]]

JOBS: Dict[str, Job] = {"run": run.run_tests, "prime": screen.prime}


def prepare() -> None:
    """Import pytest and remember what it is made of, before anything of the project runs.

    Raises:
        ImportError: The interpreter has no pytest, or one that does not work.
    """
    integrity.original()
