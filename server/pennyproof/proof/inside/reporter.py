"""What each test did, as seen by three witnesses who have to agree before a test counts as passed.

The nearest stands directly around the test function and sees what it raises before any code that could have been
changed. The second stands around setup, call and teardown. The third is pytest's report. What they saw is kept in
closures, and what judges is compared with what it was (``integrity``) right after each call and each test.
"""

from __future__ import annotations

import contextlib
import inspect
import time
import types
from typing import Any, Callable, Dict, Iterator, List, Optional, Set, Tuple

from . import failures
from .failures import Places
from .integrity import Watch
from .limit import Limit
from .sealed import sealed
from .trace import Recorder, Watched
from .values import shorten

_PHASES = ("setup", "call", "teardown")
clock = time.perf_counter


class Evidence:
    """What was seen of one test."""

    def __init__(self, item: Any) -> None:
        self.id: str = item.nodeid
        self.path, self.line = _definition(item)
        self.began = clock()
        self.raised: Dict[str, Optional[BaseException]] = {}
        """Phase → what it raised, as seen from around it."""
        self.direct: Optional[BaseException] = None
        """What the test function itself raised."""
        self.reports: Dict[str, Set[str]] = {}
        """Phase → outcomes that pytest reported, several where there are subtests."""
        self.expected_to_fail = False
        self.failure: Optional[Dict[str, Any]] = None

    def outcome(self) -> Optional[str]:
        """The test's outcome; None when it did not come to its end."""
        everything: Set[str] = set().union(*self.reports.values())
        if "failed" in everything:
            return "failed" if "failed" in self.reports.get("call", ()) else "error"
        if "teardown" not in self.reports:
            return None
        if "skipped" in everything:
            return "xfailed" if self.expected_to_fail else "skipped"
        if self.expected_to_fail:
            return "xpassed"
        return self._agreed() if all(phase in self.reports for phase in _PHASES) else None

    def _agreed(self) -> str:
        errors = [self.direct] + [self.raised.get(phase) for phase in _PHASES]
        contrary = next((error for error in errors if error is not None), None)
        if contrary is None and all(phase in self.raised for phase in _PHASES):
            return "passed"
        kind = type(contrary).__name__ if contrary else "Unseen"
        self.failure = failures.bare(kind, f"raised {kind}, and was reported as passed all the same")
        return "failed"


class Findings:
    """What a run came to, as laid out in ``jobs``."""

    def __init__(self) -> None:
        self.collected: List[str] = []
        self.outcomes: List[Dict[str, Any]] = []
        self.errors: List[Dict[str, Any]] = []
        self.loaded: Set[str] = set()
        """Files that were imported, with probes."""
        self.early: Set[str] = set()
        """Those of them that no test file was the first to import."""
        self.collecting = False
        """Whether a test file is being collected."""

    def load(self, path: str) -> None:
        """A file gets probes."""
        self.loaded.add(path)
        if not self.collecting:
            self.early.add(path)


def plugin(
    findings: Findings,
    watch: Watch,
    places: Places,
    with_locals: bool,
    recorder: Optional[Recorder],
    watched: Optional[Watched],
    limit: Limit,
    collecting: Optional[float],
) -> types.ModuleType:
    """A module of hooks for pytest.

    Args:
        findings: Gets what the hooks see.
        watch: Compares pytest with what it was.
        places: Tells the project's files.
        with_locals: Record the locals of failures.
        recorder: Keeps what each test ran.
        watched: Is told what each test ran.
        limit: Limits what a test may take.
        collecting: Seconds that each part of the collection may take.
    """
    current: List[Evidence] = []
    module = types.ModuleType("pennyproof_reporter")
    for hooks in (
        _collecting(findings, watch, places),
        _in_time(findings, limit, collecting),
        _testing(findings, current, watch, recorder, watched, limit),
        _phases(current, watch, limit),
        _nearest(current),
        _reporting(current, places, with_locals, recorder),
        _fixtures(recorder) if recorder is not None else {},
    ):
        vars(module).update(hooks)
    return module


Hooks = Dict[str, Any]


def _collecting(findings: Findings, watch: Watch, places: Places) -> Hooks:
    import pytest  # noqa: PLC0415 - the project's own, which is known only now

    def pytest_collection_finish(session: Any) -> None:
        findings.collected.extend(item.nodeid for item in session.items)
        watch.collected(session.items)

    def pytest_exception_interact(node: Any, call: Any) -> None:
        if isinstance(node, pytest.Collector) and call.excinfo is not None:
            findings.errors.append(_collection_error(node, call.excinfo.value, places))

    def pytest_internalerror(excinfo: Any) -> None:
        text = f"{type(excinfo.value).__name__}: {failures.message(excinfo.value)}"
        findings.errors.append({"path": "", "message": shorten(text, failures.MAX_MESSAGE), "line": 0})

    return {
        "pytest_internalerror": pytest_internalerror,
        "pytest_collection_finish": pytest.hookimpl(trylast=True)(pytest_collection_finish),
        "pytest_exception_interact": pytest_exception_interact,
    }


def _in_time(findings: Findings, limit: Limit, seconds: Optional[float]) -> Hooks:
    """Around each part of the collection."""
    import pytest  # noqa: PLC0415 - the project's own, which is known only now

    def pytest_sessionstart() -> None:
        limit.end()  # conftest files are loaded, and plugins configured, which began with the run

    def pytest_make_collect_report(collector: Any) -> Iterator[None]:
        findings.collecting = isinstance(collector, pytest.File) and not isinstance(collector, pytest.Package)
        limit.begin(seconds)
        limit.enter()
        yield
        limit.end()
        findings.collecting = False

    return {
        "pytest_sessionstart": pytest.hookimpl(tryfirst=True)(pytest_sessionstart),
        "pytest_make_collect_report": _wrapper(pytest_make_collect_report),
    }


def _testing(
    findings: Findings,
    current: List[Evidence],
    watch: Watch,
    recorder: Optional[Recorder],
    watched: Optional[Watched],
    limit: Limit,
) -> Hooks:
    """Around the whole of each test."""

    def pytest_runtest_protocol(item: Any) -> Iterator[None]:
        evidence = Evidence(item)
        current[:] = [evidence]
        if recorder is not None:
            recorder.begin()
        limit.begin()
        yield
        overran = limit.end()
        taken = clock() - evidence.began
        outcome = evidence.outcome()
        if overran and outcome not in ("failed", "error"):  # Something caught what the alarm raised.
            outcome, evidence.failure = "failed", failures.bare("Timeout", overran)
        if recorder is not None:
            hits = recorder.end(evidence.id, _wider_fixtures(item))
            if watched is not None:
                watched.test(evidence.id, outcome == "passed", hits)
        watch.during(item.config.pluginmanager)
        if outcome is not None:
            findings.outcomes.append(told(evidence, outcome, taken))

    return {"pytest_runtest_protocol": _wrapper(pytest_runtest_protocol)}


def _phases(current: List[Evidence], watch: Watch, limit: Limit) -> Hooks:
    """Around setup, call and teardown."""

    def note(phase: str, seen: Any) -> None:
        limit.leave()
        current[0].raised[phase] = seen.excinfo[1] if seen.excinfo else None

    def pytest_runtest_setup() -> Iterator[None]:
        limit.enter()
        note("setup", (yield))

    def pytest_runtest_call(item: Any) -> Iterator[None]:
        watch.before(item)
        _observe_case(item, current)
        limit.enter()
        note("call", (yield))
        watch.during(item.config.pluginmanager)

    def pytest_runtest_teardown() -> Iterator[None]:
        limit.enter()
        note("teardown", (yield))

    return {
        "pytest_runtest_setup": _wrapper(pytest_runtest_setup),
        "pytest_runtest_call": _wrapper(pytest_runtest_call),
        "pytest_runtest_teardown": _wrapper(pytest_runtest_teardown),
    }


def _nearest(current: List[Evidence]) -> Hooks:
    """Around the test function itself."""
    from _pytest import python  # noqa: PLC0415 - the project's own, which is known only now

    call_function = python.pytest_pyfunc_call

    def pytest_pyfunc_call(pyfuncitem: Any) -> Optional[object]:
        __tracebackhide__ = True
        function = pyfuncitem.obj
        if inspect.iscoroutinefunction(function) or inspect.isasyncgenfunction(function):
            return None  # for the plugin that runs such tests
        pyfuncitem.obj = _observed(function, current)
        try:
            result: Optional[object] = call_function(pyfuncitem)
            return result
        finally:
            pyfuncitem.obj = function

    return {"pytest_pyfunc_call": pytest_pyfunc_call}


def _observe_case(item: Any, current: List[Evidence]) -> None:
    """Stand around the method of a unittest test, which pytest does not call itself."""
    # The attribute's name changed with pytest 8.2.
    case: Any = getattr(item, "_testcase", None) or getattr(item, "_instance", None)
    if hasattr(case, "_callTestMethod"):
        case._callTestMethod = _observed(case._callTestMethod, current)  # noqa: SLF001 - where unittest calls it


def _observed(function: Callable[..., Any], current: List[Evidence]) -> Callable[..., Any]:
    def call(*args: Any, **keywords: Any) -> Any:
        __tracebackhide__ = True
        try:
            return function(*args, **keywords)
        except BaseException as error:
            current[0].direct = error
            raise

    return sealed(call)


def _reporting(current: List[Evidence], places: Places, with_locals: bool, recorder: Optional[Recorder]) -> Hooks:
    """What pytest itself reports, and the exception behind it."""
    import pytest  # noqa: PLC0415 - the project's own, which is known only now

    def pytest_runtest_makereport(call: Any) -> Iterator[None]:
        with recorder.showing() if recorder is not None else contextlib.nullcontext():
            if call.excinfo is not None:
                _begin_in_project(call.excinfo, places)
            made: Any = yield
            report = made.get_result()
            if report.failed and current[0].failure is None:
                text = str(report.longrepr)
                if call.excinfo is None:
                    current[0].failure = failures.bare("Failed", text)
                else:
                    error = call.excinfo.value
                    current[0].failure = failures.describe(error, call.excinfo.tb, text, places, with_locals)

    def pytest_runtest_logreport(report: Any) -> None:
        if current and report.nodeid == current[0].id:
            current[0].reports.setdefault(report.when, set()).add(report.outcome)
            current[0].expected_to_fail |= hasattr(report, "wasxfail")

    return {
        "pytest_runtest_makereport": _wrapper(pytest_runtest_makereport),
        "pytest_runtest_logreport": pytest.hookimpl(tryfirst=True)(pytest_runtest_logreport),
    }


def _begin_in_project(excinfo: Any, places: Places) -> None:
    """Leave out of a failure's report how pytest came to call the test, which takes longer to show than most tests."""
    traceback = places.beginning(excinfo.tb)
    if traceback is not None:
        excinfo.traceback = type(excinfo.traceback)(traceback)


def _fixtures(recorder: Recorder) -> Hooks:
    def pytest_fixture_setup(fixturedef: Any) -> Iterator[None]:
        if fixturedef.scope == "function":
            yield
        else:
            yield from recorder.fixture(fixturedef)

    return {"pytest_fixture_setup": _wrapper(pytest_fixture_setup)}


def _wrapper(hook: Callable[..., Iterator[None]]) -> Callable[..., Iterator[None]]:
    import pytest  # noqa: PLC0415 - the project's own, which is known only now

    return pytest.hookimpl(hookwrapper=True, tryfirst=True)(hook)


def _collection_error(node: Any, error: BaseException, places: Places) -> Dict[str, Any]:
    """A file that could not be collected, with the line of it that did not work out."""
    path = node.nodeid.split("::", 1)[0]
    cause = error.__cause__ or error
    line = 0
    traceback = cause.__traceback__
    while traceback is not None:
        if places.name(traceback.tb_frame.f_code.co_filename) == path:
            line = traceback.tb_lineno
        traceback = traceback.tb_next
    if isinstance(cause, SyntaxError) and cause.filename and places.name(cause.filename) == path:
        line = cause.lineno or 0
    text = failures.message(error)
    if cause is not error:
        text = f"{type(cause).__name__}: {failures.message(cause)}"
    return {"path": path, "message": shorten(text, failures.MAX_MESSAGE), "line": line}


def told(evidence: Evidence, outcome: str, seconds: float) -> Dict[str, Any]:
    """What there is to be told of a test."""
    failed = outcome in ("failed", "error")
    return {
        "id": evidence.id,
        "outcome": outcome,
        "seconds": round(seconds, 6),
        "path": evidence.path,
        "line": evidence.line,
        "failure": (evidence.failure or failures.bare("Failed", "")) if failed else None,
    }


def _definition(item: Any) -> Tuple[str, int]:
    path, line, _ = item.location
    return str(path).replace("\\", "/"), 0 if line is None else line + 1


def _wider_fixtures(item: Any) -> List[object]:
    known = getattr(getattr(item, "_fixtureinfo", None), "name2fixturedefs", {})
    return [
        fixture
        for name in getattr(item, "fixturenames", ())
        for fixture in known.get(name, ())
        if fixture.scope != "function"
    ]
