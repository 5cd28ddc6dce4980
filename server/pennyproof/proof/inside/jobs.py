"""The jobs that a child can be asked to do, and the one place that says what goes in and what comes out.

A job is called as ``JOBS[name](params, context)`` in an isolated child whose working directory is ``context.root`` and
whose descriptors 0, 1 and 2 are no part of the wire. This folder must have been imported as a package (of any name):
its modules import one another relatively, and a bare ``trace`` or ``run`` on ``sys.path`` would shadow the project's.
``prepare()``, called once before forking, imports pytest and remembers what it is made of; jobs do it when nobody did.
The caller ends the process by ``os._exit``: atexit handlers and threads of the project have no say in a result.

Types: ``Path`` is relative to the root, with forward slashes (absolute for files outside); ``Id`` is a test id as
pytest prints it; lines count from one.

``run``: run tests under the project's own configuration; returns its result.
    params (all optional)
        ids: [Id] | null
            null: all. A file, folder, class or unparametrised function selects what is in it. Asked ids run even where
            ``-k``, ``-m``, ``--lf`` or the like in the configuration would leave them out.
        as_configured: bool
            Leave out of the asked ids, too, what the configuration leaves out.
        args: [str]
            Further arguments for pytest (``tests.args``).
        trace: null | "functions" | "lines"
        watch: {Path: [line]} | null
            Lines of which to tell whether they ran; ``trace`` is then left out.
        within: {Path: {lines: [line, line], header: [line, line], rest: [time, size] | null}}
            For a watched file, if known: the first line of the definition that holds all watched lines, and the line
            of what follows it. It lies at the top level, or in a class there: ``header`` are the first line of the
            class and the one of its first statement, else equal. ``rest``: bytecode with this stamp has the code of all
            that lies outside the definition's body.
        uncounted: [Id]
            Flaky tests: with ``watch``, what they run counts as if they had not passed.
        locals: bool
            Record the locals of project frames of failures.
        changed: {Path: [str]}
            With a candidate: the files that come with the run, and the ways into the interpreter that each may go; any
            other ends the run (``guard``).
        maxfail: int
            Stop after so many failures; 0: never.
        each: float | null
            Seconds that one test may take. One that takes longer is interrupted: it ``failed``, the ``kind`` of the
            failure is "Timeout", and the next one runs. One that cannot be interrupted ends the process.
        patience: float | null
            Seconds that all tests that are interrupted may take together; later ones get a tenth of ``each``.
        gently: bool
            Give way to whatever else wants the processor.
        collecting: float | null
            Seconds that loading conftest files, and collecting each file, may take.
    result
        collected: [Id]
            What was selected to run, in order; also what then did not run.
        unknown: [Id]
            Asked for and not collected.
        outcomes: [{id, outcome, seconds, path, line, failure}]
            Tests that finished, in order. ``outcome``: passed | failed | error | skipped | xfailed | xpassed; passed
            only if setup, call and teardown all were seen to pass.
            failure: null | {kind, message, text, frames}, frames outermost first:
            [{path, line, function, in_project, variables: [[name, repr]]}]
        errors: [{path, message, line}]
            Files that could not be collected; with path "" what kept pytest from starting or made it stop.
        coverage: {Id: {Path: [line]}}
            With ``trace``: project code that ran in setup, call and teardown, fixtures of wider scope included for
            every test that uses them. "functions": the first lines (that of a decorator, if any) of functions called;
            "lines": these and all lines run. Code that runs at import belongs to no test.
        watched: {Path: [line]}
            With ``watch``: lines run in at least one test that passed. A line counts as run when any part of its own
            statement did; the header of a function, and comments in it, when the function was called.
        watched_by: [Id]
            The tests, of any outcome, that ran at least one of them.
        watched_at_import: {Path: [line]}
            Those that ran outside of any test.
        touched: {Id: [Path]}
            With ``trace: functions``: project sources that were opened by other means than imports while the test
            ran; "" where it started a process, in which what runs is not seen.
        opened: {Path: [Path]}
            Likewise: other files of the project that were opened, and the sources whose code, the innermost of the
            project, did; "" where there was none.
        at_import: {Path: [line]}
            Likewise: functions that ran before the first test; line 0: the source was opened. "" as above.
        loaded: [Path], early: [Path], unwatched: [Path]
            Likewise: files that were imported and watched; those of them that no test file was the first to import; and
            files that were imported and not watched, since pytest rewrites them.
        patched: [str]
            Sorted names of what is not (or no longer) pytest's, pluggy's or unittest's own: hook implementations of the
            project and of third parties, replaced functions, methods and modules. Compare with the baseline's: a new
            name is a rejection.
        exit: str
            ok | failures | interrupted | internal | usage | none (pytest's exit codes 0 to 5).
        pytest: str
            Its version.
        read: [str]
            The files of bytecode that were read and are not kept in memory yet (``held``).

``prime``: import the unchanged project, collect the targets once, and stay.
    params
        ids: [Id]
            The targets, which fail with the unchanged code.
        also: [Id]
            Further failing tests, tried with candidates that make the targets pass; ``behave`` may run them too
            (optional).
        guards: [Id]
            Passing tests that turn away candidates which make the targets pass and break one of these, the likeliest
            to notice damage first. Those that do not pass here with the unchanged code are left out (optional).
        closer: float
            Seconds that ``also``, and ``guards``, may take with a candidate (default 10).
        args: [str]
            As for ``run``.
        timeout: float
            Seconds that the targets may take with the unchanged code (default 10).
        hangs: bool
            The targets do not come to an end with the unchanged code: that they take longer is expected.
    answer to ``prime`` itself
        usable: bool
            false: the screen would mislead here; use ``run``. The child has gone.
        reason: str | null
            Why it is not usable.
        failing: [[Id, kind]]
            The targets as they fail now.
    requests that may follow, each answered once; the child ends when there are no more
        {"op": "screen", "files": {Path: text}, "ids": [Id] | null, "timeout": s, "all": bool}
            → {passed: [Id], failed: [[Id, kind]], fallback: bool, reason: str | null, seconds: float}
            Runs the targets (or ``ids`` of them) with the functions of ``files`` exchanged, up to the first that does
            not pass unless ``all``; where all do, ``guards`` and then ``also``. What ``guards`` turn away has passed
            nothing. ``fallback``: exchanging functions cannot make this change, and nothing ran. ``reason`` says why;
            or it is "timeout" or "crashed", or which guard objects.
        {"op": "screen_many", "candidates": [files…], "ids": …, "timeout": s, "deadline": s, "all": bool}
            → {results: [as for screen…]}
            In the order given; fewer when ``deadline`` seconds have passed.
        {"op": "behave", "candidates": [files…], "ids": [Id], "function": [Path, line] | null, "inputs": n,
         "timeout": s}
            → {behaviours: [[str…] | null…] | null, inputs: n}
            What the changed function (``function``: its path and a line in it; null: the one that the first candidate
            changes) returns for the arguments it gets in ``ids`` (targets or ``also``) and for inputs varied from them:
            the same inputs for all, one string each. null: could not be watched, as a whole or for that candidate.

``stand``: import the unchanged project, collect tests once, and stay.
    params
        ids: [Id]
            The tests.
        placed: [Path]
            The files that came with the request.
        each: float | null
            As for ``run``.
        args: [str]
            As for ``run``.
    answer to ``stand`` itself, and to each request that follows
        tests: [Id]
            What was collected (in the first answer only).
        stands: bool
            Whether there can be further requests; false where a run left files behind, which the next one would find.
        outcomes: [...], patched: [str]
            As for ``run``.
        reason: str | null
            Why nothing stands, in which case the child has gone; or why nothing ran: what cannot be exchanged, or
            "timeout" or "crashed".
    requests, until there are no more
        {"edits": {Path: [digest, first, last, [line]]}, "ids": [Id], "passing": [Id], "timeout": s}
            Runs tests in this order with lines from ``first`` up to ``last`` (from zero) exchanged in files whose text,
            line ends aside, has this digest; up to the first of ``passing`` that does not pass.

``wait``: begin a run of tests, and wait before anything is looked at that may be in one of the files to come.
    params
        awaited: [Path]
            These files; they exist, and so they will.
        ids, as_configured, args, each
            As for ``run``.
    answer to ``wait`` itself
        It has the status "waiting". Else nothing waits: the tests do not look at these files, or there is no telling.
    the one request that may follow
        {"files": {Path: base64}, "changed": …, "watch": …, "within": …, "uncounted": …}
            → as for ``run``

``probe``: see what can be done from in here; see there.
"""

from __future__ import annotations

from typing import Any, Callable, Dict, Optional

from . import held, integrity, probe, run, screen, sealed, session, standing, waiting
from .wire import Context

Job = Callable[[Dict[str, Any], Context], Optional[Dict[str, Any]]]

JOBS: Dict[str, Job] = {
    "run": session.Job(run.Run),
    "prime": session.Job(screen.Priming),
    "stand": session.Job(standing.Standing),
    "wait": session.Job(waiting.Waiting),
    "probe": probe.probe,
}


def prepare() -> None:
    """Import pytest and remember what it is made of, before anything of the project runs.

    Raises:
        ImportError: The interpreter has no pytest, or one that does not work.
    """
    held.HELD.install()
    sealed.prepare()
    integrity.original()
