"""The job ``run``: pytest, in this process, under the project's own configuration."""

from __future__ import annotations

import os
from typing import Any, Dict, Optional

from . import integrity, reporter, session, trace
from .failures import Places
from .limit import Limit
from .probes import Probes, Probing
from .values import read_source
from .wire import Context


def run_tests(params: Dict[str, Any], context: Context) -> Dict[str, Any]:
    """Run tests and tell what they did; see ``jobs`` for both shapes."""
    import pytest  # noqa: PLC0415 - the project's own, which is known only now

    places = Places(context.root)
    original = integrity.original()
    watch = integrity.Watch(original, places)
    settings = session.Settings(params.get("ids"), context, params.get("maxfail") or 0)
    watched = _watched(params, context)
    probes = _probes(params, places, watched)
    recorder = trace.Recorder(probes) if probes else None
    findings = reporter.Findings()
    limit = Limit(params.get("each"), params.get("patience"))
    collecting = params.get("collecting")
    plugin = reporter.plugin(findings, watch, places, bool(params.get("locals")), recorder, watched, limit, collecting)
    settings.add_hooks(plugin)
    watch.trust(vars(plugin).values())
    limit.begin(collecting)
    limit.enter()
    exit_, config, complaint = session.start(settings, params.get("args") or (), plugin)
    limit.end()
    watch.end(config.pluginmanager if config else None)
    if complaint:
        findings.errors.append({"path": "", "message": complaint, "line": 0})
    result: Dict[str, Any] = {
        "collected": findings.collected,
        "unknown": settings.unknown,
        "outcomes": findings.outcomes,
        "errors": findings.errors,
        "coverage": {},
        "watched": {},
        "watched_by": [],
        "watched_at_import": {},
        "patched": sorted(watch.patched),
        "exit": exit_,
        "pytest": pytest.__version__,
    }
    if recorder is not None:
        recorder.stop()
        if watched is not None:
            result["watched"], result["watched_by"] = watched.result()
            result["watched_at_import"] = watched.of(recorder.outside)
        else:
            result["coverage"] = recorder.coverage()
    return result


def _watched(params: Dict[str, Any], context: Context) -> Optional[trace.Watched]:
    lines = params.get("watch")
    return trace.Watched(lines, lambda path: read_source(os.path.join(context.root, path))) if lines else None


def _probes(params: Dict[str, Any], places: Places, watched: Optional[trace.Watched]) -> Optional[Probes]:
    if watched is None and not params.get("trace"):
        return None

    def wanted(filename: str) -> Optional[Probing]:
        path = places.in_project(filename)
        if path is None:
            return None
        if watched is None:
            return Probing(path, lines=params["trace"] == "lines")
        lines = watched.lines(path)
        return Probing(path, lines=True, only=lines) if lines else None

    return Probes(wanted)
