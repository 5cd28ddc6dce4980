"""An editor as a person uses it, over the real server: the steps of scenarios."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from pennyproof.core.edits import Edit, apply
from pennyproof.core.positions import Encoding, LineIndex, Position
from tests.lsp.client import Client, ResponseError
from tests.scenarios.scenario import Scenario, Step, markers, mismatch

Json = Any

_PATIENCE = 120.0
"""Seconds for what runs tests: long, because machines are slow; never a measurement."""


class Editor:
    """Does steps. Every method that begins with ``do_`` is a step; its text is what follows the verb.

    Args:
        client: The session; this answers what the server asks.
        root: The workspace folder.
        scenario: What is played.
    """

    def __init__(self, client: Client, root: Path, scenario: Scenario, encoding: str) -> None:
        self._client = client
        self._root = root
        self._encoding = Encoding(encoding)
        self._scenario = scenario
        self._texts: dict[str, str] = {}
        self._versions: dict[str, int] = {}
        self._actions: dict[str, Json] = {}
        client.handlers["workspace/applyEdit"] = self._apply
        client.handlers["window/showDocument"] = lambda _: {"success": True}

    def do(self, step: Step) -> None:
        """Do one step and check what comes of it."""
        getattr(self, f"do_{step.verb}")(step.rest, step.expected)

    def do_open(self, path: str, _: str) -> None:
        """Open a file: ``open shop.py``."""
        self._client.open(self._root / path)
        self._texts[path] = (self._root / path).read_text(encoding="utf-8")
        self._versions[path] = 1

    def do_type(self, rest: str, _: str) -> None:
        """Replace text in an open file: ``type shop.py ["old", "new"]``."""
        path, _, arguments = rest.partition(" ")
        old, new = json.loads(arguments)
        assert self._texts[path].count(old) == 1, f"{old!r} has to be in {path} once"
        self._change(path, self._texts[path].replace(old, new))

    def do_save(self, path: str, _: str) -> None:
        """Save an open file: ``save shop.py``."""
        (self._root / path).write_text(self._texts[path], encoding="utf-8")
        self._client.notify("textDocument/didSave", {"textDocument": {"uri": self._uri(path)}})

    def do_run(self, rest: str, expected: str) -> None:
        """Run a command: ``run debug {"uri": "shop.py", "range": "$0"}``; expects JSON, or ``error CODE TEXT``."""
        name, _, argument = rest.partition(" ")
        value = self._filled(json.loads(argument)) if argument else None
        self._execute(f"pennyproof.{name}", value, expected)

    def do_actions(self, _: str, expected: str) -> None:
        """The titles in the light bulb at the cursor; with no expectation it is only opened, for ``choose``."""
        path, place = self._scenario.cursor[0], self._cursor()
        shown = [one for one in self._shown(path) if _overlap(one["range"], place)]
        found = self._client.request(
            "textDocument/codeAction",
            {"textDocument": {"uri": self._uri(path)}, "range": place, "context": {"diagnostics": shown}},
        )
        self._actions = {action["title"]: action for action in found}
        problem = mismatch(list(self._actions), expected.splitlines()) if expected else None
        assert problem is None, f"found {list(self._actions)}: {problem}"

    def do_choose(self, title: str, expected: str) -> None:
        """Take an action of the light bulb last seen: ``choose Find a verified fix…``."""
        action = next(one for name, one in self._actions.items() if mismatch(name, title) is None)
        if "edit" in action:
            self._apply({"edit": action["edit"]})
        if "command" in action:
            self._execute(action["command"]["command"], *action["command"]["arguments"], expected)

    def do_lenses(self, path: str, _: str) -> None:
        """The lenses of a file are those of its ``lens`` markers: ``lenses tests/test_shop.py``."""
        found: dict[int, list[str]] = {}
        for lens in self._client.request("textDocument/codeLens", {"textDocument": {"uri": self._uri(path)}}):
            found.setdefault(lens["range"]["start"]["line"], []).append(lens["command"]["title"])
        assert {line: tuple(titles) for line, titles in found.items()} == markers("lens", self._text(path))

    def do_diagnostics(self, _: str, __: str) -> None:
        """Sooner or later the diagnostics are those of the ``diagnostic`` markers, and no others."""
        self._wait_for({path: markers("diagnostic", self._text(path)) for path in self._scenario.files})

    def do_clean(self, _: str, __: str) -> None:
        """Sooner or later there is no diagnostic."""
        self._wait_for({path: {} for path in self._scenario.files})

    def do_text(self, path: str, expected: str) -> None:
        """A file reads as given, markers left out: ``text shop.py``."""
        lines = [line.partition("#@")[0].rstrip() for line in self._text(path).splitlines()]
        assert "\n".join(lines).strip() == expected.strip()

    def do_message(self, text: str, _: str) -> None:
        """The user is told something: ``message No fix held…``."""
        self._client.wait_for_notification(
            "window/showMessage", lambda params: mismatch(params["message"], text) is None
        )

    def do_page(self, _: str, expected: str) -> None:
        """A page was opened, and has these lines among its own."""
        self._client.wait_until(lambda: self._asked("window/showDocument"), "a page")
        shown = self._asked("window/showDocument")[-1]["uri"]
        lines = Path(shown.removeprefix("file://")).read_text(encoding="utf-8").splitlines()
        for line in expected.splitlines():
            assert any(mismatch(one, line) is None for one in lines), f"{line!r} is not on the page:\n{lines}"

    def do_unchanged(self, _: str, __: str) -> None:
        """Nothing on disk is other than at the beginning."""
        found = {path: (self._root / path).read_text(encoding="utf-8") for path in self._scenario.files}
        assert found == self._scenario.files

    def _execute(self, command: str, argument: Json, expected: str) -> None:
        try:
            result = self._client.ask_command(command, argument).result(_PATIENCE)
            problem = mismatch(result, self._wanted(expected)) if expected else None
        except ResponseError as error:
            problem = mismatch(f"error {error.code} {error.message}", expected.replace("$root", str(self._root)))
        assert problem is None, f"{command} gave{problem}"

    def _wanted(self, expected: str) -> Json:
        """What a result has to contain; an error is told by its text."""
        is_json = expected.startswith(("{", "["))
        return self._filled(json.loads(expected)) if is_json else expected

    def _apply(self, params: Json) -> Json:
        """Apply a workspace edit as editors do: stale versions are refused, closed files are written."""
        edit = params["edit"]
        changes = [
            (one["textDocument"]["uri"], one["textDocument"].get("version"), one["edits"])
            for one in edit.get("documentChanges", [])
        ]
        changes += [(uri, None, edits) for uri, edits in edit.get("changes", {}).items()]
        paths = [self._path(uri) for uri, _, _ in changes]
        if any(
            version not in (None, self._versions.get(path))
            for path, (_, version, _) in zip(paths, changes, strict=True)
        ):
            return {"applied": False, "failureReason": "the document has changed"}
        for path, (_, _, edits) in zip(paths, changes, strict=True):
            self._change(path, self._edited(path, edits))
        return {"applied": True}

    def _edited(self, path: str, edits: Sequence[Json]) -> str:
        index = LineIndex(self._text(path))

        def offset(place: Json) -> int:
            return index.offset(Position(place["line"], place["character"]), self._encoding)

        spans = [(offset(edit["range"]["start"]), offset(edit["range"]["end"]), edit["newText"]) for edit in edits]
        return apply(index.text, [Edit(*span) for span in spans])

    def _change(self, path: str, text: str) -> None:
        if path not in self._texts:
            (self._root / path).write_text(text, encoding="utf-8")
            return
        self._texts[path] = text
        self._versions[path] += 1
        self._client.change(self._uri(path), self._versions[path], text)

    def _wait_for(self, expected: dict[str, dict[int, tuple[str, ...]]]) -> None:
        def as_expected() -> bool:
            return all(self._matches(path, wanted) for path, wanted in expected.items())

        self._client.wait_until(as_expected, f"these diagnostics: {expected}", _PATIENCE)

    def _matches(self, path: str, wanted: dict[int, tuple[str, ...]]) -> bool:
        found = {one["range"]["start"]["line"]: [one["message"], one["data"]["testId"]] for one in self._shown(path)}
        told = {line: list(arguments) for line, arguments in wanted.items()}
        return found.keys() == told.keys() and all(mismatch(found[line], told[line]) is None for line in told)

    def _shown(self, path: str) -> list[Json]:
        for method, params in reversed(self._client.notifications):
            if method == "textDocument/publishDiagnostics" and params["uri"] == self._uri(path):
                return params["diagnostics"]
        return []

    def _asked(self, method: str) -> list[Json]:
        return [params for name, params in self._client.requests if name == method]

    def _filled(self, value: Json) -> Json:
        """Paths as URIs, ``$0`` as the range of the cursor, ``$root`` as the workspace folder."""
        if isinstance(value, dict):
            return {
                key: self._uri(one) if key == "uri" and isinstance(one, str) else self._filled(one)
                for key, one in value.items()
            }
        if isinstance(value, list):
            return [self._filled(one) for one in value]
        return {"$0": self._cursor(), "$root": str(self._root)}.get(value, value) if isinstance(value, str) else value

    def _cursor(self) -> Json:
        path, offset = self._scenario.cursor
        position = LineIndex(self._text(path)).position(offset, self._encoding)
        place = {"line": position.line, "character": position.character}
        return {"start": place, "end": place}

    def _text(self, path: str) -> str:
        return self._texts[path] if path in self._texts else (self._root / path).read_text(encoding="utf-8")

    def _uri(self, path: str) -> str:
        return (self._root / path).as_uri()

    def _path(self, uri: str) -> str:
        return next(path for path in self._scenario.files if self._uri(path) == uri)


def _overlap(one: Json, other: Json) -> bool:
    return bool(one["start"]["line"] <= other["end"]["line"] and other["start"]["line"] <= one["end"]["line"])
