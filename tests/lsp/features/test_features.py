"""Diagnostics, lenses, actions and commands, as an editor sees them."""

from __future__ import annotations

import asyncio
import threading
from pathlib import Path
from typing import Any

import pytest

from pennyproof.assist.edit import EditRequest, EditResult
from pennyproof.assist.project import Project
from pennyproof.core.candidates import Candidate, FileChange
from pennyproof.core.offers import Offer
from pennyproof.core.snapshots import Snapshot
from pennyproof.core.sources import Source
from pennyproof.core.work import Cancel
from tests.lsp.features.session import MANY, MANY_ZERO, NONE, RIGHT, SHOP, TESTS, TWO, WRONG, Session, play

TEST_FILE = "tests/test_shop.py"
FAILURES = [(6, "AssertionError: assert 2 == 3", TWO), (10, "AssertionError: assert 2 == 3", MANY)]
EVIDENCE = "fixes 2 tests, breaks 0 of 4 that run these lines; not covered: shop.py:9"


@pytest.fixture(autouse=True)
def own_state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PENNYPROOF_HOME", str(tmp_path / "state"))


def titles(actions: list[Any]) -> list[str]:
    return [action["title"] for action in actions]


async def actions_at(session: Session, path: str, line: int, **context: Any) -> list[Any]:
    place = {"line": line, "character": 0}
    return await session.request(
        "textDocument/codeAction",
        {
            "textDocument": {"uri": session.uri(path)},
            "range": {"start": place, "end": context.pop("end", place)},
            "context": {"diagnostics": [], **context},
        },
    )


async def lenses(session: Session) -> list[tuple[int, str]]:
    found = await session.request("textDocument/codeLens", {"textDocument": {"uri": session.uri(TEST_FILE)}})
    return [(lens["range"]["start"]["line"], lens["command"]["title"]) for lens in found]


def said(session: Session) -> list[str]:
    """The messages that the client was sent."""
    return [params["message"] for method, params in session.notifications if method == "window/showMessage"]


def test_running_tests_shows_the_failing_ones_at_their_lines(tmp_path: Path) -> None:
    async def script(session: Session) -> None:
        result = await session.command("pennyproof.runTests", {"uri": session.uri("shop.py")})
        assert result["passed"] == 2
        assert [test["id"] for test in result["failed"]] == [TWO, MANY]
        assert result["seconds"] == 0.25
        assert session.shown(TEST_FILE) == FAILURES

    session = play(tmp_path / "root", script)
    published = next(params for method, params in session.notifications if method.endswith("publishDiagnostics"))
    first = published["diagnostics"][0]
    assert (first["source"], first["severity"]) == ("pennyproof", 1)
    assert first["range"] == {"start": {"line": 6, "character": 8}, "end": {"line": 6, "character": 33}}
    related = first["relatedInformation"][0]
    assert related["location"]["uri"] == session.uri("shop.py")
    assert related["location"]["range"]["start"] == {"line": 1, "character": 4}


def test_diagnostics_move_with_their_lines_and_go_when_these_are_edited(tmp_path: Path) -> None:
    async def script(session: Session) -> None:
        session.open(TEST_FILE)
        await session.command("pennyproof.runTests", {})
        session.change(TEST_FILE, "# one more line\n" + TESTS)
        await session.settle()
        assert [line for line, _, _ in session.shown(TEST_FILE)] == [7, 11]
        session.change(TEST_FILE, TESTS.replace("== 3", "== 2"), 3)
        await session.settle()
        assert session.shown(TEST_FILE) == FAILURES[1:]

    play(tmp_path / "root", script)


def test_a_passing_run_clears_the_diagnostics(tmp_path: Path) -> None:
    async def script(session: Session) -> None:
        await session.command("pennyproof.runTests", {})
        session.open("shop.py")
        session.change("shop.py", SHOP.replace("[1:]", ""))
        await session.command("pennyproof.runTests", {"testIds": [TWO]})
        assert session.shown(TEST_FILE) == FAILURES[1:]
        await session.command("pennyproof.runTests", {})
        assert session.shown(TEST_FILE) == []

    play(tmp_path / "root", script)


def test_a_name_without_parameters_means_all_its_tests(tmp_path: Path) -> None:
    async def script(session: Session) -> None:
        group = MANY.partition("[")[0]
        result = await session.command("pennyproof.runTests", {"testIds": [group]})
        assert (result["passed"], [test["id"] for test in result["failed"]]) == (1, [MANY])
        assert session.prover.asked == [[group]]

    play(tmp_path / "root", script)


def test_saving_runs_what_the_file_concerns(tmp_path: Path) -> None:
    async def script(session: Session) -> None:
        session.open("shop.py")
        session.open(TEST_FILE)
        session.save("shop.py")
        await session.settle()
        session.save("shop.py")
        await session.settle()
        session.change(TEST_FILE, TESTS + "\n\ndef test_new():\n    assert total([])\n")
        session.save(TEST_FILE)
        await session.settle()
        everything = [TWO, MANY, MANY_ZERO, NONE]
        assert session.prover.asked == [None, everything, None]
        assert session.shown(TEST_FILE) == FAILURES

    play(tmp_path / "root", script)


def test_saving_asks_nobody_for_trust(tmp_path: Path) -> None:
    async def script(session: Session) -> None:
        session.open("shop.py")
        session.save("shop.py")
        await session.settle()
        assert session.prover.asked == []
        assert session.requests == []

    play(tmp_path / "root", script, trusted=False)


def test_lenses_run_every_test_and_debug_those_that_fail(tmp_path: Path) -> None:
    async def script(session: Session) -> None:
        session.open(TEST_FILE)
        assert await lenses(session) == [(4, "Run tests"), (5, "Run test"), (9, "Run test"), (13, "Run test")]
        await session.command("pennyproof.runTests", {})
        assert await lenses(session) == [
            (4, "Run tests"), (4, "Debug 2 of 3"), (5, "Run test"), (5, "Debug"), (9, "Run tests"),
            (9, "Debug 1 of 2"), (13, "Run test"),
        ]  # fmt: skip

    play(tmp_path / "root", script)


@pytest.mark.parametrize(
    ("path", "line", "offered"),
    [
        (TEST_FILE, 5, ["Find a verified fix for test_two", "Explain the failure of test_two"]),
        (TEST_FILE, 8, ["Find a verified fix for test_many[1]", "Explain the failure of test_many[1]"]),
        (TEST_FILE, 13, []),
        ("shop.py", 0, ["Find a verified fix for test_two", "Explain the failure of test_two",
                        "Find a verified fix for test_many[1]", "Explain the failure of test_many[1]"]),
    ],
)  # fmt: skip
def test_the_light_bulb_knows_the_failing_tests_of_a_place(
    tmp_path: Path, path: str, line: int, offered: list[str]
) -> None:
    async def script(session: Session) -> None:
        session.open(path)
        assert await actions_at(session, path, line) == []
        await session.command("pennyproof.runTests", {})
        assert titles(await actions_at(session, path, line)) == offered
        assert await actions_at(session, path, line, only=["refactor"]) == []

    play(tmp_path / "root", script)


def test_a_client_that_runs_a_command_in_place_of_an_edit_gets_none(tmp_path: Path) -> None:
    async def script(session: Session) -> None:
        session.open(TEST_FILE)
        await session.command("pennyproof.debug", {"uri": session.uri(TEST_FILE), "testId": TWO, "preview": True})
        found = await actions_at(session, TEST_FILE, 5)
        assert ("edit" in found[0], "command" in found[0]) == (True, False)

    literals = {"codeActionKind": {"valueSet": []}}
    play(
        tmp_path / "root", script, capabilities={"textDocument": {"codeAction": {"codeActionLiteralSupport": literals}}}
    )


def test_once_found_the_offers_themselves_are_in_the_light_bulb_until_the_text_changes(tmp_path: Path) -> None:
    async def script(session: Session) -> None:
        session.open("shop.py")
        session.open(TEST_FILE)
        await session.command("pennyproof.debug", {"uri": session.uri(TEST_FILE), "testId": TWO, "preview": True})
        found = await actions_at(session, TEST_FILE, 5)
        title = f"replace `prices[1:]` by `prices`: {EVIDENCE}"
        assert titles(found) == [title, "Explain the failure of test_two"]
        assert found[0]["isPreferred"] is True
        assert found[0]["command"]["command"] == "pennyproof.accepted"
        assert found[0]["command"]["arguments"] == [{"offerId": "o1"}]
        assert "tags" not in found[0]
        edit = found[0]["edit"]["documentChanges"][0]
        assert edit["textDocument"] == {"uri": session.uri("shop.py"), "version": 1}
        session.change("shop.py", SHOP + "\n")
        assert titles(await actions_at(session, TEST_FILE, 5))[0] == "Find a verified fix for test_two"

    play(tmp_path / "root", script)


async def preview(session: Session) -> Any:
    argument = {"uri": session.uri(TEST_FILE), "testId": TWO, "preview": True}
    return await session.command("pennyproof.debug", argument)


def test_after_a_while_offers_say_how_much_the_tests_would_notice(tmp_path: Path) -> None:
    async def script(session: Session) -> None:
        session.prover.notices = {0: True, 1: False}
        session.open(TEST_FILE)
        result = await preview(session)
        assert result["offers"][0]["verdict"]["strength"] is None
        await session.settle()
        (title, _) = titles(await actions_at(session, TEST_FILE, 5))
        assert title.endswith("; not covered: shop.py:9; would notice 1 of 2 slips in the rest")

    play(tmp_path / "root", script)


@pytest.mark.parametrize("asked", ["a change", "other tests"])
def test_what_is_measured_gives_way(asked: str, tmp_path: Path) -> None:
    begun, freed = threading.Event(), threading.Event()

    def wait_for_cancel(cancel: Cancel) -> None:
        begun.set()
        cancel.on_cancel(freed.set)
        assert freed.wait(30)

    async def script(session: Session) -> None:
        session.prover.before_noticing = wait_for_cancel
        session.prover.notices = {0: True}
        session.open("shop.py")
        session.open(TEST_FILE)
        assert (await preview(session))["offers"]
        assert await asyncio.to_thread(begun.wait, 30)
        assert not freed.is_set()
        if asked == "a change":
            session.change("shop.py", SHOP + "\n")
        else:
            await session.command("pennyproof.runTests", {})
        await session.settle()
        assert freed.is_set()
        assert "would notice" not in "".join(titles(await actions_at(session, TEST_FILE, 5)))

    play(tmp_path / "root", script)


def test_nothing_is_measured_of_an_offer_that_was_applied(tmp_path: Path) -> None:
    async def script(session: Session) -> None:
        begun: list[Cancel] = []
        session.prover.before_noticing = begun.append
        session.open("shop.py")
        await session.command("pennyproof.debug", {"uri": session.uri(TEST_FILE), "testId": TWO})
        await session.settle()
        assert begun == []

    play(tmp_path / "root", script)


def test_only_what_a_model_wrote_is_tagged_so(tmp_path: Path) -> None:
    async def script(session: Session) -> None:
        session.tier.model = "some-model"
        session.open(TEST_FILE)
        await session.command("pennyproof.debug", {"uri": session.uri(TEST_FILE), "testId": TWO, "preview": True})
        assert (await actions_at(session, TEST_FILE, 5))[0]["tags"] == [1]

    play(tmp_path / "root", script)


def test_debug_applies_the_best_offer_with_its_evidence(tmp_path: Path) -> None:
    async def script(session: Session) -> None:
        session.open("shop.py")
        result = await session.command("pennyproof.debug", {"uri": session.uri(TEST_FILE), "testId": TWO})
        assert result["applied"] is True
        assert result["offers"][0]["verdict"]["fixed"] == [TWO, MANY]
        assert result["offers"][0]["verdict"]["uncovered"] == [{"path": "shop.py", "line": 9}]
        assert session.shown(TEST_FILE) == []

    session = play(tmp_path / "root", script)
    method, params = session.requests[0]
    assert method == "workspace/applyEdit"
    change = params["edit"]["documentChanges"][0]
    assert change["textDocument"]["version"] == 1
    assert change["edits"][0] == {
        "annotationId": "pennyproof",
        "newText": "    return sum(prices)\n",
        "range": {"start": {"line": 1, "character": 0}, "end": {"line": 2, "character": 0}},
    }
    annotation = params["edit"]["changeAnnotations"]["pennyproof"]
    assert annotation["needsConfirmation"] is False
    assert annotation["description"] == EVIDENCE
    assert (tmp_path / "root" / "shop.py").read_text() == SHOP


def test_a_preview_changes_nothing(tmp_path: Path) -> None:
    async def script(session: Session) -> None:
        place = {"start": {"line": 1, "character": 0}, "end": {"line": 1, "character": 0}}
        argument = {"uri": session.uri("shop.py"), "range": place, "preview": True}
        session.open("shop.py")
        result = await session.command("pennyproof.debug", argument)
        assert [(offer["id"], "documentChanges" in offer["edit"]) for offer in result["offers"]] == [("o1", True)]
        assert result["offers"][0]["diff"].startswith("--- a/shop.py\n+++ b/shop.py\n")
        assert result["reason"] is None
        assert session.requests == []

    play(tmp_path / "root", script)


def test_a_preview_without_offers_says_why(tmp_path: Path) -> None:
    async def script(session: Session) -> None:
        session.prover.rejects = "breaks `test_none`"
        argument = {"uri": session.uri(TEST_FILE), "testId": TWO, "preview": True}
        result = await session.command("pennyproof.debug", argument)
        assert (result["offers"], result["reason"]) == ([], "No fix held: 1 candidates tried")

    session = play(tmp_path / "root", script)
    assert [method for method, _ in session.notifications if method == "window/showMessage"] == []


def test_a_client_without_document_changes_gets_plain_ones(tmp_path: Path) -> None:
    async def script(session: Session) -> None:
        await session.command("pennyproof.debug", {"uri": session.uri(TEST_FILE)})
        assert list(session.requests[0][1]["edit"]) == ["changes"]

    play(tmp_path / "root", script, capabilities={})


def test_an_offer_for_text_that_moved_on_is_not_applied(tmp_path: Path) -> None:
    async def script(session: Session) -> None:
        session.open("shop.py")
        await session.command("pennyproof.runTests", {})
        loop, typed = asyncio.get_running_loop(), "# typed\n" + SHOP

        def type_meanwhile() -> None:
            session.prover.before_answer = lambda: None
            loop.call_soon_threadsafe(session.change, "shop.py", typed)

        session.prover.before_answer = type_meanwhile
        result = await session.command("pennyproof.debug", {"uri": session.uri(TEST_FILE), "testId": TWO})
        assert result["applied"] is False
        assert result["reason"].startswith("The text has changed meanwhile")
        assert [method for method, _ in session.requests] == []
        assert titles(await actions_at(session, "shop.py", 1))[0].startswith("Find a verified fix")

    told = ["The text has changed meanwhile: what was found does not fit any more"]
    assert said(play(tmp_path / "root", script)) == told


def test_a_client_that_refuses_the_edit_is_believed(tmp_path: Path) -> None:
    async def script(session: Session) -> None:
        session.answers["workspace/applyEdit"] = lambda _: {"applied": False, "failureReason": "read only"}
        result = await session.command("pennyproof.debug", {"uri": session.uri(TEST_FILE), "testId": TWO})
        assert result["applied"] is False
        assert session.shown(TEST_FILE) == FAILURES

    play(tmp_path / "root", script)


def test_explanations_open_as_a_page_from_the_state_directory(tmp_path: Path) -> None:
    async def script(session: Session) -> None:
        session.open("shop.py")
        argument = {"uri": session.uri(TEST_FILE), "testId": TWO}
        result = await session.command("pennyproof.explain", argument)
        await session.settle()
        assert result["markdown"].startswith("# `TestTotal::test_two` fails")
        assert result["claims"] == []
        assert result["spent_usd"] == 0.0
        assert {"path": "shop.py", "line": 2} in result["references"]
        method, params = session.requests[0]
        assert method == "window/showDocument"
        page = Path(params["uri"].removeprefix("file://"))
        assert page.read_text() == result["markdown"]
        assert page.is_relative_to(tmp_path / "state")
        await session.command("pennyproof.explain", argument | {"show": False})
        await session.settle()
        assert len(session.requests) == 1

    play(tmp_path / "root", script)


def test_a_cursor_asks_about_the_name_there(tmp_path: Path) -> None:
    async def script(session: Session) -> None:
        session.open(TEST_FILE)
        place = {"line": 6, "character": 17}
        argument = {"uri": session.uri(TEST_FILE), "range": {"start": place, "end": place}, "show": False}
        result = await session.command("pennyproof.explain", argument)
        assert result["markdown"].startswith("# `shop.total`")

    play(tmp_path / "root", script)


def test_a_client_that_opens_nothing_is_told_instead(tmp_path: Path) -> None:
    async def script(session: Session) -> None:
        await session.command("pennyproof.showLastRejections", {})
        await session.settle()

    session = play(tmp_path / "root", script, capabilities={})
    [message] = said(session)
    assert message.startswith("Rejected candidates: Nothing was searched for yet.")


DIFF = "--- a/shop.py\n+++ b/shop.py\n@@ -2 +2 @@\n-    return sum(prices[1:])\n+    return sum(prices)\n"


def test_a_diff_is_proved(tmp_path: Path) -> None:
    async def script(session: Session) -> None:
        verdict = await session.command("pennyproof.prove", {"root": str(session.root), "diff": DIFF})
        assert (verdict["level"], verdict["failed"]) == ("fixes", [])

    play(tmp_path / "root", script)


def test_a_proved_diff_says_how_much_the_tests_would_notice(tmp_path: Path) -> None:
    async def script(session: Session) -> None:
        session.prover.notices = {0: True, 1: False}
        verdict = await session.command("pennyproof.prove", {"root": str(session.root), "diff": DIFF})
        strength = verdict["strength"]
        assert (strength["noticed"], strength["slips"], len(strength["missed"])) == (1, 2, 1)

    play(tmp_path / "root", script)


def test_what_is_measured_of_a_diff_can_be_cancelled(tmp_path: Path) -> None:
    begun, freed = threading.Event(), threading.Event()

    def wait_for_cancel(cancel: Cancel) -> None:
        begun.set()
        cancel.on_cancel(freed.set)
        assert freed.wait(30)

    async def script(session: Session) -> None:
        session.prover.before_noticing = wait_for_cancel
        params = {
            "command": "pennyproof.prove",
            "arguments": [{"root": str(session.root), "diff": DIFF}],
            "workDoneToken": "t",
        }
        answer = asyncio.create_task(session.request("workspace/executeCommand", params))
        assert await asyncio.to_thread(begun.wait, 30)
        session.notify("window/workDoneProgress/cancel", {"token": "t"})
        assert (await answer)["code"] in (-32800, -32802)

    play(tmp_path / "root", script)


class Editing(Project):
    """A model has answered with the right text."""

    def edit(self, snapshot: Snapshot, request: EditRequest, **_: object) -> EditResult:
        before = Source(SHOP)
        change = FileChange(request.path, before, Source(SHOP.replace(WRONG, RIGHT)))
        candidate = Candidate((change,), summary=request.instruction)
        verdict = self.prover.prove(snapshot, candidate, cancel=Cancel())
        return EditResult(
            snapshot, (Offer("e1", candidate, verdict), Offer("e2", candidate, verdict, alternative=True))
        )


@pytest.mark.parametrize("cancelled", [False, True], ids=["in time", "cancelled"])
@pytest.mark.parametrize("preview", [False, True], ids=["applied", "preview"])
def test_the_offers_of_an_edit_say_how_much_the_tests_would_notice(
    preview: bool, cancelled: bool, tmp_path: Path
) -> None:
    applied_first: list[bool] = []

    async def script(session: Session) -> None:
        settings = session.server.projects.settings(session.root)
        project = Editing(session.root, lambda _: session.prover, tuple, trusted=True)
        session.server.projects._projects[session.root] = (settings, project)

        def begin(cancel: Cancel) -> None:
            applied_first.append(any(method == "workspace/applyEdit" for method, _ in session.requests))
            if cancelled:
                cancel.ask()

        session.prover.before_noticing = begin
        session.prover.notices = {0: True, 1: False}
        session.open("shop.py")
        place = {"line": 1, "character": 0}
        argument = {
            "uri": session.uri("shop.py"),
            "range": {"start": place, "end": place},
            "instruction": "all of them",
            "preview": preview,
        }
        result = await session.command("pennyproof.edit", argument)
        assert result["applied"] is not preview
        assert [offer["id"] for offer in result["offers"]] == ["e1", "e2"]
        assert all(offer["edit"] for offer in result["offers"])
        strengths = [offer["verdict"]["strength"] for offer in result["offers"]]
        if cancelled:
            assert strengths == [None, None]
        else:
            assert [(strength["noticed"], strength["slips"]) for strength in strengths] == [(1, 2), (1, 2)]

    play(tmp_path / "root", script)
    assert set(applied_first) == {not preview}


def test_restarting_restarts_the_workers(tmp_path: Path) -> None:
    async def script(session: Session) -> None:
        await session.command("pennyproof.runTests", {})
        assert await session.command("pennyproof.restartWorkers") == {"roots": [str(session.root)]}
        assert session.prover.asked == [None, ["restarted"]]

    play(tmp_path / "root", script)


def test_trust_is_given_and_taken_back(tmp_path: Path) -> None:
    async def script(session: Session) -> None:
        root = {"root": session.root.as_uri()}
        assert (await session.command("pennyproof.trustWorkspace", root | {"trusted": True}))["trusted"] is True
        assert (await session.command("pennyproof.runTests", {}))["passed"] == 2
        assert (await session.command("pennyproof.trustWorkspace", root | {"trusted": False}))["trusted"] is False
        assert (await session.command("pennyproof.runTests", {}))["code"] == -32803

    play(tmp_path / "root", script, trusted=False)


@pytest.mark.parametrize(
    ("command", "argument", "named"),
    [
        ("debug", None, "uri"),
        ("debug", {}, "uri"),
        ("debug", {"uri": 7}, "uri"),
        ("explain", {}, "uri"),
        ("explain", {"uri": "file:///x.py"}, "testId or range"),
        ("prove", {"root": "/"}, "diff"),
        ("runTests", {"testIds": "one"}, "testIds"),
        ("trustWorkspace", {"root": "/"}, "trusted"),
        ("runTests", {"testIds": ["tests/test_shop.py::test_gone"]}, "test_gone"),
        ("prove", {"root": "/nowhere", "diff": ""}, "/nowhere"),
    ],
)
def test_malformed_arguments_are_named(tmp_path: Path, command: str, argument: Any, named: str) -> None:
    async def script(session: Session) -> None:
        error = await session.command(f"pennyproof.{command}", argument)
        assert error["code"] == -32602
        assert named in error["message"]

    play(tmp_path / "root", script)


def test_lenses_are_asked_for_again_when_other_tests_fail(tmp_path: Path) -> None:
    async def script(session: Session) -> None:
        for _ in range(2):
            await session.command("pennyproof.runTests", {})
            await session.settle()
        assert [method for method, _ in session.requests] == ["workspace/codeLens/refresh"]

    play(tmp_path / "root", script, capabilities={"workspace": {"codeLens": {"refreshSupport": True}}})


def test_a_buffer_that_is_no_file_belongs_to_nobody(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    async def script(session: Session) -> None:
        uri = "untitled:Untitled-1"
        document = {"textDocument": {"uri": uri}}
        item = {"uri": uri, "languageId": "python", "version": 1, "text": "def test_a(): ..."}
        session.notify("textDocument/didOpen", {"textDocument": item})
        session.notify("textDocument/didSave", document)
        place = {"line": 0, "character": 0}
        context = {"range": {"start": place, "end": place}, "context": {"diagnostics": []}}
        assert await session.request("textDocument/codeLens", document) == []
        assert await session.request("textDocument/codeAction", document | context) == []
        session.notify("textDocument/didClose", document)
        await session.settle()

    play(tmp_path / "root", script)
    assert [record for record in caplog.records if record.levelname == "ERROR"] == []


def test_rejections_are_told(tmp_path: Path) -> None:
    async def script(session: Session) -> None:
        session.prover.rejects = "breaks `test_none`"
        await session.command("pennyproof.debug", {"uri": session.uri(TEST_FILE), "testId": TWO})
        result = await session.command("pennyproof.showLastRejections", {"show": False})
        reason = {"summary": "replace `prices[1:]` by `prices`", "reason": "breaks `test_none`"}
        assert result["rejections"] == [reason]
        assert "- `` replace `prices[1:]` by `prices` ``: breaks \\`test\\_none\\`" in result["markdown"]

    session = play(tmp_path / "root", script)
    assert said(session) == ["No fix held: 1 candidates tried"]


def test_what_was_found_is_said_unless_that_is_not_wanted(tmp_path: Path) -> None:
    async def script(session: Session) -> None:
        argument = {"uri": session.uri(TEST_FILE), "testId": TWO}
        for more in ({"preview": True}, {"preview": True, "show": True}):
            assert (await session.command("pennyproof.debug", {**argument, **more}))["offers"]
        session.server.client_name = "helix"
        assert (await session.command("pennyproof.debug", argument))["applied"]

    listed, applied = said(play(tmp_path / "root", script))
    assert listed.startswith("One fix holds, to be taken from the code actions of the failing test: replace `prices[1")
    assert applied.startswith("Applied to shop.py: replace `prices[1:]` by `prices`: ")


def test_what_was_applied_is_not_said_where_the_client_shows_it(tmp_path: Path) -> None:
    async def script(session: Session) -> None:
        assert (await session.command("pennyproof.debug", {"uri": session.uri(TEST_FILE), "testId": TWO}))["applied"]

    assert said(play(tmp_path / "root", script)) == []


def test_a_client_that_shows_no_errors_is_sent_a_message(tmp_path: Path) -> None:
    async def script(session: Session) -> None:
        for session.server.client_name in ("vim", "helix"):
            assert (await session.command("pennyproof.debug"))["code"] == -32602
            assert (await session.command("pennyproof.runTests", {"testIds": ["test_gone"]}))["code"] == -32602

    missing, unknown = said(play(tmp_path / "root", script))
    assert missing == "Pennyproof: malformed argument: uri: Field required"
    assert "test_gone" in unknown


@pytest.mark.parametrize("preview", [False, True], ids=["told", "preview"])
def test_a_range_that_no_failing_test_is_about_starts_no_search(preview: bool, tmp_path: Path) -> None:
    async def script(session: Session) -> None:
        session.open(TEST_FILE)
        place = {"line": 13, "character": 0}
        argument = {"uri": session.uri(TEST_FILE), "range": {"start": place, "end": place}, "preview": preview}
        result = await session.command("pennyproof.debug", argument)
        assert (result["offers"], result["baseline"]["failed"], result["applied"]) == ([], [TWO, MANY], False)
        assert result["reason"] == "No failing test runs these lines"

    session = play(tmp_path / "root", script)
    # Who asks for a preview shows the reason itself.
    assert said(session) == ([] if preview else ["No failing test runs these lines"])
