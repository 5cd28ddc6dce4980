"""Edits of a project with a bug, of many kinds, right and wrong: what verdicts are compared with full cold runs on.

All but the free tier's own hold the right mend, and something more: so they are at once worth offering and wrong in one
place, which is what is hardest to tell. What they add is drawn with a fixed seed.
"""

import ast
import hashlib
import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain, islice

from pennyproof.core.candidates import Candidate, FileChange
from pennyproof.core.problems import Problem
from pennyproof.core.snapshots import Snapshot
from pennyproof.core.sources import Source
from pennyproof.core.work import Cancel, Deadline, Silent
from pennyproof.proof.prover import Prover
from pennyproof.rewrite.slips import slips
from pennyproof.tiers.free.repair import FreeTier
from tests.bench import corpus, mutants, seeds

_RANDOM_SEED = 20241202
_SHARES = {"screened in": 8, "screened out": 12, "several functions": 8, "constant": 8, "import": 10}
"""How many of each kind at most; the rest are slips."""
_PROPOSED = 300
_SCREEN_SECONDS = 20.0
_TOUCHED = 3
"""Functions that an edit of several changes beside the mended one."""

_AT_IMPORT = (
    "import decimal",
    "from fractions import Fraction as _Fraction\n_HALF = _Fraction(1, 2)",
    "import no_such_module_anywhere",
    "import warnings\nwarnings.simplefilter('error')",
    "import decimal\ndecimal.getcontext().prec = 3",
    "from os import open",
    "from math import *",
    "import locale\nlocale.setlocale(locale.LC_ALL, 'C')",
    "import random\nrandom.seed(0)",
    "import datetime as _datetime\n_NOW = _datetime.datetime.now()",
)
"""What is imported beside: harmless, missing, in the place of a name that is used, or with an effect on all tests."""


@dataclass(frozen=True, slots=True)
class Edit:
    """One candidate, and of what kind."""

    kind: str
    files: Mapping[str, str]
    """Relative path → the whole text."""

    @property
    def digest(self) -> str:
        """Names the edit by what it writes."""
        return hashlib.sha256(repr(sorted(self.files.items())).encode()).hexdigest()[:16]

    def candidate(self, snapshot: Snapshot) -> Candidate:
        """As the product is asked about it."""
        return Candidate(
            tuple(FileChange(path, snapshot.read(path), Source(text)) for path, text in sorted(self.files.items()))
        )


@dataclass(frozen=True, slots=True)
class Maker:
    """Makes edits of a project that has a bug."""

    ready: corpus.Ready
    seed: seeds.Seed
    lots: random.Random = field(default_factory=lambda: random.Random(_RANDOM_SEED))  # noqa: S311 - no keys

    def edits(self, prover: Prover, snapshot: Snapshot, targets: Sequence[str], wanted: int) -> list[Edit]:
        """So many edits, no two of which write the same; ``prover`` tells which of the free tier's pass its screen."""
        few = wanted < sum(_SHARES.values())
        survivors, others = self._proposed(prover, snapshot, targets)
        streams = {
            "screened in": survivors,
            "screened out": others,
            "several functions": self._several(),
            "constant": self._constants(),
            "import": self._imports(),
        }
        found = {(mend := Edit("mend", {self.seed.path: self._mended})).digest: mend}
        for kind, files in streams.items():
            for edit in islice((Edit(kind, each) for each in files), 1 if few else _SHARES[kind]):
                found.setdefault(edit.digest, edit)
        for text in self._slips():
            if len(found) == wanted:
                break
            edit = Edit("slip", {self.seed.path: text})
            found.setdefault(edit.digest, edit)
        return list(found.values())

    @property
    def _mended(self) -> str:
        return self._text(self.seed.path)

    def _text(self, path: str) -> str:
        return (self.ready.pristine / path).read_text(encoding="utf-8")

    def _proposed(
        self, prover: Prover, snapshot: Snapshot, targets: Sequence[str]
    ) -> tuple[list[Mapping[str, str]], list[Mapping[str, str]]]:
        """What the free tier proposes: what its screen lets pass, and what it does not."""
        cancel = Cancel()
        baseline = prover.baseline(snapshot, cancel=cancel, progress=Silent())
        coverage = prover.coverage(snapshot, targets, cancel=cancel)
        failing = tuple(baseline.outcomes[test] for test in targets)
        proposed = FreeTier().propose(Problem(snapshot, failing, baseline, coverage), cancel=cancel)
        passed: list[Mapping[str, str]] = []
        refused: list[Mapping[str, str]] = []
        for screened in prover.screen(
            snapshot, islice(proposed, _PROPOSED), targets, cancel=cancel, deadline=Deadline(_SCREEN_SECONDS)
        ):
            files = {path: after.text for path, after in screened.candidate.files().items() if after}
            (passed if screened.survived else refused).append(files)
        self.lots.shuffle(refused)
        return passed, refused

    def _slips(self) -> Iterator[str]:
        """The mend with one mistake more: in the same function first, then anywhere in its file, by turns."""
        text = self._mended
        near = (slip.text for slip in slips(text, [_around(text, self.seed.line)]))
        far = (slip.text for slip in slips(text, [(0, len(text))]))
        return chain(chain.from_iterable(zip(near, far, strict=False)), far)

    def _several(self) -> Iterator[Mapping[str, str]]:
        """The mend and further functions touched: without harm, with a mistake in one of them, in another file too."""
        paths = [path for path in mutants.files(self.ready, "module") if path != self.seed.path]
        while True:
            touched = self._touched(self._mended)
            yield {self.seed.path: touched}
            wrong = list(islice((slip.text for slip in slips(touched, [(0, len(touched))])), 40))
            if wrong:
                yield {self.seed.path: self.lots.choice(wrong)}
            if paths:
                path = self.lots.choice(paths)
                other = self._touched(self._text(path))
                spoilt = [slip.text for slip in islice(slips(other, [(0, len(other))]), 40)]
                yield {self.seed.path: self._mended, path: self.lots.choice([other, *spoilt])}

    def _touched(self, text: str) -> str:
        """The text with a statement that does nothing before the last one of some functions."""
        bodies = [node.body for node in ast.walk(ast.parse(text)) if isinstance(node, ast.FunctionDef)]
        lasts = [body[-1] for body in bodies if body[-1].col_offset and not _shares_line(text, body[-1])]
        lines = text.split("\n")
        chosen = self.lots.sample(lasts, min(_TOUCHED, len(lasts)))
        for last in sorted(chosen, key=lambda node: -node.lineno):
            at = min([last.lineno, *(mark.lineno for mark in getattr(last, "decorator_list", ()))])
            lines.insert(at - 1, " " * last.col_offset + "pass")
        return "\n".join(lines)

    def _constants(self) -> Iterator[Mapping[str, str]]:
        """The mend, and a constant that stands outside of functions changed, in any file of the project."""
        places = mutants.constants(self.ready, "module")
        self.lots.shuffle(places)
        for (place,) in places:
            yield {self.seed.path: self._mended, place.path: place.make(self._text(place.path))}

    def _imports(self) -> Iterator[Mapping[str, str]]:
        """The mend, and something imported where its file has its imports."""
        lines = self._mended.split("\n")
        imports = [node for node in ast.parse(self._mended).body if isinstance(node, ast.Import | ast.ImportFrom)]
        at = max((node.end_lineno or node.lineno for node in imports), default=0)
        for added in _AT_IMPORT:
            yield {self.seed.path: "\n".join([*lines[:at], added, *lines[at:]])}


def _around(text: str, line: int) -> tuple[int, int]:
    """The lines of the function that a line lies in, as offsets; the line alone where it lies in none."""
    functions = [node for node in ast.walk(ast.parse(text)) if isinstance(node, ast.FunctionDef)]
    spans = [(node.lineno, node.end_lineno or node.lineno) for node in functions]
    first, last = min(
        (span for span in spans if span[0] <= line <= span[1]), key=lambda span: span[1] - span[0], default=(line, line)
    )
    lines = text.splitlines(keepends=True)
    return sum(map(len, lines[: first - 1])), sum(map(len, lines[:last]))


def _shares_line(text: str, node: ast.stmt) -> bool:
    """Whether something else stands before a statement on its line."""
    return bool(text.split("\n")[node.lineno - 1].encode()[: node.col_offset].strip())
