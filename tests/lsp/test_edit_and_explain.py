"""``pennyproof.edit`` and ``pennyproof.explain`` with a model, over the real server in a process of its own."""

import shutil
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.lsp.client import Client, ResponseError
from tests.standin import Reply, Standin

SHOP = '''\
def total(prices):
    """What all prices come to: total([1, 2]) == 3."""
'''
BODY = "    return sum(prices)\n"
WRITTEN = f"```python\n{SHOP}{BODY}```\n"
NOBODY = {"start": {"line": 0, "character": 4}, "end": {"line": 0, "character": 4}}


@contextmanager
def session(
    tmp_path: Path,
    replies: Sequence[Reply] = (),
    *,
    key: str | None = None,
    trust: str = "always",
    agrees: str | None = None,
    **params: Any,
) -> Iterator[tuple[Client, Path, list[Any]]]:
    """A client, the root, and the edits that the server asks for."""
    root = (tmp_path / "root").resolve()
    root.mkdir()
    (root / "shop.py").write_text(SHOP)
    edits: list[Any] = []

    def apply(params: Any) -> Any:
        edits.append(params)
        return {"applied": True}

    with Standin(replies) as standin:
        environ = {
            "PENNYPROOF_HOME": str(tmp_path / "state"),
            "PENNYPROOF_TESTS_PYTHON": sys.executable,
            "PENNYPROOF_PROOF_SANDBOX": "auto" if shutil.which("bwrap") else "off",
            "PENNYPROOF_PROOF_WORKERS": "1",
            "PENNYPROOF_MODEL_BASE_URL": standin.url,
            "DEEPSEEK_API_KEY": standin.key if key is None else key,
            "PENNYPROOF_TRUST": trust,
        }
        handlers = {
            "workspace/applyEdit": apply,
            "window/showDocument": lambda _: {"success": True},
            "window/showMessageRequest": lambda asked: {"title": agrees} if agrees else None,
        }
        with Client(root, environ=environ, handlers=handlers) as client:
            client.initialize(**params)
            yield client, root, edits


def new_text(edits: Sequence[Any]) -> str:
    return "".join(change["newText"] for uri in edits[0]["edit"].get("changes", {}).values() for change in uri)


def test_a_function_is_implemented_and_applied(tmp_path: Path) -> None:
    with session(tmp_path, [Reply(WRITTEN, times=None)]) as (client, root, edits):
        uri = client.open(root / "shop.py")
        found = client.request(
            "textDocument/codeAction",
            {"textDocument": {"uri": uri}, "range": NOBODY, "context": {"diagnostics": []}},
        )
        (action,) = [action for action in found if action["kind"] == "refactor.rewrite"]
        assert action["title"] == "Implement total from its docstring (checked)"
        result = client.command(action["command"]["command"], *action["command"]["arguments"])
    assert new_text(edits) == BODY
    assert edits[0]["label"].startswith("implement `total`: fixes 1 test, breaks 0 of 1 that ran")
    assert (result["applied"], result["tried"], result["reason"], result["root"]) == (True, 1, None, str(root))
    best = result["offers"][0]
    assert best["origin"] == {"tier": "fast", "model": "deepseek-flash", "attempt": 1}
    assert best["verdict"]["level"] == "fixes"
    assert best["edit"]["changes"][uri]
    assert 0 < result["spent_usd"] < 0.05
    assert (root / "shop.py").read_text() == SHOP


@pytest.mark.parametrize("only", [["quickfix"], ["source"], ["refactor.extract"]])
def test_implementing_is_no_other_kind_of_action(tmp_path: Path, only: list[str]) -> None:
    with session(tmp_path) as (client, root, _):
        context = {"diagnostics": [], "only": only}
        params = {"textDocument": {"uri": client.open(root / "shop.py")}, "range": NOBODY, "context": context}
        assert client.request("textDocument/codeAction", params) == []


def test_a_preview_changes_nothing_and_text_that_moved_on_is_left_alone(tmp_path: Path) -> None:
    with session(tmp_path, [Reply(WRITTEN, times=None)]) as (client, root, edits):
        uri = client.open(root / "shop.py")
        argument = {"uri": uri, "range": NOBODY, "instruction": "sum them"}
        preview = client.command("pennyproof.edit", {**argument, "preview": True})
        assert (len(preview["offers"]), preview["applied"]) == (1, False)
        pending = client.ask_command("pennyproof.edit", argument)
        client.change(uri, 2, "# Something else.\n" + SHOP)
        assert pending.result()["applied"] is False
    assert edits == []


@pytest.mark.parametrize(
    ("argument", "message"),
    [
        ({"range": NOBODY}, "malformed argument: uri"),
        ({"uri": "$uri", "instruction": ""}, "malformed argument: range"),
        ({"uri": "$uri", "range": {"start": {"line": -1, "character": 0}, "end": NOBODY["end"]}}, "malformed argument"),
        ({"uri": "$uri", "range": NOBODY, "instruction": "x" * 20_001}, "malformed argument: instruction"),
        (
            {"uri": "$uri", "range": {"start": {"line": 9, "character": 0}, "end": {"line": 9, "character": 0}}},
            "no function",
        ),
        ({"uri": "untitled:1", "range": NOBODY}, "untitled:1 is not a file"),
    ],
)
def test_what_makes_no_sense_is_refused_in_one_line(tmp_path: Path, argument: Any, message: str) -> None:
    with session(tmp_path) as (client, root, _):
        uri = (root / "shop.py").as_uri()
        with pytest.raises(ResponseError) as raised:
            client.command(
                "pennyproof.edit", {key: uri if value == "$uri" else value for key, value in argument.items()}
            )
    assert raised.value.code == -32602
    assert message in raised.value.message
    assert "\n" not in raised.value.message


def test_without_a_key_an_edit_is_refused_in_one_line(tmp_path: Path) -> None:
    with session(tmp_path, key="") as (client, root, _):
        uri = client.open(root / "shop.py")
        with pytest.raises(ResponseError, match="nothing can be edited without a model: there is no key"):
            client.command("pennyproof.edit", {"uri": uri, "range": NOBODY})
        found = client.request(
            "textDocument/codeAction",
            {"textDocument": {"uri": uri}, "range": NOBODY, "context": {"diagnostics": []}},
        )
        assert found == []


def test_an_edit_is_cancelled_while_the_model_writes(tmp_path: Path) -> None:
    with session(tmp_path, [Reply(WRITTEN, first_token_seconds=30)]) as (client, root, edits):
        uri = client.open(root / "shop.py")
        pending = client.ask_command("pennyproof.edit", {"uri": uri, "range": NOBODY}, workDoneToken="t")
        client.wait_for_notification(
            "$/progress", lambda params: "asking deepseek-flash" in str(params["value"].get("message"))
        )
        client.notify("window/workDoneProgress/cancel", {"token": "t"})
        with pytest.raises(ResponseError) as raised:
            pending.result()
        assert raised.value.code in (-32800, -32802)
    assert edits == []


def pages(client: Client) -> list[Path]:
    return [
        Path(params["uri"].removeprefix("file://")) for name, params in client.requests if name == "window/showDocument"
    ]


def test_an_explanation_grows_in_its_page(tmp_path: Path) -> None:
    text = "Es zählt die Preise zusammen, siehe `shop.py:2` und `gone.py:1`. " + "Mehr. " * 20
    replies = [Reply(text, token_seconds=0.02, tokens_per_chunk=2)]
    with session(tmp_path, replies, locale="de") as (client, root, _):
        uri = client.open(root / "shop.py")
        place = {"start": {"line": 0, "character": 0}, "end": {"line": 2, "character": 0}}
        pending = client.ask_command("pennyproof.explain", {"uri": uri, "range": place}, workDoneToken="t")
        client.wait_until(lambda: bool(pages(client)), "a page")
        page = pages(client)[0]
        assert pending.response is None or "Es" in pending.response["result"]["markdown"]
        client.wait_for_notification("$/progress", lambda params: "Preise" in str(params["value"].get("message")))
        result = pending.result()
        assert page.read_text() == result["markdown"]
        assert len(pages(client)) == 1
    assert result["markdown"].startswith("# `shop.py:1–2`\n\nEs zählt")
    assert "gone.py" not in result["markdown"]
    assert "What all prices come to" in result["markdown"]
    assert result["references"][0] == {"path": "shop.py", "line": 2}
    assert (result["claims"], result["origin"]["tier"]) == ([], "fast")
    assert result["spent_usd"] > 0


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        pytest.param({"key": ""}, "there is no key for 127.0.0.1", id="no key"),
        pytest.param({"key": "sk-wrong-recognisable"}, "key", id="wrong key"),
        pytest.param({"trust": "never"}, "before you agree", id="nobody asked"),
        pytest.param({"trust": "ask", "agrees": "Not now"}, "before you agree", id="not now"),
    ],
)
def test_without_a_model_the_facts_stand_alone(tmp_path: Path, options: Any, reason: str) -> None:
    with session(tmp_path, **options) as (client, root, _):
        uri = client.open(root / "shop.py")
        result = client.command("pennyproof.explain", {"uri": uri, "range": NOBODY, "show": False})
        assert "recognisable" not in client.log
    facts, _, said = result["markdown"].rpartition("\n*No model has explained this: ")
    assert "defined at `shop.py:1`" in facts
    assert reason in said.replace("\\", "")
    assert "recognisable" not in said
    assert (result["origin"], result["spent_usd"]) == (None, 0.0)
