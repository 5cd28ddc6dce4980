"""What a completion costs beside the model's own time, with a stand-in for the model as a process of its own.

First the client of hosted models alone, then the whole server behind LSP; both beside the bare HTTP stream of the same
answer from the same stand-in, in turns. What remains is the product's own time.
"""

import bisect
import contextlib
import http.client
import json
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pennyproof.settings
from pennyproof.core.work import Cancel, Deadline
from pennyproof.tiers.hosted.answers import Usage
from pennyproof.tiers.hosted.client import Client
from pennyproof.tiers.hosted.endpoint import Endpoint
from pennyproof.tiers.hosted.keys import Key
from pennyproof.tiers.hosted.requests import DEEPSEEK, FimRequest, fim_wire
from tests.bench import Options, product
from tests.bench.lsp_session import Session
from tests.bench.tables import median, quantile, table
from tests.standin import Reply, Script
from tests.standin.service import REQUESTS

NAME = "complete"
ABOUT = "a completion's own time: the client's per token, and the server's, beside the bare HTTP stream"

_LONG = " ".join(f"n{number}" for number in range(400))
_TOKENS = 799
_SHORT = "len(found) + 1"
_FAST = FimRequest("deepseek-flash", "# LONG\nx = ", "\n", 4096)
"""Every token comes as soon as the one before is sent: what is left over is the work for each."""
_PACED = FimRequest("deepseek-flash", "# PACED\nx = ", "\n", 96)
"""Tokens come one by one, as a model writes them: the first has nobody to share the processor with."""
_PACE = 0.005
"""Seconds between two."""
_NEWLINE = "\n"
_LINE = "    counted = "
"""What stands before the cursor when the server is asked."""


@dataclass(frozen=True, slots=True)
class _Stream:
    """One streamed answer, in milliseconds from the request."""

    first: float
    last: float
    heard: float = 0.0
    """When the first text was there, in seconds of ``time.monotonic``."""


def run(options: Options) -> str:
    """Measure the client and the server in turns with the bare stream."""
    rounds = 30 if options.quick else 300
    with tempfile.TemporaryDirectory(prefix="bench-complete-") as folder, _standin(Path(folder)) as (url, key):
        client = _client(url, key, rounds)
        server = _server(url, key, Path(folder).resolve(), rounds)
    return f"{client}\n\n{server}"


@contextlib.contextmanager
def _standin(folder: Path) -> Iterator[tuple[str, str]]:
    """A stand-in as a process; its URL and the key that is right."""
    paced = Reply(_SHORT, when="# PACED", times=None, token_seconds=_PACE)
    script = Script((Reply(_LONG, when="# LONG", times=None), paced, Reply(_SHORT, times=None)))
    file = folder / "script.json"
    script.save(file)
    command = [sys.executable, "-m", "tests.standin", "--script", str(file)]
    root = Path(__file__).parents[2]
    with subprocess.Popen(command, cwd=root, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        yield process.stdout.readline().strip(), script.key
        process.terminate()


def _client(url: str, key: str, rounds: int) -> str:
    client = Client(Endpoint(url), Key(key, "the benchmark"), DEEPSEEK)
    with _Bare(url, key) as bare:
        paced = _in_turns(lambda: _streamed(client, _PACED), lambda: bare.stream(_body(_PACED)), rounds)
        passing = [_passing(url, streams) for streams in paced]
        fast = _in_turns(lambda: _streamed(client, _FAST), lambda: bare.stream(_body(_FAST)), max(rounds // 5, 10))
    client.close()
    firsts = [[one.first for one in streams] for streams in paced]
    tokens = [[one.last / _TOKENS for one in streams] for streams in fast]
    rows = [
        ("bare HTTP stream", _ms(passing[1]), _ms(firsts[1]), _ms(tokens[1])),
        ("the client's callback", _ms(passing[0]), _ms(firsts[0]), _ms(tokens[0])),
        ("the client's own time", _own(*passing), _own(*firsts), _own(*tokens)),
    ]
    headings = (f"medians of {rounds}, ms", "first token: sent → heard", "asked → heard", f"each of {_TOKENS} tokens")
    return table(headings, rows)


def _body(request: FimRequest) -> bytes:
    return fim_wire(request, DEEPSEEK).body


def _passing(url: str, streams: Sequence[_Stream]) -> list[float]:
    """Milliseconds from when the stand-in sent the first text of each of these answers to when that was heard."""
    with urllib.request.urlopen(url + REQUESTS) as response:  # noqa: S310 (the stand-in, on this machine)
        written = sorted(request["written"][1] for request in json.load(response) if len(request["written"]) > 1)
    sent = [written[bisect.bisect_right(written, stream.heard) - 1] for stream in streams]
    return [1000 * (stream.heard - moment) for stream, moment in zip(streams, sent, strict=True)]


def _streamed(client: Client, request: FimRequest) -> _Stream:
    heard: list[float] = []
    started = time.monotonic()
    client.fim(
        request,
        recorder=_Unpaid(),
        deadline=Deadline(60),
        cancel=Cancel(),
        on_text=lambda _: heard.append(time.monotonic()),
    )
    return _Stream(1000 * (heard[0] - started), 1000 * (heard[-1] - started), heard[0])


def _server(url: str, key: str, root: Path, rounds: int) -> str:
    """Ask for a completion in a file of some hundred lines that is typed in, as an editor would."""
    text = Path(pennyproof.settings.__file__).read_text(encoding="utf-8")
    file = root / "typed.py"
    uri = file.as_uri()
    variables = {
        "PENNYPROOF_MODEL_BASE_URL": url,
        "DEEPSEEK_API_KEY": key,
        "PENNYPROOF_BUDGET_DAILY_USD": "1000",
    }
    body = _body(FimRequest("deepseek-flash", text[-12_000:], "\n", 96, ("\n",)))
    with (
        product.environment(Path(sys.executable)) as environment,
        Session((product.COMMAND, "serve"), root, environment | variables) as session,
        _Bare(url, key) as bare,
    ):
        session.initialize()
        version = 0

        def ask() -> _Stream:
            nonlocal version
            version += 1
            typed = f"{text}\n\ndef count(found):\n    size_{version} = 0\n{_LINE}"
            _show(session, uri, version, typed)
            position = {"line": typed.count("\n"), "character": len(_LINE)}
            params = {"textDocument": {"uri": uri}, "position": position, "context": {"triggerKind": 1}}
            started = time.perf_counter()
            answer = session.request("textDocument/inlineCompletion", params)
            taken = 1000 * (time.perf_counter() - started)
            assert [item["insertText"] for item in answer["items"]] == [_SHORT], answer
            return _Stream(taken, taken)

        for _ in range(5):
            ask()  # What is loaded and started at the first need is there then.
        served, plain = _in_turns(ask, lambda: bare.stream(body), rounds)
    whole, stream = [one.last for one in served], [one.last for one in plain]
    own = [taken - (median(stream) or 0.0) for taken in whole]
    rows = [
        (name, _ms(times), quantile(times, 0.99))
        for name, times in (
            ("bare HTTP stream", stream),
            ("textDocument/inlineCompletion, Invoked", whole),
            ("the server's own time", own),
        )
    ]
    return table((f"{rounds} requests in a file of {text.count(_NEWLINE)} lines, ms", "median", "p99"), rows)


def _show(session: Session, uri: str, version: int, text: str) -> None:
    if version == 1:
        document = {"uri": uri, "languageId": "python", "version": version, "text": text}
        session.notify("textDocument/didOpen", {"textDocument": document})
    else:
        identifier = {"uri": uri, "version": version}
        session.notify("textDocument/didChange", {"textDocument": identifier, "contentChanges": [{"text": text}]})
    # Reading the text is no part of the answer: wait until that is done.
    session.request("textDocument/codeLens", {"textDocument": {"uri": uri}})


class _Bare:
    """A connection that is kept, and as little as it takes to read a stream from it."""

    def __init__(self, url: str, key: str) -> None:
        self._connection = http.client.HTTPConnection(urlsplit(url).netloc)
        self._headers = {"Authorization": f"Bearer {key}", "Content-Type": "application/json"}

    def __enter__(self) -> "_Bare":
        return self

    def __exit__(self, *_: object) -> None:
        self._connection.close()

    def stream(self, body: bytes) -> _Stream:
        """Ask, and read events up to the last one that has text."""
        started = time.monotonic()
        self._connection.request("POST", "/beta/completions", body, self._headers)
        response = self._connection.getresponse()
        assert response.status == 200, response.read()
        heard = [
            time.monotonic()
            for line in response
            if line.startswith(b"data: {") and json.loads(line[6:])["choices"][0]["text"]
        ]
        return _Stream(1000 * (heard[0] - started), 1000 * (heard[-1] - started), heard[0])


class _Unpaid:
    """A recorder that lets everything pass: the ledger's part is in the server's time."""

    def begin(self, model: str, bound: Usage) -> "_Unpaid":
        return self

    def settle(self, usage: Usage | None, **_: Any) -> None:
        """Nothing is written down."""


def _in_turns(
    ours: Callable[[], _Stream], plain: Callable[[], _Stream], rounds: int
) -> tuple[list[_Stream], list[_Stream]]:
    for warm_up in (ours, plain):
        warm_up()
    pairs = [(ours(), plain()) for _ in range(rounds)]
    return [one for one, _ in pairs], [other for _, other in pairs]


def _ms(values: Sequence[float]) -> float:
    return round(median(values) or 0.0, 3)


def _own(ours: Sequence[float], plain: Sequence[float]) -> float:
    """The median of what each stream took longer than the bare one after it."""
    return _ms([one - other for one, other in zip(ours, plain, strict=True)])
