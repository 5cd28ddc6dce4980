"""What a model is told of the edits that it proposed."""

from collections.abc import Iterable, Sequence

from pennyproof.context.quoting import quoted
from pennyproof.core.verdicts import FailedTest, Gate, Verdict

_MOST_TESTS = 5
_LONGEST_MESSAGE = 1200

AGAIN = "You gave this edit before, and it does not mend the tests. Look for another cause."
NO_USE = "None of your edits could be tried. Give the edit again, as blocks, with what is wrong put right."
GO_ON = "Give another edit, for the files as they were shown to you: none of the edits above was kept."


def on_verdict(verdict: Verdict, targets: Sequence[str]) -> str:
    """What became of one edit: what it mended, what still fails, what it broke.

    Args:
        verdict: What the gates found.
        targets: The failing tests that were to be mended.
    """
    if verdict.gate is not None and verdict.gate is not Gate.TESTS:
        return f"It was not run: {verdict.reason}"
    messages = {test.id: test.message for test in verdict.failed}
    still = [test for test in targets if test not in verdict.fixed]
    parts = []
    if verdict.fixed:
        parts.append(f"It mends {', '.join(verdict.fixed[:_MOST_TESTS])}.")
    if verdict.broken:
        parts.append("It breaks tests that passed before:\n" + _tests(verdict.broken, messages))
    if still:
        parts.append("These still fail:\n" + _tests(still, messages))
    if verdict.reason:
        parts.append(f"It was rejected: {verdict.reason}")
    return "\n".join(parts)


def _tests(ids: Iterable[str], messages: dict[str, str]) -> str:
    shown = [FailedTest(test, messages.get(test, "")) for test in list(ids)[:_MOST_TESTS]]
    return "\n".join(
        f"{test.id}\n{quoted(test.message.strip()[:_LONGEST_MESSAGE], '')}" if test.message else test.id
        for test in shown
    )
