"""The stand-in as a process of its own."""

import json
import math
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from tests.standin import Reply, Script, ToolCall
from tests.standin.wire import ask, told

ROOT = Path(__file__).parents[2]
KEY = {"authorization": "Bearer sk-standin"}
CHAT = {"model": "deepseek-flash", "messages": [{"role": "user", "content": "say"}]}


@contextmanager
def process(script: Path, *options: str) -> Iterator[subprocess.Popen[str]]:
    command = [sys.executable, "-m", "tests.standin", "--script", str(script), *options]
    with subprocess.Popen(
        command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as running:
        try:
            yield running
        finally:
            running.kill()


def test_a_script_survives_being_written(tmp_path: Path) -> None:
    calls = (ToolCall("look", '{"at": "é"}'),)
    script = Script((Reply("é\n", tool_calls=calls, seconds=math.inf, times=None, route="fim"),), usage="trailing")
    script.save(tmp_path / "script.json")
    assert Script.load(tmp_path / "script.json") == script


def test_a_script_may_be_written_by_hand(tmp_path: Path) -> None:
    path = tmp_path / "script.json"
    path.write_text('{"replies": [{"text": "hi", "times": null}]}')
    assert Script.load(path) == Script((Reply("hi", times=None),))


def test_a_script_with_an_unknown_word_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "script.json"
    path.write_text('{"replies": [{"txt": "hi"}]}')
    with pytest.raises(ValueError, match="txt"):
        Script.load(path)


@pytest.mark.parametrize("ends", ["input", "signal"])
def test_a_process_tells_its_url_answers_and_ends(tmp_path: Path, ends: str) -> None:
    Script((Reply("hi"), Reply(behaviour="stall", seconds=math.inf))).save(tmp_path / "script.json")
    with process(tmp_path / "script.json") as running:
        assert running.stdout
        assert running.stdin
        url = running.stdout.readline().strip()
        assert told(ask(url, CHAT)) == "200 'hi'=stop$ ended"
        with httpx.stream(
            "POST",
            f"{url}/chat/completions",
            json=CHAT | {"stream": True},
            headers={"authorization": "Bearer sk-standin"},
        ):
            requests = httpx.get(f"{url}/_standin/requests").json()
            assert [(one["body"]["model"], one["behaviour"]) for one in requests] == [
                ("deepseek-flash", "success"),
                ("deepseek-flash", "stall"),
            ]
            if ends == "input":
                running.stdin.close()
            else:
                running.send_signal(signal.SIGTERM)
            assert running.wait(timeout=30) == 0
        assert running.stdout.read() == ""


def test_a_script_that_is_none_ends_the_process(tmp_path: Path) -> None:
    (tmp_path / "script.json").write_text(json.dumps({"replies": "hi"}))
    with process(tmp_path / "script.json") as running:
        output, _ = running.communicate(timeout=30)
        assert (output, running.returncode) == ("", 1)
