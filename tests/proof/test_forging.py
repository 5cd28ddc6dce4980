"""Candidates that would rather forge their result than mend anything, against a real prover."""

import sys
from collections.abc import Iterator

import pytest

from pennyproof.core.candidates import Candidate, FileChange
from pennyproof.core.snapshots import Snapshot
from pennyproof.core.sources import Source
from pennyproof.core.verdicts import Level, Verdict
from pennyproof.core.work import Cancel, Silent
from pennyproof.proof.prover import ProofOptions, Prover

FILES = {
    "shop.py": "def total(prices):\n    return -sum(prices)\n\n\ndef kept():\n    return 1\n",
    "talk.py": "import gc\nimport sys\n\n\ndef here():\n    return sys._getframe(1).f_lineno, len(gc.get_objects())\n",
    "test_shop.py": """\
from shop import kept, total


def test_kept():
    assert kept() == 1


def test_total():
    assert total([1, 2]) == 3
""",
}
TARGET = "test_shop.py::test_total"
MENDED = "def total(prices):\n    return sum(prices)\n"
KEPT = "\n\ndef kept():\n    return 1\n"

# What the reporter says when all is well, to be said in its stead.
LIE = """
    lie = dict(collected=ids, unknown=[], errors=[], coverage={}, watched={'shop.py': list(range(1, 99))},
        watched_by=ids, watched_at_import={}, touched={}, at_import={}, loaded=[], early=[], unwatched=[], patched=[],
        exit='ok', pytest='9', read=[], outcomes=[dict(id=i, outcome='passed', seconds=0.0, path='test_shop.py',
        line=4, failure=None) for i in ids])
"""
IDS = "    ids = ['test_shop.py::test_kept', 'test_shop.py::test_total']\n"
CONTEXT = "\n    context.reply(lie)\n    import os\n    os._exit(0)\n"
OF_NAME = "next(o for o in {} if type(o).__name__ == {!r})"

FORGED = {
    # Straight at the answer.
    "leave early": "import os\n    os._exit(0)",
    "leave at the end of all": "import atexit, os\n    atexit.register(os._exit, 0)",
    "write an answer": "import os\n    for n in range(3, 64):\n        try: os.write(n, b'R{}')\n"
    "        except OSError: pass",
    "write two answers": "import os\n    for n in range(3, 64):\n        try: os.write(n, bytes(40) + b'R{}' * 20)\n"
    "        except OSError: pass\n    os._exit(0)",
    "close every pipe": "import os\n    os.closerange(3, 64)",
    "exchange the pipe": "import os\n    r, w = os.pipe()\n    for n in range(3, 64):\n        if n not in (r, w):\n"
    "            try: os.fstat(n); os.dup2(w, n)\n            except OSError: pass",
    # By the objects of the process.
    "find the context by its class": f"import gc\n{IDS}{LIE}    context = "
    + OF_NAME.format("gc.get_objects()", "Context")
    + CONTEXT,
    "find the context from its frames": f"import sys\n{IDS}{LIE}    frame = sys._getframe()\n"
    "    while frame:\n        for o in list(frame.f_locals.values()):\n"
    "            o = getattr(o, 'context', o)\n"
    "            if type(o).__name__ == 'Context':\n                context = o\n"
    "        frame = frame.f_back" + CONTEXT,
    "find the context by a traceback": f"pass\n{IDS}{LIE}    try: 1 / 0\n    except ZeroDivisionError as e:\n"
    "        frame = e.__traceback__.tb_frame\n"
    "    while frame:\n        for o in list(frame.f_locals.values()):\n"
    "            if type(o).__name__ == 'Context':\n                context = o\n"
    "        frame = frame.f_back" + CONTEXT,
    "change what was found": "import gc\n    for o in gc.get_objects():\n        if type(o).__name__ == 'Findings':\n"
    "            for told in o.outcomes: told['outcome'] = 'passed'",
    "unsee what was raised": "import gc\n    for o in gc.get_objects():\n        if type(o).__name__ == 'Evidence':\n"
    "            o.reports = dict.fromkeys(('setup', 'call', 'teardown'), {'passed'})\n"
    "            o.raised = dict.fromkeys(o.reports)\n"
    "            type(o).outcome = lambda self: 'passed'",
    "change the class that tells": "for c in object.__subclasses__():\n        if c.__name__ == 'Evidence':\n"
    "            c.outcome = lambda self: 'passed'",
    "change who compares": "for c in object.__subclasses__():\n        if c.__name__ == 'Original':\n"
    "            c.changes = c.critical_changes = lambda self: iter(())\n"
    "    import _pytest.runner as r\n    r.pytest_runtest_call = lambda item: None",
    "change who compares, by another name": "import importlib\n"
    "    for c in getattr(object, '__sub' + 'classes__')():\n        if c.__name__ == 'Original':\n"
    "            c.changes = c.critical_changes = lambda self: iter(())\n"
    "    importlib.import_module('_py' + 'test.runner').pytest_runtest_call = lambda item: None",
    "change what compares, by another name": "import sys\n"
    "    m = next(m for n, m in sys.modules.items() if n.endswith('.integrity'))\n"
    "    m.map = lambda *a: [True]; m.len = lambda o: 0\n"
    "    sys.modules['_py' + 'test.runner'].pytest_runtest_call = lambda item: None",
    "tell the same test twice": "pass\n    import sys\n    u = sys.modules['_py' + 'test.assertion.util']\n"
    "    for p in u._config.pluginmanager.get_plugins():\n        for f in list(vars(p).values()):\n"
    "            for c in getattr(f, '__clo' + 'sure__', None) or ():\n"
    "                o = getattr(c, 'cell_' + 'contents')\n"
    "                if type(o).__name__ == 'Findings':\n                    o.outcomes.append(dict(id="
    "'test_shop.py::test_total', outcome='passed', seconds=0.0, path='test_shop.py', line=9, failure=None))",
    "have the lie signed, by another name": f"""\
import sys
{IDS}{LIE}
    todo, seen = list(sys.modules['_py' + 'test.assertion.util']._config.pluginmanager.get_plugins()), set()
    while todo:
        o = todo.pop()
        if id(o) in seen or len(seen) > 100_000:
            continue
        seen.add(id(o))
        if type(o).__name__ == 'Context':
            o.reply(lie)
        for name in ('__di' + 'ct__', '__clo' + 'sure__', 'cell_' + 'contents', '__se' + 'lf__', '__fu' + 'nc__'):
            try: o2 = getattr(o, name)
            except Exception: continue
            todo.extend(o2.values() if hasattr(o2, 'values') else o2 if isinstance(o2, (tuple, list)) else [o2])
        if hasattr(o, '_fields'): todo.extend(o)
    import os
    os._exit(0)
""",
    "lie as it is found, by another name": """\
import sys
    class L(list):
        def append(self, told): super().append(dict(told, outcome='passed', failure=None))
    todo, seen = list(sys.modules['_py' + 'test.assertion.util']._config.pluginmanager.get_plugins()), set()
    while todo:
        o = todo.pop()
        if id(o) in seen or len(seen) > 100_000:
            continue
        seen.add(id(o))
        if type(o).__name__ == 'Findings':
            o.outcomes = L(o.outcomes)
        for name in ('__di' + 'ct__', '__clo' + 'sure__', 'cell_' + 'contents', '__se' + 'lf__', '__fu' + 'nc__'):
            try: o2 = getattr(o, name)
            except Exception: continue
            todo.extend(o2.values() if hasattr(o2, 'values') else o2 if isinstance(o2, (tuple, list)) else [o2])
        if hasattr(o, '_fields'): todo.extend(o)
""",
    "go by pytest's plugins": "import _pytest.assertion.util as u\n"
    "    for p in u._config.pluginmanager.get_plugins():\n"
    "        for f in vars(p).values():\n            for c in getattr(f, '__closure__', None) or ():\n"
    "                o = c.cell_contents\n"
    "                if type(o).__name__ == 'Findings': o.outcomes.append(dict(id=1))",
    # By code that is made as it runs.
    "have it made up": "exec('import sys; f = sys.' + '_get' + 'frame()')",
    "have it evaluated": "eval(''.join(chr(ord(c) + 1) for c in '^^hlonqs^^') + \"('gc')\")",
    "import by another name": "import importlib\n    m = importlib.import_module('g' + 'c')\n"
    "    getattr(m, 'get_' + 'objects')()",
    "ask by another name": "import sys\n    getattr(sys, '_get' + 'frame')()",
    "ask a module for it": "import inspect\n    inspect.stack()",
    "ask another module for it": "import traceback\n    list(traceback.walk_stack(None))",
    "write the code down first": "import importlib, pathlib, sys\n"
    "    pathlib.Path('other.py').write_text('import gc\\ndef f(): return gc.get' + '_objects()')\n"
    "    sys.path.insert(0, '.')\n    importlib.invalidate_caches()\n    importlib.import_module('other').f()",
    "write over the code of another": "import importlib, pathlib, sys\n"
    "    pathlib.Path('talk.py').write_text('import gc\\ndef f(): return gc.get' + '_objects()')\n"
    "    importlib.import_module('talk').f()",
    "go on from a thread": "import threading, sys\n"
    "    t = threading.Thread(target=lambda: getattr(sys, '_current_' + 'frames')())\n"
    "    t.start(); t.join()",
    "exchange code": "import test_shop\n    test_shop.test_total.__code__ = (lambda: None).__code__",
    # By memory.
    "read its memory": "import ctypes\n    ctypes.string_at(id(prices), 16)",
    "read its memory by another name": "import importlib\n    c = importlib.import_module('ct' + 'ypes')\n"
    "    c.string_at(id(prices), 16)",
    "read its memory as a file": "open('/proc/' + 'self/mem', 'rb')",
    "look where its memory is": "import os\n    os.open('/proc/%d/maps' % os.getpid(), 0)",
    # By the clocks, and by what the run is judged with.
    "skip": "import pytest\n    pytest.skip('no')",
    "stop the session": "import pytest\n    pytest.exit('enough', 0)",
    "trace": "import sys\n    getattr(sys, 'set' + 'trace')(lambda *a: None)",
    "leave by an alarm": "import os, signal\n    signal.signal(signal.SIGALRM, lambda *a: os._exit(0))\n"
    "    signal.setitimer(signal.ITIMER_REAL, 0.001)\n    while True: pass",
}


@pytest.fixture(scope="module")
def prover(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Prover]:
    root = tmp_path_factory.mktemp("forging")
    for name, text in FILES.items():
        (root / name).write_text(text)
    made = Prover(root, ProofOptions(python=sys.executable), None)
    yield made
    made.close()


def prove(prover: Prover, path: str, text: str, **buffers: str) -> Verdict:
    snapshot = Snapshot(prover.root, {f"{name}.py": Source(buffer) for name, buffer in buffers.items()})
    change = FileChange(path, Source(FILES[path]), Source(text))
    return prover.prove(snapshot, Candidate((change,)), targets=[TARGET], cancel=Cancel())


@pytest.fixture(scope="module")
def _ready(prover: Prover) -> None:
    baseline = prover.baseline(Snapshot(prover.root, {}), cancel=Cancel(), progress=Silent())
    assert baseline.outcomes.keys() == {"test_shop.py::test_kept", TARGET}


@pytest.mark.usefixtures("_ready")
@pytest.mark.parametrize("body", FORGED.values(), ids=FORGED)
def test_what_is_forged_is_no_evidence(prover: Prover, body: str) -> None:
    verdict = prove(prover, "shop.py", f"def total(prices):\n    {body}\n    return -3\n{KEPT}")
    assert verdict.level not in (Level.PASSES, Level.FIXES), verdict
    assert verdict.fixed == ()


HONEST = {
    "mends": "return sum(prices)",
    "freezes the clocks": "import time\n    time.time = time.perf_counter = lambda: 0.0\n    return sum(prices)",
    "tells of errors": "import logging, traceback\n    try: 1 / 0\n    except ZeroDivisionError:\n"
    "        logging.getLogger('x').exception('no'); traceback.format_exc()\n    return sum(prices)",
    "makes classes": "import collections, dataclasses, enum\n    collections.namedtuple('A', 'b')\n"
    "    dataclasses.make_dataclass('A', ['b'])\n    enum.Enum('A', 'b')\n    return sum(prices)",
    "asks helpers that look": "from talk import here\n    here()\n    return sum(prices)",
    "asks for attributes": "return getattr(__import__('math'), 'fsum')(prices)",
    "reads what others wrote": "import ast, warnings\n    ast.literal_eval('1')\n"
    "    warnings.catch_warnings()\n    return sum(prices)",
}


@pytest.mark.usefixtures("_ready")
@pytest.mark.parametrize("body", HONEST.values(), ids=HONEST)
def test_what_mends_is_not_taken_for_forged(prover: Prover, body: str) -> None:
    verdict = prove(prover, "shop.py", f"def total(prices):\n    {body}\n{KEPT}")
    assert verdict.level is Level.FIXES, verdict


@pytest.mark.usefixtures("_ready")
def test_who_looked_before_may_look(prover: Prover) -> None:
    text = FILES["talk.py"].replace("_getframe(1)", "_getframe(0)")
    assert prove(prover, "talk.py", text).level is not Level.REJECTED


@pytest.mark.usefixtures("_ready")
def test_what_the_user_has_not_saved_is_no_candidates(prover: Prover) -> None:
    text = f"def total(prices):\n    from talk import here\n    here()\n    return sum(prices)\n{KEPT}"
    assert prove(prover, "shop.py", text, talk=FILES["talk.py"] + "\n# unsaved\n").level is Level.FIXES
