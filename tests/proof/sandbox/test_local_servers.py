"""Tests that start servers of their own work; what listens outside is not there."""

import socket
import sys
from pathlib import Path

import pytest

from pennyproof.core.outcomes import Outcome
from pennyproof.core.snapshots import Snapshot
from pennyproof.core.work import Cancel, Silent
from pennyproof.errors import NoSandbox
from pennyproof.proof.prover import ProofOptions, Prover
from pennyproof.proof.sandbox import find_sandbox

TESTS = """\
import http.server
import multiprocessing.connection
import socket
import threading
import urllib.request

import pytest


class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b"heard")

    def log_message(self, *args):
        pass


@pytest.mark.parametrize("name", ["127.0.0.1", "localhost"])
def test_http(name):
    with http.server.HTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.handle_request)
        thread.start()
        with urllib.request.urlopen("http://%s:%d/" % (name, server.server_port), timeout=10) as answer:
            assert answer.read() == b"heard"
        thread.join()


@pytest.mark.parametrize(("family", "name"), [(socket.AF_INET, "127.0.0.1"), (socket.AF_INET6, "::1")])
@pytest.mark.parametrize("kind", [socket.SOCK_STREAM, socket.SOCK_DGRAM])
def test_sockets(family, name, kind):
    with socket.socket(family, kind) as server, socket.socket(family, kind) as client:
        server.bind((name, 0))
        if kind == socket.SOCK_STREAM:
            server.listen()
        client.connect(server.getsockname())
        client.send(b"heard")


def test_unix(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with multiprocessing.connection.Listener("door", "AF_UNIX") as listener:
        with multiprocessing.connection.Client("door", "AF_UNIX") as client:
            with listener.accept() as served:
                client.send("heard")
                assert served.recv() == "heard"


@pytest.mark.parametrize("address", [("127.0.0.1", PORT), ("192.0.2.1", 80), ("10.0.0.1", 53), ("169.254.169.254", 80)])
def test_outside(address):
    with pytest.raises(OSError):
        socket.create_connection(address, timeout=5)


def test_name():
    with pytest.raises(OSError):
        socket.getaddrinfo("example.org", 80)
"""


def test_servers_within_work_and_nothing_else_is_reached(tmp_path: Path) -> None:
    try:
        find_sandbox("bubblewrap")
    except NoSandbox as error:
        pytest.skip(str(error))
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.setblocking(False)
        (tmp_path / "test_it.py").write_text(TESTS.replace("PORT", str(server.getsockname()[1])))
        prover = Prover(tmp_path, ProofOptions(python=sys.executable, sandbox="bubblewrap"), None)
        try:
            outcomes = prover.baseline(Snapshot(prover.root), cancel=Cancel(), progress=Silent()).outcomes
        finally:
            prover.close()
        with pytest.raises(BlockingIOError):
            server.accept()
    assert {test: told.failure for test, told in outcomes.items() if told.outcome is not Outcome.PASSED} == {}
    assert len(outcomes) == 12
