"""What tests do: read sources, start processes and servers, write files."""

from pathlib import Path

from tests.proof.matrix.rows import row
from tests.proof.projects import Environment


def console_script(environment: Environment, root: Path) -> None:
    environment.script("the-tool", f"import sys\nsys.path.insert(0, {str(root)!r})\nimport pkg.__main__\n")


ROWS = [
    row(
        "reads sources",
        """\
=== test_m.py
from m import f

def value():
    namespace = {}
    exec(open('m.py').read(), namespace)
    return namespace['f'](1)

def test_right():
    assert value() == 2

def test_small():
    assert value() < 5
""",
    ),
    row(
        "inspects sources",
        """\
=== test_m.py
from m import f

import inspect

def value():
    return eval(inspect.getsource(f).partition('return ')[2], {'n': 1})

def test_right():
    assert value() == 2

def test_small():
    assert value() < 5
""",
        quick=True,
    ),
    row(
        "python -m",
        """\
=== pkg/__init__.py
=== pkg/m.py
=== pkg/__main__.py
import sys

from pkg.m import f

print(f(int(sys.argv[1])))
=== test_m.py

import subprocess
import sys

def value():
    ran = subprocess.run([sys.executable, "-m", "pkg", "1"], capture_output=True, text=True, check=True)
    return int(ran.stdout)

def test_right():
    assert value() == 2

def test_small():
    assert value() < 5
""",
        bug="pkg/m.py",
        quick=True,
    ),
    row(
        "console script",
        """\
=== pkg/__init__.py
=== pkg/m.py
=== pkg/__main__.py
import sys

from pkg.m import f

print(f(int(sys.argv[1])))
=== test_m.py

import subprocess

def value():
    return int(subprocess.check_output(["the-tool", "1"]))

def test_right():
    assert value() == 2

def test_small():
    assert value() < 5
""",
        bug="pkg/m.py",
        prepare=console_script,
        quick=True,
    ),
    row(
        "local server",
        """\
=== test_m.py
from m import f

import threading
import urllib.request
from http.server import BaseHTTPRequestHandler, HTTPServer

class Handler(BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.end_headers()
        self.wfile.write(str(f(1)).encode())

    def log_message(self, *args):
        pass

def value():
    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, args=[0.01], daemon=True).start()
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{server.server_port}/") as answer:
                return int(answer.read())
        finally:
            server.shutdown()

def test_right():
    assert value() == 2

def test_small():
    assert value() < 5
""",
        quick=True,
    ),
    row(
        "other processes",
        """\
=== test_m.py
from m import f

from concurrent.futures import ProcessPoolExecutor

def value():
    with ProcessPoolExecutor(1) as pool:
        return pool.submit(f, 1).result()

def test_right():
    assert value() == 2

def test_small():
    assert value() < 5
""",
    ),
    row(
        "writes everywhere",
        """\
=== data/kept.txt
=== test_m.py
from m import f
import os
import pathlib
import shutil
import tempfile

import pytest

HERE = pathlib.Path(__file__).parent

@pytest.fixture
def value(tmp_path):
    places = [tmp_path, pathlib.Path(tempfile.mkdtemp()), pathlib.Path("/tmp"), HERE, HERE / "data"]
    for place in places:
        assert not (place / "written.txt").exists()
        (place / "written.txt").write_text(str(f(1)))
    os.remove(HERE / "data/kept.txt")
    shutil.move(HERE / "data", HERE / "moved")
    found = {(place if place.exists() else HERE / "moved").joinpath("written.txt").read_text() for place in places}
    yield int(found.pop())
    shutil.move(HERE / "moved", HERE / "data")
    (HERE / "data/kept.txt").write_text("")
    for place in places:
        (place / "written.txt").unlink()

def test_right(value):
    assert value == 2

def test_small(value):
    assert value < 5
""",
        quick=True,
    ),
    row(
        "reads data",
        """\
=== m.py
import json, pathlib

STEP = json.loads(pathlib.Path(__file__).with_name('step.json').read_text())

def f(n):
    return n - STEP['by'] + 0
=== step.json
{"by": 1}
=== test_m.py
""",
        right=[("m.py", "n - STEP", "n + STEP")],
        wrong=[("m.py", "+ 0", "+ 7")],
    ),
    row(
        "acts at import",
        """\
=== m.py
HANDLERS = {}

def register(function):
    HANDLERS[function.__name__] = function
    return function
=== plugins.py
import m

@m.register
def f(n):
    return n - 1
=== test_m.py
import m
import plugins

def value():
    return m.HANDLERS['f'](1)

def test_right():
    assert value() == 2

def test_small():
    assert value() < 5
""",
        bug="plugins.py",
    ),
]
