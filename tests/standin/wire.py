"""A client that hides nothing: sends a request over a bare socket and tells, in one line, what came back."""

import contextlib
import json
import socket
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal
from urllib.parse import urlsplit

import h11

from tests.standin import Reply, Standin

End = Literal["ended", "cut", "reset"]


@dataclass(frozen=True, slots=True)
class Received:
    """A response as it came."""

    status: int
    """0 if not even a head came."""
    headers: Mapping[str, str]
    pieces: tuple[bytes, ...]
    """The chunks of the body, as the server had made them."""
    end: End
    """Cut are those whose connection was closed before the body was complete."""

    @property
    def body(self) -> bytes:
        return b"".join(self.pieces)

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def chunks(self) -> list[Any]:
        """What the events of a stream hold, if they are all JSON."""
        lines = self.body.decode().splitlines()
        return [json.loads(line[5:]) for line in lines if line.startswith("data:") and "[DONE]" not in line]


def ask(url: str, body: object, *, path: str = "/chat/completions", key: str = "sk-standin") -> Received:
    """Posts JSON, or bytes as they are, and reads until the server is done."""
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    headers = {"host": "standin", "authorization": f"Bearer {key}", "content-length": str(len(data))}
    client = h11.Connection(h11.CLIENT)
    request = client.send(h11.Request(method="POST", target=path, headers=list(headers.items()))) or b""
    address = urlsplit(url)
    assert address.hostname
    assert address.port
    with socket.create_connection((address.hostname, address.port), timeout=10) as connection:
        connection.sendall(request + (client.send(h11.Data(data=data)) or b""))
        client.send(h11.EndOfMessage())
        return _received(connection, client)


def chat(standin: Standin, reply: Reply, *, path: str = "/chat/completions", **body: object) -> Received:
    """What a chat without thinking gets, unless the body says otherwise."""
    standin.add(reply)
    messages = [{"role": "user", "content": "say"}]
    asked = {"model": "deepseek-flash", "messages": messages, "thinking": {"type": "disabled"}}
    return ask(standin.url, asked | body, path=path)


def complete(standin: Standin, reply: Reply, *, path: str = "/beta/completions", **body: object) -> Received:
    """What a completion gets."""
    standin.add(reply)
    asked = {"model": "deepseek-flash", "prompt": "a = ", "suffix": " + c"}
    return ask(standin.url, asked | body, path=path)


def _received(connection: socket.socket, client: h11.Connection) -> Received:
    status, headers, pieces = 0, {}, [bytearray()]
    end: End = "cut"
    with contextlib.suppress(h11.RemoteProtocolError):
        try:
            for event in _events(connection, client):
                if isinstance(event, h11.Response):
                    status = event.status_code
                    headers = {name.decode(): value.decode() for name, value in event.headers}
                elif isinstance(event, h11.Data):
                    pieces[-1] += event.data
                    if event.chunk_end:
                        pieces.append(bytearray())
                elif isinstance(event, h11.EndOfMessage):
                    end = "ended"
        except ConnectionResetError:
            end = "reset"
    return Received(status, headers, tuple(bytes(piece) for piece in pieces if piece), end)


def _events(connection: socket.socket, client: h11.Connection) -> Iterator[h11.Event]:
    while True:
        event = client.next_event()
        if event is h11.NEED_DATA:
            client.receive_data(connection.recv(65_536))
        elif isinstance(event, h11.Event):
            yield event
            if isinstance(event, h11.EndOfMessage | h11.ConnectionClosed):
                return


def told(received: Received) -> str:
    """A response in one line: status, events or JSON, end.

    Texts are quoted, thoughts are in parentheses, a finish reason follows ``=``, an error ``!``; usage is ``$``, or
    ``$0`` if it is empty. Blank lines are ``~``, and JSON that breaks off is ``?``.
    """
    body = received.body.decode()
    if "event-stream" in received.headers.get("content-type", ""):
        shown = [_told_block(block) for block in body.replace("\r\n", "\n").split("\n\n") if block]
    else:
        shown = ["~" for _ in range(len(body) - len(body.lstrip()))] + [_told_whole(body.strip())]
    return " ".join(filter(None, [str(received.status), *shown, received.end]))


def _told_block(block: str) -> str:
    if not block.startswith("data:"):
        return block.replace("\n", "|")
    data = block.removeprefix("data:").strip()
    try:
        return _told_json(json.loads(data))
    except ValueError:
        return data


def _told_whole(body: str) -> str:
    try:
        return _told_json(json.loads(body))
    except ValueError:
        return "?" if body.startswith("{") else body


def _told_json(chunk: Any) -> str:
    if not isinstance(chunk, dict):
        return json.dumps(chunk)
    parts = [_told_choice(choice) for choice in chunk.get("choices", ())]
    if "error" in chunk:
        parts.append(f"!{chunk['error']['message']}")
    if chunk.get("usage"):
        parts.append("$" if chunk["usage"]["total_tokens"] else "$0")
    return "".join(parts)


def _told_choice(choice: Any) -> str:
    said = choice.get("delta") or choice.get("message") or {}
    thought, text = said.get("reasoning_content"), choice.get("text", said.get("content"))
    told = (f"({thought})" if thought else "") + (f"'{text}'" if text else "")
    for call in said.get("tool_calls", ()):
        told += f"{call['function'].get('name', '')}[{call['function']['arguments']}]"
    if choice["finish_reason"]:
        told += f"={choice['finish_reason']}"
    return told or "''"
