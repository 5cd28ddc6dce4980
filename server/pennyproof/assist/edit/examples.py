"""The examples of docstrings as tests: found in the text as the user has it, run by pytest beside the project's own.

The tests are a module that exists as a buffer only. Examples come from the original docstrings, so that no candidate
can bend them.
"""

import ast
import doctest
import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import PurePosixPath

from pennyproof.assist.explain.scopes import Function
from pennyproof.core.snapshots import Snapshot
from pennyproof.core.sources import Source

_NAME = "test_pennyproof_examples"

_MOST = 40
"""Examples of one docstring that are run."""

_EQUALS = re.compile(
    r"\s*(?:={1,2}>|-{1,2}>|==?|[➞→⇒]|(?:should )?returns?|(?:should )?(?:be )?equals?(?: to)?|gives|evaluates to)"
    r"\s*(.+)"
)
"""What people write between a call and its value where they do not write ``>>>``."""
_ARGUMENTS_THEN_VALUE = (
    re.compile(r"^\s*Input:\s*(.+)\n\s*Output:\s*(.+)$", re.MULTILINE),
    re.compile(
        r"\b(?:[Ff]or|[Ww]ith|[Gg]iven) (.+?),?\s+the (?:output|result|answer) (?:should be|is) (.+)$", re.MULTILINE
    ),
)
"""What people write where they name the arguments rather than the function."""
_SPOKEN = {"true": "True", "false": "False"}


@dataclass(frozen=True, slots=True)
class Example:
    """Something that a docstring says a function does."""

    function: str
    """Its qualified name."""
    code: str
    """A session with ``>>>``, or one call."""
    value: str = ""
    """What the call is equal to; empty for a session."""


@dataclass(frozen=True, slots=True)
class ExampleTests:
    """Examples as a module of tests."""

    snapshot: Snapshot
    """The workspace with that module in it."""
    ids: tuple[str, ...]
    """The tests; never none, but where there are no examples the one that there is is skipped."""
    examples: tuple[Example, ...]


def find_examples(functions: Sequence[tuple[str, Function]]) -> list[Example]:
    """The examples in the docstrings of functions, given by qualified name."""
    return [example for name, function in functions for example in list(_of(name, function))[:_MOST]]


def as_tests(snapshot: Snapshot, path: str, examples: Sequence[Example]) -> ExampleTests:
    """The examples of one module as tests.

    Args:
        snapshot: The workspace.
        path: The module's file.
        examples: What is to be run.
    """
    name = _NAME
    while snapshot.read(f"{name}.py") is not None:
        name += "_"
    file = f"{name}.py"
    tests = {f"test_{example.function.replace('.', '_')}_{at}": example for at, example in enumerate(examples, 1)}
    source = Source(_module(snapshot, path, tests))
    ids = tuple(f"{file}::{test}" for test in (tests or ("test_nothing",)))
    return ExampleTests(replace(snapshot, buffers={**snapshot.buffers, file: source}), ids, tuple(examples))


def _of(name: str, function: Function) -> Iterator[Example]:
    docstring = ast.get_docstring(function)
    if not docstring:
        return
    try:
        if doctest.DocTestParser().get_examples(docstring):
            yield Example(name, docstring)
    except ValueError:
        pass  # Prompts that are no sessions: what they mean is not known.
    if "." not in name:  # How to get at a method's object no line of prose tells.
        for line in docstring.splitlines():
            if not line.lstrip().startswith((">>>", "...")):
                yield from _in_prose(name, line)
        yield from _by_arguments(name, function, docstring)


def _in_prose(name: str, line: str) -> Iterator[Example]:
    """A call with literal arguments, and a literal that it is said to be equal to."""
    start = line.find(f"{name}(")
    if start < 0 or line[start - 1 : start].isidentifier():
        return
    ends = (at + 1 for at, character in enumerate(line) if character == ")" and at > start)
    end = next((end for end in ends if _is_plain_call(line[start:end])), None)
    said = _EQUALS.match(line, end) if end else None
    value = _literal(said[1]) if said else None
    if value is not None:
        yield Example(name, line[start:end], value)


def _by_arguments(name: str, function: Function, docstring: str) -> Iterator[Example]:
    """Literal arguments, and the literal that they are said to come to."""
    parameters = [argument.arg for argument in (*function.args.posonlyargs, *function.args.args)]
    keywords = {*parameters, *(argument.arg for argument in function.args.kwonlyargs)}
    for form in _ARGUMENTS_THEN_VALUE:
        for match in form.finditer(docstring):
            call, value = f"{name}({match[1].strip()})", _literal(match[2])
            tree = ast.parse(call, mode="eval").body if _is_plain_call(call) else None
            if value is None or not isinstance(tree, ast.Call):
                continue
            if len(tree.args) <= len(parameters) and {keyword.arg for keyword in tree.keywords} <= keywords:
                yield Example(name, call, value)


def _is_plain_call(text: str) -> bool:
    try:
        tree = ast.parse(text, mode="eval").body
        if not isinstance(tree, ast.Call):
            return False
        for argument in (*tree.args, *(keyword.value for keyword in tree.keywords)):
            ast.literal_eval(argument)
    except (SyntaxError, ValueError, TypeError, MemoryError, RecursionError):
        return False
    return True


def _literal(text: str) -> str | None:
    text = text.strip().rstrip("`")
    for form in (text.rstrip(".,;"), text, _SPOKEN.get(text.lower(), "")):
        try:
            return repr(ast.literal_eval(form))
        except (SyntaxError, ValueError, TypeError, MemoryError, RecursionError):
            continue
    return None


def _module(snapshot: Snapshot, path: str, tests: dict[str, Example]) -> str:
    folder, dotted = _import_of(snapshot, path)
    data = json.dumps({test: [example.function, example.code, example.value] for test, example in tests.items()})
    functions = "".join(f"\n\ndef {test}():\n    check(*EXAMPLES[{test!r}])\n" for test in tests)
    settings = f"FOLDER, MODULE, FILE = {folder!r}, {dotted!r}, {path!r}\nEXAMPLES = json.loads({data!r})\n"
    return _BEGINNING + settings + _RUNNING + (functions or _NOTHING)


def _import_of(snapshot: Snapshot, path: str) -> tuple[str, str]:
    """The folder that has to be on ``sys.path``, relative to the root, and the module's dotted name."""
    pure = PurePosixPath(path)
    names = [] if pure.stem == "__init__" else [pure.stem]
    folder = pure.parent
    while folder.name and snapshot.read(f"{folder}/__init__.py") is not None:
        names.insert(0, folder.name)
        folder = folder.parent
    return folder.as_posix(), ".".join(names)


_BEGINNING = '''\
"""Examples of docstrings, as tests."""

import ast
import doctest
import importlib
import importlib.util
import json
import os
import sys

import pytest

'''

# Runs under the project's own Python, 3.8 or newer.
_RUNNING = r'''
HERE = os.path.dirname(os.path.abspath(__file__))
FLAGS = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE | doctest.FAIL_FAST


class Checker(doctest.OutputChecker):
    """Takes two spellings of one value for equal."""

    def check_output(self, want, got, optionflags):
        if super().check_output(want, got, optionflags):
            return True
        try:
            return bool(want.strip()) and ast.literal_eval(want.strip()) == ast.literal_eval(got.strip())
        except (SyntaxError, ValueError, TypeError, MemoryError, RecursionError):
            return False


class Runner(doctest.DocTestRunner):
    """Says what went wrong in one line."""

    said = ""

    def report_start(self, out, test, example):
        pass

    def report_failure(self, out, test, example, got):
        self.said = "%s gave %s, expected %s" % (short(example.source), short(got), short(example.want))

    def report_unexpected_exception(self, out, test, example, exc_info):
        self.said = "%s raised %s: %s" % (short(example.source), exc_info[0].__name__, short(exc_info[1]))


def short(value):
    text = " ".join(str(value).split())
    return text if len(text) < 200 else text[:197] + "..."


def is_claim(source):
    """Whether an example is a comparison, which people leave without the True that it gives."""
    try:
        return isinstance(ast.parse(source, mode="eval").body, ast.Compare)
    except SyntaxError:
        return False


def state():
    """What a candidate must leave as it is, to be told right from wrong."""
    holders = (doctest, doctest.DocTestRunner, doctest.DocTestParser, doctest.OutputChecker, Runner, Checker)
    return [
        (name, id(value), id(getattr(value, "__code__", None))) for one in holders for name, value in vars(one).items()
    ]


def load():
    folder, file = os.path.join(HERE, FOLDER), os.path.join(HERE, FILE)
    if folder not in sys.path:
        sys.path.insert(0, folder)
    module = importlib.import_module(MODULE)
    if getattr(module, "__file__", None) and os.path.samefile(module.__file__, file):
        return module
    spec = importlib.util.spec_from_file_location(MODULE, file)  # Another module has this name.
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


BEFORE = state()
try:
    load()  # At once, so that who looks at the collected tests finds the module as well.
except (Exception, SystemExit):
    pass  # Each test will say it.


def check(function, code, value):
    names = dict(vars(load()))
    if value:
        got, want = eval(code, names), ast.literal_eval(value)
        said = "" if got == want else "%s gave %s, expected %s" % (short(code), short(repr(got)), short(value))
    else:
        runner = Runner(Checker(), verbose=False, optionflags=FLAGS)
        test = doctest.DocTestParser().get_doctest(code, names, function, FILE, 0)
        for example in test.examples:
            if not example.want and is_claim(example.source):
                example.want = "True\n"
        attempted = runner.run(test, out=lambda text: None).attempted
        said = runner.said
        skipped = sum(1 for example in test.examples if example.options.get(doctest.SKIP))
        if not said and attempted <= skipped and skipped == len(test.examples):
            pytest.skip("all examples are skipped")
    assert state() == BEFORE, "the code changes what its examples are checked with"
    assert not said, said
'''

_NOTHING = """

def test_nothing():
    pytest.skip("there are no examples")
"""
