"""What an attack is, and what is looked at after it."""

import textwrap
from dataclasses import dataclass, field
from typing import Any

from pennyproof.proof.worker import Answer, Limits, Status
from tests.proof.sandbox.yard import Yard

BOTH = ("bubblewrap", "landlock")


@dataclass(frozen=True)
class Attack:
    """A piece of code, and what it finds in the sandboxes that promise to stop it."""

    name: str
    code: str
    found: Any = "refused"
    status: Status = Status.OK
    limits: Limits = field(default_factory=lambda: Limits(wall=60))
    kinds: tuple[str, ...] = BOTH
    ended: str = "not at all"
    """How it may be ended before it finds anything, where somebody looks in time."""


def check(yard: Yard, attack: Attack) -> None:
    """The attack ends as it should, leaves nothing, and the next run knows nothing of it."""
    before = yard.digest()
    assert yard.run("found = 1").ok
    server = yard.worker._plain
    answer = yard.run(textwrap.dedent(attack.code), limits=attack.limits)
    if answer.status is not Status.CRASHED or attack.ended not in answer.detail:
        check_answer(attack, answer)
    assert yard.digest() == before
    after = yard.run(
        "left = set(os.listdir(context.scratch)) - {'home', 'tmp'}\n"
        "found = [open('module.py').read(), sorted(os.listdir('.')), list(left)]"
    )
    assert after.result == {"found": ["value = 'original'\n", ["module.py", "package"], []]}, after
    assert yard.worker._plain is server, "the fork server was lost"


def check_answer(attack: Attack, answer: Answer) -> None:
    """It came to its own end."""
    assert answer.status is attack.status, answer
    if attack.status is not Status.OK:
        assert attack.found in answer.detail
    elif isinstance(attack.found, tuple):
        assert answer.result["found"] in attack.found
    else:
        assert answer.result == {"found": attack.found}
