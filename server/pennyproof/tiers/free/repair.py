"""The free tier: candidates from templates, with no model, no key and no network."""

from collections.abc import Iterator, Sequence

from pennyproof.core.candidates import Candidate, FileChange, Origin, Tier
from pennyproof.core.edits import apply
from pennyproof.core.problems import Problem, Survivor
from pennyproof.core.sources import Source
from pennyproof.core.work import Cancel
from pennyproof.tiers.free.evidence import Evidence
from pennyproof.tiers.free.localise import Localiser
from pennyproof.tiers.free.rank import ranked
from pennyproof.tiers.free.search import Found, Search


class FreeTier:
    """Program repair by search: suspicious statements × templates, the likeliest first."""

    @property
    def tier(self) -> Tier:
        """This tier is the free one."""
        return Tier.FREE

    def propose(self, problem: Problem, *, cancel: Cancel) -> Iterator[Candidate]:
        """Candidates, likeliest first, made as they are asked for.

        Raises:
            Cancelled: Asked to stop.
        """
        search = Search(Localiser(problem).suspects(), Evidence(problem).clues)
        for attempt, found in enumerate(search, start=1):
            cancel.check()
            yield _candidate(found, attempt)

    def rank(self, problem: Problem, survivors: Sequence[Survivor]) -> list[Survivor]:
        """Survivors that mend the same tests, the likeliest to be right first."""
        return ranked(problem, survivors)


def _candidate(found: Found, attempt: int) -> Candidate:
    before = found.file.source
    after = Source(apply(before.text, found.rewrite.edits), before.encoding)
    change = FileChange(found.file.path, before, after)
    return Candidate((change,), Origin(Tier.FREE, attempt=attempt), found.rewrite.summary, found.score)
