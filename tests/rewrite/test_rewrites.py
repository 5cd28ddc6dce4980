"""What single templates do to odd layouts: one table of before and after, the cursor marked ``$0``."""

import ast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pennyproof.core.edits import apply
from pennyproof.rewrite import catalogue
from pennyproof.rewrite.clues import Clues
from pennyproof.rewrite.forms import Forms
from pennyproof.rewrite.module import Module
from pennyproof.rewrite.precedence import binding_of, parenthesise
from pennyproof.rewrite.scope import Scope
from pennyproof.rewrite.template import REGISTRY, rewrites


def outcomes(name: str, marked: str, clues: Clues) -> list[str]:
    """What the template makes of the nodes that begin at the mark."""
    text, offset = marked.replace("$0", ""), marked.index("$0")
    module = Module(text)
    found = REGISTRY[name]
    return [
        apply(text, rewrite.edits)
        for statement in module.statements
        for node in module.own_nodes(statement)
        if isinstance(node, found.nodes) and hasattr(node, "lineno") and module.start(node) == offset
        for rewrite in rewrites(found, node, Scope(module, module.function(statement), clues))
    ]


def check(name: str, marked: str, after: str, clues: Clues | None = None) -> None:
    assert after in outcomes(name, marked, clues or Clues())


def refuse(name: str, marked: str, after: str) -> None:
    assert after not in outcomes(name, marked, Clues())


@pytest.mark.parametrize(
    ("name", "before", "after"),
    [
        # Comments, continued lines, tabs, other line endings and other characters stay as they are.
        ("swap_comparison", "ok = ($0a  # why\n      < b)", "ok = (a  # why\n      <= b)"),
        ("swap_comparison", "ok = $0a \\\n  not  in b", "ok = a \\\n  in b"),
        ("swap_comparison", "if x:\r\n\tok = $0é < 1\r\n", "if x:\r\n\tok = é <= 1\r\n"),
        ("swap_arithmetic", "s = '😀'; n = $0ä + 1", "s = '😀'; n = ä - 1"),
        ("swap_arithmetic", "n = $0(a) + ((b))", "n = (a) - ((b))"),
        ("swap_comparison", "ok = f'{$0a < b}'", "ok = f'{a <= b}'"),
        # Parentheses come where the new text binds less tightly, and only there.
        ("drop_unary", "ok = a and $0not (b or c)", "ok = a and (b or c)"),
        ("swap_arithmetic", "n = $0a + b * c", "n = a * (b * c)"),
        ("swap_arithmetic", "n = x * ($0a + b)", "n = x * (a - b)"),
        ("drop_operand", "n = $0(a + b) * c", "n = a + b"),
        ("wrap_in_call", "def f(a, b):\n    return $0a - b", "def f(a, b):\n    return abs(a - b)"),
        ("use_expression", "def f(a, b):\n    x = a + b\n    return $0a * 2",
         "def f(a, b):\n    x = a + b\n    return (a + b) * 2"),
        ("negate_condition", "if $0a or b:\n    pass", "if not (a or b):\n    pass"),
        # All operators of a chain, or one.
        ("swap_boolean", "ok = $0a and b and c", "ok = a or b or c"),
        ("swap_boolean", "ok = $0a and b and c", "ok = a and b or c"),
        ("swap_comparison", "ok = $0a < b < c", "ok = a < b <= c"),
        # Numbers: one step of ten, the sign taken with the number, an even row.
        ("change_number", "cents = n * $010", "cents = n * 100"),
        ("change_number", "cents = n * $0100", "cents = n * 10"),
        ("change_number", "last = items[$0-1]", "last = items[0]"),
        ("change_number", "last = items[$0- 2]", "last = items[-1]"),
        ("change_number", "ROW = (3, 6, $010, 12, 15)", "ROW = (3, 6, 9, 12, 15)"),
        # What the rest of the module does with a name tells how to compare with it.
        ("swap_comparison", "if a is UNSET:\n    f()\nif $0b > UNSET:\n    g()",
         "if a is UNSET:\n    f()\nif b is UNSET:\n    g()"),
        # What can be left out.
        ("drop_condition", "ok = $0(a) and (b or c) and d", "ok = (a) and d"),
        ("drop_condition", "ok = $0a and (b or c)", "ok = (b or c)"),
        ("drop_argument", "$0f(a, k=1)", "f(a)"),
        ("drop_element", "x = $0(1, 2, 3,)", "x = (1, 2,)"),
        ("drop_element", "x = $0(1, 2)", "x = (1,)"),
        # Strings keep their quotes and prefixes.
        ("change_string", "s = $0b'XXkeyXX'", "s = b'key'"),
        ("change_string", 's = $0" "', 's = ""'),
        ("add_slice", "def f(items):\n    return sum($0items)", "def f(items):\n    return sum(items[1:])"),
        # Statements.
        ("delete_statement", "if a:\n    $0b()\nc()", "if a:\n    pass\nc()"),
        ("delete_statement", "def f():\n    a(); $0b()\n    c()", "def f():\n    a(); pass\n    c()"),
        ("delete_statement", "def f():\n    $0a()  # first\n    b()\n", "def f():\n    b()\n"),
        ("swap_elif", "if a:\n    b()\n$0elif c:\n    d()\n", "if a:\n    b()\nif c:\n    d()\n"),
        ("add_return", "$0def f():\n    n = 1", "def f():\n    n = 1\n    return n"),
        ("add_guard", "def f(a):\r\n\t$0return a[0]\r\n",
         "def f(a):\r\n\tif not a:\r\n\t    return None\r\n\treturn a[0]\r\n"),
        ("make_conditional", "def f(a):\n    for b in a:\n        $0g(b)\n",
         "def f(a):\n    for b in a:\n        if b:\n            g(b)\n"),
        ("add_decorator", "class A:\n    @lru\n    $0def f(cls): ...\n",
         "class A:\n    @classmethod\n    @lru\n    def f(cls): ...\n"),
        ("change_decorator", "@a\n@b\n$0def f(): ...\n", "@b\ndef f(): ...\n"),
        ("change_caught", "try:\n    f()\n$0except Mutant:\n    g()\n", "try:\n    f()\nexcept ValueError:\n    g()\n"),
        ("change_caught", "try:\n    f()\n$0except (TypeError, Mutant):\n    g()\n",
         "try:\n    f()\nexcept (TypeError, ValueError):\n    g()\n"),
        ("change_caught", "import re\ntry:\n    f()\n$0except ValueError:\n    g()\n",
         "import re\ntry:\n    f()\nexcept re.error:\n    g()\n"),
        ("change_caught", "import a\ntry:\n    f()\nexcept a.Odd:\n    g()\ntry:\n    f()\n$0except Mutant:\n    g()\n",
         "import a\ntry:\n    f()\nexcept a.Odd:\n    g()\ntry:\n    f()\nexcept a.Odd:\n    g()\n"),
        ("change_iterable", "def f(d):\n    $0for k, v in []:\n        g(k, v)",
         "def f(d):\n    for k, v in d.items():\n        g(k, v)"),
    ],
)  # fmt: skip
def test_rewrites(name: str, before: str, after: str) -> None:
    check(name, before, after)


@pytest.mark.parametrize(
    ("name", "before", "after"),
    [
        ("add_string_method", "n: int = 1\ndef f(n: int):\n    return g($0n)",
         "n: int = 1\ndef f(n: int):\n    return g(n.lower())"),
        ("wrap_in_call", "def f(s: str):\n    return $0s", "def f(s: str):\n    return abs(s)"),
        ("swap_name", "def f(a):\n    b = [c for c in a]\n    return $0b",
         "def f(a):\n    b = [c for c in a]\n    return c"),
        ("change_string", 'def f():\n    $0"""What it does."""', 'def f():\n    """"""'),
        ("add_decorator", "class A:\n    $0def __init__(self): ...\n",
         "class A:\n    @property\n    def __init__(self): ...\n"),
        ("swap_comparison", "if $0b > UNSET:\n    g()", "if b is UNSET:\n    g()"),
        ("change_number", "ROW = (1, 2, $03, 7)", "ROW = (1, 2, 4.5, 7)"),
        ("swap_arithmetic", "def f(s: str):\n    return $0s + 'x'", "def f(s: str):\n    return s - 'x'"),
    ],
)  # fmt: skip
def test_nonsense_is_left_out(name: str, before: str, after: str) -> None:
    refuse(name, before, after)


@pytest.mark.parametrize(
    ("name", "before", "after", "clues"),
    [
        ("change_string", "x = $0'Jupyter'", "x = 'Jupiter'", Clues(strings=("Mars, Jupiter",))),
        ("change_string", "x = $0'('", "x = '['", Clues(strings=("[[]]",))),
        ("change_number", "x = $07", "x = 42", Clues(numbers=("42",))),
        ("change_caught", "try:\n    f()\n$0except Odd:\n    g()",
         "try:\n    f()\nexcept Even:\n    g()", Clues(exceptions=("Even",))),
    ],
)  # fmt: skip
def test_clues_bring_in_what_the_tests_ask_for(name: str, before: str, after: str, clues: Clues) -> None:
    check(name, before, after, clues)


@pytest.mark.parametrize(
    ("name", "text", "leader"),
    [
        # An exception that nothing defines is replaced rather than joined by another.
        ("change_caught", "import os\ntry:\n    f()\n$0except (os.Odd, Mutant):\n    g(Exception)",
         "import os\ntry:\n    f()\nexcept (os.Odd, ValueError):\n    g(Exception)"),
        # What changes nothing was hardly meant.
        ("swap_arithmetic", "def f(n: int):\n    return $0n ** 1", "def f(n: int):\n    return n + 1"),
        ("change_number", "ROW = (3, 6, $010, 12, 15)", "ROW = (3, 6, 9, 12, 15)"),
    ],
)  # fmt: skip
def test_the_most_natural_comes_first(name: str, text: str, leader: str) -> None:
    assert outcomes(name, text, Clues())[0] == leader


def test_long_documentation_mentions_a_word_by_chance() -> None:
    short = Module('def f():\n    """Sort them."""')
    words = " ".join(f"word{chr(97 + n % 26)}{chr(97 + n // 26)}" for n in range(600))
    long = Module(f'def f():\n    """Sort them: {words}."""')
    one, other = (Scope(module, module.statements[0]).mentioned("sort") for module in (short, long))  # type: ignore[arg-type]
    assert one == 3.0
    assert 1.0 < other < 1.5


def test_kinds_seen_at_run_time_outweigh_the_text() -> None:
    before = "def f(n):\n    return g($0n)"
    assert "def f(n):\n    return g(n.lower())" in outcomes("add_string_method", before, Clues())
    assert outcomes("add_string_method", before, Clues(kinds={"n": "int"})) == []


_EXPRESSIONS = st.recursive(
    st.sampled_from(
        ["a", "b", "1", "f(x)", "-a", "a.b", "a[0]", "(a, b)", "lambda: a", "not a", "a if b else c", "a := 1"]
    ),
    lambda inner: st.builds(
        "({0}) {1} ({2})".format, inner, st.sampled_from(["+", "*", "**", "and", "or", "<", "|"]), inner
    ),
    max_leaves=4,
)


@given(outer=_EXPRESSIONS, new=_EXPRESSIONS, place=st.integers(0, 20))
def test_a_replaced_expression_keeps_its_place(outer: str, new: str, place: int) -> None:
    text = f"result = ({outer})\n"
    module = Module(ast.unparse(ast.parse(text)) + "\n")
    assignment = module.tree.body[0]
    nodes = [node for node in module.own_nodes(assignment) if isinstance(node, ast.expr) and node.lineno == 1][1:]
    node = nodes[place % len(nodes)]
    if isinstance(module.parent(node), ast.NamedExpr) and not isinstance(node, ast.Constant):
        return
    changed = apply(module.text, Scope(module).replace(node, ast.unparse(ast.parse(f"({new})", mode="eval"))).edits)

    class Put(ast.NodeTransformer):
        def visit(self, visited: ast.AST) -> ast.AST:
            return ast.parse(f"({new})", mode="eval").body if visited is node else self.generic_visit(visited)

    assert ast.dump(ast.parse(changed)) == ast.dump(Put().visit(module.tree))


def test_forms_see_through_layout() -> None:
    module = Module("def f(a, b):\n    return a - b  # so\n")
    forms, scope = Forms(module), Scope(module)
    returned = module.statements[1]
    value = returned.value  # type: ignore[attr-defined]
    same = [scope.replace(value, text) for text in ("a+b", "a  +  b", "(a + b)")]
    assert len({forms.changed(returned, rewrite) for rewrite in same}) == 1
    assert forms.changed(returned, scope.replace(value, "(a)  -  b")) is None
    assert forms.changed(returned, scope.splice(module.span(value), "a +")) is None
    assert forms.changed(returned, scope.replace(value, "b - a")) != forms.changed(returned, same[0])


def test_precedence_of_text() -> None:
    assert parenthesise("a + b", binding_of("a * b")) == "(a + b)"
    assert parenthesise("a * b", binding_of("a + b")) == "a * b"
    assert parenthesise("(a, b)", binding_of("a.b")) == "(a, b)"


def test_every_family_is_in_the_catalogue() -> None:
    modules = {found.rewrites.__module__.rpartition(".")[2] for found in catalogue.TEMPLATES}
    assert modules == {
        "additions", "calls", "comparisons", "conditions", "constants", "decorators", "exceptions", "expressions",
        "names", "operators", "statements", "strings",
    }  # fmt: skip
