"""The job ``run``: pytest, in this process, under the project's own configuration."""

from __future__ import annotations

import os
from typing import Any, Callable, Dict, Iterable, Optional

from . import chance, guard, integrity, reporter, session, touched, trace
from .failures import Places
from .held import HELD
from .limit import Limit
from .probes import Probes, Probing
from .wire import Context

_GENTLY = 19
"""How much a run that nobody waits for gives way to others."""


class Run:
    """The work of one request, as ``session.Work``; see ``jobs`` for what goes in and what comes out."""

    def __init__(self, params: Dict[str, Any], context: Context) -> None:
        chance.renew()
        if params.get("gently") and hasattr(os, "nice"):
            os.nice(_GENTLY)
        places = self._places = Places(context.root)
        self.settings = session.Settings(
            params.get("ids"), context, params.get("maxfail") or 0, bool(params.get("as_configured"))
        )
        self.args = params.get("args") or ()
        self._watch = integrity.Watch(integrity.take_original(), places)
        self._heed: Callable[[str], None] = lambda _filename: None
        """Called before a module is read."""
        self._watched = None if params.get("watch") is None else trace.Watched(context.root)
        self._findings = reporter.Findings()
        probes = self._probes(params)
        self._recorder = trace.Recorder(probes) if probes else None
        self._listener = None
        if probes and params.get("trace") == "functions" and self._watched is None:
            self._listener = touched.Listener(places, probes.note)
            self._listener.start()
        self._limit = Limit(params.get("each"), params.get("patience"))
        collecting = params.get("collecting")
        self.plugin = reporter.plugin(
            self._findings,
            self._watch,
            places,
            bool(params.get("locals")),
            self._recorder,
            self._watched,
            self._limit,
            collecting,
        )
        self.settings.add_hooks(self.plugin)
        self.trust(vars(self.plugin).values())
        self._watch_lines(params)
        if params.get("changed"):
            guard.stand(context.root, context.scratch, params["changed"])
        self._limit.begin(collecting)
        self._limit.enter()

    def trust(self, hooks: Iterable[object]) -> None:
        """Take these hooks for our own, too."""
        self._watch.trust(hooks)

    def result(self, ended: session.Ended) -> Dict[str, Any]:
        """What the tests did."""
        import pytest  # noqa: PLC0415 - the project's own, which is known only now

        self._limit.end()
        self._watch.end(ended.config.pluginmanager if ended.config else None)
        findings = self._findings
        if ended.complaint:
            findings.errors.append({"path": "", "message": ended.complaint, "line": 0})
        result: Dict[str, Any] = {
            "collected": findings.collected,
            "unknown": self.settings.unknown,
            "outcomes": findings.outcomes,
            "errors": findings.errors,
            "coverage": {},
            "watched": {},
            "watched_by": [],
            "watched_at_import": {},
            "touched": {},
            "opened": {},
            "at_import": {},
            "loaded": [],
            "early": [],
            "unwatched": [],
            "patched": sorted(self._watch.patched),
            "exit": ended.exit,
            "pytest": pytest.__version__,
            "read": HELD.missed,
        }
        if self._recorder is not None:
            self._recorder.stop()
            if self._watched is not None:
                result["watched"], result["watched_by"] = self._watched.result()
                result["watched_at_import"] = self._watched.of(self._recorder.outside)
            else:
                result["coverage"] = self._recorder.coverage()
        if self._recorder is not None and self._listener is not None:
            self._listener.stop()
            result["touched"] = self._recorder.touched()
            result["opened"] = {path: sorted(by) for path, by in self._listener.opened.items()}
            result["at_import"] = self._recorder.at_import()
            if self._listener.deaf:
                result["at_import"][touched.PROCESS] = [0]
            result["loaded"] = sorted(findings.loaded)
            result["early"] = sorted(findings.early)
            result["unwatched"] = sorted(touched.modules(self._places) - findings.loaded)
        return result

    def _watch_lines(self, params: Dict[str, Any]) -> None:
        """Begin to watch lines; nobody has looked at their files yet."""
        if self._watched is not None:
            self._watched.watch(params["watch"], params.get("within") or {}, params.get("uncounted") or ())

    def _probes(self, params: Dict[str, Any]) -> Optional[Probes]:
        places, watched = self._places, self._watched
        if watched is None and not params.get("trace"):
            return None

        def wanted(filename: str) -> Optional[Probing]:
            self._heed(filename)
            path = places.in_project(filename)
            if path is None:
                return None
            if watched is None:
                return Probing(path, lines=params["trace"] == "lines")
            return watched.probing(path)

        return Probes(wanted, self._findings.load)
