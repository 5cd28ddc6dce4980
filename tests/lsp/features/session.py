"""A session with the real server in this process, over a scripted prover: features without a sandbox."""

from __future__ import annotations

import asyncio
import itertools
import json
from collections.abc import Callable, Coroutine, Generator, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from pennyproof.assist.discovery import ids_of
from pennyproof.assist.project import Project
from pennyproof.core.candidates import Candidate, FileChange, Origin, Tier
from pennyproof.core.outcomes import Baseline, Coverage, Failure, Frame, Outcome, TestOutcome
from pennyproof.core.problems import Problem, Screened, Survivor
from pennyproof.core.snapshots import Snapshot
from pennyproof.core.sources import Source
from pennyproof.core.verdicts import Gate, Level, Line, Verdict, rejected
from pennyproof.core.work import Cancel, Deadline, Progress
from pennyproof.errors import UnknownTest
from pennyproof.lsp.server import PennyproofServer

Json = Any

SHOP = """\
def total(prices):
    return sum(prices[1:])
"""
TESTS = """\
import pytest
from shop import total


class TestTotal:
    def test_two(self):
        assert total([1, 2]) == 3

    @pytest.mark.parametrize("n", [0, 1])
    def test_many(self, n):
        assert total([n] * 3) == n * 3


def test_none():
    assert total([]) == 0
"""
TWO = "tests/test_shop.py::TestTotal::test_two"
MANY = "tests/test_shop.py::TestTotal::test_many[1]"
MANY_ZERO = "tests/test_shop.py::TestTotal::test_many[0]"
NONE = "tests/test_shop.py::test_none"
WRONG, RIGHT = "prices[1:]", "prices"


class ShopProver:
    """Knows what the shop's tests do for every text: two of them fail while the slice is wrong."""

    at_once = 4

    def __init__(self) -> None:
        self.asked: list[Sequence[str] | None] = []
        self.before_answer: Callable[[], None] = lambda: None
        self.rejects: str | None = None
        """Why every proof turns its candidate away."""
        self.notices: Mapping[int, bool] = {}
        """Which slips the tests notice."""
        self.before_noticing: Callable[[Cancel], object] = lambda _: None
        self.kept: list[str] = []
        """The texts of ``shop.py`` for which it was to be known what tests run."""
        self.while_keeping: Callable[[Cancel], object] = lambda _: None

    def baseline(
        self,
        snapshot: Snapshot,
        *,
        test_ids: Sequence[str] | None = None,
        patience: float | None = None,
        cancel: Cancel,
        progress: Progress,
    ) -> Baseline:
        self.asked.append(test_ids)
        self.before_answer()
        cancel.check()
        known = dict(self._outcomes(snapshot))
        found = None if test_ids is None else {name: ids_of(name, known) for name in test_ids}
        if found is not None and not all(found.values()):
            raise UnknownTest(f"there is none of {test_ids}")
        wanted = {test: known[test] for test in known if found is None or any(test in ids for ids in found.values())}
        start = _line(snapshot, "shop.py", "def total")
        functions = {test: {"shop.py": frozenset({start})} for test in wanted}
        return Baseline(wanted, 0.25, functions=Coverage(functions))

    def _outcomes(self, snapshot: Snapshot) -> Iterator[tuple[str, TestOutcome]]:
        broken = WRONG in _text(snapshot, "shop.py")
        for test, marker in ((TWO, "== 3"), (MANY, "n * 3"), (MANY_ZERO, "n * 3"), (NONE, "== 0")):
            line = _line(snapshot, "tests/test_shop.py", marker)
            frame = Frame("tests/test_shop.py", line, "test")
            deeper = Frame("shop.py", _line(snapshot, "shop.py", "return"), "total", variables=(("prices", "[1, 2]"),))
            failure = Failure("AssertionError", "assert 2 == 3\n + where 2 = total([1, 2])", (frame, deeper))
            fails = broken and test in (TWO, MANY)
            outcome = Outcome.FAILED if fails else Outcome.PASSED
            yield test, TestOutcome(test, outcome, 0.01, failure if fails else None, "tests/test_shop.py", line)

    def coverage(self, snapshot: Snapshot, test_ids: Sequence[str], *, cancel: Cancel) -> Coverage:
        return Coverage({test: {"shop.py": frozenset({1, 2})} for test in test_ids})

    def screen(
        self,
        snapshot: Snapshot,
        candidates: Iterator[Candidate],
        targets: Sequence[str],
        *,
        guards: Sequence[str] = (),
        base: Candidate | None = None,
        cancel: Cancel,
        deadline: Deadline,
    ) -> Generator[Screened, None, None]:
        for candidate in candidates:
            yield Screened(candidate, tuple(targets))

    def warm(self, snapshot: Snapshot) -> None:
        """There is nothing to start."""

    def behaviours(
        self,
        snapshot: Snapshot,
        candidates: Sequence[Candidate],
        targets: Sequence[str],
        *,
        cancel: Cancel,
        deadline: Deadline,
    ) -> Mapping[int, tuple[str, ...]]:
        return {}

    def importing(self, snapshot: Snapshot, candidate: Candidate, *, cancel: Cancel) -> None:
        """The baseline tells more."""

    def prove(
        self,
        snapshot: Snapshot,
        candidate: Candidate,
        *,
        targets: Sequence[str] = (),
        test_ids: Sequence[str] | None = None,
        selection: str = "asked",
        every_test: bool = False,
        afresh: bool = False,
        cancel: Cancel,
    ) -> Verdict:
        if self.rejects:
            return rejected(Gate.TESTS, self.rejects)
        ran = (TWO, MANY, MANY_ZERO, NONE)
        fixed = tuple(test for test in (TWO, MANY) if WRONG in _text(snapshot, "shop.py"))
        return Verdict(Level.FIXES, fixed, passed=4, ran=ran, selection="map", uncovered=(Line("shop.py", 9),))

    def noticed(
        self,
        snapshot: Snapshot,
        candidate: Candidate,
        slips: Sequence[Candidate],
        tests: Sequence[str],
        *,
        cancel: Cancel,
        deadline: Deadline,
    ) -> Mapping[int, bool]:
        self.before_noticing(cancel)
        cancel.check()
        return self.notices

    def keep_up(self, snapshot: Snapshot, *, cancel: Cancel, progress: Progress) -> None:
        self.kept.append(_text(snapshot, "shop.py"))
        progress.report("running the tests")
        self.while_keeping(cancel)
        cancel.check()

    def restart(self) -> None:
        self.asked.append(["restarted"])

    def close(self) -> None:
        """Nothing runs here."""


class ShopTier:
    """Proposes to drop the slice."""

    tier = Tier.FREE
    model: str | None = None

    def propose(self, problem: Problem, *, cancel: Cancel) -> Iterator[Candidate]:
        before = problem.snapshot.read("shop.py")
        if before is not None and WRONG in before.text:
            after = Source(before.text.replace(WRONG, RIGHT), before.encoding)
            origin = Origin(self.tier, self.model, 1)
            yield Candidate((FileChange("shop.py", before, after),), origin, "replace `prices[1:]` by `prices`")

    def rank(self, problem: Problem, survivors: Sequence[Survivor]) -> list[Survivor]:
        return list(survivors)


class Session:
    """The client's side."""

    def __init__(self, root: Path, *, trusted: bool = True) -> None:
        self.root = root
        self.trusted = trusted
        self.prover = ShopProver()
        self.tier = ShopTier()
        self.server = PennyproofServer()
        self.notifications: list[tuple[str, Json]] = []
        self.requests: list[tuple[str, Json]] = []
        self.answers: dict[str, Callable[[Json], Json]] = {
            "workspace/applyEdit": lambda _: {"applied": True},
            "window/showDocument": lambda _: {"success": True},
            "workspace/codeLens/refresh": lambda _: None,
        }
        self._responses: dict[int, asyncio.Future[Json]] = {}
        self._numbers = itertools.count(1)

    def write(self, data: bytes) -> None:
        """Take what the server sends, one message at a time."""
        message = json.loads(data.partition(b"\r\n\r\n")[2])
        if "method" not in message:
            self._responses.pop(message["id"]).set_result(message)
        elif "id" in message:
            self.requests.append((message["method"], message.get("params")))
            result = self.answers[message["method"]](message.get("params"))
            answer = {"jsonrpc": "2.0", "id": message["id"], "result": result}
            asyncio.get_running_loop().call_soon(self._send, answer)
        else:
            self.notifications.append((message["method"], message.get("params")))

    def close(self) -> None:
        """A stream is closed at the end."""

    async def request(self, method: str, params: Json) -> Json:
        number = next(self._numbers)
        self._responses[number] = asyncio.get_running_loop().create_future()
        answer = self._responses[number]
        self._send({"jsonrpc": "2.0", "id": number, "method": method, "params": params})
        message = await asyncio.wait_for(answer, 30)
        return message["result"] if "result" in message else message["error"]

    def notify(self, method: str, params: Json) -> None:
        self._send({"jsonrpc": "2.0", "method": method, "params": params})

    async def command(self, name: str, argument: Json = None) -> Json:
        arguments = [] if argument is None else [argument]
        return await self.request("workspace/executeCommand", {"command": name, "arguments": arguments})

    async def settle(self) -> None:
        """Until everything that was sent has been handled."""
        await self.server.prepare()
        while asyncio.all_tasks() - {asyncio.current_task()} or self.server.background.running:
            await asyncio.sleep(0)

    def uri(self, path: str) -> str:
        return (self.root / path).as_uri()

    def open(self, path: str) -> None:
        item = {"uri": self.uri(path), "languageId": "python", "version": 1, "text": (self.root / path).read_text()}
        self.notify("textDocument/didOpen", {"textDocument": item})

    def change(self, path: str, text: str, version: int = 2) -> None:
        identifier = {"uri": self.uri(path), "version": version}
        self.notify("textDocument/didChange", {"textDocument": identifier, "contentChanges": [{"text": text}]})

    def save(self, path: str) -> None:
        self.notify("textDocument/didSave", {"textDocument": {"uri": self.uri(path)}})

    def shown(self, path: str) -> list[tuple[int, str, str]]:
        """The diagnostics last published for a file: line from zero, message, test id."""
        for method, params in reversed(self.notifications):
            if method == "textDocument/publishDiagnostics" and params["uri"] == self.uri(path):
                return [
                    (one["range"]["start"]["line"], one["message"], one["data"]["testId"])
                    for one in params["diagnostics"]
                ]
        return []

    def _send(self, message: Json) -> None:
        self.server.protocol.receive(json.dumps(message).encode())

    async def begin(self, capabilities: Json) -> None:
        self.server.protocol.set_writer(self)
        folder = {"uri": self.root.as_uri(), "name": "shop"}
        params = {"processId": None, "rootUri": None, "capabilities": capabilities, "workspaceFolders": [folder]}
        await self.request("initialize", params)
        self.notify("initialized", {})
        await self.server.prepare()
        settings = self.server.projects.settings(self.root)
        project = Project(self.root, lambda _: self.prover, lambda: (self.tier,), trusted=self.trusted)
        self.server.projects._projects[self.root] = (settings, project)


CAPABILITIES = {
    "workspace": {"workspaceEdit": {"documentChanges": True, "changeAnnotationSupport": {}}},
    "window": {"showDocument": {"support": True}},
    "textDocument": {"codeAction": {"tagSupport": {"valueSet": [1]}}},
}


def play(
    root: Path,
    script: Callable[[Session], Coroutine[object, object, None]],
    *,
    capabilities: Json = None,
    trusted: bool = True,
) -> Session:
    """Write the shop, run a script against a session over it, and end that."""
    (root / "tests").mkdir(parents=True)
    (root / "shop.py").write_text(SHOP)
    (root / "tests" / "test_shop.py").write_text(TESTS)
    session = Session(root.resolve(), trusted=trusted)

    async def whole() -> None:
        await session.begin(CAPABILITIES if capabilities is None else capabilities)
        try:
            await script(session)
        finally:
            await session.server.protocol.settle(seconds=1)
            await session.server.close()

    asyncio.run(whole())
    return session


def _text(snapshot: Snapshot, path: str) -> str:
    source = snapshot.read(path)
    assert source is not None
    return source.text


def _line(snapshot: Snapshot, path: str, marker: str) -> int:
    lines = _text(snapshot, path).splitlines()
    return next((number for number, line in enumerate(lines, 1) if marker in line), 1)
