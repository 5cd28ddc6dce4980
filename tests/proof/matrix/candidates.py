"""What candidates are: several files, new ones, deleted ones."""

from tests.proof.matrix.rows import row

ROWS = [
    row(
        "several files",
        """\
=== m.py
from n import g

def f(n):
    return g(n)
=== n.py
def g(x):
    return x
=== test_m.py
""",
        right=[("m.py", "g(n)", "g(n) + 0"), ("n.py", "return x", "return x + 1")],
        wrong=[("m.py", "g(n)", "g(n) + 0"), ("n.py", "return x", "return x + 7")],
        quick=True,
    ),
    row(
        "a new file",
        """\
=== m.py
def f(n):
    try:
        from fresh import g
    except ImportError:
        return 0
    return g(n)
=== test_m.py
""",
        right=[("fresh.py", None, "def g(n):\n    return n + 1\n")],
        wrong=[("fresh.py", None, "def g(n):\n    return n + 6\n")],
    ),
    row(
        "a new package",
        """\
=== m.py
import importlib

def f(n):
    try:
        return importlib.import_module('fresh.g').g(n)
    except ImportError:
        return 0
=== test_m.py
""",
        right=[("fresh/__init__.py", None, ""), ("fresh/g.py", None, "def g(n):\n    return n + 1\n")],
        wrong=[("fresh/__init__.py", None, ""), ("fresh/g.py", None, "def g(n):\n    return n + 6\n")],
        quick=True,
    ),
    row(
        "a deleted file",
        """\
=== m.py
def f(n):
    try:
        import broken
        return broken.g(n)
    except ImportError:
        return n + 1
=== broken.py
def g(n):
    return n - 1
=== test_m.py
""",
        right=[("broken.py", "", None)],
        wrong=[("broken.py", "n - 1", "n + 6")],
        quick=True,
    ),
]
