"""The client and a real llama.cpp server, whose tiny random model says what a grammar lets it say."""

import importlib.util
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from pennyproof.core.work import Cancel, Deadline
from pennyproof.errors import Cancelled
from pennyproof.settings import Settings
from pennyproof.tiers.hosted.errors import Fault, ProviderError
from pennyproof.tiers.hosted.models import Models
from pennyproof.tiers.hosted.requests import LLAMA_CPP, ChatRequest, FimRequest, Message
from tests.tiers.hosted.paid import Records, ask, client
from tests.tiers.hosted.tiny_model import write_tiny_model

pytestmark = pytest.mark.skipif(
    importlib.util.find_spec("xllamacpp") is None,
    reason="xllamacpp is not installed (dependency group llama): it has no wheel for this platform",
)

KEY = "a-key-of-llama"
ANSWERS = {"return a + b", "return a - b"}
GRAMMAR = 'root ::= "return a + b" | "return a - b"'
LONG = 'root ::= "a"{300}'
CHAT = ChatRequest("tiny", (Message("user", "What is the sum?"),), 64)
FIM = FimRequest("tiny", "def add(a, b):\n    ", "\n", 64)


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    model = tmp_path_factory.mktemp("llama") / "tiny.gguf"
    write_tiny_model(model)
    command = [sys.executable, "-m", "tests.tiers.hosted.llama_server", str(model), KEY, GRAMMAR]
    log = model.with_suffix(".log")
    with (
        log.open("wb") as stderr,
        subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=stderr,
            cwd=Path(__file__).parents[3],
        ) as server,
    ):
        assert server.stdout is not None
        try:
            # What llama.cpp has to say goes to its standard output, too.
            lines = (line.decode().strip() for line in server.stdout)
            yield next((line for line in lines if line.startswith("http://")), f"none: {log.read_text()[-2000:]}")
        finally:
            server.kill()


def test_a_chat_is_streamed(url: str) -> None:
    hosted, records, pieces = client(url, KEY, LLAMA_CPP), Records(), list[str]()
    request = replace(CHAT, extra={"grammar": 'root ::= "the sum: " ("1" | "2") "äöü€🐍"'})
    answer = ask(hosted, request, records, on_text=pieces.append)
    hosted.close()
    assert answer.text in {"the sum: 1äöü€🐍", "the sum: 2äöü€🐍"}
    assert "".join(pieces) == answer.text
    assert len(pieces) > 5
    assert (answer.finish_reason, answer.cut) == ("stop", False)
    assert records.outcomes == ["ok"]
    used = records.entries[0].usage
    assert used is not None
    assert used == answer.usage
    assert 0 < used.output <= 64
    assert used.hit + used.miss > 0


def test_the_grammar_of_the_server_holds_for_gaps(url: str) -> None:
    hosted, records, pieces = client(url, KEY, LLAMA_CPP), Records(), list[str]()
    answer = ask(hosted, FIM, records, on_text=pieces.append)
    hosted.close()
    assert answer.text in ANSWERS
    assert "".join(pieces) == answer.text
    assert records.outcomes == ["ok"]


def test_an_answer_may_be_cut(url: str) -> None:
    hosted = client(url, KEY, LLAMA_CPP)
    answer = ask(hosted, replace(CHAT, max_tokens=5, extra={"grammar": LONG}))
    hosted.close()
    assert (answer.text, answer.cut) == ("aaaaa", True)


def test_a_call_can_be_cancelled_and_the_next_one_is_answered(url: str) -> None:
    hosted, records, cancel = client(url, KEY, LLAMA_CPP), Records(), Cancel()
    request = replace(CHAT, max_tokens=300, extra={"grammar": LONG})
    with pytest.raises(Cancelled):
        ask(hosted, request, records, cancel=cancel, on_text=lambda _: cancel.ask())
    assert ask(hosted, FIM).text in ANSWERS
    hosted.close()
    assert records.outcomes == ["cancelled"]


@pytest.mark.parametrize(
    ("key", "request_", "fault"),
    [
        ("another-key", CHAT, Fault.AUTH),
        (None, FIM, Fault.AUTH),
        (KEY, replace(CHAT, messages=(Message("user", "long " * 400),)), Fault.CONTEXT_OVERFLOW),
        (KEY, replace(CHAT, extra={"grammar": "no grammar"}), Fault.BAD_REQUEST),
    ],
)
def test_errors_are_told_in_one_line(
    url: str, key: str | None, request_: ChatRequest | FimRequest, fault: Fault
) -> None:
    hosted = client(url, key, LLAMA_CPP)
    with pytest.raises(ProviderError) as caught:
        ask(hosted, request_)
    hosted.close()
    assert caught.value.fault is fault
    assert "\n" not in str(caught.value)


def test_its_models_are_listed(url: str) -> None:
    hosted = client(url, KEY, LLAMA_CPP)
    (name,) = hosted.models(10)
    hosted.close()
    assert name.endswith("tiny.gguf")


def test_the_settings_lead_there(url: str, tmp_path: Path) -> None:
    price = {"input": 1.0, "output": 1.0}
    model = {"provider": "llamacpp", "baseUrl": url, "fast": "tiny", "prices": {"tiny": price}}
    settings = Settings.model_validate({"model": model})
    models = Models(settings, tmp_path, tmp_path / "state", {"PENNYPROOF_API_KEY": KEY}, lambda _: True)
    spending = models.begin("complete")
    answer = spending.fast.fim(FIM, deadline=Deadline(30), cancel=Cancel())
    assert answer.text in ANSWERS
    assert spending.fast.fills_gaps
    assert 0 < spending.spent_usd <= 0.05
    models.close()
